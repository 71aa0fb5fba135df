// Each message is written and judged side by side, so that the two cannot drift apart.
#include "core/wire/control.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "core/wire/member_reader.hpp"
#include "core/wire/message.hpp"
#include "core/wire/section.hpp"

namespace asiodrv::wire {
namespace {

using nlohmann::json;

constexpr std::uint32_t kMaxRateHz = 10'000'000;
constexpr std::uint32_t kMaxLatencyFrames = 1U << 24;
constexpr std::size_t kMaxRates = 64;
constexpr std::size_t kMaxClockSources = 32;
/// All channel names of a description are cut by so much more, until it fits one message.
constexpr std::size_t kNameStep = 16;
static_assert(kMaxNameBytes % kNameStep == 0);

struct EventName {
  HostEventKind kind;
  std::string_view name;
};
constexpr std::array kEventNames{EventName{HostEventKind::reset_request, "reset_request"},
                                 EventName{HostEventKind::resync, "resync"},
                                 EventName{HostEventKind::latencies_changed, "latencies_changed"},
                                 EventName{HostEventKind::rate_changed, "rate_changed"},
                                 EventName{HostEventKind::clock_changed, "clock_changed"},
                                 EventName{HostEventKind::overload, "overload"}};

std::string_view event_name(HostEventKind kind) {
  for (const EventName& each : kEventNames) {
    if (each.kind == kind) return each.name;
  }
  return kEventNames.front().name;
}

std::vector<BufferSizes> buffer_sizes(MemberReader& reader, std::size_t rates) {
  std::vector<BufferSizes> all;
  const json* const list = reader.list("buffer_sizes", kMaxRates);
  if (list == nullptr) return all;
  for (const json& element : *list) {
    MemberReader sizes(element, "hello: an element of buffer_sizes");
    const auto frames = [&sizes](const char* member, std::uint32_t least) {
      return Frames{sizes.number(member, least, kMaxFrames)};
    };
    BufferSizes one{frames("least", kMinFrames), frames("most", kMinFrames),
                    frames("preferred", kMinFrames), frames("step", 0)};
    if (!sizes.good() || !one.plausible()) {
      reader.refuse("buffer_sizes",
                    "must hold objects {least, most, preferred, step}, each size "
                    "reached from the least one by steps (0: powers of two)");
    }
    all.push_back(one);
  }
  if (all.size() != rates) reader.refuse("buffer_sizes", "must be as many as there are rates");
  return all;
}

Frames latency(MemberReader& reader, const char* member) {
  return Frames{reader.number(member, 0, kMaxLatencyFrames)};
}

std::vector<SampleRate> rates(MemberReader& reader) {
  std::vector<SampleRate> all;
  for (const std::uint32_t hz : reader.numbers("rates_hz", kMaxRates, 1, kMaxRateHz)) {
    if (!all.empty() && all.back().hz >= hz) reader.refuse("rates_hz", "must be ascending");
    all.push_back(SampleRate{hz});
  }
  if (all.empty()) reader.refuse("rates_hz", "must not be empty");
  return all;
}

std::vector<ClockSourceInfo> clock_sources(MemberReader& reader) {
  std::vector<ClockSourceInfo> all;
  const json* const list = reader.list("clock_sources", kMaxClockSources);
  if (list == nullptr) return all;
  for (const json& element : *list) {
    MemberReader source(element, "hello: an element of clock_sources");
    ClockSourceInfo info{source.text("name"), source.flag("current")};
    if (!source.good()) reader.refuse("clock_sources", "must hold objects {name, current}");
    all.push_back(std::move(info));
  }
  const auto current = std::count_if(all.begin(), all.end(),
                                     [](const ClockSourceInfo& each) { return each.current; });
  if (current != 1) reader.refuse("clock_sources", "must hold exactly one current source");
  return all;
}

/// `name` in `most` bytes, cut between two characters.
std::string cut_name(std::string name, std::size_t most) {
  if (name.size() <= most) return name;
  constexpr unsigned kContinuationMask = 0xC0, kContinuation = 0x80;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & kContinuationMask) == kContinuation) {
    --end;
  }
  name.resize(end);
  return name;
}

json cut_names(const std::vector<std::string>& names, std::size_t most) {
  json all = json::array();
  for (const std::string& name : names) all.push_back(cut_name(name, most));
  return all;
}

