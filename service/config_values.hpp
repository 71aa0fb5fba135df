// Values of the configuration as text: what people type on a command line, and what TOML has.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "service/config_keys.hpp"

namespace asiodrv::service {

/// What somebody typed for `key`, UTF-8, as a value that the key accepts. Texts come with or
/// without quotes, lists as in TOML ("[1, 2]") or with commas alone ("1, 2"; empty: an empty list).
/// Errors: invalid_argument, naming the key and what is accepted.
[[nodiscard]] Result<nlohmann::json> parse_value(const ConfigKey& key, std::string_view text);

/// A boolean, number, text or flat list of them in TOML, on one line.
[[nodiscard]] std::string toml_text(const nlohmann::json& value);

/// As toml_text; a text without its quotes, for scripts.
[[nodiscard]] std::string plain_text(const nlohmann::json& value);

}  // namespace asiodrv::service
