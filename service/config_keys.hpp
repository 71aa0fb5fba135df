// Every key of the configuration, once. What reads files, lists values, checks what people type and
// documents the keys is driven from this table; docs/configuration.md is tested against it.
#pragma once

#include <cstddef>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "service/config.hpp"

namespace asiodrv::service {

enum class KeyType { flag, integer, real, text, file, texts, integers };
[[nodiscard]] const char* type_name(KeyType type) noexcept;

/// When a changed value holds in a service that runs.
enum class Effect {
  live,       ///< at once: programs that play are adapted, or asked to open the driver anew
  next_open,  ///< for programs that open the driver from then on
  pause       ///< when no program has the driver open; until then the service refuses to load it
};
[[nodiscard]] const char* effect_name(Effect effect) noexcept;

inline constexpr const char* kMemberSection = "member";

/// One key. Those of the section "member" are in every [[member]]; the argument `member` (from 0)
/// says which, and means nothing to the others.
struct ConfigKey {
  const char* section = "";
  const char* name = "";
  const char* unit = "";  ///< of a number: "frames", "Hz", ...; empty where there is none
  Effect effect = Effect::live;
  const char* meaning = "";  ///< a clause, without a full stop
  KeyType type = KeyType::text;
  std::string accepted;  ///< completes "must be ..."

  /// Stores an accepted value. False: it is not accepted, and nothing has changed. A file name is
  /// stored as it is: make it absolute before.
  std::function<bool(Config& config, std::size_t member, const nlohmann::json& value)> take;
  std::function<nlohmann::json(const Config& config, std::size_t member)> show;

  /// "driver.sample_type".
  [[nodiscard]] std::string path() const { return std::string(section) + "." + name; }
  [[nodiscard]] bool of_member() const { return std::string_view(section) == kMemberSection; }
};

/// Section by section, in the order of the documentation.
[[nodiscard]] const std::vector<ConfigKey>& config_keys();

/// The value that holds when no file names the key.
[[nodiscard]] nlohmann::json default_of(const ConfigKey& key);

/// A key as people name it: "driver.sample_type", "member.1.output" (members count from 1).
struct NamedKey {
  const ConfigKey* key = nullptr;
  std::size_t member = 0;  ///< from 0
};

/// Errors: invalid_argument, with the key that looks most like it.
[[nodiscard]] Result<NamedKey> find_key(std::string_view name);

}  // namespace asiodrv::service
