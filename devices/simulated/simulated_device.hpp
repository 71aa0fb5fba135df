// An audio interface made of arithmetic. It keeps time by a clock of its own, loses what is not
// served in time, and its outputs are wired to its inputs: hardware for tests, for machines
// without an interface, and for finding out what the rest of the system costs.
//
// Time: the hardware begins at start(). Period k begins at t_k = start + (k + 1) * N / rate', where
// N is the period and rate' = rate * (1 + offset_ppm * 1e-6); see PeriodGrid.
//
//   [t_{k-1}, t_k)    frames of capture block k pass the inputs
//   [t_k, t_{k+1})    block k is readable, render block k writable until it is committed
//   [t_{k+1}, t_{k+2})  a committed render block k is played
//
// Wires have no delay unless told, so what was written as render block k arrives in capture block k
// + 2: a loopback takes two periods, the floor of double buffering. A block that is committed at or
// after t_{k+1} is refused and silence is played in its stead, as for every period that nobody
// served.
//
// Wires can be given a delay that the device does not report, as converters have: hidden_latency.
//
// With an external clock input, another clock may dictate rate': see SimulatedOptions.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/audio/wav.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/device.hpp"
#include "devices/simulated/period_grid.hpp"
#include "devices/simulated/recorder_tap.hpp"

namespace asiodrv::devices {

class SimulatedBuffers;

inline constexpr std::uint32_t kMaxSimulatedChannels = 1024;
inline constexpr double kMaxOffsetPpm = 1000.0;
inline constexpr std::uint32_t kMaxJitterUs = 1000;
inline constexpr Frames kMaxHiddenLatency{96'000};

struct SimulatedWire {
  std::uint32_t output = 0, input = 0;
};

enum class SimulatedWiring {
  straight,  ///< output n to input n
  none,
  listed  ///< SimulatedOptions::wires; several wires into one input add up
};

struct SimulatedOptions {
  std::string id = "simulated";
  std::string name = "Simulated device";
  std::uint32_t inputs = 8, outputs = 8;  ///< 1 to 1024 each
  SampleRate default_rate{48'000};
  double offset_ppm = 0.0;      ///< of the device's clock, -1000 to 1000
  std::uint32_t jitter_us = 0;  ///< the longest delay of a wake-up, 0 to 1000; never early
  std::uint64_t jitter_seed = 1;
  SimulatedWiring wiring = SimulatedWiring::straight;
  std::vector<SimulatedWire> wires;
  /// What all wires take besides, at any rate and period, and latency() keeps quiet about.
  Frames hidden_latency{};
  /// Gives the device a clock source 1, "External", at which this rate arrives; 0: it has none.
  /// What arrives is changed by feed_external_clock.
  SampleRate external_clock{};
  /// Sound at the inputs, added to what the wires bring: its channel n at input n, frame by frame
  /// from start (its own rate is not looked at), silence after its end unless looped.
  std::shared_ptr<const audio::WavAudio> player;
  bool loop_player = true;
  /// Receives every played block; must outlive the device. Frame k * N + f of a take is frame f of
  /// render block k.
  RecorderTap* recorder = nullptr;
};

/// Errors: invalid_argument, naming the option and what is accepted.
[[nodiscard]] Result<> check_simulated_options(const SimulatedOptions& options);

class SimulatedDevice final : public ports::Device {
 public:
  /// Bad options are reported by open() (and by check_simulated_options). `clock` must outlive the
  /// device.
  SimulatedDevice(ports::Clock& clock, SimulatedOptions options);
  ~SimulatedDevice() override;

  [[nodiscard]] const ports::DeviceInfo& info() const noexcept override { return info_; }
  [[nodiscard]] Result<> open(const ports::DeviceFormat& format) override;
  [[nodiscard]] ports::DeviceLatency latency() const noexcept override { return {}; }
  [[nodiscard]] Result<> start() override;
  void stop() noexcept override;
  void close() noexcept override;
  ports::PeriodStatus wait_period(ports::DevicePeriod& period) RT_SAFE override;
  bool commit() RT_SAFE override;
  void interrupt() RT_SAFE override;
  [[nodiscard]] ports::ClockState clock_state() const noexcept override;
  [[nodiscard]] Result<> select_clock(std::uint32_t source) override;
  [[nodiscard]] Result<> feed_external_clock(SampleRate rate) override;

  // --- faults, from any thread -------------------------------------------------------------------

  /// The cable is out: a running stream is lost for good, nothing can be opened.
  void unplug() RT_SAFE;
  /// The cable is in again: the device can be opened again.
  void replug() RT_SAFE;
  /// The device drops its next `periods` periods: they are neither delivered nor can they be
  /// rendered, and the one after them says so. Adds up until the next wait_period.
  void inject_gap(std::uint32_t periods) RT_SAFE;

 private:
  [[nodiscard]] bool is_lost() const RT_SAFE;
  [[nodiscard]] Instant boundary(std::uint64_t number) const RT_SAFE {
    return grid_.boundary(number - grid_origin_);
  }
  [[nodiscard]] SampleRate dictated_rate() const RT_SAFE;
  void follow_clock() RT_SAFE;
  [[nodiscard]] Instant wake_instant(std::uint64_t index) const RT_SAFE;
  ports::PeriodStatus sleep_until_wake(Instant wake, Instant& now) RT_SAFE;

  ports::Clock& clock_;
  const SimulatedOptions options_;
  ports::DeviceInfo info_;
  ports::DeviceFormat format_{};
  std::unique_ptr<SimulatedBuffers> buffers_;  // while open
  bool running_ = false;
  std::uint32_t takes_ = 0;  // starts so far

  // Engine thread, between start and stop. Boundary n begins period n - 1.
  PeriodGrid grid_;                // of the boundaries from number grid_origin_ on
  std::uint64_t grid_origin_ = 0;  // the one at which the pace last changed
  SampleRate pace_{};              // that grid_ has
  std::uint64_t next_index_ = 0;   // of the period after the one delivered last
  std::uint64_t gap_periods_ = 0;  // which the hardware will drop, from next_index_ on
  bool outstanding_ = false;       // a period was delivered and is not committed yet
  Instant next_boundary_{};        // of that period

  std::atomic<bool> interrupted_{false};
  std::atomic<std::uint32_t> clock_source_{0};
  std::atomic<std::uint32_t> external_hz_;  // what arrives; 0: nothing
  std::atomic<bool> plugged_{true};
  std::atomic<std::uint32_t> unplugs_{0};
  std::uint32_t unplugs_at_open_ = 0;  // what was opened before the last unplug is lost
  std::atomic<std::uint32_t> injected_gap_{0};
};

}  // namespace asiodrv::devices
