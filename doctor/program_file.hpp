// What a program file is for, read without loading it: the file may be anybody's.
#pragma once

#include <string>

#include "core/base/result.hpp"

namespace asiodrv::doctor {

struct ProgramFile {
  std::string machine;  ///< "x64", "x86", "arm64", "other"; "" when it is no program file
  std::string version;  ///< of its version resource, as its maker wrote it; "" none
};

/// The file at `path` (UTF-8). Blocks on the disk. Errors: not_found (a folder, too),
/// access_denied, limit_reached (larger than program files are), unsupported (the path names
/// another computer).
[[nodiscard]] Result<ProgramFile> read_program_file(const std::string& path);

/// Versions as people write them: "1.2.3.0" and "1.2.3" are the same.
[[nodiscard]] std::string short_version(const std::string& version);

}  // namespace asiodrv::doctor
