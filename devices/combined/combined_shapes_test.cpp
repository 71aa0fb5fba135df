// Members of all shapes: one direction only, rates and periods of every kind, clocks at the limit;
// and sound that is measured on its whole way, out of each member and into each.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "devices/combined/testing/room_world.hpp"

namespace asiodrv::devices {
namespace {

using test::Air;
using test::room;
using test::RoomOptions;
using test::RoomWorld;

void expect_aligned(RoomWorld& world, double from, double to) {
  world.run_until(from);
  world.measure();
  world.run_until(to);
  for (std::size_t i = 0; i < world.rooms.size(); ++i) {
    SCOPED_TRACE("device " + std::to_string(i));
    EXPECT_LT(world.heard_offset(i), 1.0);
    EXPECT_LT(world.heard[i].most_residual, 1e-3);
    EXPECT_LT(world.played_offset(i), 1.0);
    EXPECT_LT(world.played[i].most_residual, 1e-3);
  }
}

TEST(combined_shapes, members_with_inputs_or_outputs_alone_are_aligned) {
  RoomOptions microphone = room("b", 44'100, 441, 300), speaker = room("c", 48'000, 480, -300);
  microphone.outputs = 0;
  speaker.inputs = 0;
  RoomWorld world({room("a", 48'000, 64, 0), microphone, speaker});
  ASSERT_TRUE(world.start({{48'000}, {64}}));
  EXPECT_EQ(world.device->info().input_channels, 2U);
  EXPECT_EQ(world.device->info().output_channels, 2U);
  expect_aligned(world, 2, 4);
  EXPECT_GT(world.heard[1].blocks, 0U);
  EXPECT_GT(world.played[2].blocks, 0U);
  EXPECT_EQ(world.status(1).state, MemberState::tracking);
  EXPECT_EQ(world.status(2).state, MemberState::tracking);
}

TEST(combined_shapes, a_master_without_inputs_lends_its_clock_to_those_with) {
  RoomOptions speaker = room("a", 48'000, 64, 0);
  speaker.inputs = 0;
  RoomWorld world({speaker, room("b", 44'100, 441, 300), room("c", 96'000, 128, -300)});
  ASSERT_TRUE(world.start({{48'000}, {64}}));
  expect_aligned(world, 2, 4);
  EXPECT_EQ(world.heard[0].blocks, 0U);
}

TEST(combined_shapes, each_of_44_48_and_96_kilohertz_can_be_master) {
  const std::uint32_t kRates[3] = {44'100, 48'000, 96'000};
  for (std::size_t master = 0; master < 3; ++master) {
    SCOPED_TRACE(kRates[master]);
    RoomWorld world({room("a", kRates[master], 128, 20),
                     room("b", kRates[(master + 1) % 3], 256, 300),
                     room("c", kRates[(master + 2) % 3], 64, -300)});
    ASSERT_TRUE(world.start({{kRates[master]}, {128}}));
    expect_aligned(world, 2, 4);
  }
}

/// Periods that are no powers of two, each with the range of its rate.
TEST(combined_shapes, a_member_runs_at_the_longest_of_its_periods_that_fits) {
  RoomOptions ranged = room("b", 48'000, 480, 0);
  ranged.periods = {{Frames{144}, Frames{480}, Frames{48}, Frames{480}}};
  RoomWorld world({room("a", 48'000, 256, 0), ranged, room("c", 44'100, 441, 0)});
  ASSERT_TRUE(world.start({{48'000}, {256}}));
  EXPECT_EQ(world.status(1).format.period.count, 240U);
  EXPECT_EQ(world.status(2).format.period.count, 441U) << "its shortest";
  expect_aligned(world, 2, 3);
}

TEST(combined_shapes, clocks_a_thousandth_apart_are_followed_within_one_ppm) {
  for (const double ppm : {-1000.0, 1000.0}) {
    SCOPED_TRACE(ppm);
    RoomWorld world(
        {room("a", 48'000, 64, 0), room("b", 48'000, 480, ppm), room("c", 44'100, 441, -ppm)});
    world.jitter_us = 40;
    ASSERT_TRUE(world.start({{48'000}, {64}}));
    world.run_until(15);
    EXPECT_NEAR(world.status(1).offset_ppm, ppm, 1.0);
    EXPECT_NEAR(world.status(2).offset_ppm, -ppm, 1.0);
    expect_aligned(world, 15, 16);
  }
}

TEST(combined_shapes, the_clock_sources_are_the_masters_and_so_is_the_choice) {
  RoomOptions master = room("a", 48'000, 64, 0), member = room("b", 48'000, 64, 0);
  master.clocks = {"Internal", "Word clock"};
  member.clocks = {"Internal", "ADAT", "S/PDIF"};
  RoomWorld world({master, member});
  ASSERT_NE(world.device, nullptr) << world.refused.message;
  EXPECT_EQ(world.device->info().clock_sources, master.clocks);
  EXPECT_EQ(world.device->clock_state().source, 0U);
  ASSERT_TRUE(world.device->feed_external_clock({44'100}));
  ASSERT_TRUE(world.device->select_clock(1));
  EXPECT_EQ(world.device->clock_state().source, 1U);
  EXPECT_EQ(world.device->clock_state().rate.hz, 44'100U);
  EXPECT_EQ(world.rooms[0]->paced_by.source, 1U);
  EXPECT_EQ(world.rooms[1]->paced_by.source, 0U);
  EXPECT_FALSE(world.device->select_clock(2)) << "the member has it alone";
}

/// A short smooth sound; its middle is found to a fraction of a frame.
constexpr std::uint32_t kMarkerFrames = 64;
double marker(std::uint32_t frame) {
  const double x = (frame + 0.5) / kMarkerFrames * 2 * std::numbers::pi;
  return 0.5 * (0.5 - 0.5 * std::cos(x));
}

/// Where the middle of what has been heard lies, in frames.
double middle(const std::vector<float>& heard) {
  double sum = 0, moment = 0;
  for (std::size_t i = 0; i < heard.size(); ++i) {
    sum += static_cast<double>(heard[i]);
    moment += static_cast<double>(heard[i]) * static_cast<double>(i);
  }
  return moment / sum;
}

TEST(combined_shapes, a_marker_out_of_any_member_takes_the_reported_latency_into_any_other) {
  std::vector<RoomOptions> rooms{room("a", 48'000, 64, -50), room("b", 48'000, 480, 300),
                                 room("c", 44'100, 441, -300)};
  rooms[0].latency = {{10}, {20}};
  rooms[1].latency = {{33}, {150}};
  rooms[2].latency = {{7}, {0}};
  for (std::uint32_t from = 0; from < 3; ++from) {
    RoomWorld world(rooms);
    Air air;
    for (std::uint32_t i = 0; i < 3; ++i) {
      world.rooms[i]->air = &air;
      world.rooms[i]->track = i;
    }
    ASSERT_TRUE(world.start({{48'000}, {64}}));
    std::vector<float> heard[3];
    constexpr std::uint64_t kFirst = 1125, kPeriods = 60;  // 1.5 s
    world.on_render = [&](const ports::DevicePeriod& period) {
      for (std::uint32_t c = 0; c < 3; ++c) {
        for (std::uint32_t f = 0; f < 64; ++f) {
          const bool sounds = c == from && period.index == kFirst;
          period.render.channel(c)[f] = sounds ? static_cast<float>(marker(f)) : 0.0F;
        }
      }
    };
    world.on_capture = [&](const ports::DevicePeriod& period) {
      if (period.index < kFirst || period.index >= kFirst + kPeriods) return;
      for (std::uint32_t c = 0; c < 3; ++c) {
        const float* block = period.capture.channel(c);
        heard[c].insert(heard[c].end(), block, block + 64);
      }
    };
    world.run_until(1.7);
    const ports::DeviceLatency reported = world.device->latency();
    const double way = 2 * 64 + reported.input.count + reported.output.count;
    for (std::uint32_t to = 0; to < 3; ++to) {
      ASSERT_EQ(heard[to].size(), kPeriods * 64);
      const double measured = middle(heard[to]) - (kMarkerFrames - 1) / 2.0;
      EXPECT_NEAR(measured, way, 1.0) << from << " to " << to;
    }
  }
}

}  // namespace
}  // namespace asiodrv::devices
