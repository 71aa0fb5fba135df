// A device in a room: all of its inputs hear one sound, a function of true time, and what it plays
// is compared with that sound at the instant at which it leaves. So alignment between devices is
// measured against the truth, each direction by itself. Any rate, any period. Tests only.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstdint>
#include <functional>
#include <numbers>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/prng.hpp"
#include "core/base/rt.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/device.hpp"
#include "core/ports/virtual_clock.hpp"
#include "devices/combined/testing/air.hpp"

namespace asiodrv::devices::test {

/// Two tones whose sum repeats after 100 s: an offset cannot hide in a whole number of waves.
struct RoomSound {
  static constexpr std::array kHz{311.17, 1013.29};

  /// Calls see(frame, value, slope per second) for frames from `seconds` on, `step` seconds apart.
  template <class See>
  static void visit(double seconds, double step, std::uint32_t frames, const See& see) {
    std::array<std::complex<double>, 2> at, turn;
    for (std::size_t i = 0; i < kHz.size(); ++i) {
      const double w = 2 * std::numbers::pi;
      at[i] = std::polar(0.4, w * std::fmod(kHz[i] * seconds, 1.0));
      turn[i] = std::polar(1.0, w * kHz[i] * step);
    }
    for (std::uint32_t f = 0; f < frames; ++f) {
      const double w = 2 * std::numbers::pi;
      see(f, at[0].imag() + at[1].imag(), w * (kHz[0] * at[0].real() + kHz[1] * at[1].real()));
      for (std::size_t i = 0; i < kHz.size(); ++i) {
        at[i] = {at[i].real() * turn[i].real() - at[i].imag() * turn[i].imag(),
                 at[i].real() * turn[i].imag() + at[i].imag() * turn[i].real()};
      }
    }
  }
};

/// How far blocks of the room's sound lie from where they belong.
struct OffsetMeter {
  double most_seconds = 0;   ///< largest offset of a block, either way
  double most_residual = 0;  ///< largest sample error once the offset is taken out: damage
  double newest_seconds = 0;
  std::uint64_t blocks = 0;

