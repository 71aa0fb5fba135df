// Section Z of the rules: how devices leave and come back. And the faults that tests inject.
#include "devices/wasapi/fake/test_listener.hpp"
#include "devices/wasapi/fake/test_program.hpp"

namespace asiodrv::devices::wasapi::fake {
namespace {

using test::Listener;
using test::Open;
using test::open;
using test::Program;
using test::Ref;
using test::SessionListener;
using test::write_ramp;

/// Every call that a program makes on a running stream; true when all of them say `code`.
void expect_all_say(Open& stream, Hr code) {
  std::uint32_t frames = 0;
  std::uint64_t position = 0;
  std::uint8_t* data = nullptr;
  void* service = nullptr;
  ReferenceTime latency = 0;
  EXPECT_EQ(stream.client->current_padding(&frames), code);
  EXPECT_EQ(stream.client->buffer_size(&frames), code);
  EXPECT_EQ(stream.client->stream_latency(&latency), code);
  EXPECT_EQ(stream.client->start(), code);
  EXPECT_EQ(stream.client->service(AudioClock::kId, &service), code);
  EXPECT_EQ(stream.clock->position(&position, nullptr), code);
  EXPECT_EQ(stream.clock->frequency(&position), code);
  if (stream.render) {
    EXPECT_EQ(stream.render->buffer(1, &data), code);
  }
  if (stream.capture) {
    EXPECT_EQ(stream.capture->next_packet_size(&frames), code);
    EXPECT_EQ(stream.capture->buffer(&data, &frames, &frames, nullptr, nullptr), code);
  }
  EXPECT_EQ(data, nullptr);
}

TEST(wasapi_fake_rules, Z1_a_lost_stream_says_so_everywhere_and_its_event_is_silent) {
  for (const Flow flow : {Flow::render, Flow::capture}) {
    for (const LossCode code : {LossCode::invalidated, LossCode::resources, LossCode::service}) {
      Program program;
      EndpointSpec spec = make_spec(Personality::plain, flow);
      spec.knobs.loss = code;
      Endpoint& endpoint = program.world.add_endpoint(spec);
      const auto stream = open(program, endpoint);
      ASSERT_EQ(stream->client->start(), kOk);
      ASSERT_TRUE(program.wait(stream->event));
      endpoint.unplug();
      expect_all_say(*stream, hr_of(code));
      EXPECT_FALSE(program.wait(stream->event, milliseconds{500}));
    }
  }
}

TEST(wasapi_fake_rules, Z1_a_device_may_leave_in_the_middle_of_any_call) {
  for (const char* call : {"client.initialize", "client.set_event_handle", "client.start",
                           "render.buffer", "render.release_buffer", "client.current_padding",
                           "client.stop", "client.reset", "client.service"}) {
    Program program;
    Endpoint& endpoint = program.world.add_endpoint({});
    program.world.before_next(call, [&] { endpoint.unplug(); });
    const Ref<AudioClient3> client = program.activate(endpoint);
    const WaveFormatExtensible format = extensible(Layout::float32, 48'000, 2, 3);
    Ref<RenderClient> render;
    const EventHandle event = program.new_event();
    std::uint32_t padding = 0;
    std::uint8_t* data = nullptr;
    std::vector<Hr> results{
        client->initialize(ShareMode::shared, kEventCallback, 0, 0, &format.base, nullptr)};
    const auto service = [&] { return client->service(RenderClient::kId, render.out_any()); };
    results.push_back(client->set_event_handle(event));
    results.push_back(service());
    if (render) results.push_back(render->buffer(10, &data));
    if (render) results.push_back(render->release_buffer(data != nullptr ? 10 : 0, kSilent));
    results.push_back(client->start());
    results.push_back(client->current_padding(&padding));
    const Hr stopped = client->stop();
    const Hr reset = client->reset();
    const bool late = std::string(call) == "client.stop" || std::string(call) == "client.reset";
    EXPECT_EQ(failed(results.back()), !late) << call;
    EXPECT_TRUE(failed(reset)) << call;
    EXPECT_EQ(failed(stopped), std::string(call) != "client.reset") << call;
    EXPECT_EQ(endpoint.state(), std::uint32_t{kUnplugged}) << call;
  }
}

TEST(wasapi_fake_rules, Z1_every_number_of_a_call_can_be_the_last) {
  std::uint64_t whole = 0;
  const auto live = [&](std::uint64_t last_call) {
    Program program({last_call + 1});
    Endpoint& endpoint = program.world.add_endpoint({});
    if (last_call > 0) endpoint.unplug_at_call(last_call);
    const Ref<MmDevice> device = program.device_of(endpoint);
    Ref<AudioClient3> client;
    if (failed(device->activate(AudioClient3::kId, 0x17, nullptr, client.out_any()))) return;
    const WaveFormatExtensible format = extensible(Layout::float32, 48'000, 2, 3);
    if (failed(client->initialize(ShareMode::shared, 0, 0, 0, &format.base, nullptr))) return;
    Ref<RenderClient> render;
    if (failed(client->service(RenderClient::kId, render.out_any()))) return;
    client->start();
    for (int i = 0; i < 5; ++i) {
      std::uint8_t* data = nullptr;
      if (!failed(render->buffer(10, &data))) render->release_buffer(10, kSilent);
      program.world.advance(milliseconds{10});
    }
    client->stop();
    ++whole;
  };
  for (std::uint64_t call = 0; call < 25; ++call) live(call);
  EXPECT_GT(whole, 10U);
  EXPECT_LT(whole, 25U);
}

TEST(wasapi_fake_rules, Z2_a_silent_death_has_no_code) {
  Program program;
  EndpointSpec spec;
  Endpoint& endpoint = program.world.add_endpoint(spec);
  const auto stream = open(program, endpoint);
  ASSERT_EQ(write_ramp(*stream, stream->frames, 1), kOk);
  ASSERT_EQ(stream->client->start(), kOk);
  ASSERT_TRUE(program.wait(stream->event));
  endpoint.lose_streams(LossCode::silent);
  std::uint32_t before = 0, after = 0;
  EXPECT_EQ(stream->client->current_padding(&before), kOk);
  EXPECT_FALSE(program.wait(stream->event, milliseconds{500}));
  EXPECT_EQ(stream->client->current_padding(&after), kOk);
  EXPECT_EQ(after, before);
}

TEST(wasapi_fake_rules, Z3_stop_and_reset_of_a_lost_stream_say_anything_and_release_may_hang) {
  std::vector<Hr> seen;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Program program({seed});
    EndpointSpec spec;
    spec.knobs.release_hangs = milliseconds{700};
    Endpoint& endpoint = program.world.add_endpoint(spec);
    const auto stream = open(program, endpoint);
    ASSERT_EQ(stream->client->start(), kOk);
    endpoint.unplug();
    seen.push_back(stream->client->stop());
    seen.push_back(stream->client->reset());
    const Instant before = program.world.now();
    *stream = {};
    EXPECT_EQ(program.world.now() - before, milliseconds{700});
  }
  for (const Hr code : {kDeviceInvalidated, kNotReady, kBadHandle, kNotStopped}) {
    EXPECT_GT(std::count(seen.begin(), seen.end(), code), 0);
  }
}

TEST(wasapi_fake_rules, Z4_a_device_returns_with_its_id_or_a_new_one) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  const auto stream = open(program, endpoint);
  const Ref<AudioClient3> waiting = program.activate(endpoint);
  endpoint.unplug();
  program.world.schedule(program.world.now() + milliseconds{300}, [&] {
    endpoint.change_format(44'100, 2);
    endpoint.replug();
  });
  Ref<MmDevice> device = program.device_of(endpoint);
  Ref<AudioClient3> client;
  EXPECT_TRUE(failed(device->activate(AudioClient3::kId, 0x17, nullptr, client.out_any())));
  program.world.advance(milliseconds{300});
  EXPECT_EQ(open(program, endpoint)->result, kUnsupportedFormat);  // it is 44.1 kHz now
  test::Opening opening;
  opening.format = extensible(Layout::float32, 44'100, 2, 3);
  EXPECT_EQ(open(program, endpoint, opening)->result, kOk);
  WaveFormat* format = nullptr;
  EXPECT_EQ(waiting->mix_format(&format), kDeviceInvalidated);  // of the earlier life
  expect_all_say(*stream, kDeviceInvalidated);

  program.world.remove(endpoint);
  Ref<MmDevice> gone;
  EXPECT_EQ(program.enumerator->device(endpoint.spec().id.c_str(), gone.out()), kNotFound);
  const Endpoint& renewed = program.world.add_endpoint({});
  EXPECT_NE(renewed.spec().id, endpoint.spec().id);
  EXPECT_EQ(renewed.spec().container, endpoint.spec().container);
}

TEST(wasapi_fake_rules, Z5_without_the_service_nothing_opens_and_nobody_is_told) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  const Ref<AudioClient3> client = program.activate(endpoint);
  const auto stream = open(program, endpoint);
  program.world.advance(milliseconds{1});
  Listener listener;
  ASSERT_EQ(program.enumerator->register_notifications(&listener), kOk);
  program.world.service_down();
  Ref<MmDeviceEnumerator> again;
  EXPECT_EQ(program.world.make_enumerator(again.out()), kOk);
  Ref<AudioClient3> refused;
  EXPECT_EQ(
      program.device_of(endpoint)->activate(AudioClient3::kId, 0x17, nullptr, refused.out_any()),
      kServiceNotRunning);
  const WaveFormatExtensible format = extensible(Layout::float32, 48'000, 2, 3);
  EXPECT_EQ(client->initialize(ShareMode::shared, 0, 0, 0, &format.base, nullptr),
            kServiceNotRunning);
  expect_all_say(*stream, kServiceNotRunning);
  program.world.service_up();
  EXPECT_EQ(open(program, endpoint)->result, kOk);
  program.world.advance(milliseconds{100});
  EXPECT_TRUE(listener.states.empty() && listener.properties.empty() && listener.defaults.empty());
  EXPECT_EQ(program.enumerator->unregister_notifications(&listener), kOk);
}

TEST(wasapi_fake_rules, Z6_sessions_are_told_why_before_the_codes_or_after) {
  for (const int after_ms : {-5, 0, 5}) {
    for (std::int32_t number = 0; number <= 5; ++number) {
      Program program;
      EndpointSpec spec;
      spec.knobs.disconnect_after = milliseconds{after_ms};
      Endpoint& endpoint = program.world.add_endpoint(spec);
      const auto stream = open(program, endpoint);
      Ref<SessionControl> session = program.service<SessionControl>(*stream->client.get());
      SessionListener listener;
      ASSERT_EQ(session->register_events(&listener), kOk);
      endpoint.lose_streams(LossCode::invalidated, DisconnectReason{number});
      program.world.advance(milliseconds{1});
      std::uint32_t padding = 0;
      EXPECT_EQ(failed(stream->client->current_padding(&padding)), after_ms >= 0);
      EXPECT_EQ(listener.reasons.size(), after_ms <= 0 ? 1U : 0U);
      program.world.advance(milliseconds{10});
      EXPECT_TRUE(failed(stream->client->current_padding(&padding)));
      ASSERT_EQ(listener.reasons.size(), 1U);
      EXPECT_EQ(listener.reasons[0], DisconnectReason{number});
      EXPECT_EQ(session->unregister_events(&listener), kOk);
    }
  }
}

TEST(wasapi_fake_rules, Z7_a_microphone_may_be_private) {
  Program program;
  Endpoint& microphone =
      program.world.add_endpoint(make_spec(Personality::corporate, Flow::capture));
  Endpoint& speakers = program.world.add_endpoint(make_spec(Personality::corporate, Flow::render));
  EXPECT_EQ(open(program, microphone)->result, kAccessDenied);
  EXPECT_EQ(open(program, microphone, test::exclusively(100'000))->result, kAccessDenied);
  EXPECT_EQ(open(program, speakers, test::exclusively(100'000))->result, kExclusiveNotAllowed);
  EXPECT_EQ(open(program, speakers)->result, kOk);
}

TEST(wasapi_fake_rules, Z8_after_sleep_properties_storm_and_displays_are_late) {
  Program program;
  program.world.add_endpoint({});
  Endpoint& display = program.world.add_endpoint(make_spec(Personality::hdmi, Flow::render));
  program.world.advance(milliseconds{1});
  Listener listener;
  ASSERT_EQ(program.enumerator->register_notifications(&listener), kOk);
  program.world.resume_storm();
  program.world.advance(milliseconds{50});
  EXPECT_EQ(listener.properties.size(), 200U);
  EXPECT_EQ(display.state(), std::uint32_t{kNotPresent});
  program.world.advance(std::chrono::seconds{5});
  EXPECT_EQ(display.state(), std::uint32_t{kActive});
  EXPECT_EQ(program.enumerator->unregister_notifications(&listener), kOk);
}

TEST(wasapi_fake_faults, any_call_can_be_made_to_fail_with_any_code) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  program.world.fail_next("client.initialize", kCpuUsageExceeded);
  EXPECT_EQ(open(program, endpoint)->result, kCpuUsageExceeded);
  program.world.fail_next("enumerator.make", kClassNotRegistered);
  Ref<MmDeviceEnumerator> enumerator;
  EXPECT_EQ(program.world.make_enumerator(enumerator.out()), kClassNotRegistered);
  const auto stream = open(program, endpoint);
  program.world.fail_next("render.buffer", kBufferError, 2);
  std::uint8_t* data = nullptr;
  EXPECT_EQ(stream->render->buffer(10, &data), kBufferError);
  EXPECT_EQ(stream->render->buffer(10, &data), kBufferError);
  EXPECT_EQ(stream->render->buffer(10, &data), kOk);
  EXPECT_EQ(stream->render->release_buffer(10, kSilent), kOk);
  EXPECT_EQ(program.world.calls("render.buffer"), 3U);
}

TEST(wasapi_fake_faults, events_come_late_twice_or_not_at_all) {
  const auto count = [](double late, double twice, double missing) {
    Program program;
    EndpointSpec spec;
    spec.knobs.late_event = late;
    spec.knobs.double_event = twice;
    spec.knobs.missing_event = missing;
    spec.knobs.first_event_most = milliseconds{0};
    Endpoint& endpoint = program.world.add_endpoint(spec);
    const auto stream = open(program, endpoint);
    EXPECT_EQ(stream->client->start(), kOk);
    const Instant until = program.world.now() + std::chrono::seconds{10};
    int events = 0;
    while (program.world.wait_any({&stream->event, 1}, until).end == WaitEnd::signalled) ++events;
    return events;
  };
  EXPECT_NEAR(count(0, 0, 0), 1000, 1);
  EXPECT_NEAR(count(1, 0, 0), 1000, 1);
  EXPECT_NEAR(count(0, 0.5, 0), 1500, 60);
  EXPECT_NEAR(count(0, 0, 0.5), 500, 60);
}

TEST(wasapi_fake_faults, a_wire_brings_what_is_played_after_its_delay) {
  Program program;
  Endpoint& speakers = program.world.add_endpoint({});
  Endpoint& microphone = program.world.add_endpoint(make_spec(Personality::plain, Flow::capture));
  microphone.wire_from(&speakers, 37);
  const auto input = open(program, microphone);
  const auto output = open(program, speakers);
  ASSERT_EQ(write_ramp(*output, 1000, 1), kOk);
  ASSERT_EQ(input->client->start(), kOk);
  ASSERT_EQ(output->client->start(), kOk);
  std::uint64_t heard = 0, heard_frame = 0;
  for (int packet = 0; packet < 8; ++packet) {
    ASSERT_TRUE(program.wait(input->event));
    std::uint8_t* data = nullptr;
    std::uint32_t frames = 0, flags = 0;
    std::uint64_t position = 0;
    ASSERT_EQ(input->capture->buffer(&data, &frames, &flags, &position, nullptr), kOk);
    for (std::uint32_t i = 0; i < frames; ++i) {
      const float value = read_sample(Layout::float32, data + std::size_t{8} * i);
      if (value == 0) continue;
      if (heard == 0) heard_frame = microphone.capture_origin() + position + i;
      ASSERT_EQ(value, static_cast<float>(++heard) * 0x1p-20F);
    }
    ASSERT_EQ(input->capture->release_buffer(frames), kOk);
  }
  EXPECT_EQ(heard, 1000U);
  EXPECT_EQ(heard_frame, test::heard_at(speakers, 1) + 37);
}

}  // namespace
}  // namespace asiodrv::devices::wasapi::fake
