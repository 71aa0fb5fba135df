// What administrators find in the event log: few entries, each with a sentence. The texts are in
// events.mc; tests/windows/test_events.py holds both against each other.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace asiodrv::service::manager {

enum class Event : std::uint32_t {
  started = 1,
  stopped = 2,
  device_lost = 3,
  client_refused = 4,
  failed = 5
};

enum class EventSeverity : std::uint32_t { information = 1, warning = 2, error = 3 };

[[nodiscard]] constexpr EventSeverity severity_of(Event event) noexcept {
  switch (event) {
    case Event::started:
    case Event::stopped: return EventSeverity::information;
    case Event::device_lost:
    case Event::client_refused: return EventSeverity::warning;
    case Event::failed: return EventSeverity::error;
  }
  return EventSeverity::error;
}

/// As the message table numbers it: the severity in the upper two bits.
[[nodiscard]] constexpr std::uint32_t event_identifier(Event event) noexcept {
  return static_cast<std::uint32_t>(severity_of(event)) << 30U | static_cast<std::uint32_t>(event);
}

/// Writes one entry; `detail` (UTF-8) stands where the table's text has %1. Any thread, not the
/// engine's. An event log that does not take it is no reason to fail.
using EventSink = std::function<void(Event event, const std::string& detail)>;

/// Into the system's event log, under `source`; elsewhere into nothing.
[[nodiscard]] EventSink make_event_sink(const std::string& source);

}  // namespace asiodrv::service::manager
