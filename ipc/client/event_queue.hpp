// Notifications on their way from the receiving thread to the notifier thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include "core/base/result.hpp"
#include "core/ports/mutex.hpp"
#include "core/ports/thread.hpp"
#include "core/wire/control.hpp"

namespace asiodrv::ipc {

/// Bounded by nature: of each kind of event at most one waits, with the newest values, in the place
/// of the oldest. A host gains nothing from two reset requests in a row. Any thread, but one
/// waiter.
class EventQueue {
 public:
  explicit EventQueue(ports::Threads& threads) : changed_(threads.make_signal()) {}

  /// A new conversation begins: what the old one left is forgotten. Returns its number; pushes and
  /// closings with the number of an earlier one change nothing.
  std::uint64_t open();
  void push(std::uint64_t conversation, const wire::HostEvent& event);
  void close(std::uint64_t conversation);

  /// The oldest event. What waits is still handed out after a close. Errors: disconnected (closed
  /// and empty), timed_out (`deadline`, or wake()).
  [[nodiscard]] Result<wire::HostEvent> next(Instant deadline);

  /// Makes the current or the next next() return `timed_out`.
  void wake();

 private:
  ports::Mutex mutex_;
  std::unique_ptr<ports::Signal> changed_;
  std::deque<wire::HostEvent> events_;
  std::uint64_t conversation_ = 0;
  bool open_ = false;
  bool woken_ = false;
};

}  // namespace asiodrv::ipc
