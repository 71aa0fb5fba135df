// The clock behind platform::make_clock, for the parts of this folder that wait.
#pragma once

#include <algorithm>

#include "core/base/units.hpp"

namespace asiodrv::platform {

/// Now, on the clock whose origin all processes share. Any thread. RT.
[[nodiscard]] Instant monotonic_now() noexcept;

/// Time left until `deadline`, never negative. Any deadline is accepted, the extremes of the type
/// included: callers write "never" as the largest Instant.
[[nodiscard]] inline nanoseconds time_left(Instant deadline) noexcept {
  const Instant now = monotonic_now();  // never negative: both systems count from boot
  return deadline <= now ? nanoseconds{0} : deadline - now;
}

/// The earlier of `deadline` and `slice` from now. Bounds one kernel sleep.
[[nodiscard]] inline Instant within(Instant deadline, nanoseconds slice) noexcept {
  return std::min(deadline, monotonic_now() + slice);
}

}  // namespace asiodrv::platform
