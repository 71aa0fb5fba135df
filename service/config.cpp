#include "service/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/wire/control.hpp"
#include "core/wire/section.hpp"
#include "service/paths.hpp"

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace asiodrv::service {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxFileBytes = 1 << 20;
constexpr std::size_t kMaxMistakes = 10;
constexpr std::uint32_t kMaxDeferred = 256;
constexpr std::size_t kMinMembers = 2, kMaxMembers = 8;
constexpr std::array kBackendNames{"automatic", "simulated", "wasapi", "combined"};

std::string utf8_of(const fs::path& path) {
  const std::u8string text = path.u8string();
  return std::string(text.begin(), text.end());
}

/// Reads a parsed file and gathers every mistake with its place.
class ConfigReader {
 public:
  explicit ConfigReader(const std::string& path) : path_(path) {}

  Config read(const toml::table& file);
  void mistake(const toml::source_region& where, const std::string& what) {
    if (mistakes_.size() == kMaxMistakes) return;
    mistakes_.push_back(fmt::format("{}:{}: {}", path_, where.begin.line, what));
  }
  [[nodiscard]] const std::vector<std::string>& mistakes() const noexcept { return mistakes_; }

 private:
  /// Takes one value, or says what is accepted.
  using Take = std::function<std::optional<std::string>(const toml::node&)>;
  struct Key {
    const char* name;
    Take take;
  };

  void read_keys(const toml::table& section, const char* name, const std::vector<Key>& keys);
  void read_section(const toml::table& file, const char* name, const std::vector<Key>& keys);
  void read_members(const toml::table& file, Config& config);
  static std::vector<Key> wasapi_keys(Config::Wasapi& wasapi);
  std::vector<Key> simulated_keys(Config::Simulated& simulated) const;
  static std::vector<Key> channel_keys(Config::Channels& channels);
  void judge_frames(const toml::table& file, const Config& config);

  static Take text_choice(std::vector<std::string> accepted, std::function<void(std::size_t)> set);
  static Take number(std::uint32_t& target, std::uint32_t low, std::uint32_t high);
  static Take real(double& target, double low, double high);
  static Take frames(Frames& target);
  static Take flag(bool& target);
  static Take text(std::string& target);
  static Take program_names(std::vector<std::string>& target);
  static Take channel_numbers(std::vector<std::uint32_t>& target);
  static Take channel_names(std::vector<std::string>& target);
  Take file_name(std::string& target) const;

  const std::string& path_;
  std::vector<std::string> mistakes_;
};

ConfigReader::Take ConfigReader::text_choice(std::vector<std::string> accepted,
                                             std::function<void(std::size_t)> set) {
  return [accepted = std::move(accepted),
          set = std::move(set)](const toml::node& node) -> std::optional<std::string> {
    const auto text = node.value_exact<std::string>();
    const auto found = text ? std::find(accepted.begin(), accepted.end(), *text) : accepted.end();
    if (found == accepted.end()) {
      return fmt::format("must be \"{}\"", fmt::join(accepted, "\" or \""));
    }
    set(static_cast<std::size_t>(found - accepted.begin()));
    return std::nullopt;
  };
}

ConfigReader::Take ConfigReader::number(std::uint32_t& target, std::uint32_t low,
                                        std::uint32_t high) {
  return [&target, low, high](const toml::node& node) -> std::optional<std::string> {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < low || *value > high) {
      return fmt::format("must be a whole number from {} to {}", low, high);
    }
    target = static_cast<std::uint32_t>(*value);
    return std::nullopt;
  };
}

ConfigReader::Take ConfigReader::real(double& target, double low, double high) {
  return [&target, low, high](const toml::node& node) -> std::optional<std::string> {
    const auto value = node.is_number() ? node.value<double>() : std::nullopt;
    if (!value || !(*value >= low && *value <= high)) {  // also refuses nan
      return fmt::format("must be a number from {} to {}", low, high);
    }
    target = *value;
    return std::nullopt;
  };
}

