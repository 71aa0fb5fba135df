// A clock that moves only when it is told to: tests and simulations run in it as fast as the
// machine allows, and always the same way.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/ports/clock.hpp"

namespace asiodrv::ports {

/// sleep_until jumps to its deadline instead of waiting. Any thread; time never runs backwards,
/// whoever moves it.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(Instant start = Instant{0}) noexcept : now_ns_(start.ns) {}

  [[nodiscard]] Instant now() const RT_SAFE override {
    return {now_ns_.load(std::memory_order_acquire)};
  }

  void sleep_until(Instant deadline) RT_SAFE override {
    std::int64_t now = now_ns_.load(std::memory_order_acquire);
    while (now < deadline.ns && !now_ns_.compare_exchange_weak(now, deadline.ns)) {
    }
  }

  /// Moves time forward by `by`, which must not be negative.
  void advance(nanoseconds by) RT_SAFE { now_ns_.fetch_add(by.count()); }

 private:
  std::atomic<std::int64_t> now_ns_;
};

}  // namespace asiodrv::ports
