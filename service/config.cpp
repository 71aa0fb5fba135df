#include "service/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "service/config_keys.hpp"
#include "service/paths.hpp"
#include "service/toml.hpp"

namespace asiodrv::service {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxFileBytes = 1 << 20;
constexpr std::size_t kMaxMistakes = 10;
constexpr std::size_t kMinMembers = 2, kMaxMembers = 8;
constexpr std::array kBackendNames{"automatic", "simulated", "wasapi", "combined"};

std::string utf8_of(const fs::path& path) {
  const std::u8string text = path.u8string();
  return std::string(text.begin(), text.end());
}

/// Reads a parsed file into a configuration and gathers every mistake with its place.
class ConfigReader {
 public:
  ConfigReader(const std::string& path, Config& config, ConfigOrigins& origins)
      : path_(path), config_(config), origins_(origins) {}

  void read(const toml::table& file);
  [[nodiscard]] const std::vector<std::string>& mistakes() const noexcept { return mistakes_; }

 private:
  void mistake(const toml::source_region& where, const std::string& what) {
    if (mistakes_.size() == kMaxMistakes) return;
    mistakes_.push_back(fmt::format("{}:{}: {}", path_, where.begin.line, what));
  }
  void read_section(const toml::table& section, const std::string& name, std::size_t member);
  void read_members(const toml::node& node);
  void judge(const toml::table& file);
  [[nodiscard]] nlohmann::json value_of(const ConfigKey& key, const toml::node& node) const;

  const std::string& path_;
  Config& config_;
  ConfigOrigins& origins_;
  std::vector<std::string> mistakes_;
};

/// File names are meant relative to the file that holds them.
nlohmann::json ConfigReader::value_of(const ConfigKey& key, const toml::node& node) const {
  nlohmann::json value = json_of(node);
  if (key.type != KeyType::file || !value.is_string() || value == "") return value;
  std::error_code problem;  // the working folder may be gone
  fs::path beside = fs::absolute(path_of(path_), problem).parent_path();
  if (problem) beside = path_of(path_).parent_path();
  return utf8_of(beside / path_of(value.get<std::string>()));
}

void ConfigReader::read_section(const toml::table& section, const std::string& name,
                                std::size_t member) {
  for (const auto& [key, value] : section) {
    const std::string_view text = key.str();  // clang 14 cannot capture a structured binding
    std::vector<const char*> names;
    const ConfigKey* known = nullptr;
    for (const ConfigKey& each : config_keys()) {
      if (name != each.section) continue;
      names.push_back(each.name);
      if (text == each.name) known = &each;
    }
    if (known == nullptr) {
      mistake(key.source(), fmt::format("unknown key \"{}.{}\"; [{}] accepts {}.", name, text, name,
                                        fmt::join(names, ", ")));
    } else if (!known->take(config_, member, value_of(*known, value))) {
      mistake(value.source(), fmt::format("{} must be {}.", known->path(), known->accepted));
    } else if (!known->of_member()) {
      origins_[known->path()] = path_;
    }
  }
}

/// The members of a file take the place of all that the files below it have.
void ConfigReader::read_members(const toml::node& node) {
  const toml::array* const list = node.as_array();
  const bool tables = list != nullptr && std::all_of(list->begin(), list->end(),
                                                     [](auto& each) { return each.is_table(); });
  if (!tables || list->size() > kMaxMembers) {
    return mistake(node.source(), "[[member]] must be a section, at most 8 times.");
  }
  config_.members.clear();
  for (const toml::node& element : *list) {
    config_.members.emplace_back();
    read_section(*element.as_table(), kMemberSection, config_.members.size() - 1);
  }
  origins_[kMemberSection] = path_;
}

/// What single keys cannot know. Named is a place in this file: what lies below it was right.
void ConfigReader::judge(const toml::table& file) {
  if (config_.backend == Backend::combined && config_.members.size() < kMinMembers) {
    const toml::node* const place =
        file.contains("device") ? file.get("device") : file.get(kMemberSection);
    mistake(place != nullptr ? place->source() : file.source(),
            fmt::format("device.backend = \"combined\" needs 2 to 8 sections [[member]]; there {} "
                        "{}.",
                        config_.members.size() == 1 ? "is" : "are", config_.members.size()));
  }
  if (config_.min_frames <= config_.preferred_frames &&
      config_.preferred_frames <= config_.max_frames) {
    return;
  }
  const toml::node* const place = file.get("driver");
  mistake(place != nullptr ? place->source() : file.source(),
          fmt::format("driver.preferred_frames ({}) must lie between driver.min_frames ({}) and "
                      "driver.max_frames ({}).",
                      config_.preferred_frames.count, config_.min_frames.count,
                      config_.max_frames.count));
}

void ConfigReader::read(const toml::table& file) {
  std::set<std::string> sections;
  for (const ConfigKey& key : config_keys()) {
    if (!key.of_member()) sections.insert(key.section);
  }
  for (const auto& [key, value] : file) {
    const std::string name(key.str());
    if (name == kMemberSection) {
      read_members(value);
    } else if (!sections.contains(name)) {
      mistake(key.source(),
              fmt::format("unknown section or key \"{}\"; accepted are [{}], [[member]].", name,
                          fmt::join(sections, "], [")));
    } else if (const toml::table* const section = value.as_table()) {
      read_section(*section, name, 0);
    } else {
      mistake(value.source(), fmt::format("[{}] must be a section.", name));
    }
  }
  if (mistakes_.empty()) judge(file);
}

}  // namespace

Result<> apply_config(Config& config, ConfigOrigins& origins, std::string_view text,
                      const std::string& path) {
  const toml::parse_result parsed = toml::parse(text, std::string_view(path));
  if (!parsed) {
    return fail(ErrorCode::malformed,
                fmt::format("{}:{}: {}.", path, parsed.error().source().begin.line,
                            parsed.error().description()));
  }
  Config changed = config;
  ConfigOrigins changed_origins = origins;
  ConfigReader reader(path, changed, changed_origins);
  reader.read(parsed.table());
  if (!reader.mistakes().empty()) {
    return fail(ErrorCode::malformed, fmt::format("{}", fmt::join(reader.mistakes(), "\n")));
  }
  config = std::move(changed);
  origins = std::move(changed_origins);
  return {};
}

Result<Config> parse_config(std::string_view text, const std::string& path) {
  Config config;
  ConfigOrigins origins;
  if (auto applied = apply_config(config, origins, text, path); !applied) return refusal(applied);
  return config;
}

Result<std::string> read_config_text(const std::string& path) {
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
  return text;
}

Result<Config> load_config(const std::string& path) {
  const auto text = read_config_text(path);
  if (!text) return refusal(text);
  return parse_config(*text, path);
}

const char* backend_name(Backend backend) noexcept {
  return kBackendNames[static_cast<std::size_t>(backend)];
}

nlohmann::json to_json(const Config& config) {
  nlohmann::json values = nlohmann::json::object();
  values[kMemberSection] = nlohmann::json::array();
  for (const ConfigKey& key : config_keys()) {
    if (!key.of_member()) {
      values[key.section][key.name] = key.show(config, 0);
      continue;
    }
    for (std::size_t member = 0; member < config.members.size(); ++member) {
      values[kMemberSection][member][key.name] = key.show(config, member);
    }
  }
  return values;
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
