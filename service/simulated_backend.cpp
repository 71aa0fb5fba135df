#include "service/simulated_backend.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "core/audio/wav_file.hpp"
#include "devices/simulated/recorder_tap.hpp"
#include "devices/simulated/simulated_device.hpp"

namespace asiodrv::service {
namespace {

/// The tap holds about two seconds.
constexpr nanoseconds kDrainInterval = std::chrono::milliseconds{200};
constexpr nanoseconds kDrainLimit = std::chrono::seconds{2};

/// A simulated device whose tap is drained into a file by a thread that runs while the device does.
class RecordedDevice final : public ports::Device {
 public:
  RecordedDevice(ports::Clock& clock, ports::Threads& threads,
                 const devices::SimulatedOptions& options,
                 std::unique_ptr<devices::RecorderTap> tap, const std::string& path, Log log)
      : clock_(clock),
        threads_(threads),
        log_(std::move(log)),
        tap_(std::move(tap)),
        recorder_(*tap_, path, audio::WavCoding::float32),
        device_(clock, options),
        stopped_(threads.make_signal()) {}

  ~RecordedDevice() override {
    RecordedDevice::stop();
    tell(recorder_.finish());
  }

  const ports::DeviceInfo& info() const noexcept override { return device_.info(); }
  Result<> open(const ports::DeviceFormat& format) override { return device_.open(format); }
  ports::DeviceLatency latency() const noexcept override { return device_.latency(); }

  Result<> start() override {
    draining_ = true;
    auto thread = threads_.start("asiodrv-record", ports::ThreadRole::control, [this] {
      while (draining_) {
        stopped_->wait(clock_.now() + kDrainInterval);
        tell(recorder_.drain());
      }
    });
    if (!thread) return tl::unexpected<Error>(std::move(thread.error()));
    thread_ = std::move(*thread);
    auto started = device_.start();
    if (!started) stop();
    return started;
  }

  void stop() noexcept override {
    device_.stop();
    if (!thread_) return;
    draining_ = false;
    stopped_->signal();
    if (!thread_->join(clock_.now() + kDrainLimit)) {
      log_(LogLevel::error, "The recording does not keep up with the disk; it may be incomplete.");
      thread_->join(clock_.now() + std::chrono::minutes{1});
    }
    thread_.reset();
  }

  void close() noexcept override { device_.close(); }
  ports::ClockState clock_state() const noexcept override { return device_.clock_state(); }
  Result<> select_clock(std::uint32_t source) override { return device_.select_clock(source); }
  Result<> feed_external_clock(SampleRate rate) override {
    return device_.feed_external_clock(rate);
  }
  ports::PeriodStatus wait_period(ports::DevicePeriod& period) RT_SAFE override {
    return device_.wait_period(period);
  }
  bool commit() RT_SAFE override { return device_.commit(); }
  void interrupt() RT_SAFE override { device_.interrupt(); }

 private:
  void tell(const Result<>& result) {
    if (!result) log_(LogLevel::error, "Recording has ended: " + result.error().message);
  }

  ports::Clock& clock_;
  ports::Threads& threads_;
  const Log log_;
  const std::unique_ptr<devices::RecorderTap> tap_;  // outlives the device that pushes into it
  devices::TapRecorder recorder_;  // one thread at a time: the draining one, or ours
  devices::SimulatedDevice device_;
  const std::unique_ptr<ports::Signal> stopped_;
  std::atomic<bool> draining_{false};
  std::unique_ptr<ports::Thread> thread_;  // while running
};

}  // namespace

Result<std::unique_ptr<ports::Device>> make_simulated_backend(ports::Clock& clock,
                                                              ports::Threads& threads,
                                                              const Config::Simulated& config,
                                                              Log log) {
  devices::SimulatedOptions options;
  options.inputs = config.inputs;
  options.outputs = config.outputs;
  options.default_rate = SampleRate{config.rate_hz};
  options.offset_ppm = config.offset_ppm;
  options.jitter_us = config.jitter_us;
  options.external_clock = SampleRate{config.external_clock_hz};
  options.wiring = config.wires == Wires::straight ? devices::SimulatedWiring::straight
                                                   : devices::SimulatedWiring::none;
  options.hidden_latency = config.hidden_latency;
  if (!config.player.empty()) {
    auto sound = audio::read_wav_file(config.player);
    if (!sound) return tl::unexpected<Error>(std::move(sound.error()));
    options.player = std::make_shared<const audio::WavAudio>(std::move(*sound));
  }
  if (auto checked = devices::check_simulated_options(options); !checked) {
    return tl::unexpected<Error>(std::move(checked.error()));
  }
  if (config.recorder.empty()) {
    return std::unique_ptr<ports::Device>(
        std::make_unique<devices::SimulatedDevice>(clock, std::move(options)));
  }
  // Rate and period may change later: room for the widest that hosts commonly choose.
  const SampleRate widest{std::max(config.rate_hz, 192'000U)};
  auto tap = std::make_unique<devices::RecorderTap>(
      devices::RecorderTap::suggested_bytes(config.outputs, widest, Frames{2048}));
  options.recorder = tap.get();
  return std::unique_ptr<ports::Device>(std::make_unique<RecordedDevice>(
      clock, threads, options, std::move(tap), config.recorder, std::move(log)));
}

}  // namespace asiodrv::service
