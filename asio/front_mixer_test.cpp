// Monitors and gains with a service that takes its time, in virtual time.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>

#include "asio/testing/world.hpp"

namespace asiodrv::asio {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::World;

/// Streams with `count` monitors on, loses the service and sees it back: each monitor takes
/// `each_takes` from then on. One attempt to reconnect.
void return_with_monitors(World& world, std::int32_t count, nanoseconds each_takes) {
  world.reach(State::running);
  for (std::int32_t input = 0; input < count; ++input) {
    InputMonitor wish{input, 0, 0x20000000, 1, 0};
    ASSERT_EQ(world.front->future(kSetInputMonitor, &wish), kFutureSuccess);
  }
  world.service.die();
  world.front->serve_notifier(world.clock.now());  // sees the broken link
  world.service.revive();
  world.service.mixer_takes = each_takes;
  world.front->serve_notifier(world.clock.now());
}

/// Another program plays with 1024 frames: each monitor costs two of its periods.
TEST(mixer, many_monitors_that_take_their_time_do_not_keep_the_sound_away) {
  World world;
  return_with_monitors(world, 64, milliseconds{47});
  EXPECT_EQ(world.service.calls("start"), 2);
  EXPECT_EQ(world.service.calls("monitor 63 to 0 on"), 2);
}

TEST(mixer, a_return_waits_for_one_monitor_only_where_the_service_does_not_answer) {
  World world;
  return_with_monitors(world, 2, seconds{4});
  EXPECT_EQ(world.service.calls("monitor 0 to 0 on"), 2);
  EXPECT_EQ(world.service.calls("monitor 1 to 0 on"), 1);
  EXPECT_EQ(world.service.calls("start"), 1);
}

TEST(mixer, a_return_with_very_many_monitors_has_an_end) {
  World world;
  const Instant before = world.clock.now();
  return_with_monitors(world, 64, milliseconds{400});
  EXPECT_LE(world.clock.now() - before, nanoseconds{seconds{10}});
  EXPECT_EQ(world.service.calls("start"), 1);
}

/// The service carries it out in its turn: the host keeps its sound, and what it shows is true.
TEST(mixer, a_knob_that_a_busy_service_answers_late_costs_no_sound) {
  World world;
  world.reach(State::running);
  world.service.mixer_takes = seconds{3};
  InputMonitor monitor{1, 0, 0x20000000, 1, 0};
  ChannelControls gain{1, 1, 0, 0, {}};
  EXPECT_EQ(world.front->future(kSetInputMonitor, &monitor), kFutureSuccess);
  EXPECT_EQ(world.front->future(kSetInputGain, &gain), kFutureSuccess);
  EXPECT_EQ(world.front->future(kSetOutputGain, &gain), kFutureSuccess);
  EXPECT_EQ(world.service.calls("disconnect"), 0);
  world.service.mixer_takes = nanoseconds{0};
  ASSERT_TRUE(world.cycle(2.0F));
  EXPECT_EQ(world.host_input(0, 0)[0], 2.0F);
}

TEST(mixer, what_was_answered_late_is_said_again_to_a_service_that_returns) {
  World world;
  world.reach(State::running);
  world.service.mixer_takes = seconds{3};
  ChannelControls gain{1, 1, 0, 0, {}};
  EXPECT_EQ(world.front->future(kSetInputGain, &gain), kFutureSuccess);
  world.service.mixer_takes = nanoseconds{0};
  world.service.die();
  world.front->serve_notifier(world.clock.now());
  world.service.revive();
  world.front->serve_notifier(world.clock.now());
  EXPECT_EQ(world.service.calls("start"), 2);
  EXPECT_EQ(world.service.calls("input gain 1"), 2);
}

TEST(mixer, a_service_that_has_gone_is_no_busy_one) {
  World world;
  world.reach(State::running);
  world.service.die();
  ChannelControls gain{1, 1, 0, 0, {}};
  EXPECT_EQ(world.front->future(kSetInputGain, &gain), kHardwareMalfunction);
  EXPECT_EQ(world.service.calls("disconnect"), 1);
}

}  // namespace
}  // namespace asiodrv::asio
