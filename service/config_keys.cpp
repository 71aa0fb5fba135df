#include "service/config_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace asiodrv::service {
namespace {

using nlohmann::json;

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
