#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "service/json_file.hpp"

namespace asiodrv::service {
namespace {

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return fsync(file) == 0;  // before the name changes: else a crash could leave an empty file
}

/// The new name is on the disk too. Where a system cannot do that, the text is safe anyway.
void sync_folder(const std::string& path) {
  const std::string folder = path.substr(0, path.find_last_of('/') + 1);
  const int handle =
      open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) return;
  fsync(handle);
  close(handle);
}

}  // namespace

Result<> write_whole_file(const std::string& path, std::string_view text) {
  const std::string fresh = path + ".new";
  const auto refuse = [&] {
    const std::string why = std::strerror(errno);
    unlink(fresh.c_str());
    return fail(ErrorCode::access_denied, path + " cannot be written: " + why + ".");
  };
  const int file = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return refuse();
  const bool written = write_all(file, text);
  const int problem = errno;
  close(file);
  errno = problem;
  if (!written || std::rename(fresh.c_str(), path.c_str()) != 0) return refuse();
  sync_folder(path);
  return {};
}

}  // namespace asiodrv::service
