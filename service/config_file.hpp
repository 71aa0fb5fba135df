// The commands that change the topmost configuration file. What would leave a wrong file is refused
// before anything is written; what is written replaces the file at once. Changes that overlap are
// made one after the other, and none is lost.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "core/base/result.hpp"
#include "service/config_keys.hpp"
#include "service/config_layers.hpp"

namespace asiodrv::service {

/// What was done to the file at `path`, and how to take it back.
struct FileChange {
  std::string path;                   ///< UTF-8
  bool changed = false;               ///< false: the file says so already
  std::optional<std::string> before;  ///< its text; nothing: there was none
  std::string aside;                  ///< reset: where the old file is now
  std::string after;                  ///< its text now, if there is one
};

/// Errors: invalid_argument (a key of a [[member]]: those are edited by hand), malformed (the file
/// is wrong, or would be; the sentences say where), unsupported (see config_edit.hpp),
/// limit_reached, access_denied. Then nothing has changed. Control threads; block on the disk.
[[nodiscard]] Result<FileChange> set_in_file(const ConfigPlaces& places, const NamedKey& key,
                                             const nlohmann::json& value);
[[nodiscard]] Result<FileChange> unset_in_file(const ConfigPlaces& places, const NamedKey& key);

/// Renames the file to PATH.bak-N, N the first free number. A named file is replaced by an empty
/// one, for whoever names a file means one that is there. Errors: access_denied, limit_reached.
[[nodiscard]] Result<FileChange> reset_file(const ConfigPlaces& places);

/// Makes the file what it was. Errors: access_denied; invalid_state (somebody has changed it
/// since).
[[nodiscard]] Result<> take_back(const FileChange& change);

}  // namespace asiodrv::service
