// The life of a driver object: init, buffers, streams, the end.
#include "asio/front.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "asio/graveyard.hpp"
#include "asio/text.hpp"

namespace asiodrv::asio {
namespace {

using ports::MutexLock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr nanoseconds kStartBound = seconds{3};
constexpr nanoseconds kStopBound = seconds{1};
/// How long a host may stay inside a callback that we wait for.
constexpr nanoseconds kCallbackBound = milliseconds{500};
constexpr nanoseconds kNotifierBound = seconds{1};
constexpr nanoseconds kReaderPause = std::chrono::microseconds{50};
constexpr int kReaderPauses = 200;
constexpr std::uint32_t kFallbackRate = 48'000;  // paces silence while the clock is lost

/// Why a call is refused in `state`, and what to call first.
constexpr std::string_view wrong_state(State state) noexcept {
  switch (state) {
    case State::loaded: return "The driver is not initialised; call init first.";
    case State::initialized: return "There are no buffers; call createBuffers first.";
    case State::prepared: return "Buffers exist and the stream is stopped: the call does not fit.";
    case State::running: return "The stream is running; call stop first.";
  }
  return "";
}

}  // namespace

/// A reconnecting notifier holds the lock while it waits for the service. It gives way: its attempt
/// is broken off, and it does not begin another while somebody waits here.
class AsioFront::Entry {
 public:
  explicit Entry(AsioFront& front) : front_(front) {
    front_.waiters_.fetch_add(1, std::memory_order_seq_cst);
    Attempt running = Attempt::running;
    if (front_.attempt_.compare_exchange_strong(running, Attempt::aborted)) {
      front_.link_->disconnect();
    }
    front_.control_.lock();
    front_.waiters_.fetch_sub(1, std::memory_order_seq_cst);
  }
  ~Entry() { front_.control_.unlock(); }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

