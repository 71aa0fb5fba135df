// The configuration as documents and as text. Pure: what was loaded in, JSON or text out.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "service/config_keys.hpp"
#include "service/config_layers.hpp"

namespace asiodrv::cli {

/// {key, value, layer, file, default, type, unit, accepted, effect, meaning}; `layer` is "default"
/// and `file` null where no file says a value.
[[nodiscard]] nlohmann::json config_entry(const service::LoadedConfig& loaded,
                                          const service::NamedKey& key);

/// {files: layers_json, keys: [config_entry...]}: every key, those of [[member]] once per member.
[[nodiscard]] nlohmann::json config_list(const service::LoadedConfig& loaded);

[[nodiscard]] std::string config_list_text(const nlohmann::json& list);
/// Each file with what is wrong in it.
[[nodiscard]] std::string config_files_text(const nlohmann::json& files);

}  // namespace asiodrv::cli
