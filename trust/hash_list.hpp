// Lists of SHA-256 hashes as sha256sum writes them, "<64 hex digits>  <name>".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace asiodrv::trust {

struct ReleaseHash {
  std::string sha256;  ///< lower case
  std::string name;    ///< the last part of the path in the list
  bool operator==(const ReleaseHash&) const = default;
};

inline constexpr std::size_t kMaxReleaseHashes = 65'536;

/// Empty lines and lines that begin with '#' are skipped. Errors: malformed (names the line, also
/// for a list without any hash), limit_reached.
[[nodiscard]] Result<std::vector<ReleaseHash>> parse_hash_list(std::string_view text);

}  // namespace asiodrv::trust
