#include "service/buffer_policy.hpp"

#include <gtest/gtest.h>

namespace asiodrv::service {
namespace {

ports::DeviceInfo device(ports::PeriodRange range) {
  ports::DeviceInfo info;
  info.rates = {{44'100}, {48'000}};
  info.periods = {{{441}, {441}, {441}, {441}}, range};
  info.min_period = range.least;
  info.max_period = range.most;
  return info;
}

const ports::PeriodRange kMixer{{480}, {480}, {480}, {480}};
const ports::PeriodRange kSmall{{48}, {480}, {48}, {144}};
const ports::PeriodRange kPowers{{64}, {4096}, {}, {128}};

TEST(buffer_policy, powers_of_two_are_offered_on_any_device) {
  const Config config;
  for (const auto& range : {kMixer, kSmall, kPowers}) {
    const wire::BufferSizes sizes = buffer_sizes(config, range);
    EXPECT_TRUE(sizes.plausible());
    EXPECT_EQ(sizes.least, config.min_frames);
    EXPECT_EQ(sizes.most, config.max_frames);
    EXPECT_EQ(sizes.step.count, 0U);
  }
}

TEST(buffer_policy, the_preferred_size_is_not_below_what_a_period_holds) {
  EXPECT_EQ(buffer_sizes({}, kMixer).preferred.count, 256U);
  EXPECT_EQ(buffer_sizes({}, kSmall).preferred.count, 64U);
  Config config;
  config.preferred_frames = {512};
  EXPECT_EQ(buffer_sizes(config, kMixer).preferred.count, 512U);
  config.max_frames = {128};
  config.preferred_frames = {128};
  EXPECT_EQ(buffer_sizes(config, kMixer).preferred.count, 128U);
}

TEST(buffer_policy, the_devices_own_sizes_are_offered_where_they_are_wanted) {
  Config config;
  config.sizes = Sizes::device;
  EXPECT_EQ(buffer_sizes(config, kMixer), (wire::BufferSizes{{480}, {480}, {480}, {480}}));
  EXPECT_EQ(buffer_sizes(config, kSmall), (wire::BufferSizes{{48}, {480}, {144}, {48}}));
  EXPECT_EQ(buffer_sizes(config, kPowers), (wire::BufferSizes{{64}, {4096}, {128}, {}}));
}

TEST(buffer_policy, periods_beyond_a_section_are_left_out) {
  Config config;
  config.sizes = Sizes::device;
  EXPECT_EQ(buffer_sizes(config, {{3}, {100'000}, {3}, {3}}),
            (wire::BufferSizes{{18}, {8190}, {18}, {3}}));
  EXPECT_TRUE(buffer_sizes(config, {{9'600}, {9'600}, {9'600}, {9'600}}).plausible());
  EXPECT_TRUE(buffer_sizes(config, {{8}, {8}, {8}, {8}}).plausible());
}

TEST(buffer_policy, the_device_takes_a_size_of_its_own_as_it_is) {
  EXPECT_EQ(period_for(device(kMixer), {48'000}, {480}).count, 480U);
  EXPECT_EQ(period_for(device(kSmall), {48'000}, {240}).count, 240U);
  EXPECT_EQ(period_for(device(kPowers), {48'000}, {4096}).count, 4096U);
}

TEST(buffer_policy, other_sizes_get_the_period_of_the_shortest_round_trip) {
  EXPECT_EQ(period_for(device(kMixer), {48'000}, {64}).count, 480U);
  EXPECT_EQ(period_for(device(kMixer), {48'000}, {2048}).count, 480U);
  EXPECT_EQ(period_for(device(kMixer), {44'100}, {480}).count, 441U);
  EXPECT_EQ(period_for(device(kSmall), {48'000}, {32}).count, 48U);
  EXPECT_EQ(period_for(device(kPowers), {48'000}, {32}).count, 64U);
  EXPECT_EQ(period_for(device(kPowers), {48'000}, {8192}).count, 4096U);
  // 256 + 240 + 96 - 16 frames by 48, 480 + 256 - 32 + ... by longer ones: shorter is better here
  EXPECT_EQ(period_for(device(kSmall), {48'000}, {256}).count, 48U);
}

}  // namespace
}  // namespace asiodrv::service
