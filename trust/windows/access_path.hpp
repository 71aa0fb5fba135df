// The real access lists along a path.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trust/facts.hpp"

namespace asiodrv::trust {

/// Judged from the file up to the root of its drive, also where its volume is mounted on a folder
/// further down. A volume without access lists (FAT) is writable for everybody.
[[nodiscard]] Writable who_may_change(const std::string& path,
                                      const std::vector<std::string>& session_sids);

/// The parts of the path that lead elsewhere (links, junctions, mounted folders).
[[nodiscard]] std::vector<std::string> links_on(const std::string& path);

/// A removable drive or another computer; nothing for the disks of this one.
[[nodiscard]] std::optional<PlaceKind> volume_kind(const std::string& path);

}  // namespace asiodrv::trust
