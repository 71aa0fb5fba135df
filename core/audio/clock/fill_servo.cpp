#include "core/audio/clock/fill_servo.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

namespace asiodrv::audio {
namespace {

constexpr double kWideHz = 0.15;
constexpr double kGear = 0.25;  // Hz times seconds
constexpr double kAcquireSeconds = 1.0;
constexpr double kAcquiredFrames = 1.0;
constexpr double kPoleFactor = 10;

constexpr double kMaxOutput = 2000e-6;
// Acquiring, u must fall from its limit to 0 while the error falls through the 51 frames in which
// the loop is linear; a slower slew would make the fill swing.
constexpr double kAcquiringSlew = 10'000e-6;  // per second
constexpr double kTrackingSlew = 3'333e-6;    // per second and hertz of f: 50 ppm/s in the end

constexpr double kFarFrames = 4;
constexpr double kFarSeconds = 1;
constexpr double kMaxStepSeconds = 0.25;  // a longer pause says nothing more to the loop

}  // namespace

FillServo::FillServo(const FillServoConfig& config) RT_SAFE : config_(config) {
  assert(config.ring_rate_hz > 0 && config.update_seconds > 0);
  assert(config.resync_frames > 0 && config.narrow_bandwidth_hz > 0);
}

void FillServo::restart() RT_SAFE { state_ = ServoState::idle; }

double FillServo::seconds_of(std::uint32_t periods) const RT_SAFE {
  return std::min(config_.update_seconds * periods, kMaxStepSeconds);
}

void FillServo::acquire(double offset) RT_SAFE {
  state_ = ServoState::acquiring;
  acquired_ = false;
  seconds_ = 0;
  far_seconds_ = 0;
  first_ = second_ = 0;
  integral_ = offset;
}

ServoStep FillServo::update(double error_frames, double clock_speed,
                            std::uint32_t periods) RT_SAFE {
  if (!std::isfinite(error_frames) || !std::isfinite(clock_speed)) return hold(periods);
  const double offset = std::clamp(clock_speed - 1.0, -kMaxOutput, kMaxOutput);
  std::int64_t skip = 0;
  const bool starting = state_ == ServoState::idle;
  if (starting || std::abs(error_frames) > config_.resync_frames) {
    skip = static_cast<std::int64_t>(std::llround(std::clamp(error_frames, -1e15, 1e15)));
    error_frames -= static_cast<double>(skip);
    if (skip != 0) ++skips_;
    acquire(offset);
    if (starting) output_ = offset;  // nothing is sounding yet: no ramp
  }
  if (state_ == ServoState::holding) {
    state_ = acquired_ ? ServoState::tracking : ServoState::acquiring;
  }
  const double seconds = seconds_of(periods);
  choose_bandwidth(error_frames, offset, seconds);
  ServoStep result = step(error_frames, seconds, state_ == ServoState::tracking);
  result.skip = skip;
  return result;
}

void FillServo::choose_bandwidth(double error_frames, double offset, double seconds) RT_SAFE {
  seconds_ += seconds;
  if (state_ == ServoState::tracking) {
    far_seconds_ = std::abs(error_frames) > kFarFrames ? far_seconds_ + seconds : 0.0;
    if (far_seconds_ > kFarSeconds) acquire(offset);
  }
  if (state_ == ServoState::acquiring) {
    integral_ = offset;
    bandwidth_hz_ = std::max(kWideHz, config_.narrow_bandwidth_hz);
    if (seconds_ < kAcquireSeconds || std::abs(error_frames) > kAcquiredFrames) return;
    state_ = ServoState::tracking;
    acquired_ = true;
  }
  bandwidth_hz_ = std::max(config_.narrow_bandwidth_hz, std::min(kWideHz, kGear / seconds_));
}

ServoStep FillServo::hold(std::uint32_t periods) RT_SAFE {
  if (state_ == ServoState::idle) {
    return {1.0 + output_, 1.0 + output_, 0};
  }
  state_ = ServoState::holding;
  return step(0, seconds_of(periods), false);
}

ServoStep FillServo::step(double error_frames, double seconds, bool integrate) RT_SAFE {
  const double w = 2.0 * std::numbers::pi * bandwidth_hz_ * seconds;
  const double gain = 4.0 * std::numbers::pi * bandwidth_hz_ / config_.ring_rate_hz;
  const double pole = 1.0 - std::exp(-kPoleFactor * w);
  first_ += pole * (gain * error_frames - first_);
  second_ += pole * (first_ - second_);

  const double wanted = second_ + integral_ + (integrate ? 0.5 * w * second_ : 0.0);
  const double bounded = std::clamp(wanted, -kMaxOutput, kMaxOutput);
  const bool pushing_on = wanted != bounded && (wanted > 0) == (second_ > 0);
  if (wanted != bounded) ++clamped_;
  if (integrate && !pushing_on) integral_ += 0.5 * w * second_;

  const double slew =
      seconds * (state_ == ServoState::acquiring ? kAcquiringSlew : kTrackingSlew * bandwidth_hz_);
  ServoStep result;
  result.speed_from = 1.0 + output_;
  output_ += std::clamp(bounded - output_, -slew, slew);
  result.speed_to = 1.0 + output_;
  return result;
}

}  // namespace asiodrv::audio
