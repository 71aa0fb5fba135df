#include "service/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

namespace asiodrv::service {

/// The folder is locked: the file itself is replaced by every change, and nothing is left behind.
std::intptr_t FileLock::try_lock(const std::string& path) {
  const std::string folder = path.substr(0, path.find_last_of('/') + 1);
  const int handle =
      open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) return kImpossible;
  if (flock(handle, LOCK_EX | LOCK_NB) == 0) return handle;
  const bool taken = errno == EWOULDBLOCK || errno == EINTR;
  close(handle);
  return taken ? kTaken : kImpossible;
}

void FileLock::unlock(std::intptr_t handle) noexcept { close(static_cast<int>(handle)); }

}  // namespace asiodrv::service
