// Tells the log about xruns: who caused them, at most one line in five seconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/units.hpp"
#include "core/engine/flight_recorder.hpp"
#include "service/log.hpp"
#include "service/session_history.hpp"

namespace asiodrv::service {

/// Control thread.
class XrunWatch {
 public:
  static constexpr nanoseconds kInterval = std::chrono::seconds{5};

  explicit XrunWatch(Log log) : log_(std::move(log)) {}

  /// What `flight` holds so far is old.
  void begin(const engine::FlightRecorder& flight) { told_ = flight.events_written(); }

  /// Writes a line when there are events that no line has told about and the last line is old
  /// enough; otherwise they wait for a later call.
  void report(const engine::FlightRecorder& flight, const SessionHistory& history, Instant now);

  /// There are events that no line has told about.
  [[nodiscard]] bool pending(const engine::FlightRecorder& flight) const {
    return flight.events_written() != told_;
  }

 private:
  Log log_;
  std::uint64_t told_ = 0;
  Instant quiet_until_{};
};

/// The names of the causes in a bit set of XrunCause.
[[nodiscard]] std::vector<std::string_view> cause_names(std::uint32_t causes);

/// The same as words in a row.
[[nodiscard]] std::string cause_words(std::uint32_t causes);

}  // namespace asiodrv::service
