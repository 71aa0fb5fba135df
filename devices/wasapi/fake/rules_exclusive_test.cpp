// Section X of the rules: streams that have the device for themselves.
#include "devices/wasapi/fake/test_listener.hpp"
#include "devices/wasapi/fake/test_program.hpp"

namespace asiodrv::devices::wasapi::fake {
namespace {

using test::exclusively;
using test::has_violation;
using test::Open;
using test::open;
using test::Opening;
using test::Program;
using test::Ref;
using test::write_ramp32;

constexpr ReferenceTime kThreeMs = 30'000, kTenMs = 100'000;

Opening in_layout32(ReferenceTime period) { return exclusively(period, Layout::int32); }

TEST(wasapi_fake_rules, X1_duration_and_period_are_equal_and_not_0) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  Opening opening = exclusively(kTenMs);
  opening.duration = 2 * kTenMs;
  EXPECT_EQ(open(program, endpoint, opening)->result, kDurationPeriodNotEqual);
  EXPECT_EQ(open(program, endpoint, exclusively(0))->result, kDurationPeriodNotEqual);
  const auto stream = open(program, endpoint, exclusively(kTenMs));
  EXPECT_EQ(stream->result, kOk);
  EXPECT_EQ(stream->frames, 480U);
}

TEST(wasapi_fake_rules, X2_periods_below_the_least_and_above_half_a_second_are_refused) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  EXPECT_EQ(open(program, endpoint, exclusively(29'999))->result, kInvalidPeriod);
  EXPECT_EQ(open(program, endpoint, exclusively(5'000'001))->result, kInvalidPeriod);
  for (const ReferenceTime period : {ReferenceTime{30'000}, ReferenceTime{5'000'000}}) {
    const auto stream = open(program, endpoint, exclusively(period));
    EXPECT_EQ(stream->result, kOk);
    *stream = {};
  }
  Opening polled = exclusively(30'000'000);
  polled.flags = 0;
  EXPECT_EQ(open(program, endpoint, polled)->result, kBufferSizeError);
}

struct Dance {
  std::uint32_t rate_hz;
  Layout layout;
  std::uint16_t channels;
  ReferenceTime asked;
  std::uint32_t aligned;  ///< 0: taken at once
  ReferenceTime second;
};

/// The worked table of alignments at 128 bytes.
const Dance kDances[] = {
    {44'100, Layout::int16, 2, 30'000, 160, 36'281},
    {44'100, Layout::int16, 2, 50'000, 224, 50'794},
    {44'100, Layout::int24, 2, 30'000, 192, 43'537},
    {44'100, Layout::int24, 2, 50'000, 256, 58'050},
    {44'100, Layout::int24_in_32, 2, 30'000, 144, 32'653},
    {48'000, Layout::int16, 2, 30'000, 160, 33'333},
    {48'000, Layout::int16, 2, 50'000, 256, 53'333},
    {48'000, Layout::int16, 2, 100'000, 0, 0},
    {48'000, Layout::int24, 2, 100'000, 512, 106'667},
    {48'000, Layout::int24_in_32, 2, 30'000, 0, 0},
    {88'200, Layout::int16, 2, 30'000, 288, 32'653},
    {96'000, Layout::int24, 2, 30'000, 320, 33'333},
};

EndpointSpec aligned_spec() {
  EndpointSpec spec;
  spec.knobs.align_bytes = 128;
  spec.knobs.exclusive.layouts = {Layout::int16, Layout::int24, Layout::int24_in_32};
  return spec;
}

TEST(wasapi_fake_rules, X3_a_size_out_of_line_is_refused_with_the_next_one_in_line) {
  for (const Dance& dance : kDances) {
    Program program;
    Endpoint& endpoint = program.world.add_endpoint(aligned_spec());
    const Ref<AudioClient3> client = program.activate(endpoint);
    const WaveFormatExtensible format = extensible(dance.layout, dance.rate_hz, dance.channels, 3);
    const Hr result = client->initialize(ShareMode::exclusive, kEventCallback, dance.asked,
                                         dance.asked, &format.base, nullptr);
    EXPECT_EQ(result, dance.aligned == 0 ? kOk : kNotAligned);
    if (dance.aligned == 0) continue;
    std::uint32_t frames = 0;
    EXPECT_EQ(client->buffer_size(&frames), kOk);
    EXPECT_EQ(frames, dance.aligned);
    void* service = nullptr;
    EXPECT_TRUE(failed(client->service(RenderClient::kId, &service)));
    EXPECT_TRUE(failed(client->start()));
    EXPECT_TRUE(failed(client->current_padding(&frames)));
    EXPECT_TRUE(failed(client->set_event_handle(program.new_event())));
  }
}

TEST(wasapi_fake_rules, X4_the_aligned_size_works_on_a_new_client_once_the_old_one_is_gone) {
  for (const Dance& dance : kDances) {
    if (dance.aligned == 0) continue;
    Program program;
    Endpoint& endpoint = program.world.add_endpoint(aligned_spec());
    const Opening asked = exclusively(dance.asked, dance.layout, dance.rate_hz, dance.channels);
    const auto first = open(program, endpoint, asked);
    ASSERT_EQ(first->result, kNotAligned);
    const Opening again = exclusively(dance.second, dance.layout, dance.rate_hz, dance.channels);
    EXPECT_EQ(open(program, endpoint, again)->result, kDeviceInUse);
    *first = {};
    const auto second = open(program, endpoint, again);
    EXPECT_EQ(second->result, kOk);
    EXPECT_EQ(second->frames, dance.aligned);
  }
}

TEST(wasapi_fake_rules, X5_buffers_are_of_the_full_size_only) {
  Program program;
  EndpointSpec spec;
  Endpoint& endpoint = program.world.add_endpoint(spec);
  const auto stream = open(program, endpoint, in_layout32(kTenMs));
  std::uint8_t* data = nullptr;
  EXPECT_EQ(stream->render->buffer(479, &data), kBufferSizeError);
  EXPECT_EQ(stream->render->buffer(481, &data), kBufferSizeError);
  EXPECT_EQ(stream->render->buffer(0, &data), kBufferSizeError);
  ASSERT_EQ(stream->render->buffer(480, &data), kOk);
  EXPECT_EQ(stream->render->release_buffer(479, kSilent), kBufferSizeError);
  EXPECT_EQ(stream->render->release_buffer(0, 0), kBufferSizeError);
  endpoint.knobs().exclusive_release_nothing = kOk;
  EXPECT_EQ(stream->render->release_buffer(0, 0), kOk);
  ASSERT_EQ(stream->render->buffer(480, &data), kOk);
  EXPECT_EQ(stream->render->release_buffer(480, kSilent), kOk);
}

TEST(wasapi_fake_rules, X6_one_buffer_before_the_start_and_one_per_event) {
  for (const Hr extra : {kOutOfOrder, kBufferTooLarge}) {
    Program program;
    EndpointSpec spec;
    spec.knobs.extra_exclusive_buffer = extra;
    Endpoint& endpoint = program.world.add_endpoint(spec);
    const auto stream = open(program, endpoint, in_layout32(kTenMs));
    ASSERT_EQ(write_ramp32(*stream, 480, 1), kOk);
    EXPECT_EQ(write_ramp32(*stream, 480, 481), extra);
    ASSERT_EQ(stream->client->start(), kOk);
    for (std::uint32_t event = 1; event < 10; ++event) {
      ASSERT_TRUE(program.wait(stream->event));
      ASSERT_EQ(write_ramp32(*stream, 480, 1 + event * 480), kOk);
      EXPECT_EQ(write_ramp32(*stream, 480, 1), extra);
    }
    ASSERT_TRUE(program.wait(stream->event));
    const std::uint64_t first = test::heard_at(endpoint, 1);
    for (std::uint32_t step = 1; step <= 4800; ++step) {
      ASSERT_EQ(endpoint.recorder().at(first + step - 1, 0), static_cast<float>(step) * 0x1p-20F);
    }
    EXPECT_TRUE(endpoint.glitches().empty());
  }
}

TEST(wasapi_fake_rules, X7_a_half_that_was_not_written_again_is_played_again) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  const auto stream = open(program, endpoint, in_layout32(kTenMs));
  ASSERT_EQ(write_ramp32(*stream, 480, 1), kOk);
  ASSERT_EQ(stream->client->start(), kOk);
  ASSERT_TRUE(program.wait(stream->event));
  ASSERT_EQ(write_ramp32(*stream, 480, 481), kOk);
  ASSERT_TRUE(program.wait(stream->event));  // and slept through
  ASSERT_TRUE(program.wait(stream->event));
  const std::uint64_t first = test::heard_at(endpoint, 1);
  ASSERT_EQ(endpoint.glitches().size(), 1U);
  EXPECT_EQ(endpoint.glitches()[0].kind, Glitch::Kind::replay);
  EXPECT_EQ(endpoint.glitches()[0].frame, first + 960);
  EXPECT_EQ(endpoint.glitches()[0].frames, 480U);
  for (std::uint32_t i = 0; i < 480; ++i) {
    ASSERT_EQ(endpoint.recorder().at(first + 960 + i, 0), endpoint.recorder().at(first + i, 0));
  }
  // A buffer that is held across the tick comes while it is already being played.
  std::uint8_t* data = nullptr;
  ASSERT_EQ(stream->render->buffer(480, &data), kOk);
  program.world.advance(milliseconds{10});
  EXPECT_EQ(stream->render->release_buffer(480, kSilent), kOk);
  EXPECT_EQ(endpoint.glitches().back().kind, Glitch::Kind::late);
}

TEST(wasapi_fake_rules, X8_the_padding_says_nothing) {
  for (const ExclusivePadding answer : {ExclusivePadding::zero, ExclusivePadding::full}) {
    Program program;
    EndpointSpec spec;
    spec.knobs.exclusive_padding = answer;
    Endpoint& endpoint = program.world.add_endpoint(spec);
    const auto stream = open(program, endpoint, in_layout32(kTenMs));
    std::uint32_t padding = 7;
    for (int written = 0; written < 2; ++written) {
      ASSERT_EQ(stream->client->current_padding(&padding), kOk);
      EXPECT_EQ(padding, answer == ExclusivePadding::zero ? 0U : 480U);
      write_ramp32(*stream, 480, 1);
    }
  }
}

TEST(wasapi_fake_rules, X9_a_second_capture_buffer_for_one_event_is_the_first_one_again) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint(make_spec(Personality::plain, Flow::capture));
  const auto stream = open(program, endpoint, in_layout32(kThreeMs));
  std::uint8_t* data = nullptr;
  std::uint32_t frames = 0, flags = 0;
  std::uint64_t position = 0, expected = 0;
  const auto take = [&] {
    return stream->capture->buffer(&data, &frames, &flags, &position, nullptr);
  };
  EXPECT_EQ(take(), kBufferEmpty);
  ASSERT_EQ(stream->client->start(), kOk);
  for (int event = 0; event < 20; ++event) {
    ASSERT_TRUE(program.wait(stream->event));
    ASSERT_EQ(take(), kOk);
    ASSERT_EQ(frames, 144U);
    EXPECT_EQ(position, expected);
    for (std::uint32_t i = 0; i < frames; ++i) {
      ASSERT_EQ(read_sample(Layout::int32, data + std::size_t{8} * i),
                signal(endpoint.capture_origin() + position + i, 0));
    }
    expected += frames;
    ASSERT_EQ(stream->capture->release_buffer(frames), kOk);
  }
  EXPECT_EQ(flags, 0U);
  EXPECT_TRUE(program.world.violations().empty());
  const std::uint64_t before = position;
  ASSERT_EQ(take(), kOk);
  EXPECT_EQ(position, before);
  EXPECT_EQ(flags, std::uint32_t{kDiscontinuity});
  ASSERT_EQ(stream->capture->release_buffer(frames), kOk);
  EXPECT_TRUE(has_violation(program.world, "X9"));
  program.expects_clean = false;
}

TEST(wasapi_fake_rules, X10_who_comes_first_and_who_wins) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  const auto shared = open(program, endpoint);
  Ref<SessionControl> session = program.service<SessionControl>(*shared->client.get());
  test::SessionListener listener;
  ASSERT_EQ(session->register_events(&listener), kOk);
  EXPECT_EQ(listener.references, 2U);
  ASSERT_EQ(shared->client->start(), kOk);
  endpoint.knobs().exclusive_wins = false;
  EXPECT_EQ(open(program, endpoint, exclusively(kTenMs))->result, kDeviceInUse);
  endpoint.knobs().exclusive_wins = true;
  const auto exclusive = open(program, endpoint, exclusively(kTenMs));
  ASSERT_EQ(exclusive->result, kOk);
  std::uint32_t padding = 0;
  EXPECT_EQ(shared->client->current_padding(&padding), kDeviceInvalidated);
  program.world.advance(milliseconds{1});
  ASSERT_EQ(listener.reasons.size(), 1U);
  EXPECT_EQ(listener.reasons[0], DisconnectReason::exclusive_override);
  EXPECT_EQ(session->unregister_events(&listener), kOk);
  EXPECT_EQ(listener.references, 1U);
  EXPECT_EQ(session->unregister_events(&listener), kNotFound);
  EXPECT_EQ(open(program, endpoint)->result, kDeviceInUse);
  EXPECT_EQ(open(program, endpoint, exclusively(kTenMs))->result, kDeviceInUse);
  *exclusive = {};
  EXPECT_EQ(open(program, endpoint)->result, kOk);
  endpoint.take_over();
  EXPECT_EQ(open(program, endpoint)->result, kDeviceInUse);
  endpoint.let_go();
  endpoint.knobs().exclusive_allowed = false;
  EXPECT_EQ(open(program, endpoint, exclusively(kTenMs))->result, kExclusiveNotAllowed);
}

TEST(wasapi_fake_rules, X11_a_buffer_error_passes) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  const auto stream = open(program, endpoint, in_layout32(kTenMs));
  ASSERT_EQ(write_ramp32(*stream, 480, 1), kOk);
  ASSERT_EQ(stream->client->start(), kOk);
  endpoint.knobs().buffer_error = 1;
  ASSERT_TRUE(program.wait(stream->event));
  std::uint8_t* data = nullptr;
  EXPECT_EQ(stream->render->buffer(480, &data), kBufferError);
  EXPECT_EQ(data, nullptr);
  endpoint.knobs().buffer_error = 0;
  ASSERT_TRUE(program.wait(stream->event));
  EXPECT_EQ(write_ramp32(*stream, 480, 481), kOk);
  ASSERT_TRUE(program.wait(stream->event));
  EXPECT_GT(test::heard_at(endpoint, 481), 0U);
}

TEST(wasapi_fake_rules, X12_drivers_are_choosy_about_formats_and_do_not_always_mean_it) {
  Program program;
  const auto both = [&](Endpoint& endpoint, const WaveFormat* format) {
    const Ref<AudioClient3> asked = program.activate(endpoint);
    const Ref<AudioClient3> tried = program.activate(endpoint);
    const Hr said = asked->is_format_supported(ShareMode::exclusive, format, nullptr);
    const Hr done =
        tried->initialize(ShareMode::exclusive, kEventCallback, kTenMs, kTenMs, format, nullptr);
    return std::pair(said, done == kNotAligned ? kOk : done);
  };
  using Answers = std::pair<Hr, Hr>;
  const Answers yes{kOk, kOk}, no{kUnsupportedFormat, kUnsupportedFormat};
  const WaveFormatExtensible wide = extensible(Layout::int24_in_32, 44'100, 2, 3);
  const WaveFormatExtensible no_mask = extensible(Layout::int24_in_32, 44'100, 2, 0);
  const WaveFormat plain16 = plain(Layout::int16, 44'100, 2);
  const WaveFormatExtensible wide16 = extensible(Layout::int16, 44'100, 2, 3);
  const WaveFormat plain24 = plain(Layout::int24, 44'100, 2);

  Endpoint& hda = program.world.add_endpoint(make_spec(Personality::hda16, Flow::render));
  EXPECT_EQ(both(hda, &wide.base), yes);
  EXPECT_EQ(both(hda, &no_mask.base), no);
  EXPECT_EQ(both(hda, &plain16), no);
  EXPECT_EQ(both(hda, &plain24), no);
  Endpoint& lying =
      program.world.add_endpoint(make_spec(Personality::hda_alc236_2017, Flow::render));
  EXPECT_EQ(both(lying, &plain24), yes);
  EndpointSpec old;
  old.knobs.exclusive.plain16 = PlainRule::required;
  Endpoint& old_fashioned = program.world.add_endpoint(old);
  EXPECT_EQ(both(old_fashioned, &plain16), yes);
  EXPECT_EQ(both(old_fashioned, &wide16.base), no);
  Endpoint& pro = program.world.add_endpoint(make_spec(Personality::usb_uac2_pro, Flow::render));
  const WaveFormatExtensible eight = extensible(Layout::int24, 192'000, 8, 0);
  const WaveFormatExtensible eight_masked = extensible(Layout::int24, 192'000, 8, 0x63F);
  EXPECT_EQ(both(pro, &eight.base), yes);
  EXPECT_EQ(both(pro, &eight_masked.base), no);

  EndpointSpec liar = make_spec(Personality::liar, Flow::render);
  liar.knobs.exclusive.liar = 1;
  Endpoint& all_lies = program.world.add_endpoint(liar);
  EXPECT_EQ(both(all_lies, &wide.base), Answers(kUnsupportedFormat, kOk));
  EXPECT_EQ(both(all_lies, &plain24), Answers(kOk, kEndpointCreateFailed));
  Endpoint& bluetooth = program.world.add_endpoint(make_spec(Personality::bluetooth, Flow::render));
  EXPECT_EQ(both(bluetooth, &wide.base), Answers(kOk, kEndpointCreateFailed));
}

TEST(wasapi_fake_rules, X12_packed_24_bit_in_the_old_form_comes_out_as_noise) {
  Program program;
  Endpoint& endpoint =
      program.world.add_endpoint(make_spec(Personality::hda_alc236_2017, Flow::render));
  Opening opening = exclusively(101'587);
  opening.format.base = plain(Layout::int24, 44'100, 2);
  const auto stream = open(program, endpoint, opening);
  ASSERT_EQ(stream->result, kOk);
  std::uint8_t* data = nullptr;
  ASSERT_EQ(stream->render->buffer(stream->frames, &data), kOk);
  for (std::uint32_t i = 0; i < 2 * stream->frames; ++i) {
    write_sample(Layout::int24, 0.25F, data + std::size_t{3} * i);
  }
  ASSERT_EQ(stream->render->release_buffer(stream->frames, 0), kOk);
  ASSERT_EQ(stream->client->start(), kOk);
  ASSERT_TRUE(program.wait(stream->event));
  int wrong = 0;
  const std::uint64_t end = endpoint.recorder().end();
  for (std::uint64_t frame = end - stream->frames; frame < end; ++frame) {
    wrong += endpoint.recorder().at(frame, 0) == 0.25F ? 0 : 1;
  }
  EXPECT_GT(wrong, 200);
}

}  // namespace
}  // namespace asiodrv::devices::wasapi::fake