ConfigReader::Take ConfigReader::frames(Frames& target) {
  return [&target](const toml::node& node) -> std::optional<std::string> {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < wire::kMinFrames || *value > wire::kMaxFrames ||
        !std::has_single_bit(static_cast<std::uint64_t>(*value))) {
      return fmt::format("must be a power of two from {} to {}", wire::kMinFrames,
                         wire::kMaxFrames);
    }
    target = Frames{static_cast<std::uint32_t>(*value)};
    return std::nullopt;
  };
}

ConfigReader::Take ConfigReader::flag(bool& target) {
  return [&target](const toml::node& node) -> std::optional<std::string> {
    const auto value = node.value_exact<bool>();
    if (!value) return "must be true or false";
    target = *value;
    return std::nullopt;
  };
}

ConfigReader::Take ConfigReader::text(std::string& target) {
  return [&target](const toml::node& node) -> std::optional<std::string> {
    auto value = node.value_exact<std::string>();
    if (!value || value->size() > wire::kMaxNameBytes) {
      return fmt::format("must be a text in quotes, at most {} bytes", wire::kMaxNameBytes);
    }
    target = std::move(*value);
    return std::nullopt;
  };
}

namespace {

/// A list of texts, or nothing when it is something else.
std::optional<std::vector<std::string>> texts_of(const toml::node& node, std::size_t most) {
  const toml::array* const list = node.as_array();
  if (list == nullptr || list->size() > most) return std::nullopt;
  std::vector<std::string> texts;
  for (const toml::node& element : *list) {
    auto text = element.value_exact<std::string>();
    if (!text || text->size() > wire::kMaxNameBytes) return std::nullopt;
    texts.push_back(std::move(*text));
  }
  return texts;
}

}  // namespace

ConfigReader::Take ConfigReader::program_names(std::vector<std::string>& target) {
  return [&target](const toml::node& node) -> std::optional<std::string> {
    auto texts = texts_of(node, kMaxDeferred);
    if (!texts || std::find(texts->begin(), texts->end(), "") != texts->end()) {
      return "must be a list of at most 256 file names, like [\"daw.exe\"]";
    }
    target = std::move(*texts);
    return std::nullopt;
  };
}

ConfigReader::Take ConfigReader::channel_names(std::vector<std::string>& target) {
  return [&target](const toml::node& node) -> std::optional<std::string> {
    auto texts = texts_of(node, wire::kMaxChannels);
    if (!texts) return "must be a list of at most 1024 names, like [\"Voice\", \"Guitar\"]";
    target = std::move(*texts);
    return std::nullopt;
  };
}

ConfigReader::Take ConfigReader::channel_numbers(std::vector<std::uint32_t>& target) {
  return [&target](const toml::node& node) -> std::optional<std::string> {
    constexpr const char* kAccepted =
        "must be a list of different channel numbers from 1 to 1024, like [3, 4, 1, 2]";
    const toml::array* const list = node.as_array();
    if (list == nullptr || list->size() > wire::kMaxChannels) return kAccepted;
    std::vector<std::uint32_t> channels;
    for (const toml::node& element : *list) {
      const auto number = element.value_exact<std::int64_t>();
      if (!number || *number < 1 || *number > std::int64_t{wire::kMaxChannels}) return kAccepted;
      const auto channel = static_cast<std::uint32_t>(*number - 1);
      if (std::find(channels.begin(), channels.end(), channel) != channels.end()) return kAccepted;
      channels.push_back(channel);
    }
    target = std::move(channels);
    return std::nullopt;
  };
}

ConfigReader::Take ConfigReader::file_name(std::string& target) const {
  return [this, &target](const toml::node& node) -> std::optional<std::string> {
    const auto text = node.value_exact<std::string>();
    if (!text) return "must be a file name in quotes, or \"\"";
    if (text->empty()) {
      target.clear();
      return std::nullopt;
    }
    target = utf8_of(fs::absolute(path_of(path_)).parent_path() / path_of(*text));
    return std::nullopt;
  };
}

