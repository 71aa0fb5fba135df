#include "service/studio_file.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "service/json_file.hpp"
#include "service/paths.hpp"

namespace asiodrv::service {
namespace {

Result<Studio> read_studio(const std::string& path, const DeviceShape& device) {
  auto document = read_json_file(path);
  if (!document) return tl::unexpected<Error>(std::move(document.error()));
  return Studio::from_json(*document, device, file_name(path));
}

}  // namespace

std::string routing_path(const std::string& config_path, const std::string& instance) {
  return file_beside(config_path, "routing", instance);
}

LoadedStudio load_studio(const std::string& path, const DeviceShape& device) {
  LoadedStudio loaded;
  loaded.studio.set_device(device);
  if (!may_exist(path)) return loaded;
  auto studio = read_studio(path, device);
  if (studio) {
    loaded.studio = std::move(*studio);
    return loaded;
  }
  PutAside aside = put_aside(path, "Cables, routes and snapshots", studio.error());
  loaded.warning = std::move(aside.warning);
  loaded.keep = aside.keep;
  return loaded;
}

Result<> save_studio(const std::string& path, const Studio& studio) {
  return write_json_file(path, studio.to_json());
}

}  // namespace asiodrv::service
