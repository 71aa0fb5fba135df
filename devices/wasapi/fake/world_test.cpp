// The world itself: time, threads, signals, and whole personalities.
#include "devices/wasapi/fake/world.hpp"

#include <atomic>
#include <cmath>
#include <thread>

#include "devices/wasapi/fake/test_program.hpp"

namespace asiodrv::devices::wasapi::fake {
namespace {

using test::open;
using test::Opening;
using test::Program;

TEST(wasapi_fake_world, a_wait_ends_at_the_lowest_signalled_event_or_at_its_deadline) {
  Program program;
  World& world = program.world;
  const EventHandle events[] = {program.new_event(), program.new_event(), program.new_event()};
  const Instant began = world.now();
  EXPECT_EQ(world.wait_any(events, began + milliseconds{7}).end, WaitEnd::timed_out);
  EXPECT_EQ(world.now() - began, milliseconds{7});
  world.signal(events[2]);
  world.signal(events[1]);
  for (const std::size_t expected : {1U, 2U}) {
    const WaitResult result = world.wait_any(events, world.now() + milliseconds{1});
    EXPECT_EQ(result.end, WaitEnd::signalled);
    EXPECT_EQ(result.index, expected);
  }
  EXPECT_EQ(world.now() - began, milliseconds{7});
  world.schedule(world.now() + milliseconds{3}, [&] { world.signal(events[0]); });
  EXPECT_EQ(world.wait_any(events, world.now() + milliseconds{100}).index, 0U);
  EXPECT_EQ(world.now() - began, milliseconds{10});
  EXPECT_EQ(world.wait_any({}, world.now()).end, WaitEnd::failed);
  EXPECT_FALSE(world.violations().empty());
  program.expects_clean = false;
}

TEST(wasapi_fake_world, closed_events_are_noticed) {
  Program program;
  const EventHandle event = program.world.make_event();
  program.world.close_event(event);
  EXPECT_TRUE(program.world.violations().empty());
  program.world.signal(event);
  EXPECT_EQ(program.world.wait_any({&event, 1}, program.world.now()).end, WaitEnd::failed);
  program.world.close_event(event);
  EXPECT_EQ(program.world.violations().size(), 3U);
  program.expects_clean = false;
}

TEST(wasapi_fake_world, signals_are_what_they_were_in_every_layout) {
  for (const Layout layout :
       {Layout::int16, Layout::int24, Layout::int24_in_32, Layout::int32, Layout::float32}) {
    const std::uint32_t mask = layout == Layout::int16 ? 0xFFFFU : 0xFFFFFFU;
    for (std::uint32_t frame = 0; frame < 0x1000000; frame += 997) {
      std::uint8_t bytes[4] = {};
      write_sample(layout, signal(frame, 3), bytes);
      ASSERT_EQ(frame_of_signal(read_sample(layout, bytes), 3) & mask, frame & mask);
    }
  }
}

/// A stream on a thread of its own, as the service has it; the main thread ends it.
TEST(wasapi_fake_world, threads_may_wait_and_signal_side_by_side) {
  Program program;
  World& world = program.world;
  Endpoint& endpoint = world.add_endpoint({});
  const auto stream = open(program, endpoint);
  const EventHandle stop = program.new_event();
  std::atomic<int> periods{0};
  ASSERT_EQ(stream->client->start(), kOk);
  std::thread engine([&] {
    const auto com = world.hold_com();
    const EventHandle events[] = {stop, stream->event};
    for (int i = 0; i < 1'000'000; ++i) {
      const WaitResult result = world.wait_any(events, world.now() + milliseconds{100});
      if (result.end != WaitEnd::signalled || result.index == 0) break;
      std::uint32_t padding = 0;
      std::uint8_t* data = nullptr;
      const bool served = !failed(stream->client->current_padding(&padding)) &&
                          !failed(stream->render->buffer(stream->frames - padding, &data));
      if (!served) break;
      if (data != nullptr) stream->render->release_buffer(stream->frames - padding, kSilent);
      ++periods;
      periods.notify_one();
    }
  });
  for (int seen = 0; seen < 100; seen = periods.load()) periods.wait(seen);
  world.signal(stop);
  engine.join();
  EXPECT_EQ(stream->client->stop(), kOk);
  EXPECT_GE(endpoint.frames_played(), 99 * 480U);
}

/// Time that somebody else moves: the world follows, in small steps.
class ForeignClock final : public ports::Clock {
 public:
  [[nodiscard]] Instant now() const RT_SAFE override { return clock_.now(); }
  void sleep_until(Instant deadline) RT_SAFE override {
    longest_ = std::max(longest_, deadline - now());
    clock_.sleep_until(deadline);
  }
  [[nodiscard]] nanoseconds longest() const { return longest_; }

