// The simulated device's clock sources: who sets the pace, and what changes it.
#include <gtest/gtest.h>

#include "devices/simulated/simulated_device.hpp"
#include "devices/simulated/simulated_test_bench.hpp"

namespace asiodrv::devices {
namespace {

using test::Bench;

constexpr SampleRate kOwn{48'000}, kForeign{96'000};

SimulatedOptions with_external(SampleRate rate) {
  SimulatedOptions options;
  options.external_clock = rate;
  return options;
}

/// The length of the period that is waited for next.
nanoseconds next_length(Bench& bench) {
  bench.serve();
  return bench.period.next_boundary - bench.period.boundary;
}

TEST(simulated_clock, a_device_without_the_input_has_one_source) {
  Bench bench;
  EXPECT_TRUE(bench.device.info().clock_sources.empty());
  EXPECT_TRUE(bench.device.select_clock(0));
  EXPECT_EQ(bench.device.select_clock(1).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(bench.device.feed_external_clock(kOwn).error().code, ErrorCode::unsupported);
}

TEST(simulated_clock, the_source_dictates_the_rate_at_which_it_opens) {
  Bench bench(with_external(kForeign), kOwn);
  ASSERT_TRUE(bench.device.select_clock(1));
  EXPECT_EQ(bench.device.clock_state().rate, kForeign);
  const Result<> refused = bench.device.open({kOwn, Frames{64}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::format_refused);
  EXPECT_NE(refused.error().message.find("96000"), std::string::npos);
  EXPECT_TRUE(bench.device.open({kForeign, Frames{64}}));
}

TEST(simulated_clock, a_running_stream_takes_the_new_pace_from_the_first_free_boundary) {
  Bench bench(with_external(kOwn), kOwn);
  ASSERT_TRUE(bench.device.select_clock(1));
  bench.run();
  const nanoseconds before = next_length(bench);
  const Instant promised = bench.period.next_boundary;
  ASSERT_TRUE(bench.device.feed_external_clock(kForeign));
  bench.serve();
  EXPECT_EQ(bench.period.boundary, promised);  // nothing that was said is taken back
  const nanoseconds after = bench.period.next_boundary - bench.period.boundary;
  EXPECT_NEAR(static_cast<double>(after.count()), static_cast<double>(before.count()) / 2, 2);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t index = bench.period.index;
    const Instant boundary = bench.period.next_boundary;
    bench.serve();
    ASSERT_EQ(bench.period.index, index + 1);
    ASSERT_EQ(bench.period.boundary, boundary);
    ASSERT_EQ(bench.period.lost, 0U);
  }
  // Late service is counted in periods of the new length.
  bench.clock.advance((bench.period.next_boundary - bench.period.boundary) * 5);
  ASSERT_EQ(bench.wait(), ports::PeriodStatus::ready);
  EXPECT_EQ(bench.period.lost, 4U);
}

TEST(simulated_clock, a_silent_source_leaves_the_last_pace) {
  Bench bench(with_external(kOwn), kOwn);
  ASSERT_TRUE(bench.device.select_clock(1));
  bench.run();
  ASSERT_TRUE(bench.device.feed_external_clock(kForeign));
  bench.serve();
  const nanoseconds foreign = next_length(bench);
  ASSERT_TRUE(bench.device.feed_external_clock(SampleRate{0}));
  EXPECT_EQ(bench.device.clock_state().rate.hz, 0U);
  EXPECT_NEAR(static_cast<double>(next_length(bench).count()), static_cast<double>(foreign.count()),
              1);
  ASSERT_TRUE(bench.device.select_clock(0));  // its own clock: the rate that was opened
  bench.serve();
  EXPECT_GT(next_length(bench), foreign + foreign / 2);
}

TEST(simulated_clock, what_cannot_be_followed_is_refused) {
  Bench bench(with_external(kOwn), kOwn);
  EXPECT_EQ(bench.device.feed_external_clock(SampleRate{47'999}).error().code,
            ErrorCode::format_refused);
  ASSERT_TRUE(bench.device.feed_external_clock(SampleRate{0}));
  EXPECT_EQ(bench.device.select_clock(1).error().code, ErrorCode::invalid_state);
  EXPECT_EQ(bench.device.select_clock(2).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(bench.device.clock_state().source, 0U);
  EXPECT_FALSE(check_simulated_options(with_external(SampleRate{1})));
}

}  // namespace
}  // namespace asiodrv::devices