void ConfigReader::read_section(const toml::table& file, const char* name,
                                const std::vector<Key>& keys) {
  const toml::node* const node = file.get(name);
  if (node == nullptr) return;
  const toml::table* const section = node->as_table();
  if (section == nullptr) {
    return mistake(node->source(), fmt::format("[{}] must be a section.", name));
  }
  read_keys(*section, name, keys);
}

void ConfigReader::read_keys(const toml::table& section, const char* name,
                             const std::vector<Key>& keys) {
  for (const auto& [key, value] : section) {
    const std::string_view text = key.str();  // clang 14 cannot capture a structured binding
    const auto known = std::find_if(keys.begin(), keys.end(),
                                    [text](const Key& each) { return text == each.name; });
    if (known != keys.end()) {
      if (const auto refusal = known->take(value)) {
        mistake(value.source(), fmt::format("{}.{} {}.", name, known->name, *refusal));
      }
      continue;
    }
    std::vector<const char*> names;
    for (const Key& each : keys) names.push_back(each.name);
    mistake(key.source(), fmt::format("unknown key \"{}.{}\"; [{}] accepts {}.", name, key.str(),
                                      name, fmt::join(names, ", ")));
  }
}

void ConfigReader::read_members(const toml::table& file, Config& config) {
  const toml::node* const node = file.get("member");
  if (node != nullptr) {
    const toml::array* const list = node->as_array();
    const bool tables = list != nullptr && std::all_of(list->begin(), list->end(),
                                                       [](auto& each) { return each.is_table(); });
    if (!tables || list->size() > kMaxMembers) {
      return mistake(node->source(), "[[member]] must be a section, at most 8 times.");
    }
    for (const toml::node& element : *list) {
      Config::Member member;
      auto keys = wasapi_keys(member.wasapi);
      keys.push_back({"backend", text_choice({"wasapi", "simulated"}, [&](std::size_t i) {
                        member.backend = i == 0 ? Backend::wasapi : Backend::simulated;
                      })});
      keys.push_back({"prefix", text(member.prefix)});
      read_keys(*element.as_table(), "member", keys);
      config.members.push_back(std::move(member));
    }
  }
  if (config.backend == Backend::combined && config.members.size() < kMinMembers) {
    mistake(file.get("device")->source(),
            fmt::format("device.backend = \"combined\" needs 2 to 8 sections [[member]]; there {} "
                        "{}.",
                        config.members.size() == 1 ? "is" : "are", config.members.size()));
  }
}

/// What single keys cannot know.
void ConfigReader::judge_frames(const toml::table& file, const Config& config) {
  if (config.min_frames <= config.preferred_frames &&
      config.preferred_frames <= config.max_frames) {
    return;
  }
  mistake(
      file.get("driver")->source(),
      fmt::format("driver.preferred_frames ({}) must lie between driver.min_frames ({}) and "
                  "driver.max_frames ({}).",
                  config.preferred_frames.count, config.min_frames.count, config.max_frames.count));
}

std::vector<ConfigReader::Key> ConfigReader::wasapi_keys(Config::Wasapi& wasapi) {
  return {{"output", text(wasapi.output)},
          {"input", text(wasapi.input)},
          {"mode", text_choice({"automatic", "exclusive", "low_latency", "shared"},
                               [&](std::size_t i) { wasapi.mode = static_cast<WasapiMode>(i); })},
          {"prefer_exclusive", flag(wasapi.prefer_exclusive)},
          {"clocks", text_choice({"automatic", "one", "two"},
                                 [&](std::size_t i) { wasapi.clocks = static_cast<Clocks>(i); })}};
}

std::vector<ConfigReader::Key> ConfigReader::channel_keys(Config::Channels& channels) {
  return {{"inputs", channel_numbers(channels.inputs)},
          {"outputs", channel_numbers(channels.outputs)},
          {"input_names", channel_names(channels.input_names)},
          {"output_names", channel_names(channels.output_names)}};
}

