// The simulated interface of devices/simulated with a clock that wanders, watched from outside.
//
// Inside runs the production device on a clock of its own; outside, its instants are translated to
// the world's time. The translation is a line whose slope, the drift, changes a little now and
// then, always between two periods.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/base/prng.hpp"
#include "core/ports/device.hpp"
#include "devices/simulated/simulated_device.hpp"
#include "simulation/fibers/ports.hpp"

namespace asiodrv::simulation {

/// Time by the device's quartz.
class DriftingClock final : public ports::Clock {
 public:
  explicit DriftingClock(ports::Clock& world) : world_(world) {
    world_base_ = inner_base_ = world.now();
  }
  [[nodiscard]] Instant now() const RT_SAFE override { return to_inner(world_.now()); }
  void sleep_until(Instant deadline) RT_SAFE override { world_.sleep_until(to_world(deadline)); }

  [[nodiscard]] Instant to_inner(Instant world) const RT_SAFE;
  /// Rounded up: inner time has come when world time has.
  [[nodiscard]] Instant to_world(Instant inner) const RT_SAFE;
  /// From now on this clock runs faster than the world by `ppm`.
  void set_drift(double ppm) RT_SAFE;

 private:
  ports::Clock& world_;
  Instant world_base_{}, inner_base_{};
  std::int64_t drift_ppb_ = 0;  // parts per 1e9
};

/// What the world knows about the last periods, independent of the engine.
struct PeriodFacts {
  std::uint64_t take = 0;   ///< start() calls so far; 0: nothing known
  std::uint64_t index = 0;  ///< within the take, as the device counts
  Instant boundary{};
  std::uint32_t lost = 0;  ///< periods before it that nobody served
};

struct DeviceTuning {
  devices::SimulatedOptions options;
  double max_drift_ppm = 0.0;
  std::uint64_t seed = 1;
};

/// Shared between the world and the devices that the service makes and destroys.
struct DeviceControl {
  devices::SimulatedDevice* inside = nullptr;  ///< the newest of those that exist
  std::vector<devices::SimulatedDevice*> all;  ///< two while one takes the other's place
  bool plugged = true;
  bool dead = false;                 ///< its service crashed: it delivers nothing any more
  bool swallow_next_commit = false;  ///< a canary: damage that nobody names
  bool lies_about_latency = false;   ///< a canary
  std::uint64_t made = 0;            ///< devices
  std::uint64_t takes = 0;           ///< start() calls
  ports::DeviceFormat format{};      ///< opened last
  PeriodFacts now;                   ///< the period under way
  std::function<void(const PeriodFacts&)> on_period, on_played;  ///< engine's fiber; RT: wait-free
  std::function<bool()> refuses_open;                            ///< asked once per open
  std::uint64_t periods = 0, drift_changes = 0;

  /// The cable of whatever device exists now or is made later.
  void plug(bool in);
};

class WanderingDevice final : public ports::Device {
 public:
  WanderingDevice(ports::Clock& world, const DeviceTuning& tuning,
                  std::shared_ptr<DeviceControl> control);
  ~WanderingDevice() override;

  [[nodiscard]] const ports::DeviceInfo& info() const noexcept override { return device_.info(); }
  [[nodiscard]] Result<> open(const ports::DeviceFormat& format) override;
  [[nodiscard]] ports::DeviceLatency latency() const noexcept override;
  [[nodiscard]] Result<> start() override;
  void stop() noexcept override { device_.stop(); }
  void close() noexcept override { device_.close(); }
  ports::PeriodStatus wait_period(ports::DevicePeriod& period) RT_SAFE override;
  bool commit() RT_SAFE override;
  void interrupt() RT_SAFE override { device_.interrupt(); }

 private:
  void wander() RT_SAFE;

  const std::shared_ptr<DeviceControl> control_;
  DriftingClock clock_;
  devices::SimulatedDevice device_;
  Prng rng_;
  const double max_drift_ppm_;
  double drift_ppm_ = 0.0;
};

}  // namespace asiodrv::simulation
