// The service as the ASIO front sees it. ServiceClient implements it over a Transport; tests and
// the simulation implement it in memory.
#pragma once

#include <functional>

#include "core/base/result.hpp"
#include "core/base/units.hpp"
#include "core/wire/control.hpp"

namespace asiodrv::ipc {

/// One conversation with the service. Calls come from control threads, one at a time (the front
/// serialises them), and every one of them returns by its `deadline`. Errors common to all:
/// disconnected (the service is gone: disconnect, connect anew), timed_out, malformed (it spoke
/// nonsense; the link is closed), and the service's own refusals with its sentence.
class ServiceLink {
 public:
  virtual ~ServiceLink() = default;

  /// From here on disconnect() breaks off the next connect() as well, even one that has not begun.
  /// Called before connect() by whom another thread may break off.
  virtual void prepare_connect() noexcept {}

  /// Connects, starting the service when nobody answers and `may_start` is set, and says hello.
  /// Errors: service_absent (with the reason in plain words), access_denied, version_mismatch.
  [[nodiscard]] virtual Result<wire::DriverDescription> connect(bool may_start,
                                                                Instant deadline) = 0;
  [[nodiscard]] virtual Result<wire::SessionGrant> create_session(const wire::SessionRequest&,
                                                                  Instant deadline) = 0;
  [[nodiscard]] virtual Result<> start_session(Instant deadline) = 0;
  [[nodiscard]] virtual Result<> stop_session(Instant deadline) = 0;
  [[nodiscard]] virtual Result<> dispose_session(Instant deadline) = 0;
  [[nodiscard]] virtual Result<> set_rate(SampleRate rate, Instant deadline) = 0;
  [[nodiscard]] virtual Result<> select_clock(std::uint32_t index, Instant deadline) = 0;

  /// Errors: unsupported where the service has no mixer; invalid_argument (a channel).
  [[nodiscard]] virtual Result<> set_monitor(const wire::MonitorRequest&, Instant) {
    return fail(ErrorCode::unsupported, "This service has no monitors.");
  }
  [[nodiscard]] virtual Result<> set_gain(const wire::GainRequest&, Instant) {
    return fail(ErrorCode::unsupported, "This service has no gains.");
  }
  [[nodiscard]] virtual Result<wire::ChannelLevels> levels(Instant) {
    return fail(ErrorCode::unsupported, "This service has no meters.");
  }

  /// Closes the stream. Pending calls return `disconnected`. Any thread, repeatable.
  virtual void disconnect() noexcept = 0;

  /// Waits for the next notification. Notifier thread only; may run beside the calls above.
  /// Errors: disconnected (also when never connected), timed_out.
  [[nodiscard]] virtual Result<wire::HostEvent> next_event(Instant deadline) = 0;

  /// Makes next_event return `timed_out` at once. Any thread.
  virtual void wake_events() noexcept = 0;
};

}  // namespace asiodrv::ipc
