#include "core/ports/mutex.hpp"

#include <windows.h>

#include <new>

namespace asiodrv::ports {
namespace {

SRWLOCK* native(std::byte* storage) noexcept {
  return std::launder(reinterpret_cast<SRWLOCK*>(storage));
}

}  // namespace

Mutex::Mutex() noexcept {
  static_assert(sizeof(SRWLOCK) <= sizeof(storage_));
  InitializeSRWLock(new (storage_) SRWLOCK);
}
Mutex::~Mutex() = default;
void Mutex::lock() noexcept { AcquireSRWLockExclusive(native(storage_)); }
void Mutex::unlock() noexcept { ReleaseSRWLockExclusive(native(storage_)); }

}  // namespace asiodrv::ports
