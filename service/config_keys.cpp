#include "service/config_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "core/wire/control.hpp"
#include "core/wire/section.hpp"

namespace asiodrv::service {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxDeferred = 256;

/// Reaches a value of a Config, const or not.
template <auto... Path>
struct At {
  template <class AnyConfig>
  auto& operator()(AnyConfig& config, std::size_t /*member*/) const {
    return (config.*....*Path);
  }
};

/// The same in one of its members.
template <auto... Path>
struct AtMember {
  template <class AnyConfig>
  auto& operator()(AnyConfig& config, std::size_t member) const {
    return (config.members.at(member).*....*Path);
  }
};

struct Row {
  const char* section;
  const char* name;
  const char* unit;
  Effect effect;
  const char* meaning;
};

/// `check` gives the value to store, or nothing.
template <class Field, class Check>
ConfigKey key_of(const Row& row, KeyType type, std::string accepted, Field field, Check check) {
  ConfigKey key{row.section,         row.name, row.unit, row.effect, row.meaning, type,
                std::move(accepted), nullptr,  nullptr};
  key.take = [field, check](Config& config, std::size_t member, const json& value) {
    auto checked = check(value);
    if (!checked) return false;
    field(config, member) = std::move(*checked);
    return true;
  };
  key.show = [field](const Config& config, std::size_t member) -> json {
    return field(config, member);
  };
  return key;
}

std::optional<std::uint32_t> whole_number(const json& value, std::uint32_t low,
                                          std::uint32_t high) {
  if (!value.is_number_integer()) return std::nullopt;
  const auto number = value.get<std::int64_t>();
  if (number < low || number > high) return std::nullopt;
  return static_cast<std::uint32_t>(number);
}

template <class Field>
ConfigKey integer(const Row& row, std::uint32_t low, std::uint32_t high, Field field) {
  return key_of(row, KeyType::integer, fmt::format("a whole number from {} to {}", low, high),
                field, [low, high](const json& value) { return whole_number(value, low, high); });
}

template <class Field>
ConfigKey power_of_two(const Row& row, Field field) {
  return key_of(row, KeyType::integer,
                fmt::format("a power of two from {} to {}", wire::kMinFrames, wire::kMaxFrames),
                field, [](const json& value) {
                  const auto number = whole_number(value, wire::kMinFrames, wire::kMaxFrames);
                  return number && std::has_single_bit(*number) ? number : std::nullopt;
                });
}

template <class Field>
ConfigKey real(const Row& row, double low, double high, Field field) {
  return key_of(row, KeyType::real, fmt::format("a number from {} to {}", low, high), field,
                [low, high](const json& value) -> std::optional<double> {
                  if (!value.is_number()) return std::nullopt;
                  const auto number = value.get<double>();
                  if (!(number >= low && number <= high)) return std::nullopt;  // also nan
                  return number;
                });
}

template <class Field>
ConfigKey flag(const Row& row, Field field) {
  return key_of(row, KeyType::flag, "true or false", field,
                [](const json& value) -> std::optional<bool> {
                  if (!value.is_boolean()) return std::nullopt;
                  return value.get<bool>();
                });
}

template <class Value>
struct Choice {
  std::string name;
  Value value;
};

template <class Field, class Value>
ConfigKey choice(const Row& row, std::vector<Choice<Value>> choices, Field field) {
  std::string accepted;
  for (const auto& each : choices) {
    accepted += fmt::format("{}\"{}\"", accepted.empty() ? "" : " or ", each.name);
  }
  ConfigKey key = key_of(row, KeyType::text, std::move(accepted), field,
                         [choices](const json& value) -> std::optional<Value> {
                           for (const auto& each : choices) {
                             if (value == each.name) return each.value;
                           }
                           return std::nullopt;
                         });
  key.show = [field, choices](const Config& config, std::size_t member) -> json {
    for (const auto& each : choices) {
      if (each.value == field(config, member)) return each.name;
    }
    return nullptr;
  };
  return key;
}

std::optional<std::string> short_text(const json& value) {
  if (!value.is_string()) return std::nullopt;
  auto text = value.get<std::string>();
  if (text.size() > wire::kMaxNameBytes) return std::nullopt;
  return text;
}

template <class Field>
ConfigKey text(const Row& row, Field field) {
  return key_of(row, KeyType::text,
                fmt::format("a text in quotes, at most {} bytes", wire::kMaxNameBytes), field,
                short_text);
}

template <class Field>
ConfigKey file(const Row& row, Field field) {
  return key_of(row, KeyType::file, "a file name in quotes, or \"\"", field,
                [](const json& value) -> std::optional<std::string> {
                  if (!value.is_string()) return std::nullopt;
                  return value.get<std::string>();
                });
}

/// `may_be_empty`: single texts of the list.
template <class Field>
ConfigKey texts(const Row& row, std::string accepted, std::size_t most, bool may_be_empty,
                Field field) {
  return key_of(row, KeyType::texts, std::move(accepted), field,
                [most, may_be_empty](const json& value) -> std::optional<std::vector<std::string>> {
                  if (!value.is_array() || value.size() > most) return std::nullopt;
                  std::vector<std::string> list;
                  for (const json& element : value) {
                    auto each = short_text(element);
                    if (!each || (each->empty() && !may_be_empty)) return std::nullopt;
                    list.push_back(std::move(*each));
                  }
                  return list;
                });
}

/// People count channels from 1, a Config from 0.
template <class Field>
ConfigKey channel_numbers(const Row& row, Field field) {
  ConfigKey key = key_of(row, KeyType::integers,
                         "a list of different channel numbers from 1 to 1024, like [3, 4, 1, 2]",
                         field, [](const json& value) -> std::optional<std::vector<std::uint32_t>> {
                           if (!value.is_array() || value.size() > wire::kMaxChannels)
                             return std::nullopt;
                           std::vector<std::uint32_t> channels;
                           for (const json& element : value) {
                             const auto number = whole_number(element, 1, wire::kMaxChannels);
                             if (!number || std::find(channels.begin(), channels.end(),
                                                      *number - 1) != channels.end()) {
                               return std::nullopt;
                             }
                             channels.push_back(*number - 1);
                           }
                           return channels;
                         });
  key.show = [field](const Config& config, std::size_t member) -> json {
    json numbers = json::array();
    for (const std::uint32_t channel : field(config, member)) numbers.push_back(channel + 1);
    return numbers;
  };
  return key;
}

using Keys = std::vector<ConfigKey>;

void add_driver_keys(Keys& keys) {
  std::vector<Choice<SampleType>> types;
  for (const SampleType type : kSampleTypes)
    types.push_back({std::string(sample_type_name(type)), type});
  keys.push_back(
      choice({"driver", "sample_type", "", Effect::live, "the type of all channels' buffers"},
             types, At<&Config::sample_type>{}));
  keys.push_back(power_of_two(
      {"driver", "min_frames", "frames", Effect::live, "the smallest buffer size on offer"},
      At<&Config::min_frames, &Frames::count>{}));
  keys.push_back(power_of_two(
      {"driver", "max_frames", "frames", Effect::live, "the largest buffer size on offer"},
      At<&Config::max_frames, &Frames::count>{}));
  keys.push_back(power_of_two({"driver", "preferred_frames", "frames", Effect::live,
                               "the buffer size that a host should take, from min_frames to "
                               "max_frames"},
                              At<&Config::preferred_frames, &Frames::count>{}));
  keys.push_back(choice<At<&Config::sizes>, Sizes>(
      {"driver", "buffer_sizes", "", Effect::live, "which buffer sizes hosts can choose"},
      {{"powers_of_two", Sizes::powers_of_two}, {"device", Sizes::device}}, {}));
  keys.push_back(choice<At<&Config::formats>, Formats>(
      {"driver", "formats", "", Effect::live,
       "what happens when programs want different rates or buffer sizes"},
      {{"follow", Formats::follow}, {"adapt", Formats::adapt}, {"refuse", Formats::refuse}}, {}));
}

void add_service_keys(Keys& keys) {
  keys.push_back(real({"engine", "deadline_fraction", "periods", Effect::pause,
                       "the part of a period after which a client that has not answered is late"},
                      0.3, 0.95, At<&Config::deadline_fraction>{}));
  keys.push_back(integer({"engine", "spin_us", "us", Effect::pause,
                          "busy waiting before the engine sleeps for an answer"},
                         0, 200, At<&Config::spin_us>{}));
  keys.push_back(integer({"service", "idle_seconds", "s", Effect::live,
                          "an agent without clients leaves after so long"},
                         0, 86'400, At<&Config::idle_seconds>{}));
  keys.push_back(
      texts({"hosts", "deferred", "", Effect::next_open,
             "program files that finish their work after their callback has returned; "
             "their output is taken one buffer later"},
            fmt::format("a list of at most {} file names, like [\"daw.exe\"]", kMaxDeferred),
            kMaxDeferred, false, At<&Config::deferred_programs>{}));
}

/// [wasapi], or the same keys of a [[member]].
template <template <auto...> class Reach, auto... Path>
void add_wasapi_keys(Keys& keys, const char* section) {
  using Wasapi = Config::Wasapi;
  keys.push_back(text({section, "output", "", Effect::live,
                       "what plays: an id, a name or a description as \"asio-driver devices\" "
                       "shows them; \"default\" is what Windows uses, \"\" is none"},
                      Reach<Path..., &Wasapi::output>{}));
  keys.push_back(text({section, "input", "", Effect::live, "what records, likewise"},
                      Reach<Path..., &Wasapi::input>{}));
  keys.push_back(choice<Reach<Path..., &Wasapi::mode>, WasapiMode>(
      {section, "mode", "", Effect::live,
       "how the device is opened; \"automatic\" is the best that it allows"},
      {{"automatic", WasapiMode::automatic},
       {"exclusive", WasapiMode::exclusive},
       {"low_latency", WasapiMode::low_latency},
       {"shared", WasapiMode::shared}},
      {}));
  keys.push_back(flag({section, "prefer_exclusive", "", Effect::live,
                       "lets \"automatic\" take the device from all other programs"},
                      Reach<Path..., &Wasapi::prefer_exclusive>{}));
  keys.push_back(choice<Reach<Path..., &Wasapi::clocks>, Clocks>(
      {section, "clocks", "", Effect::live, "whether output and input are paced by one clock"},
      {{"automatic", Clocks::automatic}, {"one", Clocks::one}, {"two", Clocks::two}}, {}));
}

void add_device_keys(Keys& keys) {
  std::vector<Choice<Backend>> backends;
  for (const Backend each :
       {Backend::automatic, Backend::simulated, Backend::wasapi, Backend::combined}) {
    backends.push_back({backend_name(each), each});
  }
  keys.push_back(choice({"device", "backend", "", Effect::live, "the kind of device"}, backends,
                        At<&Config::backend>{}));
  add_wasapi_keys<At, &Config::wasapi>(keys, "wasapi");
  keys.push_back(text(
      {"combined", "name", "", Effect::live, "the name for hosts; empty: the names of its members"},
      At<&Config::combined, &Config::Combined::name>{}));
  keys.push_back(integer({"combined", "stall_ms", "ms", Effect::live,
                          "how late a member may be without damage; part of the latency"},
                         0, 200, At<&Config::combined, &Config::Combined::stall_ms>{}));
  add_wasapi_keys<AtMember, &Config::Member::wasapi>(keys, kMemberSection);
  keys.push_back(choice<AtMember<&Config::Member::backend>, Backend>(
      {kMemberSection, "backend", "", Effect::live, "the kind of device"},
      {{"wasapi", Backend::wasapi}, {"simulated", Backend::simulated}}, {}));
  keys.push_back(
      text({kMemberSection, "prefix", "", Effect::live, "stands before the names of its channels"},
           AtMember<&Config::Member::prefix>{}));
}

void add_channel_keys(Keys& keys) {
  using Channels = Config::Channels;
  const std::string names = "a list of at most 1024 names, like [\"Voice\", \"Guitar\"]";
  keys.push_back(channel_numbers(
      {"channels", "inputs", "", Effect::live, "which inputs hosts see, in this order; empty: all"},
      At<&Config::channels, &Channels::inputs>{}));
  keys.push_back(channel_numbers({"channels", "outputs", "", Effect::live,
                                  "which outputs hosts see, in this order; empty: all"},
                                 At<&Config::channels, &Channels::outputs>{}));
  keys.push_back(texts({"channels", "input_names", "", Effect::live,
                        "names for the inputs, in that order; \"\" or a missing one leaves the "
                        "device's own"},
                       names, wire::kMaxChannels, true,
                       At<&Config::channels, &Channels::input_names>{}));
  keys.push_back(
      texts({"channels", "output_names", "", Effect::live, "names for the outputs, likewise"},
            names, wire::kMaxChannels, true, At<&Config::channels, &Channels::output_names>{}));
}

void add_simulated_keys(Keys& keys) {
  using Simulated = Config::Simulated;
  keys.push_back(integer({"simulated", "inputs", "channels", Effect::live, "how many inputs"}, 1,
                         1024, At<&Config::simulated, &Simulated::inputs>{}));
  keys.push_back(integer({"simulated", "outputs", "channels", Effect::live, "how many outputs"}, 1,
                         1024, At<&Config::simulated, &Simulated::outputs>{}));
  keys.push_back(integer({"simulated", "rate", "Hz", Effect::live,
                          "frames per second at start, one that the device lists; clients may "
                          "change it"},
                         8'000, 768'000, At<&Config::simulated, &Simulated::rate_hz>{}));
  keys.push_back(real({"simulated", "offset_ppm", "ppm", Effect::live,
                       "how much faster its clock runs than the machine's"},
                      -1000.0, 1000.0, At<&Config::simulated, &Simulated::offset_ppm>{}));
  keys.push_back(integer({"simulated", "jitter_us", "us", Effect::live,
                          "how much later than due its periods may arrive"},
                         0, 1000, At<&Config::simulated, &Simulated::jitter_us>{}));
  keys.push_back(integer({"simulated", "external_clock", "Hz", Effect::live,
                          "the rate that arrives at its external clock input; 0: it has none"},
                         0, 768'000, At<&Config::simulated, &Simulated::external_clock_hz>{}));
  keys.push_back(choice<At<&Config::simulated, &Simulated::wires>, Wires>(
      {"simulated", "wires", "", Effect::live, "straight: output n is heard at input n"},
      {{"straight", Wires::straight}, {"none", Wires::none}}, {}));
  keys.push_back(integer({"simulated", "hidden_latency_frames", "frames", Effect::live,
                          "the delay of the wires, which the device does not report"},
                         0, 96'000,
                         At<&Config::simulated, &Simulated::hidden_latency, &Frames::count>{}));
  keys.push_back(file(
      {"simulated", "player", "", Effect::live, "a WAV file heard at the inputs, over and over"},
      At<&Config::simulated, &Simulated::player>{}));
  keys.push_back(
      file({"simulated", "recorder", "", Effect::live, "a WAV file that receives what is played"},
           At<&Config::simulated, &Simulated::recorder>{}));
}

Keys make_keys() {
  Keys keys;
  add_driver_keys(keys);
  add_service_keys(keys);
  add_device_keys(keys);
  add_channel_keys(keys);
  add_simulated_keys(keys);
  return keys;
}

/// How many letters must be added, removed or changed to make one text of the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

/// "member.3.output" as {"member.output", 2}; other names as they are.
std::pair<std::string, std::size_t> without_number(std::string_view name) {
  constexpr std::string_view kPrefix = "member.";
  const auto plain = std::pair<std::string, std::size_t>{name, 0};
  if (name.substr(0, kPrefix.size()) != kPrefix) return plain;
  const std::string_view rest = name.substr(kPrefix.size());
  if (rest.size() < 3 || rest[0] < '1' || rest[0] > '9' || rest[1] != '.') return plain;
  return {std::string(kPrefix) + std::string(rest.substr(2)),
          static_cast<std::size_t>(rest[0] - '1')};
}

constexpr std::size_t kLongestName = 64;  // of what a suggestion is looked for

}  // namespace

const char* type_name(KeyType type) noexcept {
  switch (type) {
    case KeyType::flag: return "boolean";
    case KeyType::integer: return "integer";
    case KeyType::real: return "number";
    case KeyType::text: return "text";
    case KeyType::file: return "file name";
    case KeyType::texts: return "list of texts";
    case KeyType::integers: return "list of integers";
  }
  return "text";
}

const char* effect_name(Effect effect) noexcept {
  switch (effect) {
    case Effect::live: return "at once";
    case Effect::next_open: return "next open";
    case Effect::pause: return "in a pause";
  }
  return "at once";
}

const std::vector<ConfigKey>& config_keys() {
  static const std::vector<ConfigKey> keys = make_keys();
  return keys;
}

json default_of(const ConfigKey& key) {
  Config defaults;
  if (key.of_member()) defaults.members.emplace_back();
  return key.show(defaults, 0);
}

Result<NamedKey> find_key(std::string_view name) {
  const auto [path, member] = without_number(name.substr(0, kLongestName));
  const ConfigKey* nearest = nullptr;
  std::size_t distance = 0;
  for (const ConfigKey& key : config_keys()) {
    const std::string each = key.path();
    if (each == path && name.size() <= kLongestName) {
      if (!key.of_member() || name != path) return NamedKey{&key, member};
      return fail(
          ErrorCode::invalid_argument,
          fmt::format("Say of which [[member]]: member.1.{} is the first one's.", key.name));
    }
    // Who forgot the section means the key of that name.
    const std::size_t apart =
        std::min(edit_distance(path, each), edit_distance(path, key.name) + 1);
    if (nearest == nullptr || apart < distance) {
      nearest = &key;
      distance = apart;
    }
  }
  std::string suggestion = nearest->path();
  if (nearest->of_member()) suggestion = fmt::format("member.1.{}", nearest->name);
  return fail(
      ErrorCode::invalid_argument,
      fmt::format("There is no key \"{}\"; did you mean \"{}\"? \"asio-driver config list\" "
                  "shows all keys.",
                  name.substr(0, kLongestName), suggestion));
}

}  // namespace asiodrv::service
