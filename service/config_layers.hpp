// Which configuration files there are, and which is above which. From below:
//
//   defaults   of every key
//   vendor     vendor.toml beside the program: what a maker of interfaces ships
//   machine    %PROGRAMDATA%\asio-driver\config.toml, /etc/asio-driver/config.toml
//   user       %LOCALAPPDATA%\asio-driver\config.toml, $XDG_CONFIG_HOME/asio-driver/config.toml
//
// A file named by --config or ASIODRV_CONFIG takes the place of machine and user. Key by key, the
// topmost file that has the key says its value. A file that is wrong is left out as a whole.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "service/config.hpp"

namespace asiodrv::service {

enum class LayerKind { vendor, machine, user, named };
[[nodiscard]] const char* layer_name(LayerKind kind) noexcept;

enum class LayerState {
  absent,  ///< there is no such file
  used,
  refused,  ///< something in it is wrong; none of it is used
  foreign   ///< a machine's file that another user may have made: not read, and no mistake
};
[[nodiscard]] const char* state_name(LayerState state) noexcept;

struct ConfigLayer {
  LayerKind kind = LayerKind::user;
  std::string path;  ///< UTF-8
  LayerState state = LayerState::absent;
  std::string error;  ///< of a refused or foreign one: a line per mistake
};

/// Files, UTF-8; empty: there is none.
struct ConfigPlaces {
  std::string vendor, machine;
  std::string top;     ///< the user's, or the named one: what commands change
  bool named = false;  ///< then there is no machine layer, and a missing top file is a mistake
};

/// `named` is empty, or what --config or ASIODRV_CONFIG says.
[[nodiscard]] ConfigPlaces config_places(const std::string& named);

/// A configuration as it was found, or why it was not.
struct LoadedConfig {
  Config config{};      ///< made of the files that are right, and defaults
  std::string path;     ///< of the top file, UTF-8
  bool loaded = false;  ///< the top file is in it
  std::string error;    ///< what is wrong in any file that was read; empty when all are right
  std::vector<ConfigLayer> layers{};
  ConfigOrigins origins{};
};

/// Reads all files anew. Blocks on the disk. Control threads.
[[nodiscard]] LoadedConfig load_layers(const ConfigPlaces& places);

/// The same with `text` in place of the top file's content.
[[nodiscard]] LoadedConfig judge_layers(const ConfigPlaces& places, std::string_view text);

/// [{layer, path, state, error}, ...] from below.
[[nodiscard]] nlohmann::json layers_json(const LoadedConfig& loaded);

}  // namespace asiodrv::service
