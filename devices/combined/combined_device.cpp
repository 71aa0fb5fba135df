#include "devices/combined/combined_device.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <new>
#include <string>
#include <utility>

#include "devices/combined/combined_info.hpp"
#include "devices/combined/member_keeper.hpp"
#include "devices/combined/member_link.hpp"
#include "devices/combined/member_plan.hpp"
#include "devices/combined/member_runner.hpp"

namespace asiodrv::devices {
namespace {

// Of the 2 s that the port allows.
constexpr nanoseconds kOpenBound = std::chrono::milliseconds{1'800};
constexpr nanoseconds kStartBound = std::chrono::milliseconds{500};
constexpr nanoseconds kStopBound = std::chrono::milliseconds{1'900};

/// The master's frame 0 in its delay lines: nothing lies below zero.
constexpr std::uint64_t kDelayBase = std::uint64_t{1} << 40U;

Frames frames_of(nanoseconds time, SampleRate rate) {
  return {static_cast<std::uint32_t>(static_cast<double>(time.count()) * 1e-9 * rate.hz)};
}

template <class Sample>
PlanarView<Sample> slice(const PlanarView<Sample>& all, std::uint32_t first, std::uint32_t count) {
  return {all.blocks + first, count, all.frames};
}

/// Filter tables by their rates; 30 ms each.
class Tables {
 public:
  explicit Tables(audio::ResamplerQuality quality) : quality_(quality) {}
  Result<std::shared_ptr<const audio::FilterTable>> get(SampleRate input, SampleRate output) {
    for (const auto& table : made_) {
      if (table->input_rate() == input && table->output_rate() == output) return table;
    }
    auto made = audio::FilterTable::make(quality_, input, output);
    if (made) made_.push_back(*made);
    return made;
  }

 private:
  audio::ResamplerQuality quality_;
  std::vector<std::shared_ptr<const audio::FilterTable>> made_;
};

}  // namespace

/// The members, and orders to all of them at once.
struct CombinedDevice::Members {
  [[nodiscard]] std::size_t size() const { return keepers.size(); }

  [[nodiscard]] MemberOrder order(std::size_t index, MemberOrder::Wish wish) const {
    MemberOrder given;
    given.wish = wish;
    if (wish == MemberOrder::Wish::closed) return given;
    given.format = formats[index];
    if (wish == MemberOrder::Wish::open) return given;
    given.master = master;
    given.session = sessions[index];
    given.planned = planned[index];
    given.spare = spare[index];
    return given;
  }

  Result<> give_all(MemberOrder::Wish wish) {
    Result<> given;
    for (std::size_t i = 0; i < size(); ++i) {
      if (Result<> one = keepers[i]->give(order(i, wish)); !one) given = std::move(one);
    }
    return given;
  }

  /// Until everybody has done what was asked last, until `deadline` at most.
  void wait(Instant deadline) const {
    for (const auto& keeper : keepers) {
      while (!keeper->done()) {
        if (!progress->wait(deadline)) return;
      }
    }
  }

  /// Whether everybody is open or merely away; who is still busy counts as away.
  [[nodiscard]] Result<> opened() const {
    for (const auto& keeper : keepers) {
      if (!keeper->done()) continue;
      if (Result<> one = keeper->opened(); !one) return one;
    }
    return {};
  }

  /// All have been told to close: waits for it, as far as `deadline` allows.
  void finish(Instant deadline) {
    wait(deadline);
    for (const auto& keeper : keepers) {
      if (keeper->done()) keeper->settle(deadline);
    }
    sessions.clear();
  }

  std::shared_ptr<ports::Signal> progress;
  std::vector<std::unique_ptr<MemberKeeper>> keepers;
  ports::DeviceFormat master{};  // since open
  // By member, since open:
  std::vector<ports::DeviceFormat> formats;
  std::vector<ports::DeviceLatency> planned;
  std::vector<Frames> spare;  // the stall allowance in each member's frames
  std::vector<std::shared_ptr<MemberSession>> sessions;
};

/// The blocks of one period, and what delays the master.
struct CombinedDevice::Buffers {
  Buffers(const ports::DeviceInfo& all, const ports::DeviceInfo& master, Frames period,
          Frames input_delay, Frames output_delay)
      : capture(all.input_channels, period.count),
        render(all.output_channels, period.count),
        input_delay_frames(input_delay.count),
        output_delay_frames(output_delay.count),
        input(master.input_channels, {input_delay.count + 2 * period.count}),
        output(master.output_channels, {output_delay.count + 2 * period.count}) {}

  /// Delays one block that lies at `position` by `frames`; what was never put is silence.
  static void pass(PositionRing& line, std::uint64_t position, std::uint32_t frames,
                   PlanarView<const float> from, PlanarView<float> to) RT_SAFE {
    line.forget_before(position - frames);  // after a loss: room for this block
    line.write(position, from);
    line.read(position - frames, to);
  }

  PlanarScratch capture, render;
  const std::uint32_t input_delay_frames, output_delay_frames;
  PositionRing input, output;
};

Result<std::unique_ptr<CombinedDevice>> CombinedDevice::make(ports::Clock& clock,
                                                             ports::Threads& threads,
                                                             std::vector<CombinedMember> members,
                                                             CombinedOptions options) {
  if (Result<> checked = check_combined(members, options); !checked) {
    return tl::unexpected(std::move(checked.error()));
  }
  auto others = std::make_unique<Members>();
  others->progress = threads.make_signal();
  ports::Threads* const own = options.by_hand ? nullptr : &threads;
  for (std::size_t i = 1; i < members.size(); ++i) {
    others->keepers.push_back(
        std::make_unique<MemberKeeper>(clock, own, others->progress, std::move(members[i].device)));
  }
  std::unique_ptr<ports::Device> master = std::move(members.front().device);
  return std::unique_ptr<CombinedDevice>(
      new CombinedDevice(clock, std::move(master), std::move(others), std::move(members), options));
}

CombinedDevice::CombinedDevice(ports::Clock& clock, std::unique_ptr<ports::Device> master,
                               std::unique_ptr<Members> members, std::vector<CombinedMember> names,
                               const CombinedOptions& options)
    : clock_(clock),
      master_(std::move(master)),
      members_(std::move(members)),
      names_(std::move(names)),
      options_(options) {
  renew_info();
}

CombinedDevice::~CombinedDevice() { close(); }

// --- control threads -----------------------------------------------------------------------------

void CombinedDevice::refresh() {
  if (open_) return;
  master_->refresh();
  for (const auto& keeper : members_->keepers) keeper->refresh();
  (void)try_renew();
}

/// Rates and channels change in the system while a device is closed, or lost.
void CombinedDevice::renew_info() {
  std::vector<const ports::DeviceInfo*> infos{&master_->info()};
  for (const auto& keeper : members_->keepers) {
    keeper->renew();
    infos.push_back(&keeper->info());
  }
  info_ = combined_info(infos, names_, options_);
}

Result<> CombinedDevice::open(const ports::DeviceFormat& format) {
  if (open_) return fail(ErrorCode::invalid_state, info_.name + " is open already: close it.");
  const Instant begun = clock_.now();
  // A lost member may have become something else since.
  if (Result<> renewed = try_renew(); !renewed) return renewed;
  if (Result<> chosen = choose_formats(format); !chosen) return chosen;
  Result<> ready = open_all(format);
  const bool master_is_open = ready.has_value();
  if (master_is_open) {
    members_->wait(begun + kOpenBound);
    ready = members_->opened();
    if (ready) ready = try_renew();  // first: links are made for the channels that there are now
    if (ready) ready = try_links(format);
  }
  if (!ready) {
    links_.clear();
    (void)members_->give_all(MemberOrder::Wish::closed);
    if (master_is_open) master_->close();
    members_->finish(begun + kOpenBound);
    (void)try_renew();  // what is accepted now
    return ready;
  }
  format_ = format;
  open_ = true;
  return {};
}

/// What each member shall run at.
Result<> CombinedDevice::choose_formats(const ports::DeviceFormat& format) {
  if (std::find(info_.rates.begin(), info_.rates.end(), format.rate) == info_.rates.end()) {
    std::string rates;
    for (const SampleRate rate : info_.rates) {
      rates += (rates.empty() ? "" : ", ") + std::to_string(rate.hz);
    }
    return fail(ErrorCode::format_refused, info_.name + " does not run at " +
                                               std::to_string(format.rate.hz) +
                                               " Hz; accepted are " + rates + ".");
  }
  members_->master = format;
  members_->formats.clear();
  members_->spare.clear();
  for (const auto& member : members_->keepers) {
    const auto own = member_format(member->info(), format);
    if (!own) {
      const SampleRate nearest = nearest_rate(member->info().rates, format.rate);
      return fail(ErrorCode::format_refused,
                  info_.name + " cannot bring " + member->info().name + " from " +
                      std::to_string(nearest.hz) + " to " + std::to_string(format.rate.hz) +
                      " Hz in periods of " + std::to_string(format.period.count) +
                      " frames: choose a shorter period.");
    }
    members_->formats.push_back(*own);
    members_->spare.push_back(frames_of(options_.stall_allowance, own->rate));
  }
  return {};
}

/// The members have been told, and the master is open. On failure the members are still open.
Result<> CombinedDevice::open_all(const ports::DeviceFormat& format) {
  if (Result<> given = members_->give_all(MemberOrder::Wish::open); !given) return given;
  if (Result<> opened = master_->open(format); !opened) return opened;
  Result<> judged = judge_master(format.rate);
  if (!judged) master_->close();
  return judged;
}

Result<> CombinedDevice::judge_master(SampleRate rate) const {
  const ports::DeviceLatency own = master_->latency();
  if (own.input.count <= rate.hz && own.output.count <= rate.hz) return {};
  return fail(ErrorCode::internal, master_->info().name +
                                       " says that it is more than a second behind: nothing can "
                                       "be aligned with that. Choose another clock master.");
}

Result<> CombinedDevice::try_renew() {
  try {
    renew_info();
    return {};
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, info_.name + " got no memory for its channels.");
  }
}

Result<> CombinedDevice::try_links(const ports::DeviceFormat& format) {
  try {
    return make_links(format);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, info_.name + " got no memory for its channels.");
  }
}

Result<> CombinedDevice::make_links(const ports::DeviceFormat& format) {
  Tables tables(options_.quality);
  std::vector<MemberPlan> plans;
  members_->planned.clear();
  for (std::size_t i = 0; i < members_->size(); ++i) {
    const MemberKeeper& member = *members_->keepers[i];
    const ports::DeviceFormat& own = members_->formats[i];
    // One that is still busy is away, like one that is not plugged in.
    ports::DeviceLatency latency{own.period, own.period};
    if (member.done()) latency = member.latency();
    members_->planned.push_back(latency);
    auto in = tables.get(own.rate, format.rate);
    auto out = tables.get(format.rate, own.rate);
    if (!in) return tl::unexpected(std::move(in.error()));
    if (!out) return tl::unexpected(std::move(out.error()));
    plans.push_back({own, latency, (*in)->look_ahead(), (*out)->look_ahead(),
                     member.info().input_channels > 0, member.info().output_channels > 0});
  }
  const ports::DeviceLatency own = master_->latency();
  common_ = common_latency(format, own, plans, options_.stall_allowance);

  links_.clear();
  members_->sessions.clear();
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const MemberPlan& plan = plans[i];
    MemberKeeper& member = *members_->keepers[i];
    const ports::DeviceInfo& info = member.info();
    SideShape shape{format, plan.format, info.input_channels, common_.input, options_.quality};
    std::unique_ptr<CaptureSide> capture;
    std::unique_ptr<PlaybackSide> playback;
    const double in_target = input_target(format, common_.input, plan);
    const double out_target = output_target(format, common_.output, plan);
    if (plan.inputs) {
      auto made = CaptureSide::make(shape, in_target, *tables.get(plan.format.rate, format.rate));
      if (!made) return tl::unexpected(std::move(made.error()));
      capture = std::move(*made);
    }
    if (plan.outputs) {
      shape.channels = info.output_channels;
      shape.common = common_.output;
      auto made = PlaybackSide::make(shape, out_target, *tables.get(format.rate, plan.format.rate));
      if (!made) return tl::unexpected(std::move(made.error()));
      playback = std::move(*made);
    }
    const double both = format.period.count * ratio(format, plan.format) + plan.format.period.count;
    const double most = 2 * (std::max({in_target, out_target, 0.0}) + both);
    const Frames capacity{static_cast<std::uint32_t>(std::ceil(most))};
    members_->sessions.push_back(
        std::make_shared<MemberSession>(clock_, member.device(), info, plan.format, capacity));
    const nanoseconds stale =
        duration_ceil(plan.format.period, plan.format.rate) + options_.stall_allowance;
    links_.push_back(std::make_unique<MemberLink>(
        members_->sessions.back(), plan.format, std::move(capture), std::move(playback),
        MemberWatch(static_cast<std::uint32_t>(i), stale, options_.stall_allowance)));
  }
  return {};
}

