// Changes one key in the text of a configuration file and leaves the rest as people wrote it:
// order, comments, spaces. Every edit is proven before it is returned: the new text is parsed, and
// what it says must differ from the old in that one key and in nothing else.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "service/config_keys.hpp"

namespace asiodrv::service {

/// `text` with `key` set to an accepted `value`; not for keys of a [[member]].
/// Errors: malformed (the text is no TOML: names `path` and line), unsupported (the key stands
/// where it cannot be changed safely: names the line and what to do).
[[nodiscard]] Result<std::string> with_value(std::string_view text, const std::string& path,
                                             const ConfigKey& key, const nlohmann::json& value);

/// `text` without the line or lines of `key`, comments behind it included; the text as it is when
/// it has no such key. Errors: as above.
[[nodiscard]] Result<std::string> without_value(std::string_view text, const std::string& path,
                                                const ConfigKey& key);

}  // namespace asiodrv::service
