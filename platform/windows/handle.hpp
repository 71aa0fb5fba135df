// Owner of one kernel handle.
#pragma once

#include <windows.h>

#include <utility>

namespace asiodrv::platform {

class UniqueHandle {
 public:
  UniqueHandle() noexcept = default;
  /// Null and INVALID_HANDLE_VALUE both mean "none": the calls of this system disagree.
  explicit UniqueHandle(HANDLE handle) noexcept
      : handle_(handle == INVALID_HANDLE_VALUE ? nullptr : handle) {}
  UniqueHandle(UniqueHandle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  UniqueHandle& operator=(UniqueHandle&& other) noexcept {
    if (this != &other) {
      reset();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~UniqueHandle() { reset(); }

  [[nodiscard]] HANDLE get() const noexcept { return handle_; }
  explicit operator bool() const noexcept { return handle_ != nullptr; }
  void reset() noexcept {
    if (handle_ != nullptr) CloseHandle(std::exchange(handle_, nullptr));
  }

 private:
  HANDLE handle_ = nullptr;
};

/// An unnamed event, not signalled.
[[nodiscard]] inline UniqueHandle make_event(bool manual_reset) noexcept {
  return UniqueHandle(CreateEventW(nullptr, manual_reset ? TRUE : FALSE, FALSE, nullptr));
}

}  // namespace asiodrv::platform
