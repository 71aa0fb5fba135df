// The product's only lock, for control paths. std::mutex is absent from the thread model that the
// DLL is built with; this one is a plain system lock (pthread mutex, slim reader-writer lock),
// implemented in platform/. Never used inside an RtScope.
#pragma once

#include <cstddef>

namespace asiodrv::ports {

class Mutex {
 public:
  Mutex() noexcept;
  ~Mutex();
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() noexcept;
  void unlock() noexcept;

 private:
  alignas(std::max_align_t) std::byte storage_[64];
};

/// Holds `mutex` for a scope.
class MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) noexcept : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace asiodrv::ports
