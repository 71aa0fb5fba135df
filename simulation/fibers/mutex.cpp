// ports::Mutex for fibers. Linked into a simulation in place of the platform's: a lock that is held
// while its fiber rests must let the others run, not stop the only thread there is.
#include "core/ports/mutex.hpp"

#include <cstdio>
#include <cstdlib>
#include <new>

#include "simulation/fibers/scheduler.hpp"

namespace asiodrv::ports {
namespace {

using simulation::Fiber;
using simulation::Scheduler;
using simulation::Waiters;

struct Lock {
  bool held = false;
  Waiters waiters;
};

Lock& lock_of(std::byte* storage) noexcept {
  return *std::launder(reinterpret_cast<Lock*>(storage));
}

void check_allowed() noexcept {
#ifdef ASIODRV_RT_TRAP
  if (rt_depth() <= 0) return;
  std::fputs("simulation: real-time trap: a lock was taken inside an RtScope\n", stderr);
  std::abort();
#endif
}

}  // namespace

Mutex::Mutex() noexcept {
  static_assert(sizeof(Lock) <= sizeof(storage_));
  new (storage_) Lock;
}
Mutex::~Mutex() = default;

void Mutex::lock() noexcept {
  check_allowed();
  Lock& lock = lock_of(storage_);
  if (!Scheduler::exists()) {  // before and after: one thread, nobody to wait for
    lock.held = true;
    return;
  }
  Scheduler& scheduler = Scheduler::current();
  scheduler.maybe_preempt();
  while (lock.held) {
    Waiters::Node node{&scheduler.running(), nullptr};
    lock.waiters.add(node);
    (void)scheduler.park(simulation::kNever);
    lock.waiters.remove(node);
  }
  lock.held = true;
}

void Mutex::unlock() noexcept {
  Lock& lock = lock_of(storage_);
  lock.held = false;
  if (lock.waiters.first != nullptr) Scheduler::current().unpark(*lock.waiters.first->fiber);
}

}  // namespace asiodrv::ports
