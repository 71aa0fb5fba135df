// Section L of the rules: small periods in shared mode.
#include "devices/wasapi/fake/test_program.hpp"

namespace asiodrv::devices::wasapi::fake {
namespace {

using test::has_violation;
using test::open;
using test::Opening;
using test::Program;
using test::Ref;

Opening small(std::uint32_t period) {
  Opening opening;
  opening.small_period = period;
  return opening;
}

TEST(wasapi_fake_rules, L1_periods_are_multiples_of_the_fundamental_one) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  const Ref<AudioClient3> client = program.activate(endpoint);
  const WaveFormatExtensible format = extensible(Layout::float32, 48'000, 2, 3);
  const WaveFormatExtensible other = extensible(Layout::float32, 44'100, 2, 3);
  std::uint32_t standard = 0, fundamental = 0, least = 0, most = 0;
  EXPECT_EQ(client->shared_engine_period(&format.base, &standard, &fundamental, &least, nullptr),
            kPointer);
  EXPECT_EQ(client->shared_engine_period(&other.base, &standard, &fundamental, &least, &most),
            kUnsupportedFormat);
  ASSERT_EQ(client->shared_engine_period(&format.base, &standard, &fundamental, &least, &most),
            kOk);
  EXPECT_EQ(standard, 480U);
  EXPECT_EQ(fundamental, 16U);
  EXPECT_EQ(least, 128U);
  EXPECT_EQ(most, 480U);
  for (const std::uint32_t period : {112U, 127U, 130U, 496U, 0x10000U}) {
    EXPECT_EQ(open(program, endpoint, small(period))->result, kInvalidPeriod);
  }
  for (const std::uint32_t period : {128U, 144U, 480U}) {
    const auto stream = open(program, endpoint, small(period));
    ASSERT_EQ(stream->result, kOk);
    EXPECT_EQ(stream->frames, 2 * period + 48);
    *stream = {};
  }
  Endpoint& plain =
      program.world.add_endpoint(make_spec(Personality::no_small_buffer, Flow::render));
  EXPECT_EQ(open(program, plain, small(240))->result, kInvalidPeriod);
  EXPECT_EQ(open(program, plain, small(480))->result, kOk);
}

TEST(wasapi_fake_rules, L2_no_other_flags_than_the_event) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  for (const std::uint32_t flag :
       {kLoopback, kAutoConvert, kDefaultQuality, kRateAdjust, kCrossProcess}) {
    Opening opening = small(128);
    opening.flags |= flag;
    EXPECT_EQ(open(program, endpoint, opening)->result, kInvalidStreamFlag);
  }
  Opening opening = small(128);
  opening.flags |= kSessionFlags;
  EXPECT_EQ(open(program, endpoint, opening)->result, kOk);
}

TEST(wasapi_fake_rules, L3_one_period_locks_out_another) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  const auto first = open(program, endpoint, small(128));
  ASSERT_EQ(first->result, kOk);
  EXPECT_EQ(open(program, endpoint, small(256))->result, kPeriodicityLocked);
  const Ref<AudioClient3> client = program.activate(endpoint);
  WaveFormat* format = nullptr;
  std::uint32_t period = 0;
  EXPECT_EQ(client->current_engine_period(nullptr, &period), kPointer);
  ASSERT_EQ(client->current_engine_period(&format, &period), kOk);
  EXPECT_EQ(period, 128U);
  EXPECT_EQ(format->rate_hz, 48'000U);
  program.world.free_task_memory(format);
  ClientProperties properties;
  properties.options = kOptionMatchFormat;
  ASSERT_EQ(client->set_client_properties(&properties), kOk);
  const Opening opening = small(128);
  EXPECT_EQ(client->initialize_shared(opening.flags, 128, &opening.format.base, nullptr),
            kFormatLocked);
  EXPECT_EQ(open(program, endpoint, small(128))->result, kOk);
  *first = {};
}

TEST(wasapi_fake_rules, L4_a_small_period_is_everybodys_while_its_client_lives) {
  Program program;
  EndpointSpec spec;
  spec.knobs.first_event_most = milliseconds{0};
  Endpoint& endpoint = program.world.add_endpoint(spec);
  const auto classic = open(program, endpoint);
  ASSERT_EQ(classic->client->start(), kOk);
  const auto count = [&] {
    const Instant until = program.world.now() + milliseconds{960};
    int events = 0;
    while (program.world.wait_any({&classic->event, 1}, until).end == WaitEnd::signalled) ++events;
    return events;
  };
  EXPECT_EQ(count(), 96);
  const auto quick = open(program, endpoint, small(128));
  ASSERT_EQ(quick->result, kOk);
  EXPECT_NEAR(count(), 360, 3);
  EXPECT_EQ(classic->frames, 1056U);
  *quick = {};
  EXPECT_NEAR(count(), 96, 1);
}

TEST(wasapi_fake_rules, L5_client_properties_come_before_initialize_in_one_of_two_sizes) {
  Program program;
  EndpointSpec spec;
  spec.knobs.is_raw_supported = false;
  Endpoint& endpoint = program.world.add_endpoint(spec);
  const Ref<AudioClient3> client = program.activate(endpoint);
  ClientProperties properties;
  EXPECT_EQ(client->set_client_properties(nullptr), kPointer);
  for (const std::uint32_t size : {0U, 11U, 13U, 20U}) {
    properties.size = size;
    EXPECT_EQ(client->set_client_properties(&properties), kInvalidArgument);
  }
  properties.size = 12;
  EXPECT_EQ(client->set_client_properties(&properties), kOk);
  properties.size = 16;
  EXPECT_EQ(client->set_client_properties(&properties), kOk);
  properties.options = kOptionRaw;
  EXPECT_EQ(client->set_client_properties(&properties), kRawModeUnsupported);
  properties.options = 0;
  properties.is_offload = 1;
  EXPECT_EQ(client->set_client_properties(&properties), kOffloadNotCapable);
  properties.is_offload = 0;
  const auto stream = open(program, endpoint);
  for (const Hr code : {kAlreadyInitialized, kOk}) {
    program.world.forget_violations();
    endpoint.knobs().late_client_properties = code;
    EXPECT_EQ(stream->client->set_client_properties(&properties), code);
    EXPECT_TRUE(has_violation(program.world, "L5"));
  }
  program.expects_clean = false;
}

TEST(wasapi_fake_rules, L6_the_interface_may_be_absent_or_empty) {
  Program program;
  EndpointSpec spec;
  spec.knobs.small_periods = SmallPeriods::absent;
  Endpoint& old = program.world.add_endpoint(spec);
  Ref<AudioClient3> three;
  EXPECT_EQ(program.device_of(old)->activate(AudioClient3::kId, 0x17, nullptr, three.out_any()),
            kNoInterface);
  Ref<AudioClient> one;
  ASSERT_EQ(program.device_of(old)->activate(AudioClient::kId, 0x17, nullptr, one.out_any()), kOk);
  EXPECT_EQ(one->query_interface(AudioClient3::kId, three.out_any()), kNoInterface);
  Ref<AudioClient2> two;
  EXPECT_EQ(one->query_interface(AudioClient2::kId, two.out_any()), kOk);

  Endpoint& wine = program.world.add_endpoint(make_spec(Personality::wine8, Flow::render));
  ASSERT_EQ(program.device_of(wine)->activate(AudioClient::kId, 0x17, nullptr, one.out_any()), kOk);
  ASSERT_EQ(one->query_interface(AudioClient3::kId, three.out_any()), kOk);
  const WaveFormatExtensible format = extensible(Layout::float32, 48'000, 2, 3);
  std::uint32_t a = 0, b = 0, c = 0, d = 0;
  WaveFormat* current = nullptr;
  ReferenceTime least = 0, most = 0;
  EXPECT_EQ(three->shared_engine_period(&format.base, &a, &b, &c, &d), kNotImplemented);
  EXPECT_EQ(three->current_engine_period(&current, &a), kNotImplemented);
  EXPECT_EQ(three->buffer_size_limits(&format.base, 1, &least, &most), kNotImplemented);
  EXPECT_EQ(three->initialize_shared(kEventCallback, 480, &format.base, nullptr), kNotImplemented);
}

}  // namespace
}  // namespace asiodrv::devices::wasapi::fake
