// What the simulated device does when it is served late, not at all, or taken away.
#include <gtest/gtest.h>

#include "devices/simulated/simulated_device.hpp"
#include "devices/simulated/simulated_test_bench.hpp"

namespace asiodrv::devices {
namespace {

using ports::PeriodStatus;
using test::Bench;

TEST(simulated_faults, a_commit_just_before_the_boundary_counts_and_one_at_it_is_refused) {
  for (const bool late : {false, true}) {
    Bench bench;
    bench.run();
    bench.serve();  // block 0
    ASSERT_EQ(bench.wait(), PeriodStatus::ready);
    bench.fill();  // block 1
    bench.clock.sleep_until(bench.period.next_boundary - nanoseconds{late ? 0 : 1});
    EXPECT_EQ(bench.commit(), !late);
    ASSERT_EQ(bench.wait(), PeriodStatus::ready);
    EXPECT_EQ(bench.period.index, 2U);
    EXPECT_EQ(bench.period.lost, 0U);
    EXPECT_EQ(bench.captured(0), bench.tags(0, 0));  // the block before is not harmed
    ASSERT_TRUE(bench.commit());
    ASSERT_EQ(bench.wait(), PeriodStatus::ready);
    EXPECT_EQ(bench.captured(0), late ? bench.silence() : bench.tags(1, 0));
  }
}

TEST(simulated_faults, a_block_that_is_never_committed_is_silence) {
  Bench bench;
  bench.run();
  ASSERT_EQ(bench.wait(), PeriodStatus::ready);
  bench.fill();  // block 0: filled, and kept
  bench.serve();
  bench.serve();
  EXPECT_EQ(bench.captured(0), bench.silence());
  bench.serve();
  EXPECT_EQ(bench.captured(0), bench.tags(1, 0));
}

TEST(simulated_faults, who_comes_late_gets_the_newest_period_and_the_number_of_lost_ones) {
  for (std::uint32_t away = 1; away <= 12; ++away) {
    Bench bench;
    bench.run();
    bench.serve();                            // period 0 at 1 N
    bench.clock.advance(bench.length(away));  // now inside period `away`
    const Instant late = bench.clock.now();
    ASSERT_EQ(bench.wait(), PeriodStatus::ready);
    EXPECT_EQ(bench.period.index, away);
    EXPECT_EQ(bench.period.lost, away - 1);
    EXPECT_FALSE(bench.period.gap);
    EXPECT_EQ(bench.clock.now(), late);  // no waiting: the period has begun
    EXPECT_LE(bench.period.boundary, late);
    EXPECT_GT(bench.period.next_boundary, late);
    // Block 0 played in [t_1, t_2): it is heard as capture block 2, if anybody asks then.
    EXPECT_EQ(bench.captured(0), away == 2 ? bench.tags(0, 0) : bench.silence());
    bench.fill();
    ASSERT_TRUE(bench.commit());
    bench.serve();
    EXPECT_EQ(bench.period.lost, 0U);
    EXPECT_EQ(bench.captured(0), away == 1 ? bench.tags(0, 0) : bench.silence());
    bench.serve();
    EXPECT_EQ(bench.captured(0), bench.tags(away, 0));  // and back to normal
  }
}

TEST(simulated_faults, jitter_longer_than_a_period_loses_periods_and_says_so) {
  SimulatedOptions options;
  options.jitter_us = 1000;
  Bench bench(options, {768'000}, {16});  // a period of 20.8 us
  bench.run();
  std::uint64_t expected = 0, lost = 0;
  for (int i = 0; i < 500; ++i) {
    ASSERT_EQ(bench.wait(), PeriodStatus::ready);
    ASSERT_EQ(bench.period.index, expected + bench.period.lost);
    ASSERT_LE(bench.period.lost, 1000 * 1000 / 20'833 + 1U);
    ASSERT_LE(bench.period.boundary, bench.clock.now());
    ASSERT_GT(bench.period.next_boundary, bench.clock.now());
    expected = bench.period.index + 1;
    lost += bench.period.lost;
  }
  EXPECT_GT(lost, 500U);
}

TEST(simulated_faults, an_injected_gap_skips_periods_and_is_the_devices_own_fault) {
  Bench bench;
  bench.run();
  bench.serve();
  bench.device.inject_gap(2);
  bench.device.inject_gap(1);
  ASSERT_EQ(bench.wait(), PeriodStatus::ready);
  EXPECT_EQ(bench.period.index, 4U);
  EXPECT_EQ(bench.period.lost, 3U);
  EXPECT_TRUE(bench.period.gap);
  EXPECT_EQ(bench.period.boundary - bench.started, bench.length(5));
  EXPECT_EQ(bench.captured(0), bench.silence());
  ASSERT_TRUE(bench.commit());
  bench.serve();
  EXPECT_EQ(bench.period.index, 5U);
  EXPECT_FALSE(bench.period.gap);
}

TEST(simulated_faults, a_gap_survives_an_interrupted_wait) {
  Bench bench;
  bench.run();
  bench.serve();
  bench.device.inject_gap(3);
  bench.device.interrupt();
  EXPECT_EQ(bench.wait(), PeriodStatus::interrupted);
  ASSERT_EQ(bench.wait(), PeriodStatus::ready);
  EXPECT_EQ(bench.period.index, 4U);
  EXPECT_TRUE(bench.period.gap);
}

TEST(simulated_faults, a_device_that_delivers_nothing_is_given_up_after_500_ms) {
  Bench bench;
  bench.run();
  bench.serve();
  const Instant before = bench.clock.now();
  bench.device.inject_gap(1'000'000);
  EXPECT_EQ(bench.wait(), PeriodStatus::lost);
  EXPECT_EQ(bench.clock.now() - before, std::chrono::milliseconds{500});
}

/// Stands where the system sleeps: another thread's call happens in the middle of a wait.
class MeddlingClock final : public ports::Clock {
 public:
  [[nodiscard]] Instant now() const RT_SAFE override { return clock_.now(); }
  void sleep_until(Instant deadline) RT_SAFE override {
    ++sleeps;
    if (deadline - now() > longest) longest = deadline - now();
    clock_.sleep_until(deadline);
    if (sleeps == meddle_at && interrupted != nullptr) interrupted->interrupt();
    if (sleeps == meddle_at && unplugged != nullptr) unplugged->unplug();
  }

  int sleeps = 0;
  int meddle_at = 2;
  nanoseconds longest{0};
  SimulatedDevice* interrupted = nullptr;
  SimulatedDevice* unplugged = nullptr;

 private:
  ports::VirtualClock clock_;
};

TEST(simulated_faults, interrupt_cuts_a_long_wait_short_and_loses_nothing) {
  MeddlingClock clock;
  SimulatedDevice device(clock, {});
  ASSERT_TRUE(device.open({{44'100}, {8192}}));  // a period of 186 ms
  ASSERT_TRUE(device.start());
  clock.interrupted = &device;
  ports::DevicePeriod period;
  EXPECT_EQ(device.wait_period(period), PeriodStatus::interrupted);
  EXPECT_EQ(clock.sleeps, 2);
  EXPECT_LE(clock.longest, std::chrono::milliseconds{10});
  EXPECT_EQ(device.wait_period(period), PeriodStatus::ready);
  EXPECT_EQ(period.index, 0U);
  EXPECT_EQ(period.lost, 0U);
}

TEST(simulated_faults, unplugging_ends_a_wait_in_progress) {
  MeddlingClock clock;
  SimulatedDevice device(clock, {});
  ASSERT_TRUE(device.open({{44'100}, {8192}}));
  ASSERT_TRUE(device.start());
  clock.unplugged = &device;
  ports::DevicePeriod period;
  EXPECT_EQ(device.wait_period(period), PeriodStatus::lost);
  EXPECT_EQ(clock.sleeps, 2);
}

TEST(simulated_faults, an_interrupt_before_the_wait_is_remembered_once) {
  Bench bench;
  bench.run();
  bench.device.interrupt();
  bench.device.interrupt();
  EXPECT_EQ(bench.wait(), PeriodStatus::interrupted);
  EXPECT_EQ(bench.wait(), PeriodStatus::ready);
}

TEST(simulated_faults, an_unplugged_stream_stays_lost_and_the_device_works_again_after_replug) {
  Bench bench;
  bench.run();
  bench.serve();
  ASSERT_EQ(bench.wait(), PeriodStatus::ready);
  bench.device.unplug();
  EXPECT_FALSE(bench.commit());
  EXPECT_EQ(bench.wait(), PeriodStatus::lost);
  bench.device.stop();
  EXPECT_EQ(bench.device.start().error().code, ErrorCode::device_gone);
  bench.device.close();
  EXPECT_EQ(bench.device.open(bench.format).error().code, ErrorCode::device_gone);
  bench.device.replug();
  bench.run();
  for (int k = 0; k < 3; ++k) bench.serve();
  EXPECT_EQ(bench.captured(0), bench.tags(0, 0));
  bench.device.unplug();
  bench.device.replug();  // however short: the stream that ran is gone
  EXPECT_EQ(bench.wait(), PeriodStatus::lost);
}

}  // namespace
}  // namespace asiodrv::devices
