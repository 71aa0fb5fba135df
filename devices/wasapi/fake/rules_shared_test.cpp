// Section S of the rules: shared streams, their sizes, states, events and positions.
#include "devices/wasapi/fake/test_program.hpp"

namespace asiodrv::devices::wasapi::fake {
namespace {

using test::Open;
using test::open;
using test::Opening;
using test::Program;
using test::Ref;
using test::write_ramp;

TEST(wasapi_fake_rules, S1_before_initialize_only_questions_are_answered) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  const Ref<AudioClient3> client = program.activate(endpoint);
  std::uint32_t frames = 0;
  ReferenceTime time = 0, least = 0;
  void* service = nullptr;
  EXPECT_EQ(client->buffer_size(&frames), kNotInitialized);
  EXPECT_EQ(client->stream_latency(&time), kNotInitialized);
  EXPECT_EQ(client->current_padding(&frames), kNotInitialized);
  EXPECT_EQ(client->start(), kNotInitialized);
  EXPECT_EQ(client->stop(), kNotInitialized);
  EXPECT_EQ(client->reset(), kNotInitialized);
  EXPECT_EQ(client->set_event_handle(program.new_event()), kNotInitialized);
  EXPECT_EQ(client->service(RenderClient::kId, &service), kNotInitialized);
  EXPECT_EQ(service, nullptr);

