// Every member hears and plays at the instant that latency() says, against the truth.
#include <gtest/gtest.h>

#include <cstdint>
#include <ostream>
#include <string>

#include "devices/combined/testing/room_world.hpp"

namespace asiodrv::devices {
namespace {

using test::room;
using test::RoomOptions;
using test::RoomWorld;

/// Of a world that has been measured.
void expect_aligned(const RoomWorld& world, double frames) {
  for (std::size_t i = 0; i < world.rooms.size(); ++i) {
    SCOPED_TRACE("device " + std::to_string(i));
    if (world.heard[i].blocks > 0) {
      EXPECT_LT(world.heard_offset(i), frames);
      EXPECT_LT(world.heard[i].most_residual, 1e-3);
    }
    if (world.played[i].blocks > 0) {
      EXPECT_LT(world.played_offset(i), frames);
      EXPECT_LT(world.played[i].most_residual, 1e-3);
    }
  }
}

struct Case {
  const char* name;
  std::uint32_t period;  // of the master, at 48 kHz
  RoomOptions first, second;
};
void PrintTo(const Case& tested, std::ostream* out) { *out << tested.name; }

const Case kCases[] = {
    {"equal_periods", 64, room("b", 48'000, 64, 300), room("c", 48'000, 64, -1000)},
    {"odd_periods", 64, room("b", 48'000, 480, 300), room("c", 48'000, 441, -1000)},
    {"short_members", 512, room("b", 48'000, 64, 300), room("c", 48'000, 32, -1000)},
    {"other_rates", 128, room("b", 44'100, 441, 300), room("c", 96'000, 256, -1000)},
    {"own_latencies", 64, room("b", 48'000, 64, 300, {{333}, {17}}),
     room("c", 44'100, 128, -1000, {{5}, {1'200}})},
};

class combined_alignment : public ::testing::TestWithParam<Case> {};

/// Once a second has passed, sound lies within a frame of where it belongs, on every device and in
/// both directions; the clock of every member is known within 1 ppm after 15 s; after 2 s nothing
/// is missing.
TEST_P(combined_alignment, inputs_and_outputs_line_up_to_the_frame) {
  const Case& tested = GetParam();
  RoomWorld world(
      {room("a", 48'000, tested.period, -50, {{40}, {90}}), tested.first, tested.second});
  world.jitter_us = 40;
  ASSERT_TRUE(world.start({{48'000}, {tested.period}}));
  world.run_until(2);
  std::uint64_t xruns[2] = {world.status(1).xruns, world.status(2).xruns};
  world.measure();
  world.run_until(15);
  for (std::size_t i = 1; i <= 2; ++i) {
    const MemberStatus status = world.status(i);
    EXPECT_EQ(status.state, MemberState::tracking);
    const double own = i == 1 ? tested.first.offset_ppm : tested.second.offset_ppm;
    const double expected = ((1 + own * 1e-6) / (1 - 50e-6) - 1) * 1e6;
    EXPECT_NEAR(status.offset_ppm, expected, 1.0);
  }
  world.run_until(20);
  expect_aligned(world, 1.0);
  for (std::size_t i = 1; i <= 2; ++i) {
    EXPECT_EQ(world.status(i).xruns, xruns[i - 1]);
    EXPECT_EQ(world.status(i).skips, 0U);
    EXPECT_EQ(world.status(i).late_commits, 0U);
    EXPECT_NE(world.heard[i].blocks, 0U);
    EXPECT_NE(world.played[i].blocks, 0U);
  }
  for (std::size_t i = 0; i < 3; ++i) {
    RecordProperty("heard_" + std::to_string(i), std::to_string(world.heard_offset(i)));
    RecordProperty("played_" + std::to_string(i), std::to_string(world.played_offset(i)));
  }
}

INSTANTIATE_TEST_SUITE_P(periods, combined_alignment, ::testing::ValuesIn(kCases),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace asiodrv::devices
