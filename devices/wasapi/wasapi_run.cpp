#include "devices/wasapi/wasapi_run.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace asiodrv::devices::wasapi {
namespace {

constexpr nanoseconds kLeastPatience = std::chrono::milliseconds{200};
constexpr nanoseconds kMostPatience = std::chrono::milliseconds{500};
constexpr nanoseconds kNewsSettle = std::chrono::milliseconds{250};
constexpr std::uint32_t kMostTarget = 3;  // periods that wait to be played
constexpr std::uint32_t kQueuePeriods = 8;
constexpr std::uint32_t kMostMissed = 1U << 20;

nanoseconds patience(const ports::DeviceFormat& format) {
  return std::clamp(duration_ceil({4 * format.period.count}, format.rate), kLeastPatience,
                    kMostPatience);
}

/// The usual mixer's ticks may be uneven (10 to 16 ms under Wine) and feed buffers that we do not
/// see: what runs dry there gives no sign here. One period more is what keeps them fed.
std::uint32_t least_target(const RenderStream& render) {
  return render.opened().mode == StreamMode::shared ? 2 : 1;
}

std::uint32_t render_channels(const RenderStream* render) {
  return render != nullptr ? render->opened().format.channels : 0;
}

}  // namespace

WasapiRun::WasapiRun(System& system, ports::Clock& clock, RunEvents& events, RunSetup setup)
    : system_(system),
      clock_(clock),
      events_(events),
      format_(setup.format),
      period_(setup.format.period.count),
      awaits_input_(setup.awaits_input),
      patience_(patience(setup.format)),
      render_(std::move(setup.render)),
      capture_(std::move(setup.capture)),
      filter_({setup.format.rate, setup.format.period}),
      input_latency_(setup.format.period.count),
      output_latency_(setup.format.period.count) {
  if (render_) {
    most_target_ = std::clamp(render_->opened().buffer.count / period_, 1U, kMostTarget);
    least_target_ = std::min(least_target(*render_), most_target_);
    target_.store(std::clamp(setup.target_periods, least_target_, most_target_));
  }
  if (capture_) {
    const OpenStream& opened = capture_->opened();
    queue_ = std::make_unique<CaptureQueue>(
        opened.format, format_.period,
        Frames{std::max(kQueuePeriods * period_, 2 * opened.buffer.count)});
  }
  const std::uint32_t outputs = render_channels(render_.get());
  samples_.assign(std::size_t{outputs + setup.inputs} * period_, 0.0F);
  for (std::uint32_t channel = 0; channel < outputs + setup.inputs; ++channel) {
    (channel < outputs ? render_blocks_ : capture_blocks_)
        .push_back(samples_.data() + std::size_t{channel} * period_);
  }
}

Hr WasapiRun::start() {
  filter_.reset();
  input_latency_.reset();
  output_latency_.reset();
  if (queue_) queue_->reset();
  std::fill(samples_.begin(), samples_.end(), 0.0F);
  committed_ = true;
  render_event_ = capture_event_ = false;
  chunks_ = 0;
  due_ = 0;
  next_index_ = 0;
  missed_ = unstamped_ = 0;
  discontinuity_ = false;
  buffer_errors_ = 0;
  interrupted_.store(false);
  loss_.store(kOk);
  silent_.store(false);
  moved_.store(false);
  irregular_.store(false);
  arrived_.store(false);
  window_events_ = window_missing_ = bad_windows_ = 0;
  news_since_ = {};
  waiting_ = target_.load() * period_;
  newest_capture_ = newest_frame_ = {};
  // What an earlier run has left would be taken for the first event of this one.
  for (const Event* event : {&events_.interrupt, &events_.render, &events_.capture}) {
    (void)has_signalled(event->get());
  }
  Hr code = capture_ ? capture_->start() : kOk;
  if (!failed(code) && render_) code = render_->start(waiting_);
  if (failed(code)) {
    stop();
    return code;
  }
  running_ = true;
  return kOk;
}

void WasapiRun::stop() noexcept {
  running_ = false;
  if (render_) render_->stop();
  if (capture_) capture_->stop();
}

ports::PeriodStatus WasapiRun::lose(Hr code, bool silent) RT_SAFE {
  loss_.store(code, std::memory_order_relaxed);
  silent_.store(silent, std::memory_order_relaxed);
  return ports::PeriodStatus::lost;
}

ports::PeriodStatus WasapiRun::wait(ports::DevicePeriod& period,
                                    const EndpointWatcher* watcher) RT_SAFE {
  if (!running_ || loss_.load(std::memory_order_relaxed) != kOk) return ports::PeriodStatus::lost;
  Instant now = clock_.now();
  entered_ = now;
  const Instant give_up = now + patience_;
  for (;;) {
    if (interrupted_.exchange(false)) return ports::PeriodStatus::interrupted;
    if (news(watcher, now)) return lose(kDeviceInvalidated, false);
    if (!look(now)) return ports::PeriodStatus::lost;
    if (due_ > 0) break;
    if (now >= give_up) {
      return buffer_errors_ > 0 ? lose(refusal_, false) : lose(kDeviceInvalidated, true);
    }
    sleep(give_up);
    now = clock_.now();
  }
  deliver(period, now);
  return ports::PeriodStatus::ready;
}

