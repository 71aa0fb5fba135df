// Where the programs lie, seen from the driver DLL.
#pragma once

#include <string>

namespace asiodrv::asio {

/// The folder of the programs, with its last separator, from the folder of this DLL, likewise. The
/// 32-bit DLL is installed in "x86" below them: there is one service for both.
[[nodiscard]] inline std::string install_folder(const std::string& dll_folder) {
  const auto is_separator = [](char c) { return c == '/' || c == '\\'; };
  const std::string below = "x86";
  const std::size_t length = dll_folder.size();
  if (length < below.size() + 2 || !is_separator(dll_folder.back()) ||
      dll_folder.compare(length - 1 - below.size(), below.size(), below) != 0 ||
      !is_separator(dll_folder[length - 2 - below.size()])) {
    return dll_folder;
  }
  return dll_folder.substr(0, length - 1 - below.size());
}

}  // namespace asiodrv::asio