 private:
  AsioFront& front_;
};

std::shared_ptr<AsioFront> AsioFront::create(FrontPorts ports, FrontOptions options) {
  return std::shared_ptr<AsioFront>(new AsioFront(std::move(ports), options));
}

AsioFront::AsioFront(FrontPorts ports, FrontOptions options)
    : ports_(std::move(ports)), options_(options) {}

AsioFront::~AsioFront() = default;

// --- errors --------------------------------------------------------------------------------------

std::int32_t AsioFront::explain(AsioError error, std::string_view text) noexcept {
  const MutexLock lock(data_);
  copy_message(message_, sizeof message_, text);
  return error;
}

std::int32_t AsioFront::explain(const Refusal& refusal) noexcept {
  return explain(refusal.error, refusal.message);
}

std::int32_t AsioFront::refused(Call call) noexcept {
  const State now = state();
  const AsioError answer = legality(now, call);
  return answer == kOk ? kOk : explain(answer, wrong_state(now));
}

void AsioFront::get_driver_name(char* name) const noexcept {
  if (name != nullptr) copy_text(name, kNameBytes, kDriverName);
}

void AsioFront::get_error_message(char* message) noexcept {
  if (message == nullptr) return;
  const MutexLock lock(data_);
  std::memcpy(message, message_, sizeof message_);
}

// --- init ----------------------------------------------------------------------------------------

bool AsioFront::init() {
  reap();
  const MutexLock lock(control_);
  if (ended_.load() || legality(state(), Call::init) != kOk) {
    explain(kInvalidMode, "init was called before and has succeeded; it works once per object.");
    return false;
  }
  if (!link_) link_ = ports_.make_link();
  if (!link_) {
    explain(kNotPresent, "The driver is not installed completely; install it again.");
    return false;
  }
  if (const auto connected = connect(kConnectBound); !connected) {
    explain(to_asio_error(connected.error().code), connected.error().message);
    return false;
  }
  (void)restore_rate();
  if (const auto launched = launch_notifier(); !launched) {
    lose_link();
    explain(to_asio_error(launched.error().code), launched.error().message);
    return false;
  }
  state_.store(state_after(State::loaded, Call::init), std::memory_order_release);
  return true;
}

Result<> AsioFront::launch_notifier() {
  if (!notify_) notify_ = ports_.threads.make_signal();
  if (options_.manual_notifier) return {};
  auto thread = ports_.threads.start("asio-notifier", ports::ThreadRole::notifier,
                                     [self = shared_from_this()] { self->notifier_loop(); });
  if (!thread) return tl::unexpected<Error>(thread.error());
  notifier_ = std::move(*thread);
  notifier_id_.store(notifier_.get(), std::memory_order_release);
  return {};
}

// --- buffers -------------------------------------------------------------------------------------

std::int32_t AsioFront::create_buffers(BufferInfo* infos, std::int32_t count, std::int32_t frames,
                                       const Callbacks* callbacks) {
  if (const auto error = refused(Call::create_buffers); error != kOk) return error;
  Judged<wire::SessionRequest> request;
  {
    const MutexLock lock(data_);
    request = plan_buffers(infos, count, frames, callbacks, description_);
  }
  if (!request) return explain(request.error());

  auto fresh = std::make_shared<BufferSet>(ports_.threads);
  fresh->callbacks = *callbacks;  // the host's structure may die when this call returns
  fresh->time_info = wants_time_info(fresh->callbacks);  // calls the host: no lock is held
  fresh->request = std::move(*request);
  if (fresh->callbacks.buffer_switch == nullptr && !fresh->time_info) {
    return explain(kInvalidParameter, "createBuffers was given no callback to call.");
  }

  const MutexLock lock(control_);
  if (const auto error = refused(Call::create_buffers); error != kOk) return error;
  sweep_stopped();
  try {
    if (const auto opened = open_session(*fresh); !opened) {
      return explain(to_asio_error(opened.error().code), opened.error().message);
    }
  } catch (...) {  // no memory: the service may hold a session that nobody here knows
    lose_link();
    throw;
  }
  hand_out(fresh->home(), std::span(infos, static_cast<std::size_t>(count)));
  {
    const MutexLock data(data_);
    buffers_ = std::move(fresh);
  }
  state_.store(state_after(State::initialized, Call::create_buffers), std::memory_order_release);
  return kOk;
}

std::int32_t AsioFront::dispose_buffers() {
  std::shared_ptr<Stream> stream;
  std::shared_ptr<BufferSet> buffers;
  {
    const Entry entry(*this);
    if (const auto error = refused(Call::dispose_buffers); error != kOk) return error;
    if (state() == State::running) stream = end_stream();
    buffers = end_buffers();
    if (description_stale_) look_again(kStopBound);
    estimate_latencies();
  }
  settle(stream);
  await_messages(buffers);
  return kOk;
}

/// Under control_. After it the notifier begins no call into the host any more.
std::shared_ptr<BufferSet> AsioFront::end_buffers() {
  std::shared_ptr<BufferSet> ending;
  {
    const MutexLock lock(data_);
    ending = std::exchange(buffers_, nullptr);
  }
  ending->messages.close();
  state_.store(State::initialized, std::memory_order_release);
  try {
    if (link_up_ && session_live_) (void)judge(link_->dispose_session(within(kStopBound)));
  } catch (...) {  // as in end_stream
    lose_link();
  }
  session_live_ = false;
  return ending;
}

void AsioFront::await_messages(const std::shared_ptr<BufferSet>& buffers) {
  if (buffers && !on_notifier()) (void)buffers->messages.wait_empty(within(kCallbackBound));
}

bool AsioFront::on_notifier() const noexcept {
  // Without a thread of its own the notifier is stepped by the only thread there is.
  const ports::Thread* const notifier = notifier_id_.load(std::memory_order_acquire);
  return notifier != nullptr ? notifier->is_current() : options_.manual_notifier;
}

// --- streams -------------------------------------------------------------------------------------

std::int32_t AsioFront::start() {
  const MutexLock lock(control_);
  if (const auto error = refused(Call::start); error != kOk) return error;
  sweep_stopped();
  const bool was_live = link_up_ && session_live_;
  auto started = run_session();
  // A service that went away while we were stopped is noticed at its first answer.
  if (!started && was_live && !link_up_) started = run_session();
  if (!started) return explain(to_start_error(started.error().code), started.error().message);
  notify_->signal();
  return kOk;
}

/// Under control_.
Result<> AsioFront::run_session() {
  if (!link_up_ || !session_live_) {
    const auto reopened = reopen_session(*buffers_, kConnectBound);
    if (!reopened) return tl::unexpected<Error>(reopened.error());
    if (!*reopened) {
      return fail(ErrorCode::device_gone,
                  "The audio device has changed; dispose the buffers and create new ones.");
    }
  }
  return run_stream();
}

/// Under control_, with a live session. The stream's thread waits before the service can ring; the
/// first callback may well come before this returns.
Result<> AsioFront::run_stream() {
  Attachment& home = buffers_->home();
  // A stop inside the callback could not do it. What the host has filled in since goes with it.
  const bool written = std::any_of(stopped_.begin(), stopped_.end(), [](const auto& earlier) {
    return earlier->in_callback() && !earlier->is_calling_thread();
  });
  if (buffers_->sounded && !written) buffers_->forget_sound();
  for (std::uint32_t half = 0; half < 2; ++half) {
    silence_inputs(home, half);
    // What the host has filled in is played before its first callback, not what was played last.
    if (buffers_->current != &home) copy_outputs(home, *buffers_->current, half);
  }
  const std::uint32_t rate = rate_hz_.load();
  auto stream = std::make_shared<Stream>(
      Stream::Setup{.clock = ports_.clock,
                    .threads = ports_.threads,
                    .buffers = buffers_,
                    .board = board_,
                    .epoch_ms = ports_.host_epoch_ms != nullptr ? ports_.host_epoch_ms() : 0,
                    .rate = {rate != 0 ? rate : kFallbackRate},
                    .before = stopped_});
  // What may find no memory comes first: nobody would end a thread that runs already.
  stopped_.reserve(stopped_.size() + 1);
  std::shared_ptr<void> boost = ports_.boost ? ports_.boost() : nullptr;
  if (!options_.manual_stream) {
    if (auto launched = Stream::launch(stream, ports_.threads); !launched) return launched;
  }
  boost_ = std::move(boost);
  stream_ = stream;
  live_.store(stream.get(), std::memory_order_seq_cst);
  state_.store(State::running, std::memory_order_release);
  const bool sounded = buffers_->sounded;
  try {
    if (auto started = judge(link_->start_session(within(kStartBound))); !started) {
      (void)end_stream();
      buffers_->sounded = sounded;  // this one has played nothing
      return started;
    }
  } catch (...) {  // no memory: the service may ring for a stream that the host takes for refused
    lose_link();
    (void)end_stream();
    buffers_->sounded = sounded;
    throw;
  }
  stream->arm();
  return {};
}

std::int32_t AsioFront::stop() {
  std::shared_ptr<Stream> stream;
  {
    const Entry entry(*this);
    if (const auto error = refused(Call::stop); error != kOk) return error;
    if (state() == State::running) stream = end_stream();
  }
  settle(stream);
  return kOk;
}

/// Under control_. No callback begins after it; one may still be inside the host.
std::shared_ptr<Stream> AsioFront::end_stream() {
  stream_->close();
  buffers_->sounded = true;
  live_.store(nullptr, std::memory_order_seq_cst);
  state_.store(State::prepared, std::memory_order_release);
  try {
    if (link_up_ && session_live_) (void)judge(link_->stop_session(within(kStopBound)));
  } catch (...) {  // no memory to ask: hanging up stops it as well, and the rest must happen
    lose_link();
  }
  boost_.reset();
  stopped_.push_back(stream_);  // the start has made room
  return std::exchange(stream_, nullptr);
}

/// Waits for the end of a stopped stream, without a lock and for a bounded time: the host may hold
/// what its callback wants until we return. A stream that takes longer stays in stopped_.
void AsioFront::settle(const std::shared_ptr<Stream>& stream) {
  if (!stream || stream->is_calling_thread()) return;
  if (!stream->finish(within(kCallbackBound)) || !drain_readers()) return;
  const MutexLock lock(control_);
  std::erase(stopped_, stream);
  // What the host fills in from now on is what the next start plays first.
  if (state() == State::prepared && stream->plays(*buffers_)) buffers_->forget_sound();
}

/// Under control_: forgets the streams that have ended meanwhile.
void AsioFront::sweep_stopped() {
  if (!drain_readers()) return;
  std::erase_if(stopped_, [this](const std::shared_ptr<Stream>& stream) {
    return !stream->in_callback() && stream->finish(ports_.clock.now());
  });
}

/// False while somebody may still hold what live_ was: a thread of the host that was put aside in
/// the middle of outputReady. Its stream must stay until then.
bool AsioFront::drain_readers() noexcept {
  for (int pause = 0; pause < kReaderPauses; ++pause) {
    if (readers_.load(std::memory_order_seq_cst) == 0) return true;
    ports_.clock.sleep_until(within(kReaderPause));
  }
  return readers_.load(std::memory_order_seq_cst) == 0;
}

std::int32_t AsioFront::output_ready() noexcept {
  readers_.fetch_add(1, std::memory_order_seq_cst);
  Stream* const stream = live_.load(std::memory_order_seq_cst);
  if (stream != nullptr) stream->output_ready();
  readers_.fetch_sub(1, std::memory_order_seq_cst);
  return kOk;  // from the first probe on and always: it helps
}

bool AsioFront::serve_cycle() {
  const std::shared_ptr<Stream> stream = stream_;  // the host may stop us inside
  return stream && stream->step();
}

Instant AsioFront::next_due() const { return stream_ ? stream_->due() : Instant{INT64_MAX}; }

// --- the end -------------------------------------------------------------------------------------

void AsioFront::shutdown() {
  std::shared_ptr<Stream> stream;
  std::shared_ptr<BufferSet> buffers;
  std::vector<std::shared_ptr<Stream>> left;
  {
    const Entry entry(*this);
    if (ended_.exchange(true)) return;
    if (state() == State::running) stream = end_stream();
    if (state() == State::prepared) buffers = end_buffers();
    state_.store(State::loaded, std::memory_order_release);
    if (link_) lose_link();
  }
  settle(stream);
  await_messages(buffers);
  end_notifier();
  {
    const MutexLock lock(control_);
    left.swap(stopped_);
  }
  for (const std::shared_ptr<Stream>& each : left) {
    if (!each->in_callback() && each->finish(ports_.clock.now())) continue;
    each->abandon();
  }
  reap();
}

void AsioFront::end_notifier() {
  if (!notifier_) return;
  link_->wake_events();
  notify_->signal();
  if (notifier_->is_current() || !notifier_->join(within(kNotifierBound))) {
    bury(std::move(notifier_));  // notifier_id_ stays valid until the thread has ended
    return;
  }
  notifier_id_.store(nullptr, std::memory_order_release);
  notifier_.reset();
}

}  // namespace asiodrv::asio
