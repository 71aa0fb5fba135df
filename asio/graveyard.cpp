#include "asio/graveyard.hpp"

#include <atomic>
#include <new>

namespace asiodrv::asio {
namespace {

struct Grave {
  std::unique_ptr<ports::Thread> thread;
  Grave* next = nullptr;
};

constinit std::atomic<Grave*> graves{nullptr};  // never destroyed: threads may outlive the process

constinit std::atomic<std::int32_t> count{0};

void dig(Grave* grave) noexcept {
  grave->next = graves.load(std::memory_order_relaxed);
  while (!graves.compare_exchange_weak(grave->next, grave, std::memory_order_acq_rel)) {
  }
}

}  // namespace

void bury(std::unique_ptr<ports::Thread> thread) noexcept {
  if (auto* const grave = new (std::nothrow) Grave) {
    grave->thread = std::move(thread);
    count.fetch_add(1);
    dig(grave);
  } else {
    (void)thread.release();  // leaked: destroying a running thread is worse
  }
}

void reap() noexcept {
  Grave* grave = graves.exchange(nullptr, std::memory_order_acq_rel);
  while (grave != nullptr) {
    Grave* const next = grave->next;
    if (!grave->thread->is_current() && grave->thread->join(Instant{})) {
      delete grave;
      count.fetch_sub(1);
    } else {
      dig(grave);
    }
    grave = next;
  }
}

std::int32_t buried() noexcept { return count.load(); }

}  // namespace asiodrv::asio