/// Devices measure themselves while they run: one may have found more than it was planned for.
bool CombinedDevice::has_outgrown_plan() const {
  const auto exceeds = [](const ports::DeviceLatency& now, const ports::DeviceLatency& planned) {
    return now.input > planned.input || now.output > planned.output;
  };
  if (exceeds(master_->latency(), common_)) return true;
  for (std::size_t i = 0; i < members_->size(); ++i) {
    const MemberKeeper& member = *members_->keepers[i];
    if (member.done() && exceeds(member.latency(), members_->planned[i])) return true;
  }
  return false;
}

Result<> CombinedDevice::start() {
  if (!open_) return fail(ErrorCode::invalid_state, info_.name + " is not open: open it first.");
  if (running_) return fail(ErrorCode::invalid_state, info_.name + " runs already: stop it first.");
  if (has_outgrown_plan()) {
    Result<> planned = judge_master(format_.rate);
    if (planned) planned = try_links(format_);
    if (!planned) {
      close();  // half of it is planned anew
      return planned;
    }
  }
  const ports::DeviceLatency own = master_->latency();
  try {
    buffers_ = std::make_unique<Buffers>(info_, master_->info(), format_.period,
                                         Frames{common_.input.count - own.input.count},
                                         Frames{common_.output.count - own.output.count});
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, info_.name + " got no memory for its channels.");
  }
  engine_clock_ = audio::ClockFilter({format_.rate, format_.period});
  next_index_ = next_committed_ = 0;
  outstanding_ = late_ = false;
  const Instant begun = clock_.now();
  changed_.store(kMaxMembers, std::memory_order_relaxed);
  for (const auto& link : links_) link->restart();
  Result<> started = members_->give_all(MemberOrder::Wish::running);
  if (started) started = master_->start();
  if (!started) {
    (void)members_->give_all(MemberOrder::Wish::open);
    members_->wait(begun + kStopBound);
    return started;
  }
  members_->wait(begun + kStartBound);
  running_ = true;
  return {};
}

