// What a Windows program file says about itself, read without loading it: the file may be
// anybody's.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/base/result.hpp"

namespace asiodrv::doctor {

struct PeFile {
  std::string machine;  ///< "x64", "x86", "arm64", "other"; "" when it is no program file
  std::string version;  ///< "1.2.3.0" of its version resource; "" none
};

/// Never fails: what is not there, or makes no sense, is empty. Reads nothing outside `bytes`.
[[nodiscard]] PeFile inspect_pe(std::span<const std::byte> bytes);

/// Reads at most 64 MiB of the file at `path` (UTF-8). Errors: not_found, access_denied.
[[nodiscard]] Result<PeFile> read_pe(const std::string& path);

/// Versions as people write them: "1.2.3.0" and "1.2.3" are the same.
[[nodiscard]] std::string short_version(const std::string& version);

}  // namespace asiodrv::doctor
