// Threads and the few ways in which ours wait for each other. The DLL lives in foreign hosts,
// where std::thread and thread_local are unsafe (see docs/decisions), so every module uses these.
#pragma once

#include <functional>
#include <memory>

#include "core/base/result.hpp"
#include "core/base/rt.hpp"
#include "core/base/units.hpp"

namespace asiodrv::ports {

enum class ThreadRole {
  control,   ///< ordinary priority
  notifier,  ///< ordinary priority, may call into a host
  audio,     ///< real time where the system grants it (MMCSS "Pro Audio", SCHED_FIFO)
  engine     ///< one step above audio: it keeps deadlines however many audio threads are stuck
};

[[nodiscard]] constexpr bool is_realtime(ThreadRole role) noexcept {
  return role == ThreadRole::audio || role == ThreadRole::engine;
}

/// A running thread. Destroying it without join is a broken promise and aborts in the service.
class Thread {
 public:
  virtual ~Thread() = default;

  /// Waits until the body has returned, until `deadline` at most; true when it has. Must not be
  /// called on the thread itself (use is_current). A thread left behind keeps its own state alive.
  virtual bool join(Instant deadline) = 0;

  /// True on the thread itself.
  [[nodiscard]] virtual bool is_current() const noexcept = 0;

  /// True when the system granted real-time scheduling (false for other roles).
  [[nodiscard]] virtual bool is_realtime() const noexcept = 0;
};

/// An auto-reset flag within one process: signal() releases one wait, now or later. Signals that
/// come before the wait are remembered once.
class Signal {
 public:
  virtual ~Signal() = default;
  virtual void signal() RT_SAFE = 0;
  /// True when signalled, false when `deadline` passed.
  virtual bool wait(Instant deadline) = 0;
};

class Threads {
 public:
  virtual ~Threads() = default;

  /// Starts `body` on a new thread named `name` (15 characters at most, ASCII). The body must not
  /// throw. Errors: out_of_memory, limit_reached, internal.
  [[nodiscard]] virtual Result<std::unique_ptr<Thread>> start(const char* name, ThreadRole role,
                                                              std::function<void()> body) = 0;

  [[nodiscard]] virtual std::unique_ptr<Signal> make_signal() = 0;
};

}  // namespace asiodrv::ports