  /// `samples` should be the sound from `seconds` on.
  void add(const float* samples, double seconds, double step, std::uint32_t frames) {
    double product = 0, square = 0;
    RoomSound::visit(seconds, step, frames, [&](std::uint32_t f, double value, double slope) {
      product += (static_cast<double>(samples[f]) - value) * slope;
      square += slope * slope;
    });
    newest_seconds = product / square;
    double residual = 0;
    RoomSound::visit(
        seconds + newest_seconds, step, frames, [&](std::uint32_t f, double value, double) {
          residual = std::max(residual, std::abs(static_cast<double>(samples[f]) - value));
        });
    most_seconds = std::max(most_seconds, std::abs(newest_seconds));
    most_residual = std::max(most_residual, residual);
    ++blocks;
  }
};

struct RoomOptions {
  std::string id = "room";
  std::vector<SampleRate> rates{{48'000}};
  Frames period{64};                          ///< the only one, unless `any_period` or `periods`
  std::vector<ports::PeriodRange> periods{};  ///< by rate
  bool any_period = false;
  double offset_ppm = 0;
  std::uint32_t inputs = 1, outputs = 1;
  ports::DeviceLatency latency{};
  ports::DeviceLatency hidden{};      ///< more of it, of which it says nothing
  nanoseconds start_later{0};         ///< the devices of a room are not in step
  std::uint32_t stamp_jitter_us = 0;  ///< boundaries are told wrong by up to this, either way
  std::vector<std::string> clocks{};  ///< what may pace it, in name alone; or empty
  std::string mode{};                 ///< that it runs in, in name alone; or empty
};

/// A device of one rate and period.
inline RoomOptions room(const char* id, std::uint32_t hz, std::uint32_t period, double ppm,
                        ports::DeviceLatency latency = {}) {
  RoomOptions options;
  options.id = id;
  options.rates = {{hz}};
  options.period = {period};
  options.offset_ppm = ppm;
  options.latency = latency;
  return options;
}

/// Keeps time as SimulatedDevice does: a late caller gets the newest period, a late block is
/// refused.
class RoomDevice final : public ports::Device {
 public:
  RoomDevice(ports::VirtualClock& clock, RoomOptions options)
      : clock_(clock), options_(std::move(options)) {
    describe();
  }

  [[nodiscard]] const ports::DeviceInfo& info() const noexcept override { return info_; }
  void refresh() override {
    if (become) options_ = *std::exchange(become, std::nullopt);
    describe();
  }
  [[nodiscard]] Result<> open(const ports::DeviceFormat& format) override {
    ++opens;
    if (!plugged) return fail(refusal, options_.id + " is unplugged.");
    refresh();
    if (std::find(info_.rates.begin(), info_.rates.end(), format.rate) == info_.rates.end()) {
      return fail(ErrorCode::format_refused, options_.id + " has other rates.");
    }
    alive_ = true;
    format_ = format;
    silent = false;
    capture_.assign(format.period.count, 0.0F);
    render_.assign(std::size_t{options_.outputs} * format.period.count, 0.0F);
    captures_.assign(options_.inputs, capture_.data());
    renders_.clear();
    for (std::uint32_t c = 0; c < options_.outputs; ++c) {
      renders_.push_back(render_.data() + std::size_t{c} * format.period.count);
    }
    return {};
  }
  [[nodiscard]] ports::DeviceLatency latency() const noexcept override { return options_.latency; }
  [[nodiscard]] std::string mode() const override { return options_.mode; }
  [[nodiscard]] Result<> start() override {
    ++starts;
    started_ = clock_.now() + options_.start_later;
    next_ = 0;
    outstanding_ = false;
    return {};
  }
  void stop() noexcept override {}
  void close() noexcept override {}
  [[nodiscard]] ports::ClockState clock_state() const noexcept override { return paced_by; }
  [[nodiscard]] Result<> select_clock(std::uint32_t source) override {
    if (source >= options_.clocks.size()) return Device::select_clock(source);
    paced_by.source = source;
    return {};
  }
  [[nodiscard]] Result<> feed_external_clock(SampleRate rate) override {
    paced_by.rate = rate;
    return {};
  }

  ports::PeriodStatus wait_period(ports::DevicePeriod& period) RT_SAFE override {
    alive_ = alive_ && plugged;
    if (!alive_) return ports::PeriodStatus::lost;
    clock_.sleep_until(boundary(next_ + 1));
    const std::uint64_t index = std::max(next_, newest(clock_.now()) - 1);
    period.lost = static_cast<std::uint32_t>(index - next_);
    next_ = index + 1;
    period.index = index;
    period.boundary = boundary(index + 1);
    if (const std::int64_t most = std::int64_t{options_.stamp_jitter_us} * 1000; most > 0) {
      period.boundary = period.boundary + nanoseconds{prng_.between(-most, most)};
    }
    period.next_boundary = deadline_ = boundary(index + 2);
    const std::uint32_t frames = format_.period.count;
    const double first =
        seconds(boundary(index + 1)) -
        step() * (frames + options_.latency.input.count + options_.hidden.input.count);
    if (air != nullptr) {
      const RtPermit for_a_test;
      air->hear(first, step(), {capture_.data(), frames});
    } else {
      RoomSound::visit(
          first, step(), options_.inputs > 0 ? frames : 0,
          [&](std::uint32_t f, double value, double) { capture_[f] = static_cast<float>(value); });
    }
    period.capture = {captures_.data(), options_.inputs, format_.period};
    period.render = {renders_.data(), options_.outputs, format_.period};
    outstanding_ = true;
    if (lie) lie(period);
    return ports::PeriodStatus::ready;
  }
  bool commit() RT_SAFE override {
    if (!std::exchange(outstanding_, false) || clock_.now() >= deadline_) return false;
    const double leaves = seconds(deadline_) +
                          step() * (options_.latency.output.count + options_.hidden.output.count);
    silent = std::all_of(render_.begin(), render_.end(), [](float s) { return s == 0.0F; });
    if (air != nullptr && options_.outputs > 0) {
      const RtPermit for_a_test;
      air->play(track, leaves, step(), {renders_.back(), format_.period.count});
    }
    if (on_play && options_.outputs > 0) {
      on_play(renders_.back(), leaves, format_.period.count);
    }
    if (judge != nullptr && options_.outputs > 0) {
      judge->add(renders_.back(), leaves, step(), format_.period.count);
    }
    return !std::exchange(denies_a_block, false);
  }
  void interrupt() RT_SAFE override {}

  /// True seconds between two frames, and since the clock's zero.
  [[nodiscard]] double step() const {
    return 1 / (format_.rate.hz * (1 + options_.offset_ppm * 1e-6));
  }
  [[nodiscard]] static double seconds(Instant at) { return static_cast<double>(at.ns) * 1e-9; }
  void set_latency(ports::DeviceLatency latency) { options_.latency = latency; }
  void set_offset(double ppm) { options_.offset_ppm = ppm; }  ///< from the next start on
  /// When period `index` began, in truth.
  [[nodiscard]] Instant begun(std::uint64_t index) const { return boundary(index + 1); }
  /// The period that was delivered last.
  [[nodiscard]] std::uint64_t newest_index() const { return next_ - 1; }
  /// When the next wait_period returns, if nobody is late.
  [[nodiscard]] Instant next_due() const { return alive_ ? boundary(next_ + 1) : clock_.now(); }

  /// What somebody has made of it in the system's settings: it is found out when the device is
  /// opened or looked at next.
  std::optional<RoomOptions> become;
  bool plugged = true;                            ///< once false, what was opened is lost for good
  bool denies_a_block = false;                    ///< says that it played none, and did
  ErrorCode refusal = ErrorCode::device_gone;     ///< of open, while unplugged
  std::function<void(ports::DevicePeriod&)> lie;  ///< changes what it says of a period
  Air* air = nullptr;                             ///< in place of the room's own sound
  std::uint32_t track = 0;                        ///< of what it plays in there
  bool silent = false;                            ///< the last block that it played
  /// Sees what its last channel plays, and when the first frame of it leaves.
  std::function<void(const float*, double, std::uint32_t)> on_play;
  OffsetMeter* judge = nullptr;  ///< of what it plays, its last channel
  int opens = 0, starts = 0;
  ports::ClockState paced_by;

 private:
  void describe() {
    info_ = {};
    info_.id = info_.name = options_.id;
    info_.input_channels = options_.inputs;
    info_.output_channels = options_.outputs;
    info_.rates = options_.rates;
    info_.default_rate = options_.rates.front();
    info_.min_period = options_.any_period ? Frames{16} : options_.period;
    info_.max_period = options_.any_period ? Frames{8192} : options_.period;
    info_.default_period = options_.period;
    info_.clock_sources = options_.clocks;
    if (!options_.any_period) {
      const ports::PeriodRange only{options_.period, options_.period, {1}, options_.period};
      info_.periods.assign(options_.rates.size(), only);
    }
    if (!options_.periods.empty()) info_.periods = options_.periods;
  }
  /// Boundary n begins period n - 1; exact to the nanosecond for days.
  [[nodiscard]] Instant boundary(std::uint64_t n) const {
    const double ns = std::ceil(static_cast<double>(n) * format_.period.count * step() * 1e9);
    return started_ + nanoseconds{static_cast<std::int64_t>(ns)};
  }
  /// The newest boundary that is not after `at`, at least 1.
  [[nodiscard]] std::uint64_t newest(Instant at) const {
    const double passed = seconds(at) - seconds(started_);
    auto n = static_cast<std::uint64_t>(std::max(1.0, passed / (format_.period.count * step())));
    while (boundary(n + 1) <= at) ++n;
    while (n > 1 && boundary(n) > at) --n;
    return n;
  }

  ports::VirtualClock& clock_;
  RoomOptions options_;
  ports::DeviceInfo info_;
  ports::DeviceFormat format_{};
  Instant started_{};
  std::uint64_t next_ = 0;
  Prng prng_{static_cast<std::uint64_t>(options_.start_later.count()) + 1};
  bool outstanding_ = false;
  bool alive_ = false;
  Instant deadline_{};
  std::vector<float> capture_, render_;
  std::vector<const float*> captures_;
  std::vector<float*> renders_;
};

}  // namespace asiodrv::devices::test
