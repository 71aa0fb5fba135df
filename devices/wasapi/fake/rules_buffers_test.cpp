// Sections B, C and K of the rules: what buffers and clocks do in shared mode.
#include <cmath>

#include "devices/wasapi/fake/test_program.hpp"

namespace asiodrv::devices::wasapi::fake {
namespace {

using test::has_violation;
using test::Open;
using test::open;
using test::Opening;
using test::Program;
using test::write_ramp;

EndpointSpec microphone() { return make_spec(Personality::plain, Flow::capture); }

/// One packet as the program sees it.
struct Seen {
  Hr result = kUnexpected;
  std::uint8_t* data = nullptr;
  std::uint32_t frames = 0, flags = 0;
  std::uint64_t position = 0, qpc = 0;
};

Seen take(Open& stream) {
  Seen seen;
  seen.result =
      stream.capture->buffer(&seen.data, &seen.frames, &seen.flags, &seen.position, &seen.qpc);
  return seen;
}

TEST(wasapi_fake_rules, B1_the_render_buffer_is_taken_and_given_back_by_the_table) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  const auto stream = open(program, endpoint);
  RenderClient& render = *stream->render.get();
  std::uint8_t* const rubbish = reinterpret_cast<std::uint8_t*>(&program);
  std::uint8_t* data = rubbish;
  EXPECT_EQ(render.buffer(1, nullptr), kPointer);
  EXPECT_EQ(render.buffer(stream->frames + 1, &data), kBufferTooLarge);
  EXPECT_EQ(data, nullptr);
  data = rubbish;
  EXPECT_EQ(render.buffer(0, &data), kOk);
  EXPECT_EQ(data, nullptr);
  EXPECT_EQ(render.release_buffer(0, 0), kOk);
  EXPECT_EQ(render.release_buffer(5, 0), kOutOfOrder);
  ASSERT_EQ(render.buffer(100, &data), kOk);
  ASSERT_NE(data, nullptr);
  std::fill_n(data, 800, std::uint8_t{0});
  std::uint8_t* second = rubbish;
  EXPECT_EQ(render.buffer(0, &second), kOutOfOrder);
  EXPECT_EQ(second, nullptr);
  EXPECT_EQ(render.release_buffer(101, 0), kInvalidSize);
  EXPECT_EQ(render.release_buffer(50, 0x80), kInvalidArgument);
  EXPECT_EQ(render.release_buffer(50, 0), kOk);  // fewer than asked for
  std::uint32_t padding = 0;
  EXPECT_EQ(stream->client->current_padding(&padding), kOk);
  EXPECT_EQ(padding, 50U);
  ASSERT_EQ(render.buffer(100, &data), kOk);
  EXPECT_EQ(render.release_buffer(0, 0), kOk);  // nothing after all
  EXPECT_EQ(stream->client->current_padding(&padding), kOk);
  EXPECT_EQ(padding, 50U);
  endpoint.unplug();
  data = rubbish;
  EXPECT_EQ(render.buffer(10, &data), kDeviceInvalidated);
  EXPECT_EQ(data, nullptr);
}

TEST(wasapi_fake_rules, B2_memory_that_nobody_wrote_is_noticed) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  const auto stream = open(program, endpoint);
  std::uint8_t* data = nullptr;
  ASSERT_EQ(stream->render->buffer(100, &data), kOk);
  std::fill_n(data, 90 * 8, std::uint8_t{0});
  EXPECT_EQ(stream->render->release_buffer(90, 0), kOk);
  EXPECT_TRUE(program.world.violations().empty());
  ASSERT_EQ(stream->render->buffer(100, &data), kOk);
  std::fill_n(data, 90 * 8, std::uint8_t{0});
  EXPECT_EQ(stream->render->release_buffer(100, 0), kOk);
  EXPECT_TRUE(has_violation(program.world, "B2"));
  program.expects_clean = false;
}