/// The default has moved, or a device came that may be the missing input. Such news come in bursts,
/// and what is true is told last.
bool WasapiRun::news(const EndpointWatcher* watcher, Instant now) RT_SAFE {
  if (watcher == nullptr) return false;
  const bool moved = watcher->default_moved();
  const std::uint32_t arrivals = watcher->arrivals();
  const bool arrived = awaits_input_ && arrivals != 0;
  if (!moved && !arrived) {
    news_since_ = {};
    return false;
  }
  if (news_since_.ns == 0 || arrivals != arrivals_) news_since_ = now;
  arrivals_ = arrivals;
  if (now - news_since_ < kNewsSettle) return false;
  moved_.store(moved, std::memory_order_relaxed);
  arrived_.store(arrived, std::memory_order_relaxed);
  return true;
}

/// Until something happens, `deadline` at most.
void WasapiRun::sleep(Instant deadline) RT_SAFE {
  std::array<EventHandle, 3> events{events_.interrupt.get()};
  std::size_t count = 1;
  if (render_) events[count++] = events_.render.get();
  if (capture_) events[count++] = events_.capture.get();
  const RtPermit bounded;  // by the caller's patience: 200 to 500 ms
  const WaitResult first = system_.wait_any({events.data(), count}, deadline);
  if (first.end != WaitEnd::signalled) return;
  // The lowest event that is signalled hides the others: each of them is asked by itself.
  for (std::size_t i = 0; i < count; ++i) {
    const bool signalled = i == first.index || (i > first.index && has_signalled(events[i]));
    if (signalled && render_ && events[i] == events_.render.get()) render_event_ = true;
    if (signalled && capture_ && events[i] == events_.capture.get()) capture_event_ = true;
  }
}

/// And resets it.
bool WasapiRun::has_signalled(EventHandle event) RT_SAFE {
  const RtPermit does_not_wait;
  return system_.wait_any({&event, 1}, Instant{0}).end == WaitEnd::signalled;
}

bool WasapiRun::look(Instant now) RT_SAFE { return look_at_capture(now) && look_at_render(now); }

bool WasapiRun::look_at_capture(Instant now) RT_SAFE {
  if (!capture_) return true;
  const bool event = std::exchange(capture_event_, false);
  if (newest_capture_.ns == 0) newest_capture_ = now;  // a start may take as long as it likes
  if (capture_->exclusive() && !event) {
    if (now - newest_capture_ <= patience_) return true;
    // Whoever came late himself has not seen its event yet.
    if (!has_signalled(events_.capture.get())) {
      lose(kDeviceInvalidated, true);
      return false;
    }
  }
  Captured captured;
  const Hr code = capture_->drain(system_, now, *queue_, captured);
  if (failed(code)) {
    lose(code, false);
    return false;
  }
  if (captured.frames > 0) {
    newest_capture_ = now;
    if (captured.stamped) newest_frame_ = captured.newest;
    discontinuity_ |= captured.discontinuity;
    if (!render_) {
      const std::uint32_t periods = queue_->level() / period_;
      if (periods > due_) on_ticks(now, periods - due_, 0);
    }
  } else if (now - newest_capture_ > patience_) {
    lose(kDeviceInvalidated, true);
    return false;
  }
  return true;
}

bool WasapiRun::look_at_render(Instant now) RT_SAFE {
  if (!render_) return true;
  const bool event = std::exchange(render_event_, false);
  if (render_->exclusive()) {
    if (!event) return true;
    // One event, one buffer; what passed without us was played again by the hardware.
    const double elapsed = filter_.frames_after_boundary(now) / period_;
    const bool late = filter_.state() != audio::ClockFilterState::empty && elapsed > 1.5;
    const std::uint32_t missing = late ? static_cast<std::uint32_t>(std::lround(elapsed)) - 1 : 0;
    on_ticks(now, 1, missing);
    due_ = 1;
    if (too_irregular(now, 1, missing)) return false;
    return true;
  }
  std::uint32_t padding = 0;
  Hr code = render_->padding(padding);
  if (!failed(code)) {
    const std::uint64_t written = render_->written();
    const std::uint64_t chunks = (written - std::min<std::uint64_t>(padding, written)) / period_;
    const auto fresh = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(chunks - std::min(chunks, chunks_), kMostMissed));
    if (fresh == 0) return true;
    const std::uint32_t passed = ticks_since_boundary(now);
    const std::uint32_t known = fresh + unstamped_;
    const std::uint32_t starved = padding == 0 && passed > known ? passed - known : 0;
    chunks_ += fresh;
    waiting_ = padding;
    on_ticks(now, fresh, starved);
    if (too_irregular(now, fresh, starved)) return false;
    if (starved > 0) code = refill(starved);
  }
  if (failed(code)) {
    lose(code, false);
    return false;
  }
  return true;
}

