// Small JSON files that the service keeps beside its configuration: read with suspicion, written
// whole, and put aside, never overwritten, when they are damaged. Control threads; blocks on the
// disk.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.hpp"

namespace asiodrv::service {

/// The file NAME.json, or NAME-INSTANCE.json, in the folder of `config_path` (UTF-8); empty when
/// that is.
[[nodiscard]] std::string file_beside(const std::string& config_path, const std::string& name,
                                      const std::string& instance);

/// The last part of a path, for messages.
[[nodiscard]] std::string file_name(const std::string& path);

/// False for a file that is missing for certain.
[[nodiscard]] bool may_exist(const std::string& path);

/// Errors: access_denied, limit_reached (over 64 MiB), malformed (names file and line). What is
/// nested more than 8 levels deep is left out.
[[nodiscard]] Result<nlohmann::json> read_json_file(const std::string& path);

struct PutAside {
  std::string warning;  ///< what has become of the file
  bool keep = true;     ///< false: it is still there and must not be written over
};
/// Renames a file that cannot be used to PATH.bad, unless it could not even be read. `what` it
/// holds begins the warning ("Cables, routes and snapshots").
[[nodiscard]] PutAside put_aside(const std::string& path, const std::string& what,
                                 const Error& why);

/// What `parse(document, file name)` makes of the file, as a `Loaded` {value, warning, keep}.
/// Missing or put aside: a Loaded without a value. `what`: as above.
template <class Loaded, class Parse>
[[nodiscard]] Loaded load_json_file(const std::string& path, const std::string& what,
                                    const Parse& parse) {
  if (!may_exist(path)) return {};
  const auto aside = [&](const Error& why) -> Loaded {
    PutAside put = put_aside(path, what, why);
    return {{}, std::move(put.warning), put.keep};
  };
  const auto document = read_json_file(path);
  if (!document) return aside(document.error());
  auto value = parse(*document, file_name(path));
  if (!value) return aside(value.error());
  return {std::move(*value), {}, true};
}

/// Writes the file, and its folder when that is missing. Errors: those of write_whole_file.
[[nodiscard]] Result<> write_json_file(const std::string& path, const nlohmann::json& document);

/// Replaces the file at `path` (UTF-8) by `text`: whoever reads it, whenever the machine fails,
/// finds the old text or the new one, never a part. Errors: access_denied. Implemented per system.
[[nodiscard]] Result<> write_whole_file(const std::string& path, std::string_view text);

}  // namespace asiodrv::service
