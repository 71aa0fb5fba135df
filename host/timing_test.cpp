#include "host/timing.hpp"

#include <gtest/gtest.h>

#include <random>

namespace asiodrv::host {
namespace {

constexpr double kPeriodNs = 64.0 / 48000.0 * 1e9;

/// A stream that is punctual but for noise of up to `noise_us`, on a clock `ppm` off nominal.
std::vector<Tick> steady_stream(std::size_t count, double noise_us, double ppm) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> noise(0.0, noise_us * 1000.0);
  std::vector<Tick> ticks;
  for (std::size_t k = 0; k < count; ++k) {
    const double due = static_cast<double>(k) * kPeriodNs * (1.0 + ppm * 1e-6);
    ticks.push_back({static_cast<std::int64_t>(k),
                     5'000'000'000 + static_cast<std::int64_t>(due + noise(random))});
  }
  return ticks;
}

TEST(host_timing, a_steady_stream_has_nothing_late) {
  const Punctuality result = judge_punctuality(steady_stream(20000, 100.0, 0.0), kPeriodNs);
  EXPECT_EQ(result.callbacks, 20000U);
  EXPECT_EQ(result.late, 0U);
  EXPECT_LT(result.max_us, 110.0);
  EXPECT_NEAR(result.interval_p50_us, kPeriodNs / 1000.0, 5.0);
}

TEST(host_timing, a_clock_500_ppm_off_is_followed_and_not_called_late) {
  for (const double ppm : {-500.0, 500.0}) {
    const Punctuality result = judge_punctuality(steady_stream(40000, 50.0, ppm), kPeriodNs);
    EXPECT_EQ(result.late, 0U) << ppm;
    EXPECT_NEAR(result.period_us, kPeriodNs / 1000.0 * (1.0 + ppm * 1e-6), 0.005) << ppm;
  }
}

TEST(host_timing, exactly_the_callbacks_past_half_a_period_are_late) {
  std::vector<Tick> ticks = steady_stream(10000, 10.0, 0.0);
  const auto period = static_cast<std::int64_t>(kPeriodNs);
  for (const std::size_t at : {100U, 5000U, 9999U}) ticks[at].time_ns += period * 6 / 10;
  for (const std::size_t at : {200U, 6000U}) ticks[at].time_ns += period * 4 / 10;
  EXPECT_EQ(judge_punctuality(ticks, kPeriodNs).late, 3U);
}

TEST(host_timing, callbacks_that_catch_up_after_a_stall_count_each) {
  std::vector<Tick> ticks = steady_stream(10000, 10.0, 0.0);
  const auto period = static_cast<std::int64_t>(kPeriodNs);
  const std::int64_t resumed = ticks[4000].time_ns + period * 5;  // 4000 to 4004 come together
  for (std::size_t at = 4000; at < 4005; ++at) ticks[at].time_ns = resumed;
  EXPECT_EQ(judge_punctuality(ticks, kPeriodNs).late, 5U);
}

TEST(host_timing, a_skipped_period_counts_as_late) {
  std::vector<Tick> ticks = steady_stream(10000, 10.0, 0.0);
  ticks.erase(ticks.begin() + 5000, ticks.begin() + 5003);
  const Punctuality result = judge_punctuality(ticks, kPeriodNs);
  EXPECT_EQ(result.skipped, 3U);
  EXPECT_EQ(result.late, 3U);
}

TEST(host_timing, a_few_early_callbacks_do_not_make_the_others_late) {
  std::vector<Tick> ticks = steady_stream(10000, 10.0, 0.0);
  for (std::size_t at = 0; at < 10000; at += 97) {
    ticks[at].time_ns -= static_cast<std::int64_t>(kPeriodNs * 0.9);
  }
  EXPECT_EQ(judge_punctuality(ticks, kPeriodNs).late, 0U);
}

TEST(host_timing, every_interval_lies_in_the_bin_of_its_share_of_a_period) {
  std::vector<Tick> ticks = steady_stream(10000, 10.0, 0.0);
  const auto period = static_cast<std::int64_t>(kPeriodNs);
  ticks[100].time_ns += period * 6 / 10;  // 1.6 periods after the one before, 0.4 to the next
  ticks.erase(ticks.begin() + 5000, ticks.begin() + 5009);  // ten periods at once
  const Punctuality result = judge_punctuality(ticks, kPeriodNs);
  const auto bin_of = [](double share) {
    std::size_t bin = 0;
    while (bin < kIntervalBins.size() && kIntervalBins[bin] < share) ++bin;
    return bin;
  };
  EXPECT_EQ(result.intervals[bin_of(1.0)], ticks.size() - 1 - 3);
  EXPECT_EQ(result.intervals[bin_of(1.6)], 1U);
  EXPECT_EQ(result.intervals[bin_of(0.4)], 1U);
  EXPECT_EQ(result.intervals[bin_of(10.0)], 1U);
}

TEST(host_timing, short_streams_are_judged_without_a_fit) {
  EXPECT_EQ(judge_punctuality({}, kPeriodNs).callbacks, 0U);
  const std::vector<Tick> one = steady_stream(1, 0.0, 0.0);
  EXPECT_EQ(judge_punctuality(one, kPeriodNs).callbacks, 1U);
  std::vector<Tick> few = steady_stream(20, 0.0, 0.0);
  few[10].time_ns += static_cast<std::int64_t>(kPeriodNs);
  EXPECT_EQ(judge_punctuality(few, kPeriodNs).late, 1U);
}

TEST(host_timing, percentiles_are_nearest_ranks) {
  std::vector<double> values{4, 1, 3, 2};
  EXPECT_EQ(percentile(values, 50), 2);
  EXPECT_EQ(percentile(values, 99), 4);
  EXPECT_EQ(percentile(values, 5), 1);
  std::vector<double> none;
  EXPECT_EQ(percentile(none, 50), 0);
}

}  // namespace
}  // namespace asiodrv::host
