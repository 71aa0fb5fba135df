// Small questions to this system.
#pragma once

#include <windows.h>

#include <cstdint>
#include <string>
#include <vector>

#include "trust/place.hpp"

namespace asiodrv::trust {

[[nodiscard]] bool runs_under_wine() noexcept;
[[nodiscard]] std::string system_name();  ///< "Windows 10.0.19045", "Wine 8.0"
[[nodiscard]] KnownFolders known_folders();

/// True for a path that names another computer, or lies on a drive that is one's: as far as its
/// text and the drive's letter say, for to find out more would be to ask. `drive_type`: for tests.
[[nodiscard]] bool lies_elsewhere(const std::string& path,
                                  decltype(&::GetDriveTypeW) drive_type = &::GetDriveTypeW);

/// Seconds since 1970.
[[nodiscard]] std::int64_t unix_seconds(FILETIME time) noexcept;
[[nodiscard]] std::int64_t now_s() noexcept;

/// The user at hand and its groups without administrator rights, as SIDs; those of the limited
/// token where this process is elevated. Empty where everybody here is an administrator.
[[nodiscard]] std::vector<std::string> session_sids();

}  // namespace asiodrv::trust
