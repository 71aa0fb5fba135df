#include "ipc/client/event_queue.hpp"

#include <algorithm>

namespace asiodrv::ipc {

using ports::MutexLock;

std::uint64_t EventQueue::open() {
  const MutexLock lock(mutex_);
  events_.clear();
  open_ = true;
  return ++conversation_;
}

void EventQueue::push(std::uint64_t conversation, const wire::HostEvent& event) {
  const MutexLock lock(mutex_);
  if (!open_ || conversation != conversation_) return;
  const auto same = std::find_if(events_.begin(), events_.end(), [&](const wire::HostEvent& each) {
    return each.kind == event.kind;
  });
  if (same != events_.end()) {
    *same = event;
    return;
  }
  events_.push_back(event);
  changed_->signal();
}

void EventQueue::close(std::uint64_t conversation) {
  const MutexLock lock(mutex_);
  if (conversation != conversation_) return;
  open_ = false;
  changed_->signal();
}

Result<wire::HostEvent> EventQueue::next(Instant deadline) {
  for (;;) {
    {
      const MutexLock lock(mutex_);
      if (woken_) {
        woken_ = false;
        return fail(ErrorCode::timed_out, "Woken.");
      }
      if (!events_.empty()) {
        const wire::HostEvent event = events_.front();
        events_.pop_front();
        return event;
      }
      if (!open_) {
        return fail(ErrorCode::disconnected, "The asio-driver service is not connected.");
      }
    }
    if (!changed_->wait(deadline)) return fail(ErrorCode::timed_out, "No event came.");
  }
}

void EventQueue::wake() {
  const MutexLock lock(mutex_);
  woken_ = true;
  changed_->signal();
}

}  // namespace asiodrv::ipc
