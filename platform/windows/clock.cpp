// QueryPerformanceCounter, and sleeps by whatever this machine is good at.
#include "core/ports/clock.hpp"

#include <array>
#include <atomic>

#include "platform/cpu.hpp"
#include "platform/monotonic.hpp"
#include "platform/platform.hpp"
#include "platform/sleep_margin.hpp"
#include "platform/windows/library.hpp"
#include "platform/windows/sleeper.hpp"

namespace asiodrv::platform {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

/// Ticks per second; fixed from boot, so remembering it needs no order among threads.
std::int64_t counter_frequency() noexcept {
  static constinit std::atomic<std::int64_t> known{0};
  std::int64_t frequency = known.load(std::memory_order_relaxed);
  if (frequency == 0) {
    LARGE_INTEGER asked;
    QueryPerformanceFrequency(&asked);
    frequency = asked.QuadPart;
    known.store(frequency, std::memory_order_relaxed);
  }
  return frequency;
}

/// Timers for the threads that sleep on one clock at the same time. Taking and returning one is
/// wait-free; a thread that finds none sleeps by Sleep.
class TimerPool {
 public:
  TimerPool() noexcept {
    for (auto& slot : slots_) {
      UniqueHandle timer = make_fine_timer();
      slot.store(timer.get(), std::memory_order_relaxed);
      handles_[static_cast<std::size_t>(&slot - slots_.data())] = std::move(timer);
    }
  }

  class Lease {
   public:
    explicit Lease(TimerPool& pool) noexcept {
      for (auto& slot : pool.slots_) {
        timer_ = slot.exchange(nullptr, std::memory_order_acquire);
        slot_ = &slot;
        if (timer_ != nullptr) return;
      }
    }
    ~Lease() {
      if (timer_ != nullptr) slot_->store(timer_, std::memory_order_release);
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    [[nodiscard]] HANDLE timer() const noexcept { return timer_; }

   private:
    std::atomic<HANDLE>* slot_ = nullptr;
    HANDLE timer_ = nullptr;
  };

 private:
  static constexpr std::size_t kTimers = 8;
  std::array<std::atomic<HANDLE>, kTimers> slots_{};
  std::array<UniqueHandle, kTimers> handles_;
};

class CounterClock final : public ports::Clock {
 public:
  CounterClock() noexcept : method_(sleep_method()) {
    // A first idea of this machine's habits; the stream's own sleeps refine it.
    for (int sample = 0; sample < 4; ++sample) {
      nap_until(monotonic_now() + nanoseconds{100'000});
    }
  }

  [[nodiscard]] Instant now() const RT_SAFE override { return monotonic_now(); }

  void sleep_until(Instant deadline) RT_SAFE override {
    for (;;) {
      const Instant now = monotonic_now();
      if (now >= deadline) return;
      if (deadline - now <= kMaxSpin) break;
      // Too close for the margin: the shortest nap still ends later than a spin may last.
      const Instant target = std::max(deadline - margin_.margin(), now + nanoseconds{100});
      nap_until(target);
      if (monotonic_now() + kMaxSpin >= deadline) break;
    }
    while (monotonic_now() < deadline) cpu_pause();
  }

 private:
  void nap_until(Instant target) noexcept {
    const TimerPool::Lease lease(timers_);
    sleep_for(method_, lease.timer(), time_left(target));
    const Instant woken = monotonic_now();
    if (woken >= target) margin_.observe(woken - target);
  }

  SleepMethod method_;
  SleepMargin margin_;
  TimerPool timers_;
};

}  // namespace

Instant monotonic_now() noexcept {
  LARGE_INTEGER counter;
  QueryPerformanceCounter(&counter);
  const std::int64_t frequency = counter_frequency();
  // In two parts: counter * 10^9 would overflow after 15 minutes at 10 MHz.
  const std::int64_t seconds = counter.QuadPart / frequency;
  const std::int64_t rest = counter.QuadPart % frequency;
  return {seconds * kSecond + rest * kSecond / frequency};
}

std::unique_ptr<ports::Clock> make_clock() { return std::make_unique<CounterClock>(); }

std::uint64_t host_epoch_ms() {
  using TimeGetTime = DWORD WINAPI();
  static constinit std::atomic<TimeGetTime*> known{nullptr};
  TimeGetTime* time_get_time = known.load(std::memory_order_acquire);
  const std::uint64_t wide = GetTickCount64();
  if (time_get_time == nullptr) {
    time_get_time = system_function<TimeGetTime>(L"winmm.dll", "timeGetTime");
    if (time_get_time == nullptr) return wide;
    known.store(time_get_time, std::memory_order_release);
  }
  // Both count milliseconds since boot and differ by little: the wide one supplies the upper half.
  const DWORD narrow = time_get_time();
  const auto ahead = static_cast<std::int32_t>(narrow - static_cast<DWORD>(wide));
  return wide + static_cast<std::uint64_t>(std::int64_t{ahead});
}

}  // namespace asiodrv::platform