void CombinedDevice::stop() noexcept {
  if (!running_) return;
  running_ = false;
  const Instant deadline = clock_.now() + kStopBound;
  (void)members_->give_all(MemberOrder::Wish::open);
  master_->stop();
  members_->wait(deadline);
}

void CombinedDevice::close() noexcept {
  if (!open_) return;
  open_ = false;
  const Instant deadline = clock_.now() + kStopBound;
  (void)members_->give_all(MemberOrder::Wish::closed);
  if (running_.exchange(false)) master_->stop();
  master_->close();
  links_.clear();
  buffers_.reset();
  members_->finish(deadline);
}

std::size_t CombinedDevice::members() const noexcept { return members_->size(); }

void CombinedDevice::retry_lost() {
  for (const auto& keeper : members_->keepers) keeper->retry();
}

MemberPump* CombinedDevice::pump(std::size_t index) noexcept {
  return open_ ? &members_->sessions[index]->pump : nullptr;
}

std::string CombinedDevice::trouble(std::size_t index) const {
  if (index >= members_->size()) return {};
  const MemberKeeper& member = *members_->keepers[index];
  if (!member.done()) {
    return member.info().name +
           " has not returned from a call yet; it is left alone until it does.";
  }
  std::string trouble = member.trouble();
  if (trouble.empty() && status(index).state == MemberState::lost) {
    trouble = member.info().name + " is gone: plug it in again; it is looked for every 500 ms.";
  }
  return trouble;
}

