// The doorbell protocol over its two shared words, the same on every system; `Kernel` is how this
// system sleeps and wakes.
//
//   count      written by the ringer: the value that the waiter waits to see change
//   sleepers   1 while the waiter sleeps or is about to; the side that finds it set clears it
//
//   ringer     count = n;        if (sleepers) { sleepers = 0; wake }
//   waiter     sleepers = 1;     if (count is still what it was) sleep while sleepers is 1
//
// All four accesses are sequentially consistent, so at least one side sees what the other wrote:
// either the ringer finds the sleeper or the waiter finds the new count. Clearing `sleepers` before
// the wake closes the last gap on systems whose sleep compares the word (futex); elsewhere the
// wake-up is remembered (auto-reset event). An interrupt is the same as a ring that leaves the
// count alone and raises a flag of this process instead.
//
// The peer can write both words at any time. All it gains is a wake-up too many (the loop goes
// back to sleep) or one too few, and no sleep is longer than kSleepSlice before the words are
// looked at again.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "core/base/rt.hpp"
#include "core/ports/doorbell.hpp"
#include "platform/cpu.hpp"
#include "platform/monotonic.hpp"

namespace asiodrv::platform {

/// Bounds what a peer that scribbles over the words can delay: the next look at count and flag.
inline constexpr nanoseconds kSleepSlice{100'000'000};

/// `Kernel` has two members, both RT but for the wait itself:
///   void wake(std::uint32_t* sleepers) noexcept
///   void sleep(std::uint32_t* sleepers, Instant until) noexcept   while *sleepers is 1; may return
///                                                                 early for any reason
template <class Kernel>
class WordDoorbell final : public ports::Doorbell {
 public:
  /// `words` points at count and sleepers, 8-byte aligned, in memory that outlives this object.
  WordDoorbell(std::uint32_t* words, Kernel kernel) noexcept
      : words_(words), kernel_(std::move(kernel)) {}

  void ring(std::uint32_t count) RT_SAFE override {
    word(0).store(count, std::memory_order_seq_cst);
    if (word(1).load(std::memory_order_seq_cst) != 0) wake();
  }

  [[nodiscard]] std::uint32_t count() const RT_SAFE override {
    return word(0).load(std::memory_order_acquire);
  }

  std::uint32_t wait_change(std::uint32_t seen, Instant deadline,
                            nanoseconds spin) RT_SAFE override {
    if (!spin_for_change(seen, deadline, spin)) sleep_for_change(seen, deadline);
    const std::uint32_t value = count();
    // An interrupt that met a change is kept for the next wait: its caller may not have looked yet.
    if (value == seen) interrupted_.store(false, std::memory_order_seq_cst);
    return value;
  }

  void interrupt() RT_SAFE override {
    interrupted_.store(true, std::memory_order_seq_cst);
    wake();
  }

 private:
  std::atomic_ref<std::uint32_t> word(std::size_t index) const noexcept {
    return std::atomic_ref<std::uint32_t>{words_[index]};
  }

  void wake() noexcept {
    word(1).store(0, std::memory_order_seq_cst);
    kernel_.wake(&words_[1]);
  }

  [[nodiscard]] bool over(std::uint32_t seen) const noexcept {
    return word(0).load(std::memory_order_seq_cst) != seen ||
           interrupted_.load(std::memory_order_seq_cst);
  }

  /// True when there is nothing left to wait for.
  bool spin_for_change(std::uint32_t seen, Instant deadline, nanoseconds spin) const noexcept {
    if (over(seen)) return true;
    if (spin <= nanoseconds{0}) return false;
    const Instant until = within(deadline, spin);
    do {
      for (int turn = 0; turn < 8; ++turn) {
        if (over(seen)) return true;
        cpu_pause();
      }
    } while (monotonic_now() < until);
    return false;
  }

  void sleep_for_change(std::uint32_t seen, Instant deadline) noexcept {
    for (;;) {
      word(1).store(1, std::memory_order_seq_cst);
      if (over(seen) || time_left(deadline) == nanoseconds{0}) break;
      kernel_.sleep(&words_[1], within(deadline, kSleepSlice));
    }
    word(1).store(0, std::memory_order_relaxed);
  }

  std::uint32_t* words_;
  Kernel kernel_;
  std::atomic<bool> interrupted_{false};
};

}  // namespace asiodrv::platform
