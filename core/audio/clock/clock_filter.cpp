#include "core/audio/clock/clock_filter.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

namespace asiodrv::audio {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;
constexpr double kCollectNs = 0.1e9;
constexpr std::uint32_t kMinCollected = 8;
constexpr double kLockedNs = 0.5e9;
constexpr double kMinLockedStamps = 16;

constexpr double kMaxDeviation = 0.01;  // 1 %: beyond any clock that still calls itself 48 kHz
constexpr double kScaleMemory = 128;    // stamps; a burst of 11 late ones moves s by a tenth
constexpr double kFirstScaleNs = 20e3;  // few stamps may agree by chance; s falls soon enough
constexpr double kLimitScales = 3, kLimitFloorNs = 2e3;
constexpr double kGrossScales = 8, kGrossFloorNs = 100e3;

// White jitter leaves |mean| / s at 0.08 or so: 0.8 is another clock, not chance. Below the floor
// (1 frame at 48 kHz) the loop is left to follow by itself.
constexpr double kBiasShare = 0.8, kBiasFloorNs = 20e3;

constexpr double kRelockNs = 0.1e9;  // longer than any stall that the product promises to survive
constexpr std::uint32_t kRelockStamps = 8;  // late ones come in twos and threes by chance
constexpr double kRestartNs = 5e9;
constexpr double kResumeNs = 1e9;  // the machine slept

/// The middle value; `values` is reordered. `count` must not be zero.
double median(std::array<double, 64>& values, std::uint32_t count) RT_SAFE {
  const auto middle = values.begin() + count / 2;
  std::nth_element(values.begin(), middle, values.begin() + count);
  return *middle;
}

}  // namespace

ClockFilter::ClockFilter(const ClockFilterConfig& config) RT_SAFE { apply(config); }

void ClockFilter::apply(const ClockFilterConfig& config) RT_SAFE {
  assert(config.rate.hz != 0 && config.period.count != 0 && config.narrow_bandwidth_hz > 0);
  nominal_hz_ = config.rate.hz;
  period_frames_ = config.period.count;
  const double period_seconds = period_frames_ / nominal_hz_;
  nominal_ns_ = period_seconds * kNanosecondsPerSecond;
  const double bandwidth = std::min(config.narrow_bandwidth_hz, 1.0 / (800.0 * period_seconds));
  const double w = 2.0 * std::numbers::pi * bandwidth * period_seconds;
  narrow_phase_gain_ = std::numbers::sqrt2 * w;
  narrow_rate_gain_ = w * w;
  collect_count_ = static_cast<std::uint32_t>(std::clamp(
      std::ceil(kCollectNs / nominal_ns_), double{kMinCollected}, double{kMaxCollected}));
}

void ClockFilter::reset() RT_SAFE {
  state_ = ClockFilterState::empty;
  frame_ = 0;
  deviation_ = 0;
}

void ClockFilter::reconfigure(const ClockFilterConfig& config) RT_SAFE {
  apply(config);
  state_ = ClockFilterState::empty;
  frame_ = 0;
}

Instant ClockFilter::boundary() const RT_SAFE { return {anchor_ns_}; }

Instant ClockFilter::next_boundary() const RT_SAFE {
  return {anchor_ns_ + std::llround(offset_ns_ + period_ns())};
}

double ClockFilter::frames_after_boundary(Instant at) const RT_SAFE {
  return (static_cast<double>(at.ns - anchor_ns_) - offset_ns_) / period_ns() * period_frames_;
}

double ClockFilter::rate_hz() const RT_SAFE { return nominal_hz_ * speed(); }

nanoseconds ClockFilter::jitter() const RT_SAFE { return nanoseconds{std::llround(scale_ns_)}; }

void ClockFilter::set_boundary(double offset_ns) RT_SAFE {
  const std::int64_t whole = std::llround(offset_ns);
  anchor_ns_ += whole;
  offset_ns_ = offset_ns - static_cast<double>(whole);
}

StampUse ClockFilter::update(Instant stamp, std::uint32_t periods) RT_SAFE {
  if (state_ == ClockFilterState::empty) {
    start(stamp);
    return StampUse::collected;
  }
  if (periods == 0) return StampUse::rejected;
  frame_ += static_cast<std::uint64_t>(period_frames_) * periods;
  if (state_ == ClockFilterState::collecting) return collect(stamp, periods);

  const double elapsed = period_ns() * periods;
  const double predicted = offset_ns_ + elapsed;
  const double raw_error = static_cast<double>(stamp.ns - anchor_ns_) - predicted;
  const double magnitude = std::abs(raw_error);
  const double limit = kLimitScales * scale_ns_ + kLimitFloorNs;
  const double gross = kGrossScales * scale_ns_ + kGrossFloorNs;
  const double bounded = std::min(magnitude, 2.0 * scale_ns_ + 1e3);
  bias_ns_ += (std::copysign(bounded, raw_error) - bias_ns_) / kScaleMemory;
  scale_ns_ += (bounded - scale_ns_) / kScaleMemory;
  since_relock_ns_ += elapsed;
  if (magnitude > gross) return reject(stamp, predicted, raw_error, elapsed);
  if (std::abs(bias_ns_) > std::max(kBiasFloorNs, kBiasShare * scale_ns_)) {
    return relock(stamp, predicted + raw_error, false);
  }

  unusable_stamps_ = 0;
  unusable_ns_ = 0;
  usable_ns_ += elapsed;
  const double error = std::clamp(raw_error, -limit, limit);
  rate_stamps_ += periods;
  phase_stamps_ += periods;
  const double n = rate_stamps_;
  const double m = phase_stamps_;
  const double learning = rate_known_ ? 1.0 / m : 2.0 * (2.0 * m - 1.0) / (m * (m + 1.0));
  const double phase_gain = std::max(narrow_phase_gain_, learning);
  const double rate_gain = std::max(narrow_rate_gain_, 6.0 / (n * (n + 1.0)));
  deviation_ =
      std::clamp(deviation_ + rate_gain * error / nominal_ns_, -kMaxDeviation, kMaxDeviation);
  set_boundary(predicted + phase_gain * error);
  state_ = usable_ns_ >= kLockedNs && n >= kMinLockedStamps ? ClockFilterState::locked
                                                            : ClockFilterState::locking;
  if (magnitude <= limit) return StampUse::used;
  ++limited_;
  return StampUse::limited;
}