bool fits_message(const json& result) {
  return result_text(std::numeric_limits<std::int64_t>::max(), result).size() <= kMaxMessageBytes;
}

}  // namespace

std::string short_name(std::string name) { return cut_name(std::move(name), kMaxNameBytes); }

json to_json(const HelloRequest& value) {
  return {{"protocol", value.protocol},
          {"program", short_name(value.program)},
          {"process_id", value.process_id},
          {"bits", value.bits}};
}

Result<HelloRequest> parse_hello_request(const json& params) {
  MemberReader reader(params, "hello");
  HelloRequest value;
  value.protocol = reader.number("protocol", 0, kAnyNumber);
  value.program = reader.text("program");
  value.process_id = reader.number("process_id", 0, kAnyNumber);
  value.bits = reader.number("bits", 32, 64);
  if (reader.good() && value.bits != 32 && value.bits != 64)
    reader.refuse("bits", "must be 32 or 64");
  return reader.result(std::move(value));
}

const BufferSizes& DriverDescription::sizes() const noexcept {
  const auto found = std::find(rates.begin(), rates.end(), rate);
  const auto index = static_cast<std::size_t>(found - rates.begin());
  return index < buffer_sizes.size() ? buffer_sizes[index] : buffer_sizes.back();
}

json to_json(const DriverDescription& value) {
  json rate_list = json::array();
  for (const SampleRate rate : value.rates) rate_list.push_back(rate.hz);
  json sources = json::array();
  for (const ClockSourceInfo& source : value.clock_sources) {
    sources.push_back({{"name", short_name(source.name)}, {"current", source.current}});
  }
  json sizes = json::array();
  for (const BufferSizes& each : value.buffer_sizes) {
    sizes.push_back({{"least", each.least.count},
                     {"most", each.most.count},
                     {"preferred", each.preferred.count},
                     {"step", each.step.count}});
  }
  json whole = {{"protocol", value.protocol},
                {"service_version", value.service_version},
                {"device_name", short_name(value.device_name)},
                {"sample_type", sample_type_name(value.sample_type)},
                {"rates_hz", std::move(rate_list)},
                {"rate_hz", value.rate.hz},
                {"buffer_sizes", std::move(sizes)},
                {"clock_sources", std::move(sources)},
                {"device_input_latency_frames", value.device_input_latency.count},
                {"device_output_latency_frames", value.device_output_latency.count},
                {"deferred", value.deferred},
                {"managed", value.managed ? 1 : 0}};
  for (std::size_t most = kMaxNameBytes; most > 0; most -= kNameStep) {
    whole["input_names"] = cut_names(value.input_names, most);
    whole["output_names"] = cut_names(value.output_names, most);
    if (fits_message(whole)) break;
  }
  return whole;
}

Result<DriverDescription> parse_driver_description(const json& result) {
  MemberReader reader(result, "hello result");
  DriverDescription value;
  value.protocol = reader.number("protocol", 0, kAnyNumber);
  value.service_version = reader.text("service_version");
  value.device_name = reader.text("device_name");
  value.input_names = reader.texts("input_names", kMaxChannels);
  value.output_names = reader.texts("output_names", kMaxChannels);
  const auto type = parse_sample_type(reader.text("sample_type"));
  if (!type) reader.refuse("sample_type", "must be float32, int32, int24 or int16");
  value.sample_type = type.value_or(SampleType::float32);
  value.rates = rates(reader);
  value.rate = SampleRate{reader.number("rate_hz", 0, kMaxRateHz)};
  value.buffer_sizes = buffer_sizes(reader, value.rates.size());
  value.clock_sources = clock_sources(reader);
  value.device_input_latency = latency(reader, "device_input_latency_frames");
  value.device_output_latency = latency(reader, "device_output_latency_frames");
  value.deferred = reader.flag("deferred");
  value.managed = reader.number_or("managed", 0, 1, 0) != 0;  // later than the others
  return reader.result(std::move(value));
}

json to_json(const SessionRequest& value) {
  return {{"frames", value.frames.count}, {"inputs", value.inputs}, {"outputs", value.outputs}};
}

