// Where this user's files of the product lie. UTF-8; empty when the system does not say. The folder
// is the product's id, "asio-driver" below: each vendor's product has its own.
#pragma once

#include <filesystem>
#include <string>

namespace asiodrv::service {

/// %LOCALAPPDATA%\asio-driver\config.toml, $XDG_CONFIG_HOME/asio-driver/config.toml.
[[nodiscard]] std::string default_config_path();

/// The same for all users: %PROGRAMDATA%\asio-driver\config.toml; on Linux below the first folder
/// of $XDG_CONFIG_DIRS, or /etc/asio-driver/config.toml where that is not set.
[[nodiscard]] std::string machine_config_path();

/// True when another user, who is no administrator, may have had a hand in the file at `path`: the
/// file or its folder belongs to somebody else, or the system does not say whose they are.
[[nodiscard]] bool is_foreign(const std::string& path);

/// %LOCALAPPDATA%\asio-driver\logs\<name>.log, $XDG_STATE_HOME/asio-driver/logs/<name>.log.
[[nodiscard]] std::string log_path(const std::string& name);

/// Where the cables and routes of a service are kept: beside its configuration file, and each
/// instance for itself. Empty when there is no such folder.
[[nodiscard]] std::string routing_path(const std::string& config_path, const std::string& instance);

/// Likewise where its calibrations are kept.
[[nodiscard]] std::string calibration_path(const std::string& config_path,
                                           const std::string& instance);

/// Likewise where it remembers what its sound devices were.
[[nodiscard]] std::string endpoints_path(const std::string& config_path,
                                         const std::string& instance);

/// The system's form of a UTF-8 path.
[[nodiscard]] inline std::filesystem::path path_of(const std::string& utf8) {
  return std::u8string(utf8.begin(), utf8.end());
}

/// An environment variable, empty when it is not set.
[[nodiscard]] std::string environment(const char* name);

}  // namespace asiodrv::service
