#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "service/json_file.hpp"

namespace asiodrv::service {
namespace {

constexpr int kMostTries = 10;

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

bool is_named(const std::string& path, int file) {
  struct stat named {};
  struct stat held {};
  return lstat(path.c_str(), &named) == 0 && fstat(file, &held) == 0 &&
         named.st_dev == held.st_dev && named.st_ino == held.st_ino;
}

/// The fresh file, empty, and ours alone while it is open; -1 and errno otherwise: EWOULDBLOCK
/// while another program writes it. What a crash has left of one is used again.
int open_fresh(const std::string& fresh) {
  for (int tries = 0; tries < kMostTries; ++tries) {
    const int file =
        open(fresh.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0) return -1;
    int problem = 0;
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
      problem = errno;
    } else if (is_named(fresh, file)) {
      if (ftruncate(file, 0) == 0) return file;
      problem = errno;
    }
    close(file);
    errno = problem;
    if (problem != 0) return -1;
    // Else it has got its name between our two looks, and is not to be cut short: once more.
  }
  errno = EWOULDBLOCK;
  return -1;
}

/// Who could read the old file can read the new one; one that is new is nobody else's.
void take_over_rights(const std::string& path, int file) {
  struct stat before {};
  mode_t rights = S_IRUSR | S_IWUSR;
  if (stat(path.c_str(), &before) == 0) {
    const bool same_owners = (before.st_uid == geteuid() && before.st_gid == getegid()) ||
                             fchown(file, before.st_uid, before.st_gid) == 0;
    // What the old group might do is not for another one.
    rights = before.st_mode & (S_IRWXU | S_IRWXO | (same_owners ? S_IRWXG : 0U));
  }
  (void)fchmod(file, rights);
}

}  // namespace

Result<> write_whole_file(const std::string& path, std::string_view text) {
  const std::string fresh = path + ".new";
  const auto refuse = [&](int problem) {
    const std::string why = problem == EWOULDBLOCK
                                ? "another program is writing it just now; try again"
                                : std::strerror(problem);
    return fail(ErrorCode::access_denied, path + " cannot be written: " + why + ".");
  };
  const int file = open_fresh(fresh);
  if (file < 0) return refuse(errno);
  take_over_rights(path, file);
  // Open until it has its name: that is how long it is ours alone.
  const bool done = write_all(file, text) && std::rename(fresh.c_str(), path.c_str()) == 0;
  const int problem = errno;
  if (!done) unlink(fresh.c_str());
  close(file);
  if (!done) return refuse(problem);
  sync_folder(path);
  return {};
}

}  // namespace asiodrv::service
