// What a service tells the service manager about itself, in the only order that the manager allows.
//
//   (nothing said) -> start_pending -> running -> stop_pending -> stopped
//                          |              |                          ^
//                          +--------------+--------------------------+   also straight to stopped
//                          +-> stop_pending
//
// While something is pending no control is accepted, and each report has a higher number than the
// one before: it says that there was progress. After `stopped` nothing is said any more.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "core/base/result.hpp"
#include "core/base/units.hpp"
#include "core/ports/mutex.hpp"
#include "service/manager/service_control.hpp"

namespace asiodrv::service::manager {

/// One call of SetServiceStatus.
struct StatusReport {
  RunState state = RunState::stopped;
  bool accepts_controls = false;  ///< stop, shutdown, power and session events
  std::uint32_t checkpoint = 0;
  nanoseconds wait_hint{0};
  std::uint32_t exit_code = 0;  ///< of the system's; 1066: see the next
  std::uint32_t own_exit_code = 0;
};

/// Any thread; reports come out one at a time, in order.
class ServiceStatus {
 public:
  using Report = std::function<Outcome<>(const StatusReport&)>;
  explicit ServiceStatus(Report report) : report_(std::move(report)) {}

  /// Each says a state; again, in a pending one: progress. Errors: invalid_state (the order forbids
  /// it: nothing is reported), internal (the system refused it).
  [[nodiscard]] Result<> start_pending(nanoseconds hint);
  [[nodiscard]] Result<> running();
  [[nodiscard]] Result<> stop_pending(nanoseconds hint);
  /// `exit_code`: of a program, 0 is good.
  [[nodiscard]] Result<> stopped(int exit_code);
  /// What was said last, once more: the answer to an interrogation. Error: as above.
  [[nodiscard]] Result<> repeat();

  [[nodiscard]] std::optional<RunState> state() const;
  [[nodiscard]] static bool is_legal(std::optional<RunState> from, RunState to) noexcept;

 private:
  [[nodiscard]] Result<> say(StatusReport report);

  const Report report_;
  mutable ports::Mutex mutex_;  // guards what follows, and keeps the order of reports
  std::optional<StatusReport> last_;
};

}  // namespace asiodrv::service::manager