TEST(wasapi_fake_rules, B3_a_buffer_stays_on_its_thread_and_not_for_longer_than_a_period) {
  for (const int fault : {0, 1, 2}) {
    Program program;
    program.expects_clean = fault == 0;
    Endpoint& endpoint = program.world.add_endpoint({});
    const auto stream = open(program, endpoint);
    ASSERT_EQ(stream->client->start(), kOk);
    std::uint8_t* data = nullptr;
    ASSERT_EQ(stream->render->buffer(100, &data), kOk);
    program.world.advance(milliseconds{fault == 1 ? 11 : 9});
    const auto other = program.world.as_thread(fault == 2 ? 9 : program.world.current_thread());
    const auto com = program.world.hold_com();
    EXPECT_EQ(stream->render->release_buffer(100, kSilent), kOk);
    EXPECT_EQ(has_violation(program.world, "B3"), fault != 0);
  }
}

TEST(wasapi_fake_rules, B4_a_silent_buffer_is_silence_whatever_is_in_it) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  const auto stream = open(program, endpoint);
  ASSERT_EQ(write_ramp(*stream, 10, 1), kOk);
  std::uint8_t* data = nullptr;
  ASSERT_EQ(stream->render->buffer(10, &data), kOk);
  for (int i = 0; i < 20; ++i) write_sample(Layout::float32, 0.5F, data + 4 * i);
  ASSERT_EQ(stream->render->release_buffer(10, kSilent), kOk);
  ASSERT_EQ(write_ramp(*stream, 500, 11), kOk);
  ASSERT_EQ(stream->client->start(), kOk);
  ASSERT_TRUE(program.wait(stream->event));
  const std::uint64_t first = test::heard_at(endpoint, 1);
  EXPECT_EQ(endpoint.recorder().at(first + 9, 0), 10 * 0x1p-20F);
  for (std::uint32_t i = 10; i < 20; ++i) EXPECT_EQ(endpoint.recorder().at(first + i, 0), 0.0F);
  EXPECT_EQ(endpoint.recorder().at(first + 20, 0), 11 * 0x1p-20F);
}

TEST(wasapi_fake_rules, C1_the_capture_buffer_is_taken_and_given_back_by_the_table) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint(microphone());
  const auto stream = open(program, endpoint);
  CaptureClient& capture = *stream->capture.get();
  std::uint8_t* data = reinterpret_cast<std::uint8_t*>(&program);
  std::uint32_t frames = 7, flags = 7;
  EXPECT_EQ(capture.buffer(nullptr, &frames, &flags, nullptr, nullptr), kPointer);
  EXPECT_EQ(capture.buffer(&data, nullptr, &flags, nullptr, nullptr), kPointer);
  EXPECT_EQ(capture.buffer(&data, &frames, nullptr, nullptr, nullptr), kPointer);
  EXPECT_EQ(capture.buffer(&data, &frames, &flags, nullptr, nullptr), kBufferEmpty);
  EXPECT_FALSE(failed(kBufferEmpty));
  EXPECT_EQ(frames, 0U);
  EXPECT_EQ(data, nullptr);
  EXPECT_EQ(capture.release_buffer(0), kOk);
  EXPECT_EQ(capture.release_buffer(10), kOutOfOrder);
  ASSERT_EQ(stream->client->start(), kOk);
  ASSERT_TRUE(program.wait(stream->event));
  ASSERT_TRUE(program.wait(stream->event));
  EXPECT_EQ(capture.next_packet_size(&frames), kOk);
  EXPECT_EQ(frames, 480U);  // one, although two are there
  EXPECT_EQ(stream->client->current_padding(&frames), kOk);
  EXPECT_EQ(frames, 960U);
  ASSERT_EQ(capture.buffer(&data, &frames, &flags, nullptr, nullptr), kOk);
  std::uint32_t untouched = 1234;
  EXPECT_EQ(capture.buffer(&data, &untouched, &flags, nullptr, nullptr), kOutOfOrder);
  EXPECT_EQ(data, nullptr);
  EXPECT_EQ(untouched, 1234U);
  EXPECT_EQ(capture.release_buffer(479), kInvalidSize);
  EXPECT_EQ(capture.release_buffer(480), kOk);
  EXPECT_EQ(stream->client->stop(), kOk);
  EXPECT_EQ(stream->client->current_padding(&frames), kOk);
  EXPECT_EQ(frames, 480U);  // kept by stop, dropped by reset
  EXPECT_EQ(stream->client->reset(), kOk);
  EXPECT_EQ(stream->client->current_padding(&frames), kOk);
  EXPECT_EQ(frames, 0U);
}

