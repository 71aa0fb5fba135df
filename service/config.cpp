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

#include "core/wire/section.hpp"

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

/// UTF-8 in and out, on every system.
fs::path path_of(const std::string& utf8) {
  return fs::path(std::u8string(utf8.begin(), utf8.end()));
}
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

  void read_section(const toml::table& file, const char* name, const std::vector<Key>& keys);
  void judge_frames(const toml::table& file, const Config& config);

  static Take text_choice(std::vector<std::string> accepted, std::function<void(std::size_t)> set);
  static Take number(std::uint32_t& target, std::uint32_t low, std::uint32_t high);
  static Take real(double& target, double low, double high);
  static Take frames(Frames& target);
  static Take texts(std::vector<std::string>& target);
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

ConfigReader::Take ConfigReader::texts(std::vector<std::string>& target) {
  return [&target](const toml::node& node) -> std::optional<std::string> {
    constexpr const char* kAccepted =
        "must be a list of at most 256 file names, like [\"daw.exe\"]";
    const toml::array* const list = node.as_array();
    if (list == nullptr || list->size() > kMaxDeferred) return kAccepted;
    target.clear();
    for (const toml::node& element : *list) {
      auto text = element.value_exact<std::string>();
      if (!text || text->empty()) return kAccepted;
      target.push_back(std::move(*text));
    }
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
  for (const auto& [key, value] : *section) {
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

Config ConfigReader::read(const toml::table& file) {
  Config config;
  std::vector<std::string> types;
  for (const SampleType type : kSampleTypes) types.emplace_back(sample_type_name(type));
  auto& simulated = config.simulated;
  const std::map<std::string, std::vector<Key>> sections{
      {"driver",
       {{"sample_type",
         text_choice(types, [&](std::size_t i) { config.sample_type = kSampleTypes[i]; })},
        {"min_frames", frames(config.min_frames)},
        {"max_frames", frames(config.max_frames)},
        {"preferred_frames", frames(config.preferred_frames)},
        {"formats",
         text_choice({"follow", "adapt", "refuse"},
                     [&](std::size_t i) { config.formats = static_cast<Formats>(i); })}}},
      {"engine",
       {{"deadline_fraction", real(config.deadline_fraction, 0.3, 0.95)},
        {"spin_us", number(config.spin_us, 0, 200)}}},
      {"service", {{"idle_seconds", number(config.idle_seconds, 0, 86'400)}}},
      {"hosts", {{"deferred", texts(config.deferred_programs)}}},
      {"device", {{"backend", text_choice({"simulated"}, [](std::size_t) {})}}},
      {"simulated",
       {{"inputs", number(simulated.inputs, 1, 1024)},
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
        {"recorder", file_name(simulated.recorder)}}}};

  for (const auto& [name, keys] : sections) read_section(file, name.c_str(), keys);
  for (const auto& [key, value] : file) {
    if (sections.contains(std::string(key.str()))) continue;
    std::vector<std::string> names;
    for (const auto& [name, keys] : sections) names.push_back(name);
    mistake(key.source(), fmt::format("unknown section or key \"{}\"; accepted are [{}].",
                                      key.str(), fmt::join(names, "], [")));
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

nlohmann::json to_json(const Config& config) {
  const auto& simulated = config.simulated;
  return {
      {"driver",
       {{"sample_type", sample_type_name(config.sample_type)},
        {"min_frames", config.min_frames.count},
        {"max_frames", config.max_frames.count},
        {"preferred_frames", config.preferred_frames.count},
        {"formats",
         std::array{"follow", "adapt", "refuse"}[static_cast<std::size_t>(config.formats)]}}},
      {"engine", {{"deadline_fraction", config.deadline_fraction}, {"spin_us", config.spin_us}}},
      {"service", {{"idle_seconds", config.idle_seconds}}},
      {"hosts", {{"deferred", config.deferred_programs}}},
      {"device", {{"backend", config.backend}}},
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