  WaveFormat* mix = nullptr;
  ASSERT_EQ(client->mix_format(&mix), kOk);
  WaveFormat* closest = mix;
  EXPECT_EQ(client->is_format_supported(ShareMode::shared, mix, &closest), kOk);
  EXPECT_EQ(closest, nullptr);
  EXPECT_EQ(client->device_period(&time, &least), kOk);
  EXPECT_EQ(time, 100'000);
  EXPECT_EQ(least, 30'000);
  EXPECT_EQ(client->device_period(nullptr, nullptr), kPointer);
  std::uint32_t standard = 0, fundamental = 0, low = 0, high = 0;
  EXPECT_EQ(client->shared_engine_period(mix, &standard, &fundamental, &low, &high), kOk);
  program.world.free_task_memory(mix);
}

TEST(wasapi_fake_rules, S2_a_failed_initialize_poisons_the_client) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  const Ref<AudioClient3> client = program.activate(endpoint);
  const WaveFormatExtensible wrong = extensible(Layout::float32, 44'100, 2, 3);
  const WaveFormatExtensible right = extensible(Layout::float32, 48'000, 2, 3);
  EXPECT_EQ(client->initialize(ShareMode::shared, 0, 0, 0, &wrong.base, nullptr),
            kUnsupportedFormat);
  std::uint32_t frames = 0;
  EXPECT_TRUE(failed(client->buffer_size(&frames)));
  EXPECT_TRUE(failed(client->start()));
  EXPECT_EQ(program.world.violations(), test::no_findings());
  EXPECT_TRUE(failed(client->initialize(ShareMode::shared, 0, 0, 0, &right.base, nullptr)));
  EXPECT_TRUE(test::has_violation(program.world, "S2"));
  program.expects_clean = false;

  const Ref<AudioClient3> fresh = program.activate(endpoint);
  EXPECT_EQ(fresh->initialize(ShareMode::shared, 0, 0, 0, &right.base, nullptr), kOk);
}

TEST(wasapi_fake_rules, S3_a_second_initialize_is_refused_and_spoils_the_start) {
  for (const bool spoils : {true, false}) {
    Program program;
    EndpointSpec spec;
    spec.knobs.second_initialize_spoils_start = spoils;
    Endpoint& endpoint = program.world.add_endpoint(spec);
    const auto stream = open(program, endpoint);
    const Opening again;
    EXPECT_EQ(
        stream->client->initialize(again.mode, again.flags, 0, 0, &again.format.base, nullptr),
        kAlreadyInitialized);
    EXPECT_EQ(stream->client->start(), spoils ? kDeviceInvalidated : kOk);
  }
}

TEST(wasapi_fake_rules, S4_buffer_sizes_follow_the_engine_or_the_wish) {
  struct Case {
    std::uint32_t rate_hz;
    ReferenceTime period, duration;
    std::uint32_t frames;
  };
  for (const Case& expected :
       {Case{48'000, 100'000, 0, 1056}, Case{44'100, 101'587, 0, 984},
        Case{44'100, 100'000, 0, 970}, Case{48'000, 100'000, 500'000, 2400},
        Case{48'000, 100'000, 400'001, 1920}, Case{48'000, 100'000, 10'000, 1056}}) {
    Program program;
    EndpointSpec spec;
    spec.rate_hz = expected.rate_hz;
    spec.knobs.standard_period = expected.period;
    Endpoint& endpoint = program.world.add_endpoint(spec);
    Opening opening;
    opening.duration = expected.duration;
    opening.format = extensible(Layout::float32, expected.rate_hz, 2, 3);
    EXPECT_EQ(open(program, endpoint, opening)->frames, expected.frames);
  }
  Program program;
  Endpoint& wine = program.world.add_endpoint(make_spec(Personality::wine8, Flow::render));
  EXPECT_EQ(open(program, wine)->frames, 1440U);
}

TEST(wasapi_fake_rules, S5_shared_formats_are_the_mixs_rate_and_channels_in_any_layout) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  const Ref<AudioClient3> client = program.activate(endpoint);
  const auto asked = [&](const WaveFormatExtensible& format, bool suggests) {
    WaveFormat* closest = nullptr;
    const Hr result = client->is_format_supported(ShareMode::shared, &format.base, &closest);
    EXPECT_EQ(closest != nullptr, suggests);
    program.world.free_task_memory(closest);
    return result;
  };
  EXPECT_EQ(asked(extensible(Layout::int16, 48'000, 2, 0), false), kOk);
  EXPECT_EQ(asked(extensible(Layout::int16, 44'100, 2, 3), true), kFalse);
  EXPECT_EQ(asked(extensible(Layout::float32, 48'000, 6, 0x60F), true), kFalse);
  const WaveFormatExtensible other = extensible(Layout::float32, 44'100, 2, 3);
  EXPECT_EQ(client->is_format_supported(ShareMode::shared, &other.base, nullptr), kPointer);
  WaveFormat* closest = nullptr;
  EXPECT_EQ(client->is_format_supported(ShareMode::shared, nullptr, &closest), kPointer);
  EXPECT_EQ(client->is_format_supported(ShareMode{7}, &other.base, &closest), kInvalidArgument);

  EndpointSpec surround;
  surround.channels = 8;
  const Ref<AudioClient3> eight = program.activate(program.world.add_endpoint(surround));
  const WaveFormatExtensible mono = extensible(Layout::float32, 48'000, 1, 4);
  EXPECT_EQ(eight->is_format_supported(ShareMode::shared, &mono.base, &closest),
            kUnsupportedFormat);
  EXPECT_EQ(closest, nullptr);

  Opening opening;
  opening.format = other;
  EXPECT_EQ(open(program, endpoint, opening)->result, kUnsupportedFormat);
  opening.flags |= kAutoConvert | kDefaultQuality;
  EXPECT_EQ(open(program, endpoint, opening)->result, kOk);
}

TEST(wasapi_fake_rules, S6_an_event_stream_needs_one_event) {
  for (const bool odd : {false, true}) {
    Program program;
    EndpointSpec spec;
    spec.knobs.start_without_event = odd ? kNoEventSeen : kEventNotSet;
    spec.knobs.second_event = odd ? kUnexpected : kInvalidName;
    Endpoint& endpoint = program.world.add_endpoint(spec);
    Opening opening;
    opening.set_event = false;
    const auto stream = open(program, endpoint, opening);
    EXPECT_EQ(stream->client->set_event_handle(nullptr), kInvalidArgument);
    EXPECT_EQ(stream->client->start(), spec.knobs.start_without_event);
    EXPECT_EQ(stream->client->set_event_handle(program.new_event()), kOk);
    EXPECT_EQ(stream->client->set_event_handle(program.new_event()), spec.knobs.second_event);
    EXPECT_EQ(stream->client->start(), kOk);
    opening.flags = 0;
    const auto polled = open(program, endpoint, opening);
    EXPECT_EQ(polled->client->set_event_handle(program.new_event()), kEventNotExpected);
    EXPECT_EQ(polled->client->start(), kOk);
  }
}

TEST(wasapi_fake_rules, S7_start_stop_and_reset_keep_their_order) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  const auto stream = open(program, endpoint);
  AudioClient3& client = *stream->client.get();
  EXPECT_EQ(client.stop(), kFalse);
  EXPECT_EQ(client.reset(), kOk);
  EXPECT_EQ(client.start(), kOk);
  EXPECT_EQ(client.start(), kNotStopped);
  EXPECT_EQ(client.reset(), kNotStopped);
  EXPECT_EQ(client.stop(), kOk);
  EXPECT_EQ(client.stop(), kFalse);
  std::uint8_t* data = nullptr;
  ASSERT_EQ(stream->render->buffer(10, &data), kOk);
  EXPECT_EQ(client.reset(), kBufferOperationPending);
  EXPECT_EQ(stream->render->release_buffer(0, 0), kOk);
  EXPECT_EQ(client.reset(), kOk);
  EXPECT_EQ(client.reset(), kOk);
  endpoint.knobs().second_reset = kFalse;
  EXPECT_EQ(client.reset(), kFalse);
}

TEST(wasapi_fake_rules, S8_events_begin_within_20_ms_of_the_start_and_go_on_after_the_stop) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Program program({seed});
    Endpoint& endpoint = program.world.add_endpoint({});
    const auto stream = open(program, endpoint);
    EXPECT_FALSE(program.wait(stream->event, milliseconds{40}));
    ASSERT_EQ(stream->client->start(), kOk);
    EXPECT_TRUE(program.wait(stream->event, milliseconds{20}));
    EXPECT_TRUE(program.wait(stream->event, milliseconds{11}));
    ASSERT_EQ(stream->client->stop(), kOk);
    EXPECT_TRUE(program.wait(stream->event, milliseconds{11}));
    ASSERT_EQ(stream->client->reset(), kOk);
    EXPECT_TRUE(program.wait(stream->event, milliseconds{11}));
    endpoint.knobs().events_after_stop = false;
    EXPECT_FALSE(program.wait(stream->event, milliseconds{40}));
  }
}

TEST(wasapi_fake_rules, S9_padding_falls_at_ticks_and_the_position_moves_between_them) {
  Program program;
  EndpointSpec spec;
  spec.knobs.position_zero_most = milliseconds{0};
  Endpoint& endpoint = program.world.add_endpoint(spec);
  const auto stream = open(program, endpoint);
  ASSERT_EQ(write_ramp(*stream, stream->frames, 1), kOk);
  ASSERT_EQ(stream->client->start(), kOk);
  ASSERT_TRUE(program.wait(stream->event));
  std::uint32_t written = stream->frames, before = 0;
  ASSERT_EQ(stream->client->current_padding(&before), kOk);
  EXPECT_EQ(before, written - 480);
  std::uint64_t last = 0;
  for (int tick = 0; tick < 5; ++tick) {
    for (int i = 0; i < 9; ++i) {
      program.world.advance(milliseconds{1});
      std::uint64_t position = 0;
      ASSERT_FALSE(failed(stream->clock->position(&position, nullptr)));
      EXPECT_GT(position, last);
      EXPECT_LE(position, std::uint64_t{written} * 8);
      last = position;
      std::uint32_t padding = 0;
      ASSERT_EQ(stream->client->current_padding(&padding), kOk);
      EXPECT_EQ(padding, before);
    }
    ASSERT_TRUE(program.wait(stream->event));
    std::uint32_t padding = 0;
    ASSERT_EQ(stream->client->current_padding(&padding), kOk);
    EXPECT_EQ(padding, before - 480);
    ASSERT_EQ(write_ramp(*stream, 480, written + 1), kOk);
    written += 480;
  }
  const std::uint64_t first = test::heard_at(endpoint, 1);
  for (std::uint32_t step = 1; step <= 2400; ++step) {
    ASSERT_EQ(endpoint.recorder().at(first + step - 1, 1), static_cast<float>(step) * 0x1p-20F);
  }
  EXPECT_TRUE(endpoint.glitches().empty());
  program.world.advance(milliseconds{100});
  ASSERT_EQ(endpoint.glitches().size(), 1U);  // one long one: nobody writes any more
  EXPECT_EQ(endpoint.glitches()[0].kind, Glitch::Kind::underrun);
  std::uint64_t position = 0;
  ASSERT_FALSE(failed(stream->clock->position(&position, nullptr)));
  EXPECT_EQ(position, std::uint64_t{written} * 8);
}

TEST(wasapi_fake_rules, S10_the_stream_latency_is_no_use_in_shared_mode) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  const auto stream = open(program, endpoint);
  ReferenceTime latency = -1;
  EXPECT_EQ(stream->client->stream_latency(&latency), kOk);
  EXPECT_EQ(latency, 0);
  endpoint.knobs().stream_latency = 100'000;
  EXPECT_EQ(stream->client->stream_latency(&latency), kOk);
  EXPECT_EQ(latency, 100'000);
}

TEST(wasapi_fake_rules, S11_loopback_hears_the_mix_and_nothing_while_nobody_renders) {
  Program program;
  Endpoint& microphone = program.world.add_endpoint({Flow::capture});
  Endpoint& speakers = program.world.add_endpoint({});
  Opening opening;
  opening.flags |= kLoopback;
  EXPECT_EQ(open(program, microphone, opening)->result, kWrongEndpointType);
  Opening exclusive = test::exclusively(100'000);
  exclusive.flags |= kLoopback;
  EXPECT_EQ(open(program, speakers, exclusive)->result, kInvalidArgument);
  const auto loopback = open(program, speakers, opening);
  ASSERT_EQ(loopback->client->start(), kOk);
  EXPECT_FALSE(program.wait(loopback->event, milliseconds{100}));
  const auto stream = open(program, speakers);
  ASSERT_EQ(write_ramp(*stream, 960, 1), kOk);
  ASSERT_EQ(stream->client->start(), kOk);
  ASSERT_TRUE(program.wait(loopback->event, milliseconds{100}));
  std::uint8_t* data = nullptr;
  std::uint32_t frames = 0, flags = 0;
  ASSERT_EQ(loopback->capture->buffer(&data, &frames, &flags, nullptr, nullptr), kOk);
  EXPECT_EQ(frames, 480U);
  EXPECT_EQ(read_sample(Layout::float32, data), 1 * 0x1p-20F);
  EXPECT_EQ(loopback->capture->release_buffer(frames), kOk);
}

}  // namespace
}  // namespace asiodrv::devices::wasapi::fake
