// Which drivers exist, and which of them a user means.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "asio/abi.hpp"
#include "core/base/result.hpp"

namespace asiodrv::host {

/// One driver as its registration describes it. All text is UTF-8.
struct DriverEntry {
  std::string name;         ///< the registry key, or the file name without its ending on Linux
  std::string clsid;        ///< "{5E0C7B0A-...}"; empty for a driver that is only a file
  std::string description;  ///< shown to users; the name where the registration has none
  std::string path;         ///< the module; empty when the registration is incomplete
  bool exists = false;      ///< the module is there
};

/// The driver that this host prefers when several are installed.
inline constexpr const char* const& kPreferredDriver = kProduct.driver_name;

/// "{5E0C7B0A-93D4-4C1F-8B62-1FA47D2E9C35}", braces optional, any letter case; nothing for any
/// other text.
[[nodiscard]] std::optional<asio::Guid> parse_guid(std::string_view text);
[[nodiscard]] std::string format_guid(const asio::Guid& guid);

/// Chooses among `installed`. `wanted` is a name or description (any letter case), a CLSID, or the
/// path of a module; empty means the preferred driver, or the only one there is. A path that no
/// registration has gives an entry of its own.
/// Errors: not_found (the sentence lists what is installed).
[[nodiscard]] Result<DriverEntry> choose_driver(std::span<const DriverEntry> installed,
                                                const std::string& wanted);

}  // namespace asiodrv::host
