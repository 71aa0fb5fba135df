// The clock, and the margin that it learns.
#include <gtest/gtest.h>

#include <chrono>
#include <limits>

#include "core/base/rt.hpp"
#include "platform/platform.hpp"
#include "platform/sleep_margin.hpp"

namespace asiodrv::platform {
namespace {

using namespace std::chrono_literals;

TEST(clock, never_goes_back) {
  const auto clock = make_clock();
  Instant before = clock->now();
  EXPECT_GT(before.ns, 0);
  for (int reading = 0; reading < 100'000; ++reading) {
    const Instant now = clock->now();
    ASSERT_GE(now, before);
    before = now;
  }
}

TEST(clock, sleep_never_ends_early) {
  const auto clock = make_clock();
  for (const nanoseconds duration :
       {nanoseconds{1}, nanoseconds{700}, nanoseconds{9us}, nanoseconds{61us}, nanoseconds{250us},
        nanoseconds{1333us}, nanoseconds{20ms}}) {
    for (int turn = 0; turn < 20; ++turn) {
      const Instant deadline = clock->now() + duration;
      clock->sleep_until(deadline);
      ASSERT_GE(clock->now(), deadline) << duration.count() << " ns";
    }
  }
}

TEST(clock, a_deadline_that_has_passed_returns_at_once) {
  const auto clock = make_clock();
  clock->sleep_until(clock->now() - 1s);
  clock->sleep_until({0});
  clock->sleep_until({std::numeric_limits<std::int64_t>::min()});
}

TEST(clock, may_be_used_inside_a_real_time_scope) {
  const auto clock = make_clock();
  const RtScope scope;
  const Instant deadline = clock->now() + 300us;
  const RtPermit permit;  // bounded by the deadline above
  clock->sleep_until(deadline);
}

TEST(clock, host_epoch_advances_with_the_clock) {
  const auto clock = make_clock();
  const std::uint64_t before = host_epoch_ms();
  clock->sleep_until(clock->now() + 60ms);
  const std::uint64_t after = host_epoch_ms();
  EXPECT_GE(after - before, 40U);      // both may be quantised to 16 ms
  EXPECT_LE(after - before, 30'000U);  // milliseconds, not another unit
}

/// Deterministic lateness between 10 and 30 µs, evenly spread.
nanoseconds even_lateness(int turn) { return nanoseconds{10'000 + (turn * 7919) % 20'000}; }

TEST(sleep_margin, covers_most_late_wake_ups_of_a_steady_machine) {
  SleepMargin margin;
  for (int turn = 0; turn < 2000; ++turn) margin.observe(even_lateness(turn));
  EXPECT_GT(margin.margin(), 25us);
  EXPECT_LE(margin.margin(), 34us);
}

TEST(sleep_margin, one_stall_barely_moves_it) {
  SleepMargin margin;
  for (int turn = 0; turn < 2000; ++turn) margin.observe(even_lateness(turn));
  const nanoseconds before = margin.margin();
  margin.observe(15ms);
  EXPECT_LE(margin.margin() - before, 14us);
  for (int turn = 0; turn < 100; ++turn) margin.observe(even_lateness(turn));
  EXPECT_LE(margin.margin() - before, 5us);
}

TEST(sleep_margin, follows_a_change_of_habits_within_a_hundred_sleeps) {
  SleepMargin margin;
  for (int turn = 0; turn < 100; ++turn) margin.observe(100us);
  EXPECT_GE(margin.margin(), 99us);
  for (int turn = 0; turn < 100; ++turn) margin.observe(5us);
  EXPECT_LE(margin.margin(), 18us);
}

TEST(sleep_margin, an_ordinary_wake_up_spins_no_longer_than_the_budget) {
  SleepMargin margin;
  // Nine sleeps on time, one very late: covering the late one would cost 300 µs of spinning each.
  for (int turn = 0; turn < 5000; ++turn) margin.observe(turn % 10 == 0 ? 300us : 5us);
  EXPECT_LE(margin.margin(), 6us + kTypicalSpin);
}

TEST(sleep_margin, nonsense_keeps_it_within_bounds) {
  SleepMargin margin;
  for (int turn = 0; turn < 1000; ++turn) margin.observe(nanoseconds::max());
  EXPECT_LE(margin.margin(), 500us + kTypicalSpin);
  for (int turn = 0; turn < 1000; ++turn) margin.observe(nanoseconds::min());
  EXPECT_GT(margin.margin(), 0ns);
}

}  // namespace
}  // namespace asiodrv::platform