std::string CombinedDevice::mode() const {
  if (!open_) return {};
  const auto word = [](const std::string& one) { return one.empty() ? std::string("-") : one; };
  const std::string masters = master_->mode();
  std::string all = word(masters);
  bool has_several = !masters.empty();
  for (const auto& keeper : members_->keepers) {
    const std::string own = keeper->mode();
    has_several = has_several || !own.empty();
    all += '/';
    all += word(own);
  }
  return has_several ? all : std::string();
}

std::vector<std::string> CombinedDevice::notes() const {
  std::vector<std::string> notes = master_->notes();
  for (std::size_t i = 0; i < members_->size(); ++i) {
    const std::string why = trouble(i);
    if (!why.empty()) notes.push_back("Without " + members_->keepers[i]->info().name + ": " + why);
  }
  return notes;
}

std::string CombinedDevice::loss() const {
  const std::size_t index = changed_.load(std::memory_order_relaxed);
  if (index >= members_->size()) return master_->loss();
  return members_->keepers[index]->info().name +
         " has come back with another rate, other channels or a longer delay: all devices are "
         "opened anew.";
}

std::vector<ports::DevicePart> CombinedDevice::parts() const {
  std::vector<ports::DevicePart> parts(1);
  parts.front().name = master_->info().name;
  parts.front().state = running_ ? "master" : "stopped";
  parts.front().format = format_;
  for (std::size_t i = 0; i < members_->size(); ++i) {
    const MemberStatus now = status(i);
    parts.push_back({members_->keepers[i]->info().name, member_state_name(now.state), trouble(i),
                     now.format, now.offset_ppm, now.xruns, now.skips, now.lost_periods,
                     now.late_commits, now.returns});
  }
  return parts;
}

