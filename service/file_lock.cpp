#include "service/file_lock.hpp"

#include "platform/platform.hpp"

namespace asiodrv::service {
namespace {

constexpr nanoseconds kLookPause = std::chrono::milliseconds{10};

}  // namespace

FileLock::FileLock(const std::string& path, nanoseconds limit) {
  if (path.empty()) return;
  handle_ = try_lock(path);
  if (handle_ != kTaken) return;
  const auto clock = platform::make_clock();
  const Instant until = clock->now() + limit;
  while (handle_ == kTaken && clock->now() < until) {
    clock->sleep_until(clock->now() + kLookPause);
    handle_ = try_lock(path);
  }
}

FileLock::~FileLock() {
  if (held()) unlock(handle_);
}

}  // namespace asiodrv::service
