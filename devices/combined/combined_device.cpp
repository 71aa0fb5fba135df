#include "devices/combined/combined_device.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <new>
#include <string>
#include <utility>

#include "devices/combined/combined_info.hpp"
#include "devices/combined/member_link.hpp"
#include "devices/combined/member_plan.hpp"
#include "devices/combined/member_runner.hpp"

namespace asiodrv::devices {
namespace {

constexpr nanoseconds kRetryEvery = std::chrono::milliseconds{500};
/// An attempt to open a member may take 2 s.
constexpr nanoseconds kKeeperBound = std::chrono::milliseconds{2'200};
constexpr nanoseconds kStopBound = std::chrono::seconds{1};

/// The master's frame 0 in its delay lines: nothing lies below zero.
constexpr std::uint64_t kDelayBase = std::uint64_t{1} << 40U;

double ratio(const ports::DeviceFormat& master, const ports::DeviceFormat& member) {
  return static_cast<double>(member.rate.hz) / master.rate.hz;
}

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

/// What the control thread needs as long as it runs.
struct CombinedDevice::Core {
  /// One attempt for each lost member.
  void retry_lost() {
    for (std::size_t i = 0; i < members.size() && !stop_wanted.load(); ++i) {
      if (members[i]->is_lost()) members[i]->retry(spare[i]);
    }
  }

  std::vector<std::unique_ptr<MemberRunner>> members;
  std::vector<ports::DeviceFormat> formats;  // since open
  std::vector<Frames> spare;                 // the stall allowance in each member's frames
  std::shared_ptr<ports::Signal> wake;
  std::atomic<bool> stop_wanted{false};
  std::atomic<bool> running{false};
  bool abandoned = false;  // a control thread did not end and may be using the members
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
  ports::DeviceInfo info = combined_info(members, options);
  auto core = std::make_shared<Core>();
  core->wake = threads.make_signal();
  for (std::size_t i = 1; i < members.size(); ++i) {
    core->members.push_back(
        std::make_unique<MemberRunner>(clock, threads, std::move(members[i].device)));
  }
  return std::unique_ptr<CombinedDevice>(
      new CombinedDevice(clock, threads, std::move(members.front().device), std::move(core),
                         std::move(info), options));
}

CombinedDevice::CombinedDevice(ports::Clock& clock, ports::Threads& threads,
                               std::unique_ptr<ports::Device> master, std::shared_ptr<Core> core,
                               ports::DeviceInfo info, const CombinedOptions& options)
    : clock_(clock),
      threads_(threads),
      master_(std::move(master)),
      core_(std::move(core)),
      info_(std::move(info)),
      options_(options) {}

CombinedDevice::~CombinedDevice() { close(); }

// --- control threads -----------------------------------------------------------------------------

Result<> CombinedDevice::open(const ports::DeviceFormat& format) {
  if (open_) return fail(ErrorCode::invalid_state, info_.name + " is open already: close it.");
  if (core_->abandoned) {
    return fail(ErrorCode::internal, info_.name +
                                         " still has a thread that never ended: restart the "
                                         "service.");
  }
  if (std::find(info_.rates.begin(), info_.rates.end(), format.rate) == info_.rates.end()) {
    std::string rates;
    for (const SampleRate rate : info_.rates) {
      rates += (rates.empty() ? "" : ", ") + std::to_string(rate.hz);
    }
    return fail(ErrorCode::format_refused, info_.name + " does not run at " +
                                               std::to_string(format.rate.hz) +
                                               " Hz; accepted are " + rates + ".");
  }
  if (Result<> opened = master_->open(format); !opened) return opened;
  Result<> ready = open_members(format);
  try {
    if (ready) ready = make_links(format);
  } catch (const std::bad_alloc&) {
    ready = fail(ErrorCode::out_of_memory, info_.name + " got no memory for its channels.");
  }
  if (!ready) {
    links_.clear();
    buffers_.reset();
    for (const auto& member : core_->members) member->close();
    master_->close();
    return ready;
  }
  format_ = format;
  open_ = true;
  return {};
}

Result<> CombinedDevice::open_members(const ports::DeviceFormat& format) {
  core_->formats.clear();
  core_->spare.clear();
  for (const auto& member : core_->members) {
    ports::DeviceFormat own;
    own.rate = nearest_rate(member->info().rates, format.rate);
    own.period = period_below(member->info(), own.rate, format);
    const double most = format.period.count * ratio(format, own) * (1 + audio::kMaxSpeedDeviation);
    if (most + 4 > audio::kMaxResamplerBlock.count) {
      return fail(ErrorCode::format_refused,
                  info_.name + " cannot bring " + member->info().name + " from " +
                      std::to_string(own.rate.hz) + " to " + std::to_string(format.rate.hz) +
                      " Hz in periods of " + std::to_string(format.period.count) +
                      " frames: choose a shorter period.");
    }
    if (Result<> opened = member->open(own); !opened) return opened;
    core_->formats.push_back(own);
    core_->spare.push_back(frames_of(options_.stall_allowance, own.rate));
  }
  return {};
}

Result<> CombinedDevice::make_links(const ports::DeviceFormat& format) {
  Tables tables(options_.quality);
  std::vector<MemberPlan> plans;
  for (std::size_t i = 0; i < core_->members.size(); ++i) {
    const ports::DeviceFormat& own = core_->formats[i];
    const ports::DeviceInfo& info = core_->members[i]->info();
    auto in = tables.get(own.rate, format.rate);
    auto out = tables.get(format.rate, own.rate);
    if (!in) return tl::unexpected(std::move(in.error()));
    if (!out) return tl::unexpected(std::move(out.error()));
    plans.push_back({own, core_->members[i]->latency(), (*in)->look_ahead(), (*out)->look_ahead(),
                     info.input_channels > 0, info.output_channels > 0});
  }
  const ports::DeviceLatency own = master_->latency();
  common_ = common_latency(format, own, plans, options_.stall_allowance);

  links_.clear();
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const MemberPlan& plan = plans[i];
    const ports::DeviceInfo& info = core_->members[i]->info();
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
    core_->members[i]->prepare({static_cast<std::uint32_t>(std::ceil(most))});
    links_.push_back(std::make_unique<MemberLink>(core_->members[i]->exchange(), plan.format,
                                                  std::move(capture), std::move(playback)));
  }
  return {};
}

Result<> CombinedDevice::start() {
  if (!open_) return fail(ErrorCode::invalid_state, info_.name + " is not open: open it first.");
  if (running_) return fail(ErrorCode::invalid_state, info_.name + " runs already: stop it first.");
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
  outstanding_ = false;
  core_->stop_wanted.store(false);
  Result<> started;
  for (std::size_t i = 0; i < links_.size() && started; ++i) {
    links_[i]->restart();
    started = core_->members[i]->start();
  }
  if (started) started = start_keeper();
  if (started) started = master_->start();
  if (!started) {
    stop_threads();
    return started;
  }
  running_ = true;
  core_->running.store(true);
  return {};
}

Result<> CombinedDevice::start_keeper() {
  auto thread = threads_.start("asiodrv-members", ports::ThreadRole::control,
                               [core = core_, clock = &clock_] {
                                 while (!core->stop_wanted.load()) {
                                   if (!core->wake->wait(clock->now() + kRetryEvery)) {
                                     core->retry_lost();
                                   }
                                 }
                               });
  if (!thread) return tl::unexpected(std::move(thread.error()));
  keeper_ = std::move(*thread);
  return {};
}

void CombinedDevice::stop_threads() noexcept {
  core_->stop_wanted.store(true);
  core_->wake->signal();
  if (keeper_) {
    core_->abandoned = !keeper_->join(clock_.now() + kKeeperBound);
    keeper_.reset();
  }
  if (core_->abandoned) return;  // it may be using the members, and keeps them alive
  for (const auto& member : core_->members) member->request_stop();
  const Instant deadline = clock_.now() + kStopBound;
  for (const auto& member : core_->members) member->stop(deadline);
}

void CombinedDevice::stop() noexcept {
  if (!running_) return;
  running_ = false;
  core_->running.store(false);
  stop_threads();
  master_->stop();
}

void CombinedDevice::close() noexcept {
  stop();
  if (!open_) return;
  open_ = false;
  if (!core_->abandoned) {
    for (const auto& member : core_->members) member->close();
    links_.clear();
  }
  buffers_.reset();
  master_->close();
}

std::size_t CombinedDevice::members() const noexcept { return core_->members.size(); }

void CombinedDevice::retry_lost() { core_->retry_lost(); }

MemberPump* CombinedDevice::pump(std::size_t index) noexcept {
  return open_ ? core_->members[index]->pump() : nullptr;
}

MemberStatus CombinedDevice::status(std::size_t index) const noexcept {
  MemberStatus status;
  if (!open_ || index >= core_->members.size()) return status;
  constexpr auto relaxed = std::memory_order_relaxed;
  const MemberRunner& member = *core_->members[index];
  const MemberExchange& exchange = member.exchange();
  const auto servo = static_cast<audio::ServoState>(exchange.servo_state.load(relaxed));
  if (!core_->running.load()) {
    status.state = MemberState::stopped;
  } else if (member.is_lost()) {
    status.state = MemberState::lost;
  } else if (servo == audio::ServoState::idle) {
    status.state = MemberState::starting;
  } else if (servo == audio::ServoState::acquiring) {
    status.state = MemberState::acquiring;
  } else {
    status.state = MemberState::tracking;
  }
  status.format = core_->formats[index];
  status.offset_ppm = exchange.offset_ppm.load(relaxed);
  status.fill_frames = exchange.fill_frames.load(relaxed);
  status.skips = exchange.skips.load(relaxed);
  status.xruns = exchange.capture_xruns.load(relaxed) + exchange.playback_xruns.load(relaxed);
  status.lost_periods = exchange.lost_periods.load(relaxed);
  status.late_commits = exchange.late_commits.load(relaxed);
  status.returns = member.returns();
  return status;
}

// --- engine thread -------------------------------------------------------------------------------

ports::PeriodStatus CombinedDevice::wait_period(ports::DevicePeriod& period) RT_SAFE {
  if (!running_) return ports::PeriodStatus::lost;
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
    const std::uint32_t channels = core_->members[i]->info().input_channels;
    links_[i]->begin_period(engine_clock_, passed, slice(all, first, channels));
    first += channels;
  }
  period = master_period_;
  period.capture = buffers.capture.read_view(format_.period.count);
  period.render = buffers.render.view(format_.period.count);
  outstanding_ = true;
  return status;
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
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const std::uint32_t channels = core_->members[i]->info().output_channels;
    links_[i]->end_period(passed, slice(all, first, channels));
    first += channels;
  }
  return played;
}

void CombinedDevice::interrupt() RT_SAFE { master_->interrupt(); }

}  // namespace asiodrv::devices