std::vector<ports::DevicePartEvent> CombinedDevice::take_part_events() {
  std::vector<ports::DevicePartEvent> events;
  MemberEvent event;
  while (next_event(event)) {
    if (event.member >= members_->size()) continue;
    events.push_back({members_->keepers[event.member]->info().name, member_event_name(event.kind),
                      member_cause_name(event.cause), event.period, event.xruns, event.skips,
                      event.lost_periods, event.late_commits});
  }
  return events;
}

MemberStatus CombinedDevice::status(std::size_t index) const noexcept {
  MemberStatus status;
  if (!open_ || index >= members_->size()) return status;
  constexpr auto relaxed = std::memory_order_relaxed;
  const MemberKeeper& member = *members_->keepers[index];
  const MemberExchange& exchange = members_->sessions[index]->exchange;
  const auto servo = static_cast<audio::ServoState>(exchange.servo_state.load(relaxed));
  if (!running_) {
    status.state = MemberState::stopped;
  } else if (exchange.epoch.load(std::memory_order_acquire) == 0) {
    status.state = member.done() ? MemberState::lost : MemberState::busy;
  } else if (servo == audio::ServoState::idle) {
    status.state = MemberState::starting;
  } else if (servo == audio::ServoState::acquiring) {
    status.state = MemberState::acquiring;
  } else {
    status.state = MemberState::tracking;
  }
  status.format = members_->formats[index];
  status.offset_ppm = exchange.offset_ppm.load(relaxed);
  status.fill_frames = exchange.fill_frames.load(relaxed);
  status.skips = exchange.skips.load(relaxed);
  status.xruns = exchange.capture_xruns.load(relaxed) + exchange.playback_xruns.load(relaxed);
  status.lost_periods = exchange.lost_periods.load(relaxed);
  status.late_commits = exchange.late_commits.load(relaxed);
  status.nonsense = exchange.nonsense.load(relaxed);
  status.returns = member.returns();
  return status;
}