/// There are drivers (USB) whose events become rare after hours, and come again on a new stream:
/// true, and the run is lost, when more than a fifth was missing in each of two seconds. Only what
/// did not come while we were waiting for it counts.
bool WasapiRun::too_irregular(Instant now, std::uint32_t came, std::uint32_t missing) RT_SAFE {
  if (now - entered_ <= duration_ceil(format_.period, format_.rate)) missing = 0;
  window_events_ += came + missing;
  window_missing_ += missing;
  if (std::uint64_t{window_events_} * period_ < format_.rate.hz) return false;
  bad_windows_ = window_missing_ * 5 > window_events_ ? bad_windows_ + 1 : 0;
  window_events_ = window_missing_ = 0;
  if (bad_windows_ < 2) return false;
  irregular_.store(true, std::memory_order_relaxed);
  lose(kUnexpected, false);
  return true;
}

/// Whole periods since the newest boundary that is known.
std::uint32_t WasapiRun::ticks_since_boundary(Instant now) const RT_SAFE {
  if (filter_.state() == audio::ClockFilterState::empty) return 0;
  const double elapsed = filter_.frames_after_boundary(now) / period_;
  return elapsed < 1 ? 0 : static_cast<std::uint32_t>(std::min<double>(elapsed, kMostMissed));
}

/// `fresh` periods have begun, the newest of them just now; `starved` ones passed before them.
void WasapiRun::on_ticks(Instant now, std::uint32_t fresh, std::uint32_t starved) RT_SAFE {
  filter_.update(now, fresh + starved + std::exchange(unstamped_, 0));
  due_ += fresh;
  missed_ += starved;
}

/// After the mixer found nothing: the target grows, and silence takes the place of what is missing.
Hr WasapiRun::refill(std::uint32_t starved) RT_SAFE {
  underruns_.fetch_add(starved, std::memory_order_relaxed);
  const std::uint32_t target = std::min(target_.load(std::memory_order_relaxed) + 1, most_target_);
  target_.store(target, std::memory_order_relaxed);
  const std::uint32_t owed = std::max(due_, 1U);  // periods that will be committed at once
  const std::uint32_t silence = target > owed ? (target - owed) * period_ : 0;
  const Hr code = render_->write_silence(silence);
  if (!failed(code)) waiting_ += silence;
  return code;
}

void WasapiRun::deliver(ports::DevicePeriod& period, Instant now) RT_SAFE {
  --due_;
  const nanoseconds length = filter_.next_boundary() - filter_.boundary();
  const nanoseconds behind = length * due_;  // the newest boundary belongs to the newest period
  period = {};
  period.lost = std::exchange(missed_, 0);
  period.index = next_index_ + period.lost;
  boundary_ = filter_.boundary() - behind;
  boundary_after_ = filter_.next_boundary() - behind;
  period.boundary = std::min(boundary_, now);
  period.next_boundary = boundary_after_;
  if (render_ && !render_->exclusive()) {
    // Whoever came late has until the mixer runs dry, and shall have half a period.
    const Instant dry = filter_.boundary() + length * (1 + waiting_ / period_);
    period.next_boundary = std::max(period.next_boundary, std::min(now + length / 2, dry));
  }
  next_boundary_ = period.next_boundary;
  next_index_ = period.index + 1;
  period.render = {render_blocks_.data(), static_cast<std::uint32_t>(render_blocks_.size()),
                   format_.period};
  const auto inputs = static_cast<std::uint32_t>(capture_blocks_.size());
  period.capture = {capture_blocks_.data(), inputs, format_.period};
  if (period.lost > 0) output_latency_.reset();
  if (queue_) {
    if (period.lost > 0) queue_->skip(std::uint64_t{period.lost} * period_);
    period.gap = queue_->take({capture_blocks_.data(), inputs, format_.period});
    period.gap |= std::exchange(discontinuity_, false);
    if (period.gap || period.lost > 0) input_latency_.reset();  // it has made a step
    dropped_.store(queue_->dropped(), std::memory_order_relaxed);
    inserted_.store(queue_->inserted(), std::memory_order_relaxed);
    measure_input();
  }
  committed_ = false;
}

