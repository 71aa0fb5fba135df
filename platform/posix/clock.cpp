// CLOCK_MONOTONIC, absolute sleeps, and the futex calls that take deadlines on the same clock.
#include "core/ports/clock.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "platform/cpu.hpp"
#include "platform/monotonic.hpp"
#include "platform/platform.hpp"
#include "platform/posix/futex.hpp"
#include "platform/sleep_margin.hpp"

namespace asiodrv::platform {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

/// `at` must not be negative: the kernel refuses such deadlines.
timespec to_timespec(Instant at) noexcept {
  return {static_cast<time_t>(at.ns / kSecond), static_cast<long>(at.ns % kSecond)};
}

void nap_until(Instant wake) noexcept {
  const timespec target = to_timespec(wake);
  (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &target, nullptr);  // a signal may end it
}

class MonotonicClock final : public ports::Clock {
 public:
  MonotonicClock() noexcept {
    // A first idea of this machine's habits, about 1 ms in all; the stream's own sleeps refine it.
    for (int sample = 0; sample < 4; ++sample) {
      const Instant target = monotonic_now() + nanoseconds{100'000};
      nap_until(target);
      margin_.observe(monotonic_now() - target);
    }
  }

  [[nodiscard]] Instant now() const RT_SAFE override { return monotonic_now(); }

  void sleep_until(Instant deadline) RT_SAFE override {
    for (;;) {
      const Instant now = monotonic_now();
      if (now >= deadline) return;
      if (deadline - now <= kMaxSpin) break;
      // Too close for the margin: the shortest nap still ends later than a spin may last.
      const Instant target = std::max(deadline - margin_.margin(), now);
      nap_until(target);
      const Instant woken = monotonic_now();
      if (woken >= target) margin_.observe(woken - target);
      if (woken + kMaxSpin >= deadline) break;
    }
    while (monotonic_now() < deadline) cpu_pause();
  }

 private:
  SleepMargin margin_;
};

}  // namespace

Instant monotonic_now() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return {std::int64_t{now.tv_sec} * kSecond + now.tv_nsec};
}

void futex_wait(const void* word, std::uint32_t expected, Instant until,
                FutexScope scope) noexcept {
  if (until.ns <= 0) return;
  const timespec deadline = to_timespec(until);
  const int operation =
      FUTEX_WAIT_BITSET | (scope == FutexScope::in_process ? FUTEX_PRIVATE_FLAG : 0);
  syscall(SYS_futex, word, operation, expected, &deadline, nullptr, FUTEX_BITSET_MATCH_ANY);
}

void futex_wake(const void* word, int sleepers, FutexScope scope) noexcept {
  const int operation = FUTEX_WAKE | (scope == FutexScope::in_process ? FUTEX_PRIVATE_FLAG : 0);
  syscall(SYS_futex, word, operation, sleepers, nullptr, nullptr, 0);
}

std::unique_ptr<ports::Clock> make_clock() { return std::make_unique<MonotonicClock>(); }

}  // namespace asiodrv::platform
