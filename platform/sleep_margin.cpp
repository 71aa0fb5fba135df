#include "platform/sleep_margin.hpp"

#include <algorithm>

namespace asiodrv::platform {
namespace {

constexpr std::int64_t kMinMargin = 2'000;      // ns: a kernel exit and the clock read
constexpr std::int64_t kMaxLateness = 500'000;  // ns: anything above is a stall, not a habit

}  // namespace

nanoseconds SleepMargin::margin() const RT_SAFE {
  const std::int64_t typical = typical_ns_.load(std::memory_order_relaxed);
  const std::int64_t high = high_ns_.load(std::memory_order_relaxed);
  return nanoseconds{std::max(kMinMargin, std::min(high, typical + kTypicalSpin.count()))};
}

void SleepMargin::observe(nanoseconds lateness) RT_SAFE {
  const std::int64_t seen = std::clamp<std::int64_t>(lateness.count(), 0, kMaxLateness);

  // As many steps up as down: settles where half of the observations lie on either side.
  std::int64_t typical = typical_ns_.load(std::memory_order_relaxed);
  const std::int64_t step = typical / 16 + 200;
  typical = seen > typical ? std::min(seen, typical + step) : std::max(seen, typical - step);
  typical_ns_.store(typical, std::memory_order_relaxed);

  // One step up weighs nineteen down: settles where 1 of 20 observations is later.
  std::int64_t high = high_ns_.load(std::memory_order_relaxed);
  const std::int64_t fine = typical / 32 + 100;
  high = seen > high ? std::min(seen, high + 19 * fine) : std::max(seen, high - fine);
  high_ns_.store(high, std::memory_order_relaxed);
}

}  // namespace asiodrv::platform
