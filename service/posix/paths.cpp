#include "service/paths.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "core/base/product.hpp"

namespace asiodrv::service {
namespace {

/// The folder that `variable` names, or the one below the home folder that stands in for it.
/// Relative values are to be ignored (XDG base directory rules).
std::string base(const char* variable, const char* below_home) {
  const std::string named = environment(variable);
  if (!named.empty() && named.front() == '/') return named;
  const std::string home = environment("HOME");
  return home.empty() ? std::string() : home + below_home;
}

/// Of a link itself, not of what it leads to: whoever made it can make it lead elsewhere.
bool belongs_to_stranger(const std::filesystem::path& path) {
  struct stat found {};
  return lstat(path.c_str(), &found) != 0 || (found.st_uid != 0 && found.st_uid != geteuid());
}

}  // namespace

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string default_config_path() {
  const std::string folder = base("XDG_CONFIG_HOME", "/.config");
  return folder.empty() ? folder : folder + "/" + kProduct.id + "/config.toml";
}

std::string machine_config_path() {
  std::string folder = environment("XDG_CONFIG_DIRS");
  folder = folder.substr(0, folder.find(':'));
  if (folder.empty() || folder.front() != '/') folder = "/etc";
  return folder + "/" + kProduct.id + "/config.toml";
}

bool is_foreign(const std::string& path) {
  const std::filesystem::path file = path_of(path);
  return belongs_to_stranger(file) || belongs_to_stranger(file.parent_path());
}

std::string log_path(const std::string& name) {
  const std::string folder = base("XDG_STATE_HOME", "/.local/state");
  return folder.empty() ? folder : folder + "/" + kProduct.id + "/logs/" + name + ".log";
}

}  // namespace asiodrv::service
