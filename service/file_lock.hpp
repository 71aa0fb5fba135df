// Whoever reads a file, changes it and writes it holds this meanwhile: of two that do so at once,
// one change would be lost.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "core/base/units.hpp"

namespace asiodrv::service {

/// Among programs that ask for it; readers do not. Control threads.
class FileLock {
 public:
  /// Waits for `limit` at most while another program holds the lock of the file at `path` (UTF-8),
  /// and goes on without it then: one that hangs, or that must not, keeps nobody from their files.
  /// So does a folder that is not there, or cannot be locked.
  explicit FileLock(const std::string& path, nanoseconds limit = std::chrono::seconds{2});
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  [[nodiscard]] bool held() const noexcept { return handle_ >= 0; }

 private:
  static constexpr std::intptr_t kTaken = -1;
  static constexpr std::intptr_t kImpossible = -2;

  /// A handle of the system, or one of the two above. Implemented per system, as unlock is.
  [[nodiscard]] static std::intptr_t try_lock(const std::string& path);
  static void unlock(std::intptr_t handle) noexcept;

  std::intptr_t handle_ = kImpossible;
};

}  // namespace asiodrv::service
