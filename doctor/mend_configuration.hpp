// A configuration file that cannot be used: what was in it stays, aside, and what is right in it
// stays in force.
#pragma once

#include <optional>
#include <string>

#include "core/base/result.hpp"

namespace asiodrv::doctor {

/// `text` with the lines that are wrong as comments, a wrong heading with all that is below it.
/// Nothing when it is right alone (what is wrong lies in another file) or cannot be mended so.
/// `path` (UTF-8) anchors file names in it.
[[nodiscard]] std::optional<std::string> without_mistakes(const std::string& text,
                                                          const std::string& path);

struct MendedConfiguration {
  std::string aside;           ///< where the old file is now; empty: there was none
  bool kept_the_rest = false;  ///< false: an empty configuration is in its place
};

/// Renames `path` to PATH.broken-N, N the first free number from 1, and leaves what is right of it,
/// or an empty configuration, in its place. Where that cannot be written, the file is as it was.
/// Holds the file's lock meanwhile, as "config set" and another --fix do: waits for it for 2 s.
/// Errors: access_denied, limit_reached, not_found (no path). Blocks on the disk.
[[nodiscard]] Result<MendedConfiguration> mend_configuration(const std::string& path);

}  // namespace asiodrv::doctor
