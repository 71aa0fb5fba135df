#include "devices/simulated/simulated_device.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <new>
#include <utility>

#include "core/base/prng.hpp"
#include "devices/simulated/simulated_buffers.hpp"

namespace asiodrv::devices {
namespace {

constexpr std::array kRates{SampleRate{44'100},  SampleRate{48'000},  SampleRate{88'200},
                            SampleRate{96'000},  SampleRate{176'400}, SampleRate{192'000},
                            SampleRate{352'800}, SampleRate{384'000}, SampleRate{705'600},
                            SampleRate{768'000}};
constexpr std::uint32_t kMinPeriod = 16;
constexpr std::uint32_t kMaxPeriod = 8192;
constexpr std::uint32_t kDefaultPeriod = 64;

/// What wait_period promises when nothing arrives.
constexpr nanoseconds kGiveUp = std::chrono::milliseconds{500};
/// The longest sleep without a look at interrupt and unplug.
constexpr nanoseconds kSlice = std::chrono::milliseconds{10};

bool is_rate(SampleRate rate) {
  return std::find(kRates.begin(), kRates.end(), rate) != kRates.end();
}

std::string rate_list() {
  std::string list;
  for (const SampleRate rate : kRates) {
    if (!list.empty()) list += ", ";
    list += std::to_string(rate.hz);
  }
  return list;
}

std::vector<std::string> channel_names(const char* direction, std::uint32_t count) {
  std::vector<std::string> names;
  for (std::uint32_t i = 1; i <= count; ++i) {
    names.push_back(std::string(direction) + " " + std::to_string(i));
  }
  return names;
}

ports::DeviceInfo make_info(const SimulatedOptions& options) {
  ports::DeviceInfo info;
  info.id = options.id;
  info.name = options.name;
  info.rates.assign(kRates.begin(), kRates.end());
  info.default_rate = options.default_rate;
  info.min_period = {kMinPeriod};
  info.max_period = {kMaxPeriod};
  info.default_period = {kDefaultPeriod};
  if (!check_simulated_options(options)) return info;  // no channels: the counts mean nothing
  info.input_channels = options.inputs;
  info.output_channels = options.outputs;
  info.input_names = channel_names("Input", options.inputs);
  info.output_names = channel_names("Output", options.outputs);
  if (options.external_clock.hz != 0) info.clock_sources = {"Internal", "External"};
  return info;
}

}  // namespace

Result<> check_simulated_options(const SimulatedOptions& options) {
  const auto refuse = [](std::string message) {
    return fail(ErrorCode::invalid_argument, "Simulated device: " + std::move(message));
  };
  if (options.inputs < 1 || options.inputs > kMaxSimulatedChannels) {
    return refuse("inputs is " + std::to_string(options.inputs) + "; 1 to 1024 are accepted.");
  }
  if (options.outputs < 1 || options.outputs > kMaxSimulatedChannels) {
    return refuse("outputs is " + std::to_string(options.outputs) + "; 1 to 1024 are accepted.");
  }
  if (!is_rate(options.default_rate)) {
    return refuse("the rate is " + std::to_string(options.default_rate.hz) + "; accepted are " +
                  rate_list() + ".");
  }
  if (options.external_clock.hz != 0 && !is_rate(options.external_clock)) {
    return refuse("the external clock runs at " + std::to_string(options.external_clock.hz) +
                  "; accepted are " + rate_list() + ", and 0 for none.");
  }
  if (!(std::abs(options.offset_ppm) <= kMaxOffsetPpm)) {  // so written, NaN is refused, too
    return refuse("offset_ppm is " + std::to_string(options.offset_ppm) +
                  "; -1000 to 1000 are accepted.");
  }
  if (options.jitter_us > kMaxJitterUs) {
    return refuse("jitter_us is " + std::to_string(options.jitter_us) +
                  "; 0 to 1000 are accepted.");
  }
  if (options.hidden_latency > kMaxHiddenLatency) {
    return refuse("hidden_latency_frames is " + std::to_string(options.hidden_latency.count) +
                  "; 0 to " + std::to_string(kMaxHiddenLatency.count) + " are accepted.");
  }
  for (const SimulatedWire& wire : options.wires) {
    if (wire.output >= options.outputs || wire.input >= options.inputs) {
      return refuse("a wire leads from output " + std::to_string(wire.output) + " to input " +
                    std::to_string(wire.input) + " (counted from 0), and there are " +
                    std::to_string(options.outputs) + " outputs and " +
                    std::to_string(options.inputs) + " inputs.");
    }
  }
  return {};
}

SimulatedDevice::SimulatedDevice(ports::Clock& clock, SimulatedOptions options)
    : clock_(clock),
      options_(std::move(options)),
      info_(make_info(options_)),
      external_hz_(options_.external_clock.hz) {}

SimulatedDevice::~SimulatedDevice() = default;

Result<> SimulatedDevice::open(const ports::DeviceFormat& format) {
  if (buffers_) return fail(ErrorCode::invalid_state, info_.name + " is open already: close it.");
  if (Result<> checked = check_simulated_options(options_); !checked) return checked;
  if (!is_rate(format.rate)) {
    return fail(ErrorCode::format_refused, info_.name + " does not run at " +
                                               std::to_string(format.rate.hz) +
                                               " Hz; accepted are " + rate_list() + ".");
  }
  if (const SampleRate dictated = dictated_rate(); dictated.hz != 0 && format.rate != dictated) {
    return fail(ErrorCode::format_refused,
                info_.name + " follows its external clock, which runs at " +
                    std::to_string(dictated.hz) + " Hz; choose that rate or the internal clock.");
  }
  const std::uint32_t period = format.period.count;
  if (!std::has_single_bit(period) || period < kMinPeriod || period > kMaxPeriod) {
    return fail(ErrorCode::format_refused, info_.name + " has no period of " +
                                               std::to_string(period) +
                                               " frames; powers of two from 16 to 8192 are.");
  }
  const std::uint32_t unplugs = unplugs_.load();  // before the look at the cable
  if (!plugged_.load()) {
    return fail(ErrorCode::device_gone, info_.name + " is unplugged: plug it in again.");
  }
  try {
    buffers_ = std::make_unique<SimulatedBuffers>(options_, format.period);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, info_.name + " got no memory for its channels.");
  }
  format_ = format;
  unplugs_at_open_ = unplugs;
  return {};
}

Result<> SimulatedDevice::start() {
  if (!buffers_) return fail(ErrorCode::invalid_state, info_.name + " is not open: open it first.");
  if (running_) return fail(ErrorCode::invalid_state, info_.name + " runs already: stop it first.");
  if (is_lost()) {
    return fail(ErrorCode::device_gone, info_.name + " was unplugged: close it, open it again.");
  }
  buffers_->reset();
  ++takes_;
  next_index_ = 0;
  gap_periods_ = 0;
  outstanding_ = false;
  interrupted_.store(false);
  injected_gap_.store(0);
  pace_ = format_.rate;
  grid_origin_ = 0;
  grid_ = PeriodGrid(clock_.now(), pace_, format_.period, options_.offset_ppm);
  running_ = true;
  return {};
}

void SimulatedDevice::stop() noexcept { running_ = false; }

void SimulatedDevice::close() noexcept {
  running_ = false;
  buffers_.reset();
}

bool SimulatedDevice::is_lost() const RT_SAFE { return unplugs_.load() != unplugs_at_open_; }

/// When the system runs us for period `index`: at its beginning or, as real ones do, a bit later.
/// The delay is a function of the index, whatever was waited for before.
Instant SimulatedDevice::wake_instant(std::uint64_t index) const RT_SAFE {
  const std::uint64_t limit_ns = std::uint64_t{options_.jitter_us} * 1000;
  const std::uint64_t random = scramble64(options_.jitter_seed ^ scramble64(index + 1));
  return boundary(index + 1) + nanoseconds{static_cast<std::int64_t>(random % (limit_ns + 1))};
}

/// `ready` when `wake` has come; `now` is the clock as read last.
ports::PeriodStatus SimulatedDevice::sleep_until_wake(Instant wake, Instant& now) RT_SAFE {
  now = clock_.now();
  const Instant give_up = now + kGiveUp;
  for (;;) {
    if (interrupted_.exchange(false)) return ports::PeriodStatus::interrupted;
    if (is_lost()) return ports::PeriodStatus::lost;
    if (now >= wake) return ports::PeriodStatus::ready;
    if (now >= give_up) return ports::PeriodStatus::lost;
    {
      const RtPermit bounded;  // by kSlice, and by kGiveUp in all
      clock_.sleep_until(std::min({wake, give_up, now + kSlice}));
    }
    now = clock_.now();
  }
}

/// From the next boundary that nobody was promised yet, periods have the length that the clock
/// dictates now.
void SimulatedDevice::follow_clock() RT_SAFE {
  const SampleRate dictated = dictated_rate();
  const bool is_own = clock_source_.load() == 0;
  const SampleRate pace = is_own ? format_.rate : dictated.hz != 0 ? dictated : pace_;
  if (pace == pace_) return;
  const std::uint64_t origin = next_index_ + 1;
  grid_ = PeriodGrid(boundary(origin), pace, format_.period, options_.offset_ppm);
  grid_origin_ = origin;
  pace_ = pace;
}

ports::PeriodStatus SimulatedDevice::wait_period(ports::DevicePeriod& period) RT_SAFE {
  if (!running_) return ports::PeriodStatus::lost;
  follow_clock();
  gap_periods_ += injected_gap_.exchange(0);
  const std::uint64_t expected = next_index_ + gap_periods_;
  Instant now;
  const ports::PeriodStatus status = sleep_until_wake(wake_instant(expected), now);
  if (status != ports::PeriodStatus::ready) return status;

  // Whoever comes late gets the newest period; those in between went by unserved.
  const std::uint64_t index = std::max(expected, grid_origin_ + grid_.newest(now) - 1);
  const std::uint64_t lost = index - next_index_;
  period.index = index;
  period.boundary = boundary(index + 1);
  period.next_boundary = boundary(index + 2);
  period.lost = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(lost, std::numeric_limits<std::uint32_t>::max()));
  period.gap = gap_periods_ > 0;
  period.capture = buffers_->capture(index);
  period.render = buffers_->render(index);
  next_index_ = index + 1;
  gap_periods_ = 0;
  next_boundary_ = period.next_boundary;
  outstanding_ = true;
  return ports::PeriodStatus::ready;
}

bool SimulatedDevice::commit() RT_SAFE {
  if (!running_ || !std::exchange(outstanding_, false)) return false;
  if (is_lost() || clock_.now() >= next_boundary_) return false;
  const std::uint64_t index = next_index_ - 1;
  buffers_->mark_played(index);
  if (options_.recorder != nullptr) {
    RecorderTap::Block block;
    block.take = takes_;
    block.rate = format_.rate;
    block.position = index * format_.period.count;
    options_.recorder->push(block, buffers_->rendered(index));
  }
  return true;
}

void SimulatedDevice::interrupt() RT_SAFE { interrupted_.store(true); }

/// 0: nobody dictates one.
SampleRate SimulatedDevice::dictated_rate() const RT_SAFE {
  return SampleRate{clock_source_.load() == 0 ? 0U : external_hz_.load()};
}

ports::ClockState SimulatedDevice::clock_state() const noexcept {
  return {clock_source_.load(), dictated_rate()};
}

Result<> SimulatedDevice::select_clock(std::uint32_t source) {
  if (source != 0 && source >= info_.clock_sources.size()) {
    return fail(ErrorCode::invalid_argument,
                info_.name + " has no clock source number " + std::to_string(source) + "; it has " +
                    std::to_string(std::max<std::size_t>(info_.clock_sources.size(), 1)) +
                    ", counted from 0.");
  }
  if (source != 0 && external_hz_.load() == 0) {
    return fail(ErrorCode::invalid_state, "Nothing arrives at the external clock input of " +
                                              info_.name + "; connect the clock there first.");
  }
  clock_source_.store(source);
  return {};
}

Result<> SimulatedDevice::feed_external_clock(SampleRate rate) {
  if (info_.clock_sources.empty()) return Device::feed_external_clock(rate);
  if (rate.hz != 0 && !is_rate(rate)) {
    return fail(ErrorCode::format_refused, info_.name + " cannot follow a clock of " +
                                               std::to_string(rate.hz) + " Hz; accepted are " +
                                               rate_list() + ", and 0 for a pulled cable.");
  }
  external_hz_.store(rate.hz);
  return {};
}

void SimulatedDevice::unplug() RT_SAFE {
  plugged_.store(false);
  unplugs_.fetch_add(1);
}

void SimulatedDevice::replug() RT_SAFE { plugged_.store(true); }

void SimulatedDevice::inject_gap(std::uint32_t periods) RT_SAFE {
  injected_gap_.fetch_add(periods);
}

}  // namespace asiodrv::devices
