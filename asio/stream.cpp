#include "asio/stream.hpp"

#include <algorithm>
#include <cstdlib>

#include "asio/graveyard.hpp"

namespace asiodrv::asio {
namespace {

constexpr nanoseconds kLeastPatience{20'000'000};
/// Before the first ring has told how long the service's periods are: two of the longest that music
/// is made with (8192 frames at 44.1 kHz).
constexpr nanoseconds kFirstPatience{380'000'000};
/// Nobody's period is longer: 8192 frames at 8 kHz.
constexpr nanoseconds kLongestGap{1'024'000'000};
/// A pause before streaming begins, when there is no ring to expect yet.
constexpr nanoseconds kCallbackIdleWait{100'000'000};
/// The last stretch before a block that is due without a ring: slept precisely.
constexpr nanoseconds kPreciseStretch{500'000};
/// A boundary further from now than this is not believed.
constexpr nanoseconds kBoundaryLimit{1'000'000'000};
/// Blocks that we may be behind before we stop trying to catch up.
constexpr int kCatchUpBlocks = 4;
/// Positions that jump further (six hours at 192 kHz) are not believed.
constexpr std::uint64_t kJumpLimit = std::uint64_t{1} << 32;

bool is_rate(double hz) noexcept { return hz >= 1'000.0 && hz <= 10'000'000.0; }  // NaN: false

wire::CycleReply make_reply(std::uint32_t next_half, wire::ReplyMode mode) noexcept {
  wire::CycleReply reply{};
  reply.next_half = next_half;
  reply.mode = static_cast<std::uint32_t>(mode);
  return reply;
}

}  // namespace

Stream::Stream(Setup setup)
    : clock_(setup.clock),
      buffers_(std::move(setup.buffers)),
      board_(std::move(setup.board)),
      gate_(setup.threads),
      before_(std::move(setup.before)),
      listening_(buffers_->current),
      home_(&buffers_->home()),
      current_(buffers_->current),
      seen_(current_->wake->count()),
      rate_hz_(0.0) {
  const Instant now = clock_.now();
  time_ = HostTime(setup.epoch_ms, now);
  board_->write({0, time_.at(now)});
  follow_rate(static_cast<double>(setup.rate.hz));
  patience_ = kFirstPatience;
  due_ = now + kCallbackIdleWait;
  wire::write_reply(section(), make_reply(0, wire::ReplyMode::following));
}

Stream::~Stream() {
  if (thread_ && !joined_) bury(std::move(thread_));
}

Result<> Stream::launch(const std::shared_ptr<Stream>& stream, ports::Threads& threads) {
  auto thread = threads.start("asio-stream", ports::ThreadRole::audio, [stream] { stream->run(); });
  if (!thread) return tl::unexpected<Error>(thread.error());
  stream->thread_ = std::move(*thread);
  // The first ring comes after start_session, which comes after this.
  stream->running_thread_.store(stream->thread_.get(), std::memory_order_release);
  return {};
}

void Stream::arm() noexcept {
  armed_.store(true, std::memory_order_seq_cst);
  listening_.load(std::memory_order_seq_cst)->wake->interrupt();
}

void Stream::hand_over(Attachment* attachment) noexcept {
  Attachment* const unused = incoming_.exchange(attachment, std::memory_order_acq_rel);
  if (unused != nullptr) unused->released.store(true, std::memory_order_release);
  listening_.load(std::memory_order_seq_cst)->wake->interrupt();
}

void Stream::note_loss() noexcept {
  buffers_->current->lost.store(true, std::memory_order_seq_cst);
  listening_.load(std::memory_order_seq_cst)->wake->interrupt();
}

void Stream::close() noexcept {
  gate_.close();
  listening_.load(std::memory_order_seq_cst)->wake->interrupt();
}

bool Stream::finish(Instant deadline) {
  const ports::MutexLock lock(finishing_);
  if (!gate_.wait_empty(deadline)) return false;
  // The joined Thread stays until we go: outputReady of a third thread may be looking at it.
  if (thread_ && !joined_) joined_ = thread_->join(deadline);
  return !thread_ || joined_;
}

bool Stream::is_calling_thread() const noexcept {
  if (!gate_.occupied()) return false;
  const ports::Thread* const thread = running_thread_.load(std::memory_order_acquire);
  return thread == nullptr || thread->is_current();  // null: stepped, on one thread with its host
}

void Stream::abandon() {
  const ports::MutexLock lock(finishing_);
  if (thread_ && !joined_) bury(std::move(thread_));
}

void Stream::run() noexcept {
  wait_for_earlier();
  while (!gate_.closed()) {
    if (!step()) wait_for_work();
  }
}

void Stream::wait_for_earlier() noexcept {
  for (const std::shared_ptr<Stream>& earlier : before_) {
    while (earlier->in_callback() && !gate_.closed()) {
      (void)earlier->gate_.wait_empty(clock_.now() + kCallbackIdleWait);
    }
  }
  before_.clear();
}

void Stream::wait_for_work() noexcept {
  const bool streaming = waiting_since_armed_;
  // Before the first call on our own a ring may still come, and a precise sleep would not hear it.
  const nanoseconds precise = alone_ ? kPreciseStretch : nanoseconds{0};
  const Instant until = streaming ? due_ - precise : clock_.now() + kCallbackIdleWait;
  const std::uint32_t count = current_->wake->wait_change(seen_, until, nanoseconds{0});
  if (count != seen_ || !streaming || gate_.closed()) return;
  if (clock_.now() >= until) clock_.sleep_until(due_);
}

bool Stream::step() RT_SAFE {
  const RtScope scope;
  if (incoming_.load(std::memory_order_relaxed) != nullptr) adopt();
  const std::uint32_t count = current_->wake->count();
  if (count != seen_) {
    seen_ = count;
    return serve_ring();
  }
  return armed_.load(std::memory_order_acquire) && serve_alone();
}

void Stream::adopt() RT_SAFE {
  Attachment* const next = incoming_.exchange(nullptr, std::memory_order_acq_rel);
  if (next == nullptr || next == current_) return;
  Attachment* const old = current_;
  current_ = next;
  listening_.store(next, std::memory_order_seq_cst);  // before the next look at the gate
  seen_ = next->first_seen;
  alone_ = true;  // its reply was written before it came here
  alone_calls_ = std::max(alone_calls_, 1U);
  if (waiting_since_armed_) due_ = std::min(due_, last_call_ + period_);
  old->released.store(true, std::memory_order_release);
}

bool Stream::serve_ring() RT_SAFE {
  const wire::CycleStamp stamp = wire::read_stamp(section());
  entered_ = clock_.now();
  // A ring that found us alone carries no audio, even if the service decided before it knew.
  const bool audio = (stamp.flags & wire::kStampResync) == 0 && (stamp.half & 1U) == next_half_ &&
                     alone_calls_ == 0;
  follow_rate(stamp.rate_hz);
  const nanoseconds gap{std::clamp<std::int64_t>(stamp.gap_ns, 0, kLongestGap.count())};
  patience_ = std::max({period_ * 3, gap * 3, kLeastPatience});
  if (!gate_.enter()) return false;
  if (!audio) {
    silence_inputs(*home_, next_half_);
    // Nothing is copied back, and a service that decided before it knew plays what lies there.
    if (bridging()) silence_outputs(*current_, stamp.half & 1U);
  } else if (bridging()) {
    copy_inputs(*current_, *home_, next_half_);
  }
  advance_position(stamp.sample_position);
  const Instant boundary{stamp.boundary_ns};
  const bool believable =
      boundary <= entered_ + kBoundaryLimit && boundary >= entered_ - kBoundaryLimit;
  std::uint32_t changes = 0;
  if ((stamp.flags & wire::kStampRateChanged) != 0) changes |= kSampleRateChanged;
  if ((stamp.flags & wire::kStampClockChanged) != 0) changes |= kClockSourceChanged;

  alone_ = false;
  alone_calls_ = 0;
  waiting_since_armed_ = true;
  last_call_ = entered_;
  due_ = entered_ + patience_;
  copies_back_ = audio && bridging();
  owes_reply_ = true;
  call_host(believable ? boundary : entered_, changes);
  // Once closed, the section may belong to the next stream already.
  if (owes_reply_ && !gate_.closed()) acknowledge();
  owes_reply_ = false;
  leave_host();
  return true;
}

bool Stream::serve_alone() RT_SAFE {
  const Instant now = clock_.now();
  if (!waiting_since_armed_) {
    waiting_since_armed_ = true;
    last_call_ = now;
    due_ = now + patience_;
  }
  if (!alone_ && current_->lost.load(std::memory_order_relaxed)) {
    due_ = std::min(due_, last_call_ + period_);
  }
  if (now < due_) return false;
  if (!alone_) {
    wire::write_reply(section(), make_reply(next_half_, wire::ReplyMode::free_running));
    alone_ = true;
    // A full barrier: either the service sees the announcement or we see its ring.
    barrier_.exchange(1, std::memory_order_seq_cst);
    if (current_->wake->count() != seen_) return false;
  }
  if (!gate_.enter()) return false;
  silence_inputs(*home_, next_half_);
  if (called_) position_ += buffers_->layout.frames.count;
  called_ = true;
  ++alone_calls_;
  last_call_ = due_;
  const Instant boundary = due_;
  due_ = due_ + period_;
  if (due_ + period_ * kCatchUpBlocks < now) due_ = now + period_;
  call_host(boundary, 0);
  leave_host();
  return true;
}

void Stream::call_host(Instant boundary, std::uint32_t changes) RT_SAFE {
  const Moment moment{position_, time_.at(boundary)};
  board_->write(moment);
  const auto half = static_cast<std::int32_t>(next_half_);
  const Callbacks& host = buffers_->callbacks;
  if (buffers_->time_info) {
    fill_time(host_time_, moment, rate_hz_, changes);
    const RtPermit permit;  // the host is not under our rules
    host.buffer_switch_time_info(&host_time_, half, 1);
  } else {
    const RtPermit permit;
    host.buffer_switch(half, 1);
  }
}

void Stream::leave_host() RT_SAFE {
  next_half_ ^= 1U;
  gate_.leave();
}

void Stream::output_ready() RT_SAFE {
  if (is_calling_thread() && owes_reply_ && !gate_.closed()) acknowledge();
}

void Stream::acknowledge() RT_SAFE {
  owes_reply_ = false;
  if (copies_back_) copy_outputs(*home_, *current_, next_half_);
  wire::CycleReply reply = make_reply(next_half_ ^ 1U, wire::ReplyMode::following);
  reply.entered_ns = entered_.ns;
  reply.left_ns = clock_.now().ns;
  wire::write_reply(section(), reply);
  current_->ack->ring(seen_);
}

void Stream::advance_position(std::uint64_t stamped) RT_SAFE {
  const std::uint64_t least = called_ ? position_ + buffers_->layout.frames.count : 0;
  std::uint64_t candidate = stamped + offset_;
  if (candidate - least > kJumpLimit) {  // unsigned: behind us counts as far ahead
    candidate = least;
    offset_ = least - stamped;
  }
  called_ = true;
  position_ = candidate;
}

void Stream::follow_rate(double rate_hz) RT_SAFE {
  if (rate_hz == rate_hz_) return;
  rate_hz_ = is_rate(rate_hz) ? rate_hz : 0.0;  // unknown, the clock is lost: keep the old pace
  if (rate_hz_ == 0.0) return;
  const double length_ns = 1e9 * static_cast<double>(buffers_->layout.frames.count) / rate_hz_;
  period_ = nanoseconds{static_cast<std::int64_t>(length_ns)};
}

}  // namespace asiodrv::asio
