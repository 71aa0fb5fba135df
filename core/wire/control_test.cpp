#include "core/wire/control.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "core/wire/message.hpp"
#include "core/wire/section.hpp"

namespace asiodrv::wire {
namespace {

using nlohmann::json;

DriverDescription description() {
  DriverDescription value;
  value.service_version = "1.2.3";
  value.device_name = "Simulated interface";
  value.input_names = {"In 1", "In 2"};
  value.output_names = {"Out 1"};
  value.sample_type = SampleType::int24;
  value.rates = {SampleRate{44'100}, SampleRate{48'000}};
  value.rate = SampleRate{48'000};
  value.buffer_sizes = {{{32}, {2048}, {64}, {}}, {{480}, {4800}, {960}, {480}}};
  value.clock_sources = {{"Internal", true}, {"Word clock", false}};
  value.device_input_latency = Frames{3};
  value.device_output_latency = Frames{4};
  value.deferred = true;
  value.managed = true;
  return value;
}

SessionGrant grant() {
  return {9, "token", 4096, SampleRate{48'000}, Frames{64}, Frames{128}, true};
}

/// What one parser must refuse: the member's name and a value that it must not have.
struct Wrong {
  const char* member;
  json value;
};

template <class Parse>
void expect_refusals(const json& good, Parse parse, const std::vector<Wrong>& wrongs) {
  ASSERT_TRUE(parse(good)) << parse(good).error().message;
  for (const auto& [member, value] : good.items()) {
    json without = good;
    without.erase(member);
    const auto refused = parse(without);
    ASSERT_FALSE(refused) << "without " << member;
    EXPECT_EQ(refused.error().code, ErrorCode::malformed);
    EXPECT_NE(refused.error().message.find('"' + member + '"'), std::string::npos)
        << refused.error().message;
    for (const json& mistyped : {json(nullptr), json(-1), json(1.5), json::object()}) {
      json changed = good;
      changed[member] = mistyped;
      EXPECT_FALSE(parse(changed)) << member << " = " << mistyped;
    }
  }
  for (const Wrong& wrong : wrongs) {
    json changed = good;
    changed[wrong.member] = wrong.value;
    const auto refused = parse(changed);
    ASSERT_FALSE(refused) << wrong.member << " = " << wrong.value;
    EXPECT_NE(refused.error().message.find(wrong.member), std::string::npos)
        << refused.error().message;
  }
  for (const json& other : {json(nullptr), json(1), json("text"), json::array()}) {
    EXPECT_FALSE(parse(other)) << other;
  }
  json more = good;
  more["a_later_version_adds_this"] = 1;
  EXPECT_TRUE(parse(more));
}

const std::string kLongName(kMaxNameBytes + 1, 'n');

TEST(control, names_that_are_too_long_are_cut_between_characters_and_accepted) {
  DriverDescription value = description();
  const std::string whole(kMaxNameBytes - 1, 'n');
  value.device_name = whole + "ö and more";  // its second byte is the first too many
  value.input_names = {kLongName};
  value.output_names = {whole + "n"};
  value.clock_sources[1].name = std::string(3 * kMaxNameBytes, '\x80');  // no character at all
  const auto parsed = parse_driver_description(to_json(value));
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->device_name, whole);
  EXPECT_EQ(parsed->input_names.front(), whole + "n");
  EXPECT_EQ(parsed->output_names.front(), whole + "n");
  EXPECT_EQ(parsed->clock_sources[1].name, "");
}

TEST(control, hello_round_trips) {
  const auto parsed = parse_hello_request(to_json(HelloRequest{1, "Söngs.exe", 4711, 32}));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->protocol, 1U);
  EXPECT_EQ(parsed->program, "Söngs.exe");
  EXPECT_EQ(parsed->process_id, 4711U);
  EXPECT_EQ(parsed->bits, 32U);
}

/// A file name of 255 UTF-16 units, as Windows allows, has up to 765 bytes.
TEST(control, a_host_with_a_long_name_is_not_turned_away_for_it) {
  const std::string whole(kMaxNameBytes - 1, 'n');
  const auto parsed = parse_hello_request(to_json(HelloRequest{1, whole + "ö.exe", 1, 64}));
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->program, whole);
}

TEST(control, malformed_hello_names_its_member) {
  expect_refusals(to_json(HelloRequest{1, "host", 1, 64}), parse_hello_request,
                  {{"program", kLongName},
                   {"bits", 48},
                   {"bits", 16},
                   {"process_id", 0x1'0000'0000},
                   {"protocol", "1"}});
}

TEST(control, description_round_trips) {
  const auto parsed = parse_driver_description(to_json(description()));
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(to_json(*parsed), to_json(description()));
  EXPECT_EQ(parsed->sample_type, SampleType::int24);
  EXPECT_TRUE(parsed->managed);
  json earlier = to_json(description());
  earlier.erase("managed");
  EXPECT_FALSE(parse_driver_description(earlier)->managed);
  earlier["managed"] = 2;
  EXPECT_FALSE(parse_driver_description(earlier));
  EXPECT_EQ(parsed->rates, description().rates);
  EXPECT_EQ(parsed->output_names, description().output_names);
}

TEST(control, sizes_are_those_of_the_rate) {
  DriverDescription value = description();
  EXPECT_EQ(value.sizes().least.count, 480U);
  value.rate = {44'100};
  EXPECT_EQ(value.sizes().least.count, 32U);
  value.rate = {};  // the clock is lost
  EXPECT_EQ(value.sizes().least.count, 480U);
}

TEST(control, steps_and_powers_of_two_are_told_apart) {
  const BufferSizes powers{{32}, {2048}, {64}, {}}, steps{{441}, {4410}, {441}, {441}};
  EXPECT_TRUE(powers.offers({1024}));
  EXPECT_FALSE(powers.offers({480}));
  EXPECT_FALSE(powers.offers({16}));
  EXPECT_FALSE(powers.offers({4096}));
  EXPECT_TRUE(steps.offers({882}));
  EXPECT_FALSE(steps.offers({512}));
  EXPECT_FALSE(steps.offers({4851}));
}

TEST(control, malformed_description_names_its_member) {
  const json source{{"name", "Internal"}, {"current", true}};
  const auto sizes = [](int least, int most, int preferred, int step) {
    return json{{"least", least}, {"most", most}, {"preferred", preferred}, {"step", step}};
  };
  const auto two = [](const json& element) { return json{element, element}; };
  json good = to_json(description());
  good.erase("managed");  // not there in services of earlier versions
  expect_refusals(good, parse_driver_description,
                  {{"sample_type", "float64"},
                   {"rates_hz", json::array()},
                   {"rates_hz", {48'000, 44'100}},
                   {"rates_hz", {48'000, 48'000}},
                   {"rates_hz", {0}},
                   {"rates_hz", json(65, 1)},
                   {"buffer_sizes", json::array()},
                   {"buffer_sizes", {sizes(32, 2048, 64, 0)}},  // two rates
                   {"buffer_sizes", two(sizes(48, 2048, 64, 0))},
                   {"buffer_sizes", two(sizes(8, 2048, 64, 0))},
                   {"buffer_sizes", two(sizes(32, 16'384, 64, 0))},
                   {"buffer_sizes", two(sizes(32, 2048, 16, 0))},
                   {"buffer_sizes", two(sizes(32, 2048, 4096, 0))},
                   {"buffer_sizes", two(sizes(480, 960, 500, 480))},
                   {"buffer_sizes", two(sizes(480, 1000, 960, 480))},
                   {"buffer_sizes", two(sizes(480, 480, 480, 1 << 20))},
                   {"buffer_sizes", two(json{{"least", 32}})},
                   {"buffer_sizes", two(json(1))},
                   {"clock_sources", json::array()},
                   {"clock_sources", {source, source}},
                   {"clock_sources", {1}},
                   {"clock_sources", json(33, source)},
                   {"input_names", json(1025, "x")},
                   {"input_names", {kLongName}},
                   {"output_names", {1}},
                   {"device_name", kLongName},
                   {"device_input_latency_frames", 1 << 25},
                   {"deferred", 1}});
}

TEST(control, description_of_1024_channels_each_way_fits_a_message) {
  DriverDescription wide = description();
  wide.input_names.assign(kMaxChannels, std::string(80, 'i'));
  wide.output_names.assign(kMaxChannels, std::string(80, 'o'));
  EXPECT_LE(result_text(1, to_json(wide)).size(), kMaxMessageBytes);
  EXPECT_TRUE(parse_driver_description(to_json(wide)));
}

/// A combined device has the channels of all its members, and who makes those may name them at
/// length.
TEST(control, channel_names_that_do_not_fit_a_message_are_cut_until_they_do) {
  DriverDescription wide = description();
  wide.input_names.assign(kMaxChannels, std::string(kMaxNameBytes, 'i'));
  for (const char letter : {'o', '\x01'}) {  // the latter has six bytes in a text
    wide.output_names.assign(kMaxChannels, std::string(kMaxNameBytes, letter));
    const json told = to_json(wide);
    EXPECT_LE(result_text(1, told).size(), kMaxMessageBytes);
    const auto parsed = parse_driver_description(told);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->input_names.size(), kMaxChannels);
    EXPECT_EQ(parsed->output_names.size(), kMaxChannels);
    EXPECT_GE(parsed->output_names.back().size(), 31u);
  }
}

TEST(control, session_request_round_trips) {
  const auto parsed = parse_session_request(to_json(SessionRequest{Frames{256}, {3, 1}, {0}}));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->frames.count, 256U);
  EXPECT_EQ(parsed->inputs, (std::vector<std::uint32_t>{3, 1}));
  EXPECT_EQ(parsed->outputs, (std::vector<std::uint32_t>{0}));
}

TEST(control, malformed_session_request_names_its_member) {
  expect_refusals(to_json(SessionRequest{Frames{256}, {3, 1}, {0}}), parse_session_request,
                  {{"frames", 0},
                   {"frames", 15},
                   {"frames", 8193},
                   {"frames", 8},
                   {"frames", 16'384},
                   {"frames", 4'294'967'296},
                   {"inputs", {1024}},
                   {"inputs", {-1}},
                   {"inputs", {"0"}},
                   {"outputs", json(1025, 0)},
                   {"outputs", {1.0}}});
  EXPECT_FALSE(parse_session_request(to_json(SessionRequest{Frames{64}, {}, {}})));
}

TEST(control, grant_round_trips) {
  const auto parsed = parse_session_grant(to_json(grant()));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(to_json(*parsed), to_json(grant()));
  EXPECT_EQ(parsed->region_token, "token");
}

TEST(control, malformed_grant_names_its_member) {
  expect_refusals(to_json(grant()), parse_session_grant,
                  {{"session_id", 0},
                   {"region_token", kLongName},
                   {"region_bytes", 100},
                   {"rate_hz", 0},
                   {"input_latency_frames", 1 << 25},
                   {"deferred", "no"}});
}

TEST(control, every_event_round_trips) {
  for (const HostEventKind kind :
       {HostEventKind::reset_request, HostEventKind::resync, HostEventKind::latencies_changed,
        HostEventKind::rate_changed, HostEventKind::clock_changed, HostEventKind::overload}) {
    const auto parsed =
        parse_host_event(to_json(HostEvent{kind, SampleRate{96'000}, Frames{1}, Frames{2}}));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->kind, kind);
    const bool has_rate = kind == HostEventKind::rate_changed;
    EXPECT_EQ(parsed->rate.hz, has_rate ? 96'000U : 0U);
    const bool has_latencies = kind == HostEventKind::latencies_changed;
    EXPECT_EQ(parsed->output_latency.count, has_latencies ? 2U : 0U);
  }
}

TEST(control, malformed_events_name_their_member) {
  expect_refusals(to_json(HostEvent{HostEventKind::rate_changed, SampleRate{0}, {}, {}}),
                  parse_host_event, {{"kind", "reset"}, {"kind", ""}, {"rate_hz", "48000"}});
  expect_refusals(to_json(HostEvent{HostEventKind::latencies_changed, {}, Frames{1}, Frames{2}}),
                  parse_host_event, {{"output_latency_frames", 1 << 25}});
}

/// Any JSON value in any place is refused or understood, and never crashes a parser.
TEST(control, mutated_members_never_crash) {
  const json seeds[] = {to_json(HelloRequest{}), to_json(description()), to_json(grant()),
                        to_json(SessionRequest{Frames{64}, {0}, {1}}), to_json(HostEvent{})};
  const json values[] = {nullptr,
                         true,
                         -1,
                         0,
                         64,
                         1e300,
                         UINT64_MAX,
                         INT64_MIN,
                         "",
                         "float32",
                         json::array(),
                         json::object(),
                         {1, 2},
                         {{"name", "x"}},
                         kLongName};
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    json value = seeds[random() % std::size(seeds)];
    for (std::size_t i = 0; i <= random() % 2; ++i) {
      auto member = value.begin();
      std::advance(member, random() % value.size());
      *member = values[random() % std::size(values)];
    }
    (void)parse_hello_request(value).has_value();
    (void)parse_driver_description(value).has_value();
    (void)parse_session_request(value).has_value();
    (void)parse_session_grant(value).has_value();
    (void)parse_host_event(value).has_value();
  }
}

TEST(control, mixer_requests_round_trip_and_refuse_what_is_out_of_range) {
  const MonitorRequest monitor{3, 1, kUnityGain, kLevelMax, true};
  const auto one = parse_monitor_request(to_json(monitor));
  ASSERT_TRUE(one);
  EXPECT_EQ(one->input, 3U);
  EXPECT_EQ(one->pan, kLevelMax);
  EXPECT_TRUE(one->on);
  EXPECT_FALSE(parse_monitor_request(to_json(MonitorRequest{}))->input) << "all inputs";
  nlohmann::json wrong = to_json(monitor);
  wrong["gain"] = 0x80000000U;
  EXPECT_EQ(parse_monitor_request(wrong).error().code, ErrorCode::malformed);
  const auto gain = parse_gain_request(to_json(GainRequest{true, 5, 17}));
  ASSERT_TRUE(gain);
  EXPECT_EQ(gain->channel, 5U);
  EXPECT_FALSE(parse_gain_request({{"input", true}, {"channel", 1024}, {"gain", 0}}));
  const auto levels = parse_channel_levels(to_json(ChannelLevels{{1, 2}, {3}}));
  ASSERT_TRUE(levels);
  EXPECT_EQ(levels->inputs, (std::vector<std::uint32_t>{1, 2}));
}

}  // namespace
}  // namespace asiodrv::wire