bool WasapiRun::commit() RT_SAFE {
  if (!running_ || std::exchange(committed_, true)) return false;
  if (!render_) return true;
  if (loss_.load(std::memory_order_relaxed) != kOk) return false;
  Hr code = kOk;
  const Instant now = clock_.now();
  bool in_time = now < next_boundary_;
  std::uint32_t padding = 0;
  if (!render_->exclusive()) {
    code = render_->padding(padding);
    if (!failed(code) && padding == 0) {
      // All is played that was there: did a tick find nothing?
      const std::uint32_t passed = ticks_since_boundary(now);
      const std::uint32_t known = waiting_ / period_ + unstamped_;
      const std::uint32_t starved = passed > known ? passed - known : 0;
      in_time = starved == 0;
      missed_ += starved;
      unstamped_ += starved;
      if (starved > 0) code = refill(starved);
    } else {
      in_time = true;
    }
  }
  if (!failed(code)) {
    measure_output(now);
    code = render_->write({const_cast<const float* const*>(render_blocks_.data()),
                           static_cast<std::uint32_t>(render_blocks_.size()), format_.period});
  }
  if (!failed(code)) {
    waiting_ += period_;
    buffer_errors_ = 0;
    return in_time;
  }
  // Exclusive drivers refuse a buffer now and then; three in a row are more than that.
  const bool passing = code == kBufferError || code == kOutOfOrder || code == kBufferTooLarge;
  refusal_ = code;
  if (!passing || ++buffer_errors_ >= 3) lose(code, false);
  return false;
}

/// Every other period; not within the first half second, in which clocks stand still for a while
/// and the queue finds its level.
bool WasapiRun::looks_at_latency() const RT_SAFE {
  return next_index_ % 2 == 0 && next_index_ * period_ * 2 >= format_.rate.hz;
}

/// How old the newest frame of the delivered block was when its period began: what waits behind it
/// is newer, and the newest of that has its stamp.
void WasapiRun::measure_input() RT_SAFE {
  if (newest_frame_.ns == 0 || !looks_at_latency()) return;
  const double age =
      static_cast<double>((boundary_ - newest_frame_).count()) * 1e-9 * format_.rate.hz;
  if (std::abs(age) > format_.rate.hz / 2.0) return;  // a stamp that means nothing
  input_latency_.take(age + queue_->level());
}

/// From the end of the delivered period to the moment in which its first frame is heard, as the
/// stream's position tells it.
void WasapiRun::measure_output(Instant now) RT_SAFE {
  if (!looks_at_latency()) return;
  double frames = 0;
  Instant at;
  if (failed(render_->played(system_, frames, at)) || frames <= 0) return;
  const double rate = format_.rate.hz;
  // Negative as a rule: the stamp is made within the call.
  const double since = static_cast<double>((now - at).count()) * 1e-9;
  if (std::abs(since) > 0.1) return;  // too far away to continue the line
  const double ahead = static_cast<double>(render_->written()) - (frames + since * rate);
  const double left = static_cast<double>((boundary_after_ - now).count()) * 1e-9 * rate;
  output_latency_.take(ahead - left);
}

void WasapiRun::interrupt() RT_SAFE {
  interrupted_.store(true);
  system_.signal(events_.interrupt.get());
}

RunFigures WasapiRun::figures() const RT_SAFE {
  RunFigures figures;
  figures.target_periods = target_.load(std::memory_order_relaxed);
  figures.underruns = underruns_.load(std::memory_order_relaxed);
  figures.dropped_frames = dropped_.load(std::memory_order_relaxed);
  figures.inserted_frames = inserted_.load(std::memory_order_relaxed);
  figures.input_latency_frames = input_latency_.frames();
  figures.output_latency_frames = output_latency_.frames();
  figures.loss = loss_.load(std::memory_order_relaxed);
  figures.silent = silent_.load(std::memory_order_relaxed);
  figures.moved = moved_.load(std::memory_order_relaxed);
  figures.irregular = irregular_.load(std::memory_order_relaxed);
  figures.arrived = arrived_.load(std::memory_order_relaxed);
  return figures;
}

/// What is known before anything was measured: the fill, and one period for the mixer. What the
/// system says about itself is 0 more often than not (and 20 ms under Wine, whatever is true); only
/// exclusive streams say more than their double buffer. Where in the period packets will come is
/// not known: half of one is the best guess.
ports::DeviceLatency WasapiRun::nominal_latency() const {
  ports::DeviceLatency latency;
  if (render_ && render_->exclusive()) {
    ReferenceTime told = 0;
    if (failed(render_->opened().client->stream_latency(&told)) || told < 0) told = 0;
    const std::uint32_t frames = frames_of(std::min<ReferenceTime>(told, 10'000'000), format_.rate);
    latency.output = {frames - std::min(frames, 2 * period_)};
  } else if (render_) {
    latency.output = {target_.load() * period_};
  }
  if (render_ && capture_) latency.input = {period_ / 2};
  return latency;
}

}  // namespace asiodrv::devices::wasapi
