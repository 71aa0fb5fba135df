// The notifier's thread: tells the host what changed, and brings a lost service back.
//
// It calls the host with no lock held, from a thread that is neither the host's nor the stream's. A
// host may tear the driver down inside such a call.
#include <algorithm>
#include <utility>

#include "asio/front.hpp"

namespace asiodrv::asio {
namespace {

using ports::MutexLock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr nanoseconds kIdleWait = seconds{10};
constexpr nanoseconds kFirstPause = milliseconds{100};
constexpr nanoseconds kLongestPause = seconds{1};
constexpr nanoseconds kReconnectBound = seconds{1};
constexpr nanoseconds kReconnectStartBound = seconds{3};
/// A burst of dropouts is one message.
constexpr nanoseconds kOverloadPause = milliseconds{100};

}  // namespace

void AsioFront::notifier_loop() noexcept {
  while (!ended_) {
    try {
      serve_notifier(within(kIdleWait));
    } catch (...) {  // out of memory: what was to be told is lost, the stream goes on
      (void)notify_->wait(within(kFirstPause));
    }
  }
}

void AsioFront::serve_notifier(Instant until) {
  if (link_up_) {
    const std::uint32_t conversation = conversation_;
    const auto event = link_->next_event(until);
    if (ended_) return;
    if (event) {
      handle(*event);
    } else if (event.error().code != ErrorCode::timed_out) {
      note_link_loss(conversation);
    }
    return;
  }
  if (state() != State::running) {
    pause_ = {};
    (void)notify_->wait(until);
    return;
  }
  const Instant now = ports_.clock.now();
  if (pause_ != nanoseconds{0} && now < retry_at_) {
    (void)notify_->wait(std::min(retry_at_, until));
    return;
  }
  pause_ = pause_ == nanoseconds{0} ? kFirstPause : std::min(pause_ * 2, kLongestPause);
  retry_at_ = within(pause_);  // for an attempt that does not come back here
  try_reconnect();
  retry_at_ = within(pause_);
  if (link_up_) pause_ = {};
}

/// The end of conversation number `conversation`, unless a later one has begun meanwhile.
void AsioFront::note_link_loss(std::uint32_t conversation) {
  const MutexLock lock(control_);
  if (link_up_ && conversation_ == conversation) lose_link();
}

/// One attempt, broken off as soon as stop, dispose or shutdown want the lock.
void AsioFront::try_reconnect() {
  const std::int32_t before[] = {input_latency_, output_latency_};
  bool reset = false;
  {
    const MutexLock lock(control_);
    if (ended_ || link_up_ || state() != State::running) return;
    attempt_.store(Attempt::running);
    if (waiters_ > 0) {
      attempt_.store(Attempt::none);
      return;
    }
    try {
      const auto opened = reopen_session(*buffers_, kReconnectBound);
      // Connected without a session: the host must make new buffers, and hears silence until then.
      reset = opened && !*opened;
      if (opened && *opened) {
        stream_->hand_over(buffers_->current);
        if (!link_->start_session(within(kReconnectStartBound))) lose_link();
      } else if (!opened) {
        lose_link();  // it may be there already, and its device not yet: come again
      }
    } catch (...) {  // no memory: half an attempt would look like a whole one
      attempt_.store(Attempt::none);
      lose_link();
      throw;
    }
    if (attempt_.exchange(Attempt::none) == Attempt::aborted) {
      lose_link();
      return;
    }
  }
  if (reset) {
    request_reset();
  } else if (link_up_ && (input_latency_ != before[0] || output_latency_ != before[1])) {
    tell(kLatenciesChanged);
  }
}

void AsioFront::handle(const wire::HostEvent& event) {
  switch (event.kind) {
    case wire::HostEventKind::reset_request: handle_reset(); return;
    case wire::HostEventKind::resync: tell(kResyncRequest); return;
    case wire::HostEventKind::latencies_changed: handle_latencies(event); return;
    case wire::HostEventKind::rate_changed: handle_rate(event.rate); return;
    case wire::HostEventKind::clock_changed: handle_clock(); return;
    case wire::HostEventKind::overload: handle_overload(); return;
  }
}

void AsioFront::handle_reset() {
  description_stale_ = true;
  request_reset();
  look_when_idle();
}

/// Somebody else has selected another clock source. The next time info carries the flag.
void AsioFront::handle_clock() {
  {
    const MutexLock lock(data_);
    foreign_clock_.clear();  // theirs is the last word
  }
  description_stale_ = true;
  look_when_idle();
}

/// Without buffers nobody streams: look again at once, for hosts that only ask again.
void AsioFront::look_when_idle() {
  const MutexLock lock(control_);
  if (!ended_ && state() == State::initialized && description_stale_) look_again(kReconnectBound);
}

/// Once per set of buffers: a host that has noted it needs no reminder.
void AsioFront::request_reset() {
  const auto present = buffers();
  if (present && !present->reset_requested.exchange(true)) tell(kResetRequest);
}

void AsioFront::handle_latencies(const wire::HostEvent& event) {
  {
    const MutexLock lock(control_);
    if (!buffers_) return;
    const std::int32_t input = input_latency_, output = output_latency_;
    set_latencies(event.input_latency, event.output_latency);
    if (input == input_latency_ && output == output_latency_) return;
  }
  tell(kLatenciesChanged);
}

/// Never told: a rate that the host set itself, and one that it knows already.
void AsioFront::handle_rate(SampleRate rate) {
  const bool by_host = rate.hz != 0 && rate.hz == host_rate_hz_;
  const bool known = rate.hz == rate_hz_.load();
  if (known) return;
  apply_rate(rate);
  const auto present = buffers();
  if (!present) {
    const MutexLock lock(control_);
    if (!buffers_) estimate_latencies();  // the preferred size may be another
    return;
  }
  if (by_host || present->callbacks.sample_rate_did_change == nullptr) return;
  if (!present->messages.enter()) return;
  present->callbacks.sample_rate_did_change(static_cast<double>(rate.hz));
  present->messages.leave();
}

void AsioFront::handle_overload() {
  const Instant now = ports_.clock.now();
  if (!overload_wanted_ || now < next_overload_) return;
  next_overload_ = now + kOverloadPause;
  tell(kOverload);
}

std::shared_ptr<BufferSet> AsioFront::buffers() {
  const MutexLock lock(data_);
  return buffers_;
}

/// Sends a message to a host that says it understands it. No lock is held; the buffers' callbacks
/// stay ours until we are out of the host again.
void AsioFront::tell(MessageSelector selector) {
  const auto present = buffers();
  if (!present || present->callbacks.message == nullptr || !present->messages.enter()) return;
  const Callbacks& host = present->callbacks;
  if (host.message(kSelectorSupported, selector, nullptr, nullptr) == 1 &&
      !present->messages.closed()) {
    host.message(selector, 0, nullptr, nullptr);
  }
  present->messages.leave();
}

}  // namespace asiodrv::asio
