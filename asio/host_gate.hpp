// The door through which calls go into the host: once closed, no new call goes in, and the closer
// can wait, for a bounded time, until the one that is inside has come out.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "core/base/rt.hpp"
#include "core/base/units.hpp"
#include "core/ports/thread.hpp"

namespace asiodrv::asio {

class HostGate {
 public:
  explicit HostGate(ports::Threads& threads) : idle_(threads.make_signal()) {}

  /// The calling thread of this gate only (one). False when the gate is closed. RT: wait-free but
  /// for a retry when close() comes between.
  [[nodiscard]] bool enter() RT_SAFE {
    std::uint32_t expected = 0;
    return word_.compare_exchange_strong(expected, kInside, std::memory_order_seq_cst);
  }

  /// The thread that entered. RT: wait-free, one kernel call when somebody closed meanwhile.
  void leave() RT_SAFE {
    const std::uint32_t before = word_.fetch_and(~kInside, std::memory_order_seq_cst);
    if ((before & kClosed) != 0) idle_->signal();
  }

  /// Any thread, repeatable. RT: wait-free.
  void close() RT_SAFE { word_.fetch_or(kClosed, std::memory_order_seq_cst); }

  [[nodiscard]] bool closed() const RT_SAFE {
    return (word_.load(std::memory_order_seq_cst) & kClosed) != 0;
  }
  [[nodiscard]] bool occupied() const RT_SAFE {
    return (word_.load(std::memory_order_seq_cst) & kInside) != 0;
  }

  /// After close(): true as soon as nobody is inside, false at `deadline`. Not from inside.
  [[nodiscard]] bool wait_empty(Instant deadline) {
    while (occupied()) {
      if (!idle_->wait(deadline)) return !occupied();
    }
    return true;
  }

 private:
  static constexpr std::uint32_t kInside = 1;
  static constexpr std::uint32_t kClosed = 2;

  std::atomic<std::uint32_t> word_{0};
  std::unique_ptr<ports::Signal> idle_;
};

}  // namespace asiodrv::asio