StampUse ClockFilter::reject(Instant stamp, double predicted, double error,
                             double elapsed) RT_SAFE {
  earliest_error_ns_ = unusable_stamps_ == 0 ? error : std::min(earliest_error_ns_, error);
  ++unusable_stamps_;
  unusable_ns_ += elapsed;
  const bool resumed = std::abs(error) > kResumeNs;
  if (!resumed && (unusable_ns_ < kRelockNs || unusable_stamps_ < kRelockStamps)) {
    ++rejected_;
    if (state_ == ClockFilterState::locked) state_ = ClockFilterState::coasting;
    set_boundary(predicted);
    return StampUse::rejected;
  }
  // Every stamp was late by something, so the earliest is the nearest to the new line.
  return relock(stamp, predicted + (resumed ? error : earliest_error_ns_), resumed);
}

StampUse ClockFilter::relock(Instant stamp, double boundary_ns, bool resumed) RT_SAFE {
  ++relocks_;
  const bool learned = usable_ns_ >= kLockedNs && rate_stamps_ >= kMinLockedStamps;
  if (!resumed && (!learned || since_relock_ns_ < kRestartNs)) {
    start(stamp);
    return StampUse::relocked;
  }
  set_boundary(boundary_ns);
  unusable_stamps_ = 0;
  unusable_ns_ = 0;
  since_relock_ns_ = 0;
  bias_ns_ = 0;
  phase_stamps_ = 1;
  rate_known_ = true;
  state_ = ClockFilterState::locking;
  usable_ns_ = 0;
  return StampUse::relocked;
}

void ClockFilter::start(Instant stamp) RT_SAFE {
  state_ = ClockFilterState::collecting;
  anchor_ns_ = stamp.ns;
  offset_ns_ = 0;
  rate_known_ = false;
  unusable_stamps_ = 0;
  unusable_ns_ = 0;
  since_relock_ns_ = kRestartNs;
  bias_ns_ = 0;
  collected_ = 1;
  start_[0] = {0, 0};
}

StampUse ClockFilter::collect(Instant stamp, std::uint32_t periods) RT_SAFE {
  const Collected& last = start_[collected_ - 1];
  // The anchor is the previous raw stamp here, so its residual is known.
  const double step = static_cast<double>(stamp.ns - anchor_ns_) - nominal_ns_ * periods;
  if (std::abs(step) > kResumeNs) {
    start(stamp);
    return StampUse::relocked;
  }
  start_[collected_] = {last.index + periods, last.residual + step};
  ++collected_;
  anchor_ns_ = stamp.ns;
  if (collected_ == collect_count_) fit_line();
  return StampUse::collected;
}

void ClockFilter::fit_line() RT_SAFE {
  const std::uint32_t count = collected_;
  std::array<double, kMaxCollected> scratch{};
  for (std::uint32_t i = 0; i < count; ++i) scratch[i] = start_[i].residual;
  const double middle = median(scratch, count);
  for (std::uint32_t i = 0; i < count; ++i) scratch[i] = std::abs(start_[i].residual - middle);
  const double spread = std::max(6.0 * median(scratch, count), 150e3);

  double inliers = 0, mean_index = 0, mean_residual = 0;
  const auto near = [&](const Collected& c) { return std::abs(c.residual - middle) <= spread; };
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!near(start_[i])) continue;
    ++inliers;
    mean_index += start_[i].index;
    mean_residual += start_[i].residual;
  }
  mean_index /= inliers;
  mean_residual /= inliers;
  double covariance = 0, variance = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!near(start_[i])) continue;
    const double x = start_[i].index - mean_index;
    variance += x * x;
    covariance += x * (start_[i].residual - mean_residual);
  }
  const double limit = kMaxDeviation * nominal_ns_;
  const double slope = variance > 0 ? std::clamp(covariance / variance, -limit, limit) : 0.0;
  double absolute = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!near(start_[i])) continue;
    absolute +=
        std::abs(start_[i].residual - mean_residual - slope * (start_[i].index - mean_index));
  }
  const Collected& last = start_[count - 1];
  const double line_now = mean_residual + slope * (last.index - mean_index);
  deviation_ = slope / nominal_ns_;
  set_boundary(line_now - last.residual);  // the anchor is the last raw stamp
  scale_ns_ = std::max(absolute / inliers, kFirstScaleNs);
  rate_stamps_ = phase_stamps_ = inliers;
  usable_ns_ = nominal_ns_ * last.index;
  state_ = ClockFilterState::locking;
}

}  // namespace asiodrv::audio