std::vector<ConfigReader::Key> ConfigReader::simulated_keys(Config::Simulated& simulated) const {
  return {{"inputs", number(simulated.inputs, 1, 1024)},
          {"outputs", number(simulated.outputs, 1, 1024)},
          {"rate", number(simulated.rate_hz, 8'000, 768'000)},
          {"offset_ppm", real(simulated.offset_ppm, -1000.0, 1000.0)},
          {"jitter_us", number(simulated.jitter_us, 0, 1000)},
          {"external_clock", number(simulated.external_clock_hz, 0, 768'000)},
          {"wires", text_choice({"straight", "none"},
                                [&](std::size_t i) {
                                  simulated.wires = i == 0 ? Wires::straight : Wires::none;
                                })},
          {"hidden_latency_frames", number(simulated.hidden_latency.count, 0, 96'000)},
          {"player", file_name(simulated.player)},
          {"recorder", file_name(simulated.recorder)}};
}

Config ConfigReader::read(const toml::table& file) {
  Config config;
  std::vector<std::string> types;
  for (const SampleType type : kSampleTypes) types.emplace_back(sample_type_name(type));
  const std::map<std::string, std::vector<Key>> sections{
      {"driver",
       {{"sample_type",
         text_choice(types, [&](std::size_t i) { config.sample_type = kSampleTypes[i]; })},
        {"min_frames", frames(config.min_frames)},
        {"max_frames", frames(config.max_frames)},
        {"preferred_frames", frames(config.preferred_frames)},
        {"buffer_sizes", text_choice({"powers_of_two", "device"},
                                     [&](std::size_t i) { config.sizes = static_cast<Sizes>(i); })},
        {"formats",
         text_choice({"follow", "adapt", "refuse"},
                     [&](std::size_t i) { config.formats = static_cast<Formats>(i); })}}},
      {"engine",
       {{"deadline_fraction", real(config.deadline_fraction, 0.3, 0.95)},
        {"spin_us", number(config.spin_us, 0, 200)}}},
      {"service", {{"idle_seconds", number(config.idle_seconds, 0, 86'400)}}},
      {"hosts", {{"deferred", program_names(config.deferred_programs)}}},
      {"device",
       {{"backend",
         text_choice({kBackendNames.begin(), kBackendNames.end()},
                     [&](std::size_t i) { config.backend = static_cast<Backend>(i); })}}},
      {"wasapi", wasapi_keys(config.wasapi)},
      {"combined",
       {{"name", text(config.combined.name)},
        {"stall_ms", number(config.combined.stall_ms, 0, 200)}}},
      {"channels", channel_keys(config.channels)},
      {"simulated", simulated_keys(config.simulated)}};

  for (const auto& [name, keys] : sections) read_section(file, name.c_str(), keys);
  read_members(file, config);
  for (const auto& [key, value] : file) {
    if (key.str() == "member" || sections.contains(std::string(key.str()))) continue;
    std::vector<std::string> names;
    for (const auto& [name, keys] : sections) names.push_back(name);
    mistake(key.source(),
            fmt::format("unknown section or key \"{}\"; accepted are [{}], [[member]].", key.str(),
                        fmt::join(names, "], [")));
  }
  if (mistakes_.empty()) judge_frames(file, config);
  return config;
}

}  // namespace

Result<Config> parse_config(std::string_view text, const std::string& path) {
  const toml::parse_result parsed = toml::parse(text, std::string_view(path));
  if (!parsed) {
    return fail(ErrorCode::malformed,
                fmt::format("{}:{}: {}.", path, parsed.error().source().begin.line,
                            parsed.error().description()));
  }
  ConfigReader reader(path);
  Config config = reader.read(parsed.table());
  if (reader.mistakes().empty()) return config;
  return fail(ErrorCode::malformed, fmt::format("{}", fmt::join(reader.mistakes(), "\n")));
}

Result<Config> load_config(const std::string& path) {
  std::error_code ignored;
  const fs::path file = path_of(path);
  const std::uintmax_t size = fs::file_size(file, ignored);
  std::ifstream stream(file, std::ios::binary);
  if (ignored || !stream) {
    return fail(ErrorCode::not_found, fmt::format("The configuration {} cannot be read.", path));
  }
  if (size > kMaxFileBytes) {
    return fail(ErrorCode::limit_reached,
                fmt::format("The configuration {} is larger than {} bytes.", path, kMaxFileBytes));
  }
  std::string text(static_cast<std::size_t>(size), '\0');
  stream.read(text.data(), static_cast<std::streamsize>(size));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return parse_config(text, path);
}

namespace {

nlohmann::json to_json(const Config::Wasapi& wasapi) {
  constexpr std::array kModes{"automatic", "exclusive", "low_latency", "shared"};
  constexpr std::array kClocks{"automatic", "one", "two"};
  return {{"output", wasapi.output},
          {"input", wasapi.input},
          {"mode", kModes[static_cast<std::size_t>(wasapi.mode)]},
          {"prefer_exclusive", wasapi.prefer_exclusive},
          {"clocks", kClocks[static_cast<std::size_t>(wasapi.clocks)]}};
}

nlohmann::json members_json(const Config& config) {
  nlohmann::json list = nlohmann::json::array();
  for (const Config::Member& member : config.members) {
    nlohmann::json object = to_json(member.wasapi);
    object["backend"] = backend_name(member.backend);
    object["prefix"] = member.prefix;
    list.push_back(std::move(object));
  }
  return list;
}

std::vector<std::uint32_t> from_1(std::vector<std::uint32_t> channels) {
  for (std::uint32_t& channel : channels) ++channel;
  return channels;
}

}  // namespace

const char* backend_name(Backend backend) noexcept {
  return kBackendNames[static_cast<std::size_t>(backend)];
}

nlohmann::json to_json(const Config& config) {
  const auto& simulated = config.simulated;
  return {
      {"driver",
       {{"sample_type", sample_type_name(config.sample_type)},
        {"min_frames", config.min_frames.count},
        {"max_frames", config.max_frames.count},
        {"preferred_frames", config.preferred_frames.count},
        {"buffer_sizes", config.sizes == Sizes::device ? "device" : "powers_of_two"},
        {"formats",
         std::array{"follow", "adapt", "refuse"}[static_cast<std::size_t>(config.formats)]}}},
      {"engine", {{"deadline_fraction", config.deadline_fraction}, {"spin_us", config.spin_us}}},
      {"service", {{"idle_seconds", config.idle_seconds}}},
      {"hosts", {{"deferred", config.deferred_programs}}},
      {"device", {{"backend", backend_name(config.backend)}}},
      {"wasapi", to_json(config.wasapi)},
      {"combined", {{"name", config.combined.name}, {"stall_ms", config.combined.stall_ms}}},
      {"member", members_json(config)},
      {"channels",
       {{"inputs", from_1(config.channels.inputs)},
        {"outputs", from_1(config.channels.outputs)},
        {"input_names", config.channels.input_names},
        {"output_names", config.channels.output_names}}},
      {"simulated",
       {{"inputs", simulated.inputs},
        {"outputs", simulated.outputs},
        {"rate", simulated.rate_hz},
        {"offset_ppm", simulated.offset_ppm},
        {"jitter_us", simulated.jitter_us},
        {"external_clock", simulated.external_clock_hz},
        {"wires", simulated.wires == Wires::straight ? "straight" : "none"},
        {"hidden_latency_frames", simulated.hidden_latency.count},
        {"player", simulated.player},
        {"recorder", simulated.recorder}}}};
}

bool is_deferred(const Config& config, std::string_view program) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::any_of(config.deferred_programs.begin(), config.deferred_programs.end(),
                     [&](const std::string& each) {
                       return std::equal(each.begin(), each.end(), program.begin(), program.end(),
                                         [&](char a, char b) { return lower(a) == lower(b); });
                     });
}

}  // namespace asiodrv::service
