#include "core/ports/mutex.hpp"

#include <pthread.h>

#include <new>

namespace asiodrv::ports {
namespace {

pthread_mutex_t* native(std::byte* storage) noexcept {
  return std::launder(reinterpret_cast<pthread_mutex_t*>(storage));
}

}  // namespace

Mutex::Mutex() noexcept {
  static_assert(sizeof(pthread_mutex_t) <= sizeof(storage_));
  pthread_mutex_init(new (storage_) pthread_mutex_t, nullptr);
}
Mutex::~Mutex() { pthread_mutex_destroy(native(storage_)); }
void Mutex::lock() noexcept { pthread_mutex_lock(native(storage_)); }
void Mutex::unlock() noexcept { pthread_mutex_unlock(native(storage_)); }

}  // namespace asiodrv::ports
