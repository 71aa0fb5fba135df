// Members that leave, come back, stall and lie, in virtual time: what happens at their own channels
// and that nothing happens at anybody else's.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "devices/combined/testing/room_world.hpp"

namespace asiodrv::devices {
namespace {

using test::is_silent;
using test::room;
using test::RoomOptions;
using test::RoomWorld;

constexpr ports::DeviceFormat kFormat{{48'000}, {64}};

/// A master and two members of other rates and periods, as WASAPI has them.
std::vector<RoomOptions> three() {
  return {room("a", 48'000, 64, -50), room("b", 48'000, 480, 300), room("c", 44'100, 441, -1000)};
}

std::uint64_t damages(const std::vector<MemberEvent>& events, std::uint32_t member) {
  std::uint64_t count = 0;
  for (const MemberEvent& event : events) {
    if (event.kind == MemberEventKind::damaged && event.member == member) ++count;
  }
  return count;
}

bool has(const std::vector<MemberEvent>& events, MemberEventKind kind, std::uint32_t member) {
  for (const MemberEvent& event : events) {
    if (event.kind == kind && event.member == member) return true;
  }
  return false;
}

/// Everything that the engine hears, bit by bit, without the channels of device `left_out`.
struct Tape {
  std::vector<float> samples;
  void record(RoomWorld& world, std::uint32_t left_out) {
    world.on_capture = [this, left_out](const ports::DevicePeriod& period) {
      for (std::uint32_t c = 0; c < period.capture.channels; ++c) {
        const float* block = period.capture.channel(c);
        if (c != left_out)
          samples.insert(samples.end(), block, block + period.capture.frames.count);
      }
    };
  }
};

TEST(combined_faults, a_lost_member_is_silent_at_once_and_aligned_again_after_its_return) {
  RoomWorld world(three());
  ASSERT_TRUE(world.start(kFormat));
  world.run_until(2);
  (void)world.events();
  world.rooms[1]->plugged = false;
  // Its thread notices with its next period; what had been captured before may be heard out.
  world.run_until(2.05);
  EXPECT_EQ(world.status(1).state, MemberState::lost);
  EXPECT_TRUE(is_silent(world.blocks[1], 64));
  EXPECT_FALSE(world.device->trouble(0).empty());
  std::uint64_t heard = 0;
  world.on_capture = [&](const ports::DevicePeriod& period) {
    heard += is_silent(period.capture.channel(1), 64) ? 0 : 1;
  };
  world.run_until(4);
  EXPECT_EQ(heard, 0U) << "blocks of sound from a device that is not there";
  EXPECT_GT(world.rooms[1]->opens, 2);
  EXPECT_TRUE(has(world.events(), MemberEventKind::left, 0));

  world.on_capture = nullptr;
  world.rooms[1]->plugged = true;
  world.run_until(7);
  EXPECT_TRUE(has(world.events(), MemberEventKind::joined, 0));
  EXPECT_TRUE(world.device->trouble(0).empty());
  EXPECT_EQ(world.status(1).returns, 1U);
  world.measure();
  world.run_until(9);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_LT(world.heard_offset(i), 1.0) << i;
    EXPECT_LT(world.heard[i].most_residual, 1e-3) << i;
    EXPECT_LT(world.played_offset(i), 1.0) << i;
    EXPECT_LT(world.played[i].most_residual, 1e-3) << i;
  }
}

/// Calibrations hold for one mode.
TEST(combined_faults, its_mode_tells_those_of_all_members_also_of_one_that_is_away) {
  std::vector<RoomOptions> rooms = three();
  {
    RoomWorld simple(rooms);
    ASSERT_TRUE(simple.start(kFormat));
    EXPECT_EQ(simple.device->mode(), "");
  }
  rooms[0].mode = "exclusive";
  rooms[2].mode = "shared";
  RoomWorld world(rooms);
  ASSERT_TRUE(world.start(kFormat));
  EXPECT_EQ(world.device->mode(), "exclusive/-/shared");
  world.run_until(1);
  RoomOptions another = rooms[2];
  another.mode = "low-latency";
  world.rooms[2]->plugged = false;
  world.run_until(2);
  EXPECT_EQ(world.status(2).state, MemberState::lost);
  EXPECT_EQ(world.device->mode(), "exclusive/-/shared");
  world.rooms[2]->become = another;
  world.rooms[2]->plugged = true;
  world.run_until(4);
  EXPECT_NE(world.status(2).state, MemberState::lost);
  EXPECT_EQ(world.device->mode(), "exclusive/-/low-latency");
}

TEST(combined_faults, what_returns_plays_nothing_of_before) {
  RoomWorld world(three());
  ASSERT_TRUE(world.start(kFormat));
  world.run_until(2);
  world.rooms[1]->plugged = false;
  world.run_until(3);
  world.on_render = [](const ports::DevicePeriod& period) {
    for (std::uint32_t c = 0; c < period.render.channels; ++c) {
      std::fill_n(period.render.channel(c), period.render.frames.count, 0.0F);
    }
  };
  world.run_until(4);
  std::uint64_t blocks = 0, sounding = 0;
  world.rooms[1]->on_play = [&](const float* samples, double, std::uint32_t frames) {
    ++blocks;
    sounding += is_silent(samples, frames) ? 0 : 1;
  };
  world.rooms[1]->plugged = true;
  world.run_until(7);
  EXPECT_EQ(world.status(1).returns, 1U);
  EXPECT_GT(blocks, 200U);
  EXPECT_EQ(sounding, 0U);
}

TEST(combined_faults, others_are_untouched_bit_for_bit_when_one_leaves_and_returns) {
  Tape calm, troubled;
  RoomWorld first(three()), second(three());
  calm.record(first, 1);
  troubled.record(second, 1);
  ASSERT_TRUE(first.start(kFormat));
  ASSERT_TRUE(second.start(kFormat));
  first.run_until(4);
  second.run_until(1.5);
  second.rooms[1]->plugged = false;
  second.run_until(2.5);
  second.rooms[1]->plugged = true;
  second.run_until(4);
  EXPECT_EQ(second.status(1).returns, 1U);
  ASSERT_EQ(calm.samples.size(), troubled.samples.size());
  EXPECT_TRUE(calm.samples == troubled.samples);
  EXPECT_EQ(damages(second.events(), 1), 0U);
}

TEST(combined_faults, a_lost_master_is_a_lost_device_that_opens_again) {
  RoomWorld world(three());
  ASSERT_TRUE(world.start(kFormat));
  world.run_until(2);
  world.rooms[0]->plugged = false;
  world.run_until(3);
  EXPECT_TRUE(world.lost);
  world.device->stop();
  world.device->close();
  EXPECT_FALSE(world.device->open(kFormat));
  EXPECT_EQ(world.device->pump(0), nullptr);
  world.rooms[0]->plugged = true;
  ASSERT_TRUE(world.start(kFormat));
  const double now = world.seconds();
  world.run_until(now + 2);
  world.measure();
  world.run_until(now + 3);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_LT(world.heard_offset(i), 1.0) << i;
  EXPECT_EQ(world.status(1).returns, 0U);
}

TEST(combined_faults, a_stalled_member_damages_its_own_channels_and_finds_its_place_again) {
  Tape calm, troubled;
  RoomWorld first(three()), second(three());
  calm.record(first, 1);
  troubled.record(second, 1);
  second.stalls = {{1, 2.0, 0.020}};
  ASSERT_TRUE(first.start(kFormat));
  ASSERT_TRUE(second.start(kFormat));
  first.run_until(4);
  second.run_until(2);
  const std::uint64_t before = second.status(1).xruns;
  (void)second.events();
  second.run_until(3);
  const std::vector<MemberEvent> events = second.events();
  EXPECT_GT(second.status(1).xruns, before);
  EXPECT_GT(second.status(1).lost_periods, 0U);
  EXPECT_GT(damages(events, 0), 0U);
  for (const MemberEvent& event : events) EXPECT_EQ(event.cause, MemberCause::member_late);
  second.measure();
  second.run_until(4);
  EXPECT_LT(second.heard_offset(1), 1.0);
  EXPECT_LT(second.heard[1].most_residual, 1e-3);
  EXPECT_LT(second.played_offset(1), 1.0);
  EXPECT_LT(second.played[1].most_residual, 1e-3);
  EXPECT_EQ(second.status(1).skips, 0U) << "frames keep their places: nothing has to move";
  EXPECT_TRUE(calm.samples == troubled.samples);
}

TEST(combined_faults, a_stall_within_the_allowance_damages_nothing) {
  RoomWorld world(three());
  world.stalls = {{1, 2.0, 0.0019}, {2, 2.5, 0.0019}, {0, 2.75, 0.0013}};
  ASSERT_TRUE(world.start(kFormat));
  world.run_until(1.9);
  (void)world.events();
  world.measure();
  world.run_until(3);
  EXPECT_EQ(damages(world.events(), 0) + damages(world.events(), 1), 0U);
  for (std::size_t i = 1; i < 3; ++i) EXPECT_LT(world.heard[i].most_residual, 1e-3) << i;
}

TEST(combined_faults, an_engine_stall_is_recorded_as_the_engines) {
  RoomWorld world(three());
  world.stalls = {{0, 2.0, 0.030}};
  ASSERT_TRUE(world.start(kFormat));
  world.run_until(1.9);
  (void)world.events();
  world.run_until(3);
  const std::vector<MemberEvent> events = world.events();
  EXPECT_GT(damages(events, 0), 0U);
  for (const MemberEvent& event : events) EXPECT_EQ(event.cause, MemberCause::engine_late);
  world.measure();
  world.run_until(4);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_LT(world.heard_offset(i), 1.0) << i;
    EXPECT_LT(world.played_offset(i), 1.0) << i;
  }
}

TEST(combined_faults, a_member_that_is_away_at_first_joins_later_and_is_aligned) {
  for (const ErrorCode code : {ErrorCode::device_gone, ErrorCode::device_busy,
                               ErrorCode::access_denied, ErrorCode::not_found}) {
    RoomWorld world(three());
    world.rooms[2]->plugged = false;
    world.rooms[2]->refusal = code;
    ASSERT_TRUE(world.start(kFormat));
    EXPECT_EQ(world.device->notes(), std::vector<std::string>{"Without c: c is unplugged."});
    world.run_until(1);
    EXPECT_EQ(world.status(2).state, MemberState::lost);
    EXPECT_TRUE(is_silent(world.blocks[2], 64));
    world.rooms[2]->plugged = true;
    world.run_until(4);
    EXPECT_TRUE(world.device->notes().empty());
    world.measure();
    world.run_until(5);
    EXPECT_LT(world.heard_offset(2), 1.0);
    EXPECT_LT(world.played_offset(2), 1.0);
  }
}

TEST(combined_faults, a_member_that_refuses_the_format_is_an_error) {
  RoomWorld world(three());
  world.rooms[2]->plugged = false;
  world.rooms[2]->refusal = ErrorCode::format_refused;
  const Result<> started = world.start(kFormat);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::format_refused);
}

/// What a member may say that is not so, and how it is known. All of it costs its own channels.
struct Lie {
  const char* name;
  std::function<void(ports::DevicePeriod&)> tell;
  bool is_lost;  // and begun anew
};

TEST(combined_faults, a_member_that_lies_is_silent_and_harms_nobody) {
  const Lie lies[] = {
      {"lost 4 billion", [](auto& p) { p.lost = std::numeric_limits<std::uint32_t>::max(); },
       false},
      {"index leaps", [](auto& p) { p.index += std::uint64_t{1} << 62; }, true},
      {"index goes back", [](auto& p) { p.index = 0; }, true},
      {"boundary long ago", [](auto& p) { p.boundary = Instant{-4'000'000'000'000'000'000}; },
       true},
      {"boundary never", [](auto& p) { p.boundary = Instant{9'000'000'000'000'000'000}; }, true},
      {"boundary goes back", [](auto& p) { p.boundary = p.boundary - std::chrono::seconds{1}; },
       false},
      {"boundary stands", [](auto& p) { p.boundary = Instant{7'000'000'000}; }, false},
      {"no channels", [](auto& p) { p.capture.channels = 0; }, true},
      {"half a block", [](auto& p) { p.render.frames = {7}; }, true},
  };
  for (const Lie& lie : lies) {
    SCOPED_TRACE(lie.name);
    Tape calm, troubled;
    RoomWorld first(three()), second(three());
    calm.record(first, 1);
    troubled.record(second, 1);
    ASSERT_TRUE(first.start(kFormat));
    ASSERT_TRUE(second.start(kFormat));
    first.run_until(3.6);
    second.run_until(2);
    second.rooms[1]->lie = lie.tell;
    second.run_until(3.6);
    EXPECT_EQ(second.status(1).nonsense > 0, lie.is_lost);
    EXPECT_TRUE(calm.samples == troubled.samples);
  }
}

TEST(combined_faults, a_latency_beyond_a_second_makes_a_member_lost) {
  std::vector<RoomOptions> rooms = three();
  rooms[1].latency.output = {4'000'000'000};
  RoomWorld world(rooms);
  ASSERT_TRUE(world.start(kFormat));
  world.run_until(1);
  EXPECT_EQ(world.status(1).state, MemberState::lost);
  EXPECT_LT(world.device->latency().output.count, 48'000U);
  EXPECT_NE(world.device->trouble(0).find("more than a second"), std::string::npos);

  rooms[0].latency.input = {4'000'000'000};
  RoomWorld other(rooms);
  EXPECT_FALSE(other.start(kFormat)) << "of the master: nothing can be aligned";
}

TEST(combined_faults, a_latency_that_grew_while_it_was_away_is_not_aligned_wrongly) {
  RoomWorld world(three());
  ASSERT_TRUE(world.start(kFormat));
  world.run_until(1);
  world.rooms[1]->plugged = false;
  world.run_until(1.5);
  world.rooms[1]->set_latency({{2'000}, {2'000}});
  world.rooms[1]->plugged = true;
  world.run_until(3);
  EXPECT_TRUE(world.lost);
  EXPECT_EQ(world.status(1).state, MemberState::lost);
  EXPECT_NE(world.device->trouble(0).find("has a longer latency now"), std::string::npos);
  world.device->stop();
  world.device->close();
  const Result<> again = world.start(kFormat);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_GE(world.device->latency().input.count, 2'000U);
  const double now = world.seconds();
  world.run_until(now + 4);
  world.measure();
  world.run_until(now + 5);
  EXPECT_FALSE(world.lost);
  EXPECT_LT(world.heard_offset(1), 1.0);
  EXPECT_LT(world.played_offset(1), 1.0);
}

/// Nobody knew what it would need: there is a place for one period of latency.
TEST(combined_faults, a_slow_member_that_was_away_at_first_is_planned_for_when_it_comes) {
  std::vector<RoomOptions> rooms = three();
  rooms[1].latency = {{960}, {960}};
  RoomWorld world(rooms);
  world.rooms[1]->plugged = false;
  ASSERT_TRUE(world.start(kFormat));
  world.run_until(1);
  EXPECT_FALSE(world.lost);
  world.rooms[1]->plugged = true;
  world.run_until(3);
  EXPECT_TRUE(world.lost);
  world.device->stop();
  world.device->close();
  ASSERT_TRUE(world.start(kFormat));
  const double now = world.seconds();
  world.run_until(now + 4);
  EXPECT_FALSE(world.lost);
  EXPECT_EQ(world.status(1).state, MemberState::tracking);
}

RoomOptions with_channels(RoomOptions options, std::uint32_t inputs, std::uint32_t outputs) {
  options.inputs = inputs;
  options.outputs = outputs;
  return options;
}

TEST(combined_faults, a_master_that_was_set_up_anew_is_what_is_offered_then) {
  RoomWorld world(three());
  ASSERT_TRUE(world.start(kFormat));
  world.run_until(1);
  world.rooms[0]->become = with_channels(room("a", 44'100, 64, 0), 6, 4);
  world.rooms[0]->plugged = false;
  world.run_until(1.5);
  EXPECT_TRUE(world.lost);
  world.device->stop();
  world.device->close();
  world.rooms[0]->plugged = true;
  const Result<> refused = world.device->open(kFormat);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::format_refused);
  const ports::DeviceInfo& info = world.device->info();
  EXPECT_EQ(info.rates, std::vector<SampleRate>{{44'100}});
  EXPECT_EQ(info.input_channels, 8U);
  EXPECT_EQ(info.input_names.size(), 8U);
  EXPECT_EQ(info.output_channels, 6U);
  std::uint64_t blocks = 0;
  world.on_capture = [&](const ports::DevicePeriod& period) {
    blocks += period.capture.channels == 8 && period.render.channels == 6 ? 1 : 0;
  };
  ASSERT_TRUE(world.start({{44'100}, {64}}));
  world.run_until(5);
  EXPECT_GT(blocks, 2'000U);
  EXPECT_EQ(world.status(1).state, MemberState::tracking);
}

/// Only at the opening does a master with other channels at the same rate say so.
TEST(combined_faults, a_master_with_other_channels_is_opened_with_them) {
  for (const std::uint32_t channels : {0U, 5U}) {
    RoomWorld world(three());
    world.rooms[0]->become = with_channels(room("a", 48'000, 64, 0), 1, channels);
    ASSERT_TRUE(world.start(kFormat));
    EXPECT_EQ(world.device->info().output_channels, 2 + channels);
    std::uint64_t blocks = 0;
    world.on_capture = [&](const ports::DevicePeriod& period) {
      blocks += period.render.channels == 2 + channels ? 1 : 0;
    };
    world.run_until(1);
    EXPECT_GT(blocks, 500U);
  }
}

TEST(combined_faults, a_member_that_was_set_up_anew_runs_at_what_it_has_now) {
  for (const bool is_looked_at : {false, true}) {
    RoomWorld world(three());
    world.rooms[1]->become = with_channels(room("b", 44'100, 441, 300), 3, 2);
    if (is_looked_at) {
      world.device->refresh();
    } else {
      // It knew nothing of it: the first opening finds out.
      const Result<> refused = world.device->open(kFormat);
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().code, ErrorCode::format_refused);
    }
    EXPECT_EQ(world.device->info().input_channels, 5U);
    EXPECT_EQ(world.device->info().output_channels, 4U);
    ASSERT_TRUE(world.start(kFormat));
    EXPECT_EQ(world.status(1).format.rate.hz, 44'100U);
    EXPECT_EQ(world.status(1).format.period.count, 441U);
    world.run_until(4);
    EXPECT_EQ(world.status(1).state, MemberState::tracking);
  }
}

/// As when another rate is chosen for it in Windows.
TEST(combined_faults, a_member_that_returns_at_another_rate_is_planned_anew) {
  RoomWorld world(three());
  ASSERT_TRUE(world.start(kFormat));
  world.run_until(1);
  world.rooms[1]->plugged = false;
  world.run_until(1.2);
  EXPECT_FALSE(world.lost);
  world.rooms[1]->become = room("b", 44'100, 441, 300);
  world.rooms[1]->plugged = true;
  world.run_until(3);
  ASSERT_TRUE(world.lost);
  EXPECT_LT(world.seconds(), 2.0);
  EXPECT_EQ(world.device->loss().find("b has come back with"), 0U) << world.device->loss();
  world.device->stop();
  world.device->close();
  const Result<> again = world.start(kFormat);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(world.status(1).format.rate.hz, 44'100U);
  EXPECT_TRUE(world.device->loss().empty());
  const double now = world.seconds();
  world.run_until(now + 2);
  EXPECT_FALSE(world.lost);
  world.measure();
  world.run_until(now + 3);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_LT(world.heard_offset(i), 1.0) << i;
    EXPECT_LT(world.played_offset(i), 1.0) << i;
  }
}

TEST(combined_faults, a_member_that_no_plan_brings_back_disturbs_nobody) {
  RoomWorld world(three());
  ASSERT_TRUE(world.start(kFormat));
  world.run_until(1);
  world.rooms[1]->plugged = false;
  world.run_until(1.2);
  // Below what is resampled; and, for the other one, what it offers and refuses all the same.
  world.rooms[1]->become = room("b", 4'000, 40, 300);
  world.rooms[1]->plugged = true;
  world.rooms[2]->refusal = ErrorCode::format_refused;
  world.rooms[2]->plugged = false;
  world.run_until(4);
  EXPECT_FALSE(world.lost);
  EXPECT_EQ(world.status(1).state, MemberState::lost);
  EXPECT_EQ(world.status(2).state, MemberState::lost);
}

TEST(combined_faults, a_member_that_returns_with_other_channels_is_planned_anew) {
  RoomWorld world(three());
  ASSERT_TRUE(world.start(kFormat));
  world.run_until(1);
  world.rooms[1]->plugged = false;
  world.run_until(1.5);
  world.rooms[1]->become = with_channels(room("b", 48'000, 480, 300), 3, 1);
  world.rooms[1]->plugged = true;
  world.run_until(3);
  EXPECT_TRUE(world.lost);
  EXPECT_EQ(world.status(1).state, MemberState::lost);
  EXPECT_EQ(world.status(1).nonsense, 0U);
  EXPECT_NE(world.device->trouble(0).find("3 inputs and 1 outputs now"), std::string::npos)
      << world.device->trouble(0);
  EXPECT_TRUE(is_silent(world.blocks[1], 64));
  EXPECT_EQ(world.device->info().input_channels, 3U) << "until it is opened";
  world.device->stop();
  world.device->close();
  ASSERT_TRUE(world.device->open(kFormat));
  EXPECT_EQ(world.device->info().input_channels, 5U);
  EXPECT_TRUE(world.device->start());
}

/// As WASAPI does it: what was told at the opening was an estimate. A host that stops and starts
/// again does not open anew.
TEST(combined_faults, what_was_measured_while_it_ran_is_planned_for_at_the_next_start) {
  RoomWorld world(three());
  ASSERT_TRUE(world.start(kFormat));
  world.run_until(1);
  world.rooms[0]->set_latency({{1'500}, {2'500}});
  world.rooms[1]->set_latency({{3'000}, {100}});
  world.device->stop();
  const Result<> again = world.restart();
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_GE(world.device->latency().input.count, 3'000U);
  EXPECT_GE(world.device->latency().output.count, 2'500U);
  world.run_until(3);
  world.measure();
  world.run_until(4);
  for (std::size_t i = 0; i < 3; ++i) {
    SCOPED_TRACE(i);
    EXPECT_LT(world.heard_offset(i), 1.0);
    EXPECT_LT(world.heard[i].most_residual, 1e-3);
    EXPECT_LT(world.played_offset(i), 1.0);
    EXPECT_LT(world.played[i].most_residual, 1e-3);
  }
  EXPECT_EQ(world.status(1).returns, 0U);

  // Less than was planned for changes no plan, and a master that lost its mind starts nothing.
  const ports::DeviceLatency before = world.device->latency();
  world.rooms[1]->set_latency({{20}, {20}});
  world.device->stop();
  ASSERT_TRUE(world.restart());
  EXPECT_EQ(world.device->latency().input, before.input);
  world.rooms[0]->set_latency({{4'000'000'000}, {0}});
  world.device->stop();
  EXPECT_FALSE(world.restart());
}

}  // namespace
}  // namespace asiodrv::devices
