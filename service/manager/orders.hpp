// What a running service is told from outside, kept until it looks.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "core/ports/mutex.hpp"

namespace asiodrv::service::manager {

enum class Order {
  stop,
  suspend,         ///< the machine is about to sleep: let go of the devices
  resume,          ///< it is awake again
  look_at_devices  ///< the session's sound devices may be others now
};

/// Any thread.
class Orders {
 public:
  /// Leaves an order and wakes whoever takes them. Returns at once.
  void give(Order order) {
    const ports::MutexLock lock(mutex_);
    waiting_.push_back(order);
    if (wake_) wake_();
  }

  /// All that were given since the last time, oldest first.
  [[nodiscard]] std::vector<Order> take() {
    const ports::MutexLock lock(mutex_);
    return std::exchange(waiting_, {});
  }

  /// What give() calls from now on, inside a lock: it may signal and nothing else. Empty: nothing.
  void on_given(std::function<void()> wake) {
    const ports::MutexLock lock(mutex_);
    wake_ = std::move(wake);
    if (wake_ && !waiting_.empty()) wake_();
  }

 private:
  ports::Mutex mutex_;  // guards what follows
  std::vector<Order> waiting_;
  std::function<void()> wake_;
};

}  // namespace asiodrv::service::manager