TEST(wasapi_fake_rules, C2_the_first_packet_is_a_discontinuity_and_later_ones_name_their_frames) {
  for (const bool silent : {false, true}) {
    Program program;
    EndpointSpec spec = microphone();
    spec.knobs.first_packet_silent = silent;
    Endpoint& endpoint = program.world.add_endpoint(spec);
    const auto stream = open(program, endpoint);
    ASSERT_EQ(stream->client->start(), kOk);
    std::uint64_t expected = 0;
    for (int packet = 0; packet < 20; ++packet) {
      ASSERT_TRUE(program.wait(stream->event));
      const Seen seen = take(*stream);
      ASSERT_EQ(seen.result, kOk);
      EXPECT_EQ(seen.flags, packet > 0 ? 0U : silent ? kDiscontinuity | kSilent : kDiscontinuity);
      EXPECT_EQ(seen.position, expected);
      const std::uint64_t first = endpoint.capture_origin() + expected;
      EXPECT_EQ(seen.qpc, program.world.qpc_of(endpoint.device_clock().instant_of(first)));
      for (std::uint32_t i = 0; i < seen.frames; ++i) {
        const float value = read_sample(Layout::float32, seen.data + std::size_t{8} * i + 4);
        ASSERT_EQ(value == signal(first + i, 1), packet > 0 || !silent);
        if (packet > 0) {
          ASSERT_EQ(frame_of_signal(value, 1), (first + i) & 0xFFFFFFU);
        }
      }
      expected += seen.frames;
      ASSERT_EQ(stream->capture->release_buffer(seen.frames), kOk);
    }
  }
}

TEST(wasapi_fake_rules, C3_a_packet_that_is_given_back_comes_again) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint(microphone());
  const auto stream = open(program, endpoint);
  ASSERT_EQ(stream->client->start(), kOk);
  ASSERT_TRUE(program.wait(stream->event));
  const Seen first = take(*stream);
  const std::vector<std::uint8_t> bytes(first.data, first.data + first.frames * 8);
  EXPECT_EQ(stream->capture->release_buffer(0), kOk);
  ASSERT_TRUE(program.wait(stream->event));
  const Seen again = take(*stream);
  EXPECT_EQ(again.position, first.position);
  EXPECT_EQ(again.qpc, first.qpc);
  EXPECT_EQ(again.frames, first.frames);
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), again.data));
  EXPECT_EQ(stream->capture->release_buffer(again.frames), kOk);
  EXPECT_NE(take(*stream).position, first.position);
}

TEST(wasapi_fake_rules, C4_what_nobody_takes_is_lost_with_a_flag_or_without) {
  for (const bool flagged : {true, false}) {
    Program program;
    EndpointSpec spec = microphone();
    spec.knobs.overrun_flagged = flagged;
    Endpoint& endpoint = program.world.add_endpoint(spec);
    const auto stream = open(program, endpoint);
    ASSERT_EQ(stream->client->start(), kOk);
    program.world.advance(milliseconds{105});
    EXPECT_GT(endpoint.frames_lost(), 0U);
    std::uint32_t padding = 0;
    EXPECT_EQ(stream->client->current_padding(&padding), kOk);
    EXPECT_LE(padding, stream->frames);
    std::uint64_t next = 0;
    bool jumped = false;
    for (int packet = 0; packet < 6; ++packet) {
      Seen seen = take(*stream);
      if (seen.result == kBufferEmpty) {
        program.world.advance(milliseconds{10});
        seen = take(*stream);
      }
      ASSERT_EQ(seen.result, kOk);
      if (packet > 0 && seen.position != next) {
        jumped = true;
        EXPECT_EQ(seen.position - next, endpoint.frames_lost());
        EXPECT_EQ((seen.flags & kDiscontinuity) != 0, flagged);
      }
      next = seen.position + seen.frames;
      ASSERT_EQ(stream->capture->release_buffer(seen.frames), kOk);
    }
    EXPECT_TRUE(jumped);
  }
}

