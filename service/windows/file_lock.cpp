#include "service/file_lock.hpp"

#include <windows.h>

#include "service/paths.hpp"

namespace asiodrv::service {

/// A file beside it that goes with its handle, however the program ends. A link that somebody has
/// put there is not followed.
std::intptr_t FileLock::try_lock(const std::string& path) {
  constexpr DWORD kFlags =
      FILE_ATTRIBUTE_HIDDEN | FILE_FLAG_DELETE_ON_CLOSE | FILE_FLAG_OPEN_REPARSE_POINT;
  const HANDLE file = CreateFileW(path_of(path + ".lock").c_str(), GENERIC_WRITE | DELETE, 0,
                                  nullptr, OPEN_ALWAYS, kFlags, nullptr);
  if (file != INVALID_HANDLE_VALUE) return reinterpret_cast<std::intptr_t>(file);
  return GetLastError() == ERROR_SHARING_VIOLATION ? kTaken : kImpossible;
}

void FileLock::unlock(std::intptr_t handle) noexcept {
  CloseHandle(reinterpret_cast<HANDLE>(handle));
}

}  // namespace asiodrv::service
