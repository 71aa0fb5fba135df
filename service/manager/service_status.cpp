#include "service/manager/service_status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace asiodrv::service::manager {
namespace {

using ports::MutexLock;

struct Step {
  std::optional<RunState> from;
  RunState to;
};
constexpr Step kSteps[] = {{std::nullopt, RunState::start_pending},
                           {RunState::start_pending, RunState::start_pending},
                           {RunState::start_pending, RunState::running},
                           {RunState::start_pending, RunState::stop_pending},
                           {RunState::start_pending, RunState::stopped},
                           {RunState::running, RunState::stop_pending},
                           {RunState::running, RunState::stopped},
                           {RunState::stop_pending, RunState::stop_pending},
                           {RunState::stop_pending, RunState::stopped}};

bool is_pending(RunState state) noexcept {
  return state == RunState::start_pending || state == RunState::stop_pending;
}

}  // namespace

bool ServiceStatus::is_legal(std::optional<RunState> from, RunState to) noexcept {
  return std::any_of(std::begin(kSteps), std::end(kSteps),
                     [&](const Step& step) { return step.from == from && step.to == to; });
}

Result<> ServiceStatus::start_pending(nanoseconds hint) {
  return say({.state = RunState::start_pending, .wait_hint = hint});
}

Result<> ServiceStatus::running() {
  return say({.state = RunState::running, .accepts_controls = true});
}

Result<> ServiceStatus::stop_pending(nanoseconds hint) {
  return say({.state = RunState::stop_pending, .wait_hint = hint});
}

Result<> ServiceStatus::stopped(int exit_code) {
  StatusReport report;
  if (exit_code != 0) {
    report.exit_code = system_errors::kServiceSpecific;
    report.own_exit_code = static_cast<std::uint32_t>(exit_code);
  }
  return say(report);
}

Result<> ServiceStatus::say(StatusReport report) {
  const MutexLock lock(mutex_);
  const std::optional<RunState> from = last_ ? std::optional(last_->state) : std::nullopt;
  if (!is_legal(from, report.state)) {
    return fail(ErrorCode::invalid_state,
                fmt::format("A service may not go from state {} to {}.",
                            from ? static_cast<int>(*from) : 0, static_cast<int>(report.state)));
  }
  if (is_pending(report.state)) {
    report.checkpoint = from == report.state ? last_->checkpoint + 1 : 1;
  }
  last_ = report;
  const auto taken = report_(report);
  if (taken) return {};
  return fail(ErrorCode::internal,
              fmt::format("The service manager refused a report: error {}.", taken.error().number));
}

Result<> ServiceStatus::repeat() {
  const MutexLock lock(mutex_);
  if (!last_ || last_->state == RunState::stopped) {
    return fail(ErrorCode::invalid_state, "There is nothing to repeat.");
  }
  const auto taken = report_(*last_);
  if (taken) return {};
  return fail(ErrorCode::internal,
              fmt::format("The service manager refused a report: error {}.", taken.error().number));
}

std::optional<RunState> ServiceStatus::state() const {
  const MutexLock lock(mutex_);
  return last_ ? std::optional(last_->state) : std::nullopt;
}

}  // namespace asiodrv::service::manager