TEST(wasapi_fake_rules, C5_a_timestamp_error_makes_nonsense_of_the_position_only) {
  Program program;
  EndpointSpec spec = microphone();
  spec.knobs.timestamp_error = 1;
  Endpoint& endpoint = program.world.add_endpoint(spec);
  const auto stream = open(program, endpoint);
  ASSERT_EQ(stream->client->start(), kOk);
  ASSERT_TRUE(program.wait(stream->event));
  const Seen seen = take(*stream);
  EXPECT_NE(seen.flags & kTimestampError, 0U);
  EXPECT_GT(seen.position, 1'000'000U);
  EXPECT_EQ(read_sample(Layout::float32, seen.data), signal(endpoint.capture_origin(), 0));
}

TEST(wasapi_fake_rules, C6_a_silent_packet_is_full_of_noise) {
  Program program;
  EndpointSpec spec = microphone();
  spec.knobs.silent_packet = 1;
  Endpoint& endpoint = program.world.add_endpoint(spec);
  const auto stream = open(program, endpoint);
  ASSERT_EQ(stream->client->start(), kOk);
  ASSERT_TRUE(program.wait(stream->event));
  const Seen seen = take(*stream);
  EXPECT_NE(seen.flags & kSilent, 0U);
  double energy = 0;
  for (std::uint32_t i = 0; i < seen.frames; ++i) {
    energy += std::abs(read_sample(Layout::float32, seen.data + std::size_t{8} * i));
  }
  EXPECT_GT(energy, 10);
}

// --- clock ---------------------------------------------------------------------------------------

