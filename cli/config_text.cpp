#include "cli/config_text.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "cli/json_text.hpp"
#include "cli/tables.hpp"
#include "service/config_values.hpp"

namespace asiodrv::cli {

using nlohmann::json;

json config_entry(const service::LoadedConfig& loaded, const service::NamedKey& named) {
  const service::ConfigKey& key = *named.key;
  const std::string path =
      key.of_member() ? fmt::format("member.{}.{}", named.member + 1, key.name) : key.path();
  const auto origin = loaded.origins.find(key.of_member() ? service::kMemberSection : key.path());
  std::string layer = "default";
  if (origin != loaded.origins.end()) {
    for (const service::ConfigLayer& each : loaded.layers) {
      if (each.path == origin->second) layer = service::layer_name(each.kind);
    }
  }
  return {{"key", path},
          {"value", key.show(loaded.config, named.member)},
          {"layer", layer},
          {"file", origin == loaded.origins.end() ? json(nullptr) : json(origin->second)},
          {"default", service::default_of(key)},
          {"type", service::type_name(key.type)},
          {"unit", key.unit},
          {"accepted", key.accepted},
          {"effect", service::effect_name(key.effect)},
          {"meaning", key.meaning}};
}

json config_list(const service::LoadedConfig& loaded) {
  json keys = json::array();
  for (const service::ConfigKey& key : service::config_keys()) {
    if (!key.of_member()) keys.push_back(config_entry(loaded, {&key, 0}));
  }
  for (std::size_t member = 0; member < loaded.config.members.size(); ++member) {
    for (const service::ConfigKey& key : service::config_keys()) {
      if (key.of_member()) keys.push_back(config_entry(loaded, {&key, member}));
    }
  }
  return {{"files", service::layers_json(loaded)}, {"keys", std::move(keys)}};
}

std::string config_files_text(const json& files) {
  std::vector<std::vector<std::string>> rows;
  std::string mistakes;
  for (const json& file : items(files)) {
    rows.push_back({cell(file, "layer"), cell(file, "state"), cell(file, "path")});
    if (at(file, "error").is_string()) mistakes += cell(file, "error") + "\n";
  }
  std::string text = table({"layer", "state", "file"}, rows);
  if (!mistakes.empty())
    text += "\nWhat is wrong; of a file that is wrong nothing is used:\n" + mistakes;
  return text;
}

std::string config_list_text(const json& list) {
  std::vector<std::vector<std::string>> rows;
  for (const json& entry : items(at(list, "keys"))) {
    const std::string unit = cell(entry, "unit");
    rows.push_back(
        {cell(entry, "key"), service::toml_text(at(entry, "value")), cell(entry, "layer"),
         service::toml_text(at(entry, "default")), cell(entry, "effect"),
         cell(entry, "meaning") + (unit.empty() || unit == "-" ? "" : " (" + unit + ")")});
  }
  return "Files, from below; a value comes from the lowest line that has it:\n" +
         config_files_text(at(list, "files")) + "\n" +
         table({"key", "value", "from", "default", "holds", "meaning"}, rows);
}

}  // namespace asiodrv::cli