// --- engine thread -------------------------------------------------------------------------------

ports::PeriodStatus CombinedDevice::wait_period(ports::DevicePeriod& period) RT_SAFE {
  if (!running_ || needs_plan()) return ports::PeriodStatus::lost;
  const ports::PeriodStatus status = master_->wait_period(master_period_);
  if (status != ports::PeriodStatus::ready) return status;

  const std::uint64_t index = master_period_.index;
  const std::uint64_t passed = next_index_ == 0 ? 1 : index - next_index_ + 1;
  next_index_ = index + 1;
  engine_clock_.update(master_period_.boundary,
                       static_cast<std::uint32_t>(std::min<std::uint64_t>(passed, UINT32_MAX)));
  Buffers& buffers = *buffers_;
  const PlanarView<float> all = buffers.capture.view(format_.period.count);
  std::uint32_t first = master_->info().input_channels;
  Buffers::pass(buffers.input, kDelayBase + index * format_.period.count,
                buffers.input_delay_frames, master_period_.capture, slice(all, 0, first));
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const std::uint32_t channels = members_->keepers[i]->info().input_channels;
    links_[i]->begin_period(engine_clock_, passed, slice(all, first, channels));
    first += channels;
  }
  const EngineMoment moment{index, master_period_.boundary, clock_.now(),
                            std::exchange(late_, false) || passed > 1};
  for (const auto& link : links_) link->watch(moment, events_);
  period = master_period_;
  period.capture = buffers.capture.read_view(format_.period.count);
  period.render = buffers.render.view(format_.period.count);
  outstanding_ = true;
  return status;
}

/// True once a member has come back that only another plan brings in, and until the next start.
bool CombinedDevice::needs_plan() RT_SAFE {
  if (changed_.load(std::memory_order_relaxed) < kMaxMembers) return true;
  for (std::size_t i = 0; i < members_->size(); ++i) {
    if (!members_->keepers[i]->needs_plan()) continue;
    changed_.store(i, std::memory_order_relaxed);
    return true;
  }
  return false;
}

bool CombinedDevice::commit() RT_SAFE {
  if (!running_ || !std::exchange(outstanding_, false)) return false;
  const std::uint64_t index = next_index_ - 1;
  const std::uint64_t passed = next_committed_ == 0 ? 1 : index - next_committed_ + 1;
  next_committed_ = index + 1;
  Buffers& buffers = *buffers_;
  const PlanarView<const float> all = buffers.render.read_view(format_.period.count);
  std::uint32_t first = master_->info().output_channels;
  Buffers::pass(buffers.output, kDelayBase + index * format_.period.count,
                buffers.output_delay_frames, slice(all, 0, first), master_period_.render);
  const bool played = master_->commit();  // first: only the master has a deadline here
  late_ = !played || passed > 1;
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const std::uint32_t channels = members_->keepers[i]->info().output_channels;
    links_[i]->end_period(passed, slice(all, first, channels));
    first += channels;
  }
  return played;
}

void CombinedDevice::interrupt() RT_SAFE { master_->interrupt(); }

}  // namespace asiodrv::devices