TEST(wasapi_fake_rules, K1_the_clocks_unit_is_the_modes) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  std::uint64_t frequency = 0;
  const auto shared = open(program, endpoint);
  EXPECT_EQ(shared->clock->frequency(&frequency), kOk);
  EXPECT_EQ(frequency, 384'000U);
  *shared = {};
  const auto exclusive = open(program, endpoint, test::exclusively(100'000));
  EXPECT_EQ(exclusive->clock->frequency(&frequency), kOk);
  EXPECT_EQ(frequency, 48'000U);
}

TEST(wasapi_fake_rules, K2_the_position_grows_stands_after_stop_and_is_0_after_reset) {
  for (const bool exclusive : {false, true}) {
    Program program;
    Endpoint& endpoint = program.world.add_endpoint({});
    const auto stream = open(program, endpoint, exclusive ? test::exclusively(100'000) : Opening{});
    std::uint64_t position = 1, last = 0, qpc = 0;
    EXPECT_EQ(stream->clock->position(nullptr, &qpc), kPointer);
    ASSERT_FALSE(failed(stream->clock->position(&position, &qpc)));
    EXPECT_EQ(position, 0U);
    EXPECT_EQ(qpc, program.world.qpc_of(program.world.now()));
    if (!exclusive) {
      ASSERT_EQ(write_ramp(*stream, stream->frames, 1), kOk);
    }
    ASSERT_EQ(stream->client->start(), kOk);
    for (int i = 0; i < 200; ++i) {
      program.world.advance(std::chrono::microseconds{333});
      ASSERT_FALSE(failed(stream->clock->position(&position, nullptr)));
      ASSERT_GE(position, last);
      last = position;
    }
    EXPECT_GT(last, 0U);
    ASSERT_EQ(stream->client->stop(), kOk);
    std::uint32_t padding = 0;
    ASSERT_EQ(stream->client->current_padding(&padding), kOk);
    ASSERT_FALSE(failed(stream->clock->position(&last, nullptr)));
    if (!exclusive) {
      EXPECT_EQ(last, std::uint64_t{stream->frames - padding} * 8);
    }
    program.world.advance(milliseconds{50});
    ASSERT_FALSE(failed(stream->clock->position(&position, nullptr)));
    EXPECT_EQ(position, last);
    ASSERT_EQ(stream->client->reset(), kOk);
    ASSERT_FALSE(failed(stream->clock->position(&position, nullptr)));
    EXPECT_EQ(position, 0U);
  }
}

TEST(wasapi_fake_rules, K3_some_positions_are_shaky) {
  for (const double probability : {0.0, 0.3, 1.0}) {
    Program program;
    EndpointSpec spec;
    spec.knobs.position_inaccurate = probability;
    Endpoint& endpoint = program.world.add_endpoint(spec);
    const auto stream = open(program, endpoint);
    int shaky = 0;
    for (int i = 0; i < 1000; ++i) {
      std::uint64_t position = 0;
      shaky += stream->clock->position(&position, nullptr) == kFalse ? 1 : 0;
    }
    EXPECT_NEAR(shaky, 1000 * probability, probability == 0.3 ? 60 : 0);
  }
}

TEST(wasapi_fake_rules, K4_a_device_runs_at_its_own_rate_for_hours) {
  for (const double ppm : {-100.0, 0.0, 83.0}) {
    Program program;
    EndpointSpec spec = microphone();
    spec.knobs.offset_ppm = ppm;
    spec.knobs.event_jitter = milliseconds{3};
    Endpoint& endpoint = program.world.add_endpoint(spec);
    const std::uint64_t before = endpoint.device_clock().frame_at(program.world.now());
    program.world.advance(std::chrono::hours{10});
    const std::uint64_t after = endpoint.device_clock().frame_at(program.world.now());
    const double nominal = 48'000.0 * 36'000;
    EXPECT_NEAR(static_cast<double>(after - before), nominal * (1 + ppm * 1e-6), 1);
    // What a program sees of it: positions against the times that come with them.
    const auto stream = open(program, endpoint);
    ASSERT_EQ(stream->client->start(), kOk);
    Seen first, last;
    for (int packet = 0; packet < 6000; ++packet) {
      ASSERT_TRUE(program.wait(stream->event));
      last = take(*stream);
      if (packet == 0) first = last;
      ASSERT_EQ(last.result, kOk);
      ASSERT_EQ(stream->capture->release_buffer(last.frames), kOk);
    }
    const double rate = static_cast<double>(last.position - first.position) * 1e7 /
                        static_cast<double>(last.qpc - first.qpc);
    EXPECT_NEAR((rate / 48'000 - 1) * 1e6, ppm, 0.01);
    EXPECT_EQ(endpoint.frames_lost(), 0U);
  }
}

TEST(wasapi_fake_rules, K5_the_position_may_stay_0_for_a_while) {
  bool stayed = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Program program({seed});
    EndpointSpec spec;
    spec.knobs.first_event_most = milliseconds{0};
    Endpoint& endpoint = program.world.add_endpoint(spec);
    const auto stream = open(program, endpoint);
    ASSERT_EQ(write_ramp(*stream, stream->frames, 1), kOk);
    ASSERT_EQ(stream->client->start(), kOk);
    ASSERT_TRUE(program.wait(stream->event));
    program.world.advance(milliseconds{1});
    std::uint64_t position = 0;
    ASSERT_FALSE(failed(stream->clock->position(&position, nullptr)));
    stayed = stayed || position == 0;
    program.world.advance(milliseconds{15});
    ASSERT_FALSE(failed(stream->clock->position(&position, nullptr)));
    EXPECT_GT(position, 0U);
  }
  EXPECT_TRUE(stayed);
}

}  // namespace
}  // namespace asiodrv::devices::wasapi::fake
