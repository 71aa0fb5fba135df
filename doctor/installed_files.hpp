// Where the driver lies beside the program, and paths as Windows compares them.
#pragma once

#include <string>

namespace asiodrv::doctor {

/// Without regard to case in ASCII.
[[nodiscard]] bool same_text(const std::string& a, const std::string& b);

/// Up to the last separator, without it.
[[nodiscard]] std::string folder_of(const std::string& path);

/// True when `path` is a file of `folder`, or of a folder in it; "..", if any, makes it false.
[[nodiscard]] bool lies_in(const std::string& path, const std::string& folder);

/// The driver for programs of `bits` in the folder of the program at `program_path`, or in its
/// folders x86 and x64; "" when there is none. Blocks on the disk.
[[nodiscard]] std::string installed_driver(const std::string& program_path, unsigned bits);

}  // namespace asiodrv::doctor
