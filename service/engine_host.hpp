// The audio device and the engine that runs on it: opened for the first client, running while one
// of them plays, closed after the last.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "core/base/result.hpp"
#include "core/engine/engine.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/device.hpp"
#include "core/ports/thread.hpp"
#include "service/continuous_device.hpp"

namespace asiodrv::service {

struct EngineHostPorts {
  ports::Clock& clock;
  ports::Threads& threads;
  /// Something to hold while audio streams (platform::StreamingBoost).
  std::function<std::shared_ptr<void>()> hold_boost = [] { return nullptr; };
  /// The device went away, on the engine thread. RT: may signal, nothing else.
  std::function<void()> on_lost = [] {};
};

/// Control threads, one call at a time (the caller serialises), except where noted.
class EngineHost {
 public:
  EngineHost(EngineHostPorts ports, std::unique_ptr<ports::Device> device,
             const engine::EngineOptions& options);
  /// Stops and closes. All clients must have been removed.
  ~EngineHost();
  EngineHost(const EngineHost&) = delete;
  EngineHost& operator=(const EngineHost&) = delete;

  [[nodiscard]] const ports::DeviceInfo& info() const noexcept { return device_.info(); }
  /// What the device is or was last open at; period 0 before the first time.
  [[nodiscard]] ports::DeviceFormat format() const noexcept { return format_; }
  [[nodiscard]] bool is_open() const noexcept { return open_; }
  [[nodiscard]] bool is_running() const noexcept { return thread_ != nullptr && !is_lost(); }
  [[nodiscard]] bool is_realtime() const noexcept { return realtime_; }
  /// The device went away and has not come back.
  [[nodiscard]] bool is_lost() const noexcept { return lost_.load(std::memory_order_acquire); }
  [[nodiscard]] ports::DeviceLatency latency() const noexcept;
  /// See Device.
  void refresh() { device_.refresh(); }
  [[nodiscard]] std::vector<std::string> notes() const { return device_.notes(); }
  [[nodiscard]] std::string loss() const { return device_.loss(); }
  [[nodiscard]] std::vector<ports::DevicePart> parts() const { return device_.parts(); }
  [[nodiscard]] std::vector<ports::DevicePartEvent> take_part_events() {
    return device_.take_part_events();
  }
  [[nodiscard]] std::string mode() const { return device_.mode(); }
  [[nodiscard]] ports::ClockState clock_state() const noexcept { return device_.clock_state(); }
  [[nodiscard]] Result<> select_clock(std::uint32_t source) { return device_.select_clock(source); }
  [[nodiscard]] Result<> feed_external_clock(SampleRate rate) {
    return device_.feed_external_clock(rate);
  }
  /// Any thread.
  [[nodiscard]] const engine::FlightRecorder& flight() const noexcept { return engine_.flight(); }

  /// Opens the device at `format`, or moves it there: running clients are interrupted for as long
  /// as the device takes and start again at position 0. Does nothing when all is so already.
  /// Errors: those of Device::open and start; the device is then closed, and lost if it ran.
  [[nodiscard]] Result<> prepare(const ports::DeviceFormat& format);
  /// Puts `other` into the device's place, opened at `format` when there are clients, who go on
  /// with it at position 0. After a success `other` is the device that was here before. Errors:
  /// those of prepare; all is then as before, or the old device is lost.
  [[nodiscard]] Result<> exchange(std::unique_ptr<ports::Device>& other,
                                  const ports::DeviceFormat& format);
  /// Stops a lost device, which prepare brings back: one that plays without a mixer repeats its
  /// last buffers until it is stopped. Nothing happens to one that is not lost.
  void quieten();
  /// Closes the device under running clients, as if it were lost: prepare brings it back. Nothing
  /// happens to a closed one.
  void suspend();
  /// Closes the device. No client may be running.
  void release();

  [[nodiscard]] Result<> add(const engine::ClientSetup& setup) { return engine_.add_client(setup); }
  /// Starts a client, and the device with the first one. Errors: device_gone and those of start.
  [[nodiscard]] Result<> start(std::uint32_t id, bool prefilled = true);
  /// Stops a client, and the device with the last one. Idempotent.
  void stop(std::uint32_t id);
  void remove(std::uint32_t id);

  /// Cables and routes; see Engine.
  [[nodiscard]] Result<> set_graph(const engine::GraphSpec& graph) {
    return engine_.set_graph(graph);
  }
  [[nodiscard]] engine::Levels levels() { return engine_.levels(); }

  [[nodiscard]] engine::ClientLatency client_latency(std::uint32_t id) const {
    return engine_.latency(id);
  }
  [[nodiscard]] engine::ClientCounters counters(std::uint32_t id) const {
    return engine_.counters(id);
  }
  /// The number of the next device period, at the earliest: what starts now starts there or later.
  [[nodiscard]] std::uint64_t next_period() const noexcept { return device_.next_index(); }

 private:
  Result<> begin_stream();
  void end_stream();
  void close();
  void audio_thread();

  EngineHostPorts ports_;
  ContinuousDevice device_;
  engine::Engine engine_;
  ports::DeviceFormat format_{};
  bool open_ = false;
  bool realtime_ = false;
  std::unique_ptr<ports::Thread> thread_;  // while streaming
  std::shared_ptr<void> boost_;            // while streaming
  std::atomic<bool> stop_wanted_{false};
  std::atomic<bool> lost_{false};
};

}  // namespace asiodrv::service
