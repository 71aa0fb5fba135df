#include "asio/lifecycle.hpp"

#include <gtest/gtest.h>

#include "asio/testing/world.hpp"

namespace asiodrv::asio {
namespace {

using testing::World;

/// Makes one call with arguments that are right wherever the call is.
std::int32_t perform(World& world, Call call) {
  std::int32_t a = 77, b = 77, c = 77, d = 77;
  double rate = 77;
  char text[kErrorMessageBytes];
  U64Pair position{7, 7}, time{7, 7};
  ClockSource sources[4];
  ChannelInfo info{.channel = 0, .is_input = 1, .is_active = 7, .group = 7, .type = 7, .name = {}};
  AsioFront& front = *world.front;
  switch (call) {
    case Call::init: return front.init() ? kOk : kInvalidMode;
    case Call::get_driver_name: front.get_driver_name(text); return kOk;
    case Call::get_driver_version: return kOk;
    case Call::get_error_message: front.get_error_message(text); return kOk;
    case Call::start: return front.start();
    case Call::stop: return front.stop();
    case Call::get_channels: return front.get_channels(&a, &b);
    case Call::get_latencies: return front.get_latencies(&a, &b);
    case Call::get_buffer_size: return front.get_buffer_size(&a, &b, &c, &d);
    case Call::can_sample_rate: return front.can_sample_rate(48'000);
    case Call::get_sample_rate: return front.get_sample_rate(&rate);
    case Call::set_sample_rate: return front.set_sample_rate(48'000);
    case Call::get_clock_sources: a = 4; return front.get_clock_sources(sources, &a);
    case Call::set_clock_source: return front.set_clock_source(0);
    case Call::get_sample_position: return front.get_sample_position(&position, &time);
    case Call::get_channel_info: return front.get_channel_info(&info);
    case Call::create_buffers: return world.create();
    case Call::dispose_buffers: return front.dispose_buffers();
    case Call::control_panel: return front.control_panel();
    case Call::future: return front.future(kCanTimeInfo, nullptr);
    case Call::output_ready: return front.output_ready();
  }
  return kOk;
}

constexpr State kAllStates[] = {State::loaded, State::initialized, State::prepared, State::running};

TEST(lifecycle, every_call_in_every_state_answers_and_moves_as_the_table_says) {
  for (const State from : kAllStates) {
    for (const Legality& row : kLegality) {
      World world;
      FrontPorts ports = world.ports();
      ports.open_panel = [] { return Result<>{}; };
      world.front = AsioFront::create(ports, {.manual_stream = true, .manual_notifier = true});
      world.reach(from);
      ASSERT_EQ(world.front->state(), from);
      const std::int32_t answer = perform(world, row.call);
      const AsioError expected = legality(from, row.call);
      const std::string where = "state " + std::to_string(static_cast<int>(from)) + ", call " +
                                std::to_string(static_cast<int>(row.call));
      if (expected != kOk) {
        EXPECT_EQ(answer, expected) << where;
        EXPECT_EQ(world.front->state(), from) << where;
        EXPECT_NE(world.message(), "No error has occurred.") << where;
      } else {
        EXPECT_EQ(answer, row.call == Call::future ? kFutureSuccess : kOk) << where;
        EXPECT_EQ(world.front->state(), state_after(from, row.call)) << where;
      }
    }
  }
}

TEST(lifecycle, outputs_are_zero_when_a_call_comes_too_early) {
  World world;
  AsioFront& front = *world.front;
  std::int32_t a = 77, b = 77, c = 77, d = 77;
  EXPECT_EQ(front.get_buffer_size(&a, &b, &c, &d), kInvalidMode);
  EXPECT_EQ(a + b + c + d, 0);
  a = b = 77;
  EXPECT_EQ(front.get_channels(&a, &b), kInvalidMode);
  EXPECT_EQ(a + b, 0);
  a = b = 77;
  EXPECT_EQ(front.get_latencies(&a, &b), kInvalidMode);
  EXPECT_EQ(a + b, 0);
  double rate = 77;
  EXPECT_EQ(front.get_sample_rate(&rate), kInvalidMode);
  EXPECT_EQ(rate, 0.0);
  ClockSource source;
  a = 1;
  EXPECT_EQ(front.get_clock_sources(&source, &a), kInvalidMode);
  EXPECT_EQ(a, 0);
  U64Pair position{7, 7}, time{7, 7};
  EXPECT_EQ(front.get_sample_position(&position, &time), kInvalidMode);
  EXPECT_EQ(join64(position) + join64(time), 0u);
  ChannelInfo info{.channel = 1, .is_input = 1, .is_active = 7, .group = 7, .type = 7, .name = "x"};
  EXPECT_EQ(front.get_channel_info(&info), kInvalidMode);
  EXPECT_EQ(info.channel, 1);
  EXPECT_EQ(info.type, 0);
  EXPECT_STREQ(info.name, "");
}

TEST(lifecycle, a_failed_init_says_why_and_may_be_tried_again) {
  World world;
  world.service.die();
  EXPECT_FALSE(world.front->init());
  EXPECT_EQ(world.message(), "The asio-driver service is not running.");
  EXPECT_EQ(world.front->state(), State::loaded);
  world.service.revive();
  EXPECT_TRUE(world.front->init());
}

TEST(lifecycle, init_touches_no_device) {
  World world;
  ASSERT_TRUE(world.front->init());
  EXPECT_EQ(world.service.log(), std::vector<std::string>{"connect"});
}

TEST(lifecycle, a_description_that_makes_no_sense_fails_init) {
  for (const std::uint32_t frames : {0u, 15u, 100u, 1u << 20}) {
    World world;
    world.service.description.buffer_sizes[1].preferred = {frames};
    EXPECT_FALSE(world.front->init()) << frames;
  }
  World world;
  world.service.description.rates.clear();
  EXPECT_FALSE(world.front->init());
  World other;
  other.service.description.buffer_sizes.pop_back();
  EXPECT_FALSE(other.front->init());
}

TEST(lifecycle, every_error_code_has_an_asio_number) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::internal); ++code) {
    const auto error = static_cast<ErrorCode>(code);
    EXPECT_LT(to_asio_error(error), 0);
    EXPECT_LT(to_rate_error(error), 0);
    EXPECT_NE(to_clock_error(error), kNoClock);
  }
  EXPECT_EQ(to_start_error(ErrorCode::device_busy), kHardwareMalfunction);
  EXPECT_EQ(to_start_error(ErrorCode::device_gone), kHardwareMalfunction);
  EXPECT_EQ(to_rate_error(ErrorCode::format_refused), kNoClock);
}

TEST(lifecycle, the_end_hangs_up_and_is_repeatable) {
  World world;
  world.reach(State::running);
  world.front->shutdown();
  world.front->shutdown();
  const std::vector<std::string> expected{"connect", "create",  "start",
                                          "stop",    "dispose", "disconnect"};
  EXPECT_EQ(world.service.log(), expected);
  EXPECT_EQ(world.front->state(), State::loaded);
  EXPECT_FALSE(world.front->init());
}

}  // namespace
}  // namespace asiodrv::asio