Result<SessionRequest> parse_session_request(const json& params) {
  MemberReader reader(params, "session.create");
  SessionRequest value;
  value.frames = Frames{reader.number("frames", kMinFrames, kMaxFrames)};
  value.inputs = reader.numbers("inputs", kMaxChannels, 0, kMaxChannels - 1);
  value.outputs = reader.numbers("outputs", kMaxChannels, 0, kMaxChannels - 1);
  if (value.inputs.empty() && value.outputs.empty()) {
    reader.refuse("inputs", "and \"outputs\" name no channel at all");
  }
  return reader.result(std::move(value));
}

json to_json(const SessionGrant& value) {
  return {{"session_id", value.session_id},
          {"region_token", value.region_token},
          {"region_bytes", value.region_bytes},
          {"rate_hz", value.rate.hz},
          {"input_latency_frames", value.input_latency.count},
          {"output_latency_frames", value.output_latency.count},
          {"deferred", value.deferred}};
}

Result<SessionGrant> parse_session_grant(const json& result) {
  MemberReader reader(result, "session.create result");
  SessionGrant value;
  value.session_id = reader.number("session_id", 1, kAnyNumber);
  value.region_token = reader.text("region_token");
  value.region_bytes = reader.number("region_bytes", kAudioOffset, kAnyNumber);
  value.rate = SampleRate{reader.number("rate_hz", 1, kMaxRateHz)};
  value.input_latency = latency(reader, "input_latency_frames");
  value.output_latency = latency(reader, "output_latency_frames");
  value.deferred = reader.flag("deferred");
  return reader.result(std::move(value));
}

json to_json(const MonitorRequest& value) {
  json result{{"output", value.output}, {"gain", value.gain}, {"pan", value.pan}, {"on", value.on}};
  if (value.input) result["input"] = *value.input;
  return result;
}

Result<MonitorRequest> parse_monitor_request(const json& params) {
  MemberReader reader(params, "monitor.set");
  MonitorRequest value;
  const std::uint32_t input = reader.number_or("input", 0, kMaxChannels - 1, kAnyNumber);
  if (input != kAnyNumber) value.input = input;
  value.output = reader.number("output", 0, kMaxChannels - 1);
  value.gain = reader.number("gain", 0, kLevelMax);
  value.pan = reader.number("pan", 0, kLevelMax);
  value.on = reader.flag("on");
  return reader.result(value);
}

json to_json(const GainRequest& value) {
  return {{"input", value.input}, {"channel", value.channel}, {"gain", value.gain}};
}

Result<GainRequest> parse_gain_request(const json& params) {
  MemberReader reader(params, "gain.set");
  GainRequest value;
  value.input = reader.flag("input");
  value.channel = reader.number("channel", 0, kMaxChannels - 1);
  value.gain = reader.number("gain", 0, kLevelMax);
  return reader.result(value);
}

json to_json(const ChannelLevels& value) {
  return {{"inputs", value.inputs}, {"outputs", value.outputs}};
}

Result<ChannelLevels> parse_channel_levels(const json& result) {
  MemberReader reader(result, "levels.get result");
  ChannelLevels value;
  value.inputs = reader.numbers("inputs", kMaxChannels, 0, kLevelMax);
  value.outputs = reader.numbers("outputs", kMaxChannels, 0, kLevelMax);
  return reader.result(std::move(value));
}

json to_json(const HostEvent& value) {
  json object{{"kind", event_name(value.kind)}};
  if (value.kind == HostEventKind::rate_changed) object["rate_hz"] = value.rate.hz;
  if (value.kind == HostEventKind::latencies_changed) {
    object["input_latency_frames"] = value.input_latency.count;
    object["output_latency_frames"] = value.output_latency.count;
  }
  return object;
}

Result<HostEvent> parse_host_event(const json& params) {
  MemberReader reader(params, "event");
  HostEvent value;
  const std::string name = reader.text("kind");
  const auto* const known = std::find_if(kEventNames.begin(), kEventNames.end(),
                                         [&](const EventName& each) { return each.name == name; });
  if (known == kEventNames.end()) {
    reader.refuse("kind", "is not an event that this version knows");
  } else {
    value.kind = known->kind;
  }
  if (value.kind == HostEventKind::rate_changed) {
    value.rate = SampleRate{reader.number("rate_hz", 0, kMaxRateHz)};
  }
  if (value.kind == HostEventKind::latencies_changed) {
    value.input_latency = latency(reader, "input_latency_frames");
    value.output_latency = latency(reader, "output_latency_frames");
  }
  return reader.result(value);
}

}  // namespace asiodrv::wire
