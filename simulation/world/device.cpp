#include "simulation/world/device.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace asiodrv::simulation {
namespace {

constexpr std::int64_t kBillion = 1'000'000'000;
constexpr double kDriftChangeChance = 0.01;  // per period
constexpr double kDriftStepPpm = 5.0;        // at most, per change

__extension__ using Wide = __int128;

}  // namespace

Instant DriftingClock::to_inner(Instant world) const RT_SAFE {
  const Wide elapsed = world.ns - world_base_.ns;
  return inner_base_ +
         nanoseconds{static_cast<std::int64_t>(elapsed * (kBillion + drift_ppb_) / kBillion)};
}

Instant DriftingClock::to_world(Instant inner) const RT_SAFE {
  const Wide elapsed = inner.ns - inner_base_.ns;
  const Wide slope = kBillion + drift_ppb_;
  Wide quotient = elapsed * kBillion / slope;
  if (elapsed > 0 && quotient * slope < elapsed * kBillion) ++quotient;
  return world_base_ + nanoseconds{static_cast<std::int64_t>(quotient)};
}

void DriftingClock::set_drift(double ppm) RT_SAFE {
  const Instant world = world_.now();
  inner_base_ = to_inner(world);
  world_base_ = world;
  drift_ppb_ = std::llround(ppm * 1000.0);
}

void DeviceControl::plug(bool in) {
  plugged = in;
  for (devices::SimulatedDevice* const each : all) {
    if (in)
      each->replug();
    else
      each->unplug();
  }
}

WanderingDevice::WanderingDevice(ports::Clock& world, const DeviceTuning& tuning,
                                 std::shared_ptr<DeviceControl> control)
    : control_(std::move(control)),
      clock_(world),
      device_(clock_, tuning.options),
      rng_(tuning.seed + control_->takes),
      max_drift_ppm_(tuning.max_drift_ppm) {
  drift_ppm_ = (2.0 * rng_.unit() - 1.0) * max_drift_ppm_;
  clock_.set_drift(drift_ppm_);
  control_->all.push_back(&device_);
  control_->inside = &device_;
  ++control_->made;
  if (!control_->plugged) device_.unplug();
}

WanderingDevice::~WanderingDevice() {
  std::erase(control_->all, &device_);
  control_->inside = control_->all.empty() ? nullptr : control_->all.back();
}

Result<> WanderingDevice::open(const ports::DeviceFormat& format) {
  if (control_->refuses_open && control_->refuses_open()) {
    return fail(ErrorCode::device_busy, "The device is held by another program: close that one.");
  }
  auto opened = device_.open(format);
  if (opened) control_->format = format;
  return opened;
}

ports::DeviceLatency WanderingDevice::latency() const noexcept {
  if (control_->lies_about_latency) return {Frames{1}, Frames{0}};
  return device_.latency();
}

Result<> WanderingDevice::start() {
  auto started = device_.start();
  if (!started) return started;
  ++control_->takes;
  control_->now = {};
  return started;
}

/// The quartz gets warmer or colder: a random walk that turns back at its limits.
void WanderingDevice::wander() RT_SAFE {
  if (max_drift_ppm_ <= 0.0 || !rng_.chance(kDriftChangeChance)) return;
  drift_ppm_ = std::clamp(drift_ppm_ + (2.0 * rng_.unit() - 1.0) * kDriftStepPpm, -max_drift_ppm_,
                          max_drift_ppm_);
  clock_.set_drift(drift_ppm_);
  ++control_->drift_changes;
}

ports::PeriodStatus WanderingDevice::wait_period(ports::DevicePeriod& period) RT_SAFE {
  if (control_->dead) return ports::PeriodStatus::lost;
  wander();
  const ports::PeriodStatus status = device_.wait_period(period);
  if (control_->dead) return ports::PeriodStatus::lost;
  if (status != ports::PeriodStatus::ready) return status;
  period.boundary = clock_.to_world(period.boundary);
  period.next_boundary = clock_.to_world(period.next_boundary);
  control_->now = {control_->takes, period.index, period.boundary, period.lost};
  ++control_->periods;
  if (control_->on_period) control_->on_period(control_->now);
  return status;
}

bool WanderingDevice::commit() RT_SAFE {
  if (control_->swallow_next_commit) {
    control_->swallow_next_commit = false;
    if (control_->on_played) control_->on_played(control_->now);
    return true;
  }
  const bool played = device_.commit();
  if (played && control_->on_played) control_->on_played(control_->now);
  return played;
}

}  // namespace asiodrv::simulation