 private:
  ports::VirtualClock clock_{Instant{77'000'000}};
  nanoseconds longest_{0};
};

TEST(wasapi_fake_world, a_foreign_clock_is_slept_on_in_short_pieces) {
  ForeignClock clock;
  WorldOptions options;
  options.clock = &clock;
  Program program(options);
  Endpoint& endpoint = program.world.add_endpoint({});
  const auto stream = open(program, endpoint);
  ASSERT_EQ(stream->client->start(), kOk);
  EXPECT_TRUE(program.wait(stream->event));
  EXPECT_LE(clock.longest(), milliseconds{1});
}

TEST(wasapi_fake_world, a_rate_of_another_stream_is_played_at_the_devices) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  Opening opening;
  opening.format = extensible(Layout::float32, 44'100, 2, 3);
  opening.flags |= kAutoConvert | kDefaultQuality;
  const auto stream = open(program, endpoint, opening);
  ASSERT_EQ(stream->result, kOk);
  std::uint32_t written = 0;
  ASSERT_EQ(stream->client->start(), kOk);
  const Instant until = program.world.now() + std::chrono::seconds{10};
  while (program.world.now() < until && program.wait(stream->event)) {
    std::uint32_t padding = 0;
    ASSERT_EQ(stream->client->current_padding(&padding), kOk);
    ASSERT_EQ(test::write_ramp(*stream, stream->frames - padding, 1), kOk);
    written += stream->frames - padding;
  }
  EXPECT_NEAR(written, 441'000, 2'000);
}

/// Whoever keeps the rules hears no damage, on any device.
TEST(wasapi_fake_world, every_personality_plays_and_captures_in_shared_mode) {
  for (const Personality personality : kPersonalities) {
    SCOPED_TRACE(personality_name(personality));
    Program program;
    Endpoint& speakers = program.world.add_endpoint(make_spec(personality, Flow::render));
    Endpoint& microphone = program.world.add_endpoint(make_spec(personality, Flow::capture));
    Opening opening;
    opening.format = speakers.mix_format();
    const std::uint16_t channels = opening.format.base.channels;
    const auto output = open(program, speakers, opening);
    ASSERT_EQ(output->result, kOk);
    std::uint32_t step = 1;
    ASSERT_EQ(test::write_ramp(*output, output->frames, step, channels), kOk);
    step += output->frames;
    ASSERT_EQ(output->client->start(), kOk);
    const auto input = open(program, microphone, opening);
    ASSERT_EQ(input->result, personality == Personality::corporate ? kAccessDenied : kOk);
    const bool captures = !failed(input->result);
    if (captures) {
      ASSERT_EQ(input->client->start(), kOk);
    }
    std::uint64_t captured = 0;
    const Instant until = program.world.now() + std::chrono::seconds{2};
    while (program.world.now() < until && program.wait(output->event)) {
      std::uint32_t padding = 0;
      ASSERT_EQ(output->client->current_padding(&padding), kOk);
      const std::uint32_t room = output->frames - padding;
      ASSERT_EQ(test::write_ramp(*output, room, step, channels), kOk);
      step += room;
      std::uint8_t* data = nullptr;
      std::uint32_t frames = 0, flags = 0;
      for (int packet = 0; captures && packet < 10; ++packet) {
        if (input->capture->buffer(&data, &frames, &flags, nullptr, nullptr) != kOk) break;
        captured += frames;
        ASSERT_EQ(input->capture->release_buffer(frames), kOk);
      }
    }
    EXPECT_TRUE(speakers.glitches().empty());
    EXPECT_EQ(microphone.frames_lost(), 0U);
    if (captures) {
      EXPECT_GT(captured, 80'000U);
    }
    const std::uint64_t first = test::heard_at(speakers, 1);
    for (std::uint32_t i = 0; i < 80'000; ++i) {
      ASSERT_EQ(speakers.recorder().at(first + i, 1), static_cast<float>(i + 1) * 0x1p-20F);
    }
  }
}

TEST(wasapi_fake_world, usb_events_become_rare_after_a_quarter_of_an_hour) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint(make_spec(Personality::usb_uac1, Flow::render));
  const auto stream = open(program, endpoint, test::exclusively(30'000, Layout::int16));
  ASSERT_EQ(stream->result, kOk);
  ASSERT_EQ(stream->client->start(), kOk);
  const auto count = [&] {
    const Instant until = program.world.now() + std::chrono::seconds{3};
    int events = 0;
    while (program.world.wait_any({&stream->event, 1}, until).end == WaitEnd::signalled) {
      EXPECT_EQ(program.world.now().ns % 1'000'000, 0);  // in clumps of a USB frame
      ++events;
    }
    return events;
  };
  EXPECT_NEAR(count(), 1000, 5);
  program.world.advance(std::chrono::minutes{15});
  EXPECT_NEAR(count(), 333, 5);
}

}  // namespace
}  // namespace asiodrv::devices::wasapi::fake
