#include "service/config_layers.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "platform/platform.hpp"
#include "service/json_file.hpp"
#include "service/paths.hpp"

namespace asiodrv::service {
namespace {

/// Lays one file over what is there already. `text`: its content, where that is known.
void add_layer(LoadedConfig& loaded, LayerKind kind, const std::string& path,
               std::optional<std::string_view> text = std::nullopt) {
  if (path.empty()) return;
  ConfigLayer layer{kind, path, LayerState::absent, {}};
  // It holds for all users, and names files that are written. That somebody can put one there must
  // not stop this user's service either, so it is no mistake.
  if (kind == LayerKind::machine && may_exist(path) && is_foreign(path)) {
    layer.state = LayerState::foreign;
    layer.error = path +
                  ": not read, for it or its folder belongs to a user who is no administrator. An "
                  "administrator who wants it makes the administrators their owner.";
  } else if (text || kind == LayerKind::named || may_exist(path)) {
    const Result<std::string> content =
        text ? Result<std::string>(std::string(*text)) : read_config_text(path);
    const Result<> applied = content ? apply_config(loaded.config, loaded.origins, *content, path)
                                     : Result<>(refusal(content));
    layer.state = applied ? LayerState::used : LayerState::refused;
    if (!applied) {
      layer.error = applied.error().message;
      loaded.error += (loaded.error.empty() ? "" : "\n") + layer.error;
    }
  }
  loaded.layers.push_back(std::move(layer));
}

LoadedConfig load(const ConfigPlaces& places, std::optional<std::string_view> top) {
  LoadedConfig loaded;
  loaded.path = places.top;
  add_layer(loaded, LayerKind::vendor, places.vendor);
  if (!places.named) add_layer(loaded, LayerKind::machine, places.machine);
  add_layer(loaded, places.named ? LayerKind::named : LayerKind::user, places.top, top);
  loaded.loaded = !places.top.empty() && loaded.layers.back().state == LayerState::used;
  return loaded;
}

}  // namespace

const char* layer_name(LayerKind kind) noexcept {
  switch (kind) {
    case LayerKind::vendor: return "vendor";
    case LayerKind::machine: return "machine";
    case LayerKind::user: return "user";
    case LayerKind::named: return "named";
  }
  return "user";
}

const char* state_name(LayerState state) noexcept {
  switch (state) {
    case LayerState::absent: return "absent";
    case LayerState::used: return "used";
    case LayerState::refused: return "refused";
    case LayerState::foreign: return "foreign";
  }
  return "absent";
}

ConfigPlaces config_places(const std::string& named) {
  namespace fs = std::filesystem;
  const std::string program = platform::program_path();
  ConfigPlaces places;
  if (!program.empty()) {
    places.vendor = program.substr(0, program.size() - file_name(program).size()) + "vendor.toml";
  }
  places.machine = machine_config_path();
  places.named = !named.empty();
  places.top = places.named ? named : default_config_path();
  // The same name for service and command line, wherever each of them was started.
  if (places.named && !path_of(named).has_root_directory()) {
    std::error_code problem;  // the working folder may be gone
    const std::u8string whole = fs::absolute(path_of(named), problem).u8string();
    if (!problem) places.top.assign(whole.begin(), whole.end());
  }
  return places;
}

LoadedConfig load_layers(const ConfigPlaces& places) { return load(places, std::nullopt); }

LoadedConfig judge_layers(const ConfigPlaces& places, std::string_view text) {
  return load(places, text);
}

nlohmann::json layers_json(const LoadedConfig& loaded) {
  nlohmann::json list = nlohmann::json::array();
  for (const ConfigLayer& layer : loaded.layers) {
    list.push_back(
        {{"layer", layer_name(layer.kind)},
         {"path", layer.path},
         {"state", state_name(layer.state)},
         {"error", layer.error.empty() ? nlohmann::json(nullptr) : nlohmann::json(layer.error)}});
  }
  return list;
}

}  // namespace asiodrv::service
