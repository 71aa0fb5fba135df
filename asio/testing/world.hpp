// A driver object between a scripted host and a service in memory. Stepped by the test in virtual
// time, or with its real threads.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "asio/front.hpp"
#include "asio/testing/fake_service.hpp"
#include "asio/testing/tracked_threads.hpp"
#include "core/ports/virtual_clock.hpp"
#include "platform/platform.hpp"

namespace asiodrv::asio::testing {

inline constexpr std::uint64_t kEpochMs = 5'000'000;

/// What the host saw in one callback.
struct Switch {
  std::int32_t half = -1;
  std::int32_t direct = 0;
  bool time_info = false;
  Time time{};
};

/// The callbacks have no context argument, so there is one host at a time.
class FakeHost {
 public:
  FakeHost() { self_ = this; }
  ~FakeHost() { self_ = nullptr; }
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  std::function<void(std::int32_t half)> on_switch;  ///< set before start
  std::function<void(std::int32_t selector)> on_message;
  std::set<std::int32_t> understood{kResetRequest, kResyncRequest, kLatenciesChanged, kOverload};
  std::int32_t wants_time_info = 0;

  [[nodiscard]] static Callbacks callbacks() {
    return {buffer_switch, rate_changed, message, buffer_switch_time_info};
  }

  [[nodiscard]] std::vector<Switch> switches() {
    const std::lock_guard lock(mutex_);
    return switches_;
  }
  [[nodiscard]] std::vector<std::int32_t> messages() {
    const std::lock_guard lock(mutex_);
    return messages_;
  }
  [[nodiscard]] std::vector<double> rates() {
    const std::lock_guard lock(mutex_);
    return rates_;
  }
  bool await_switches(std::size_t count) {
    return await([&] { return switches_.size() >= count; });
  }
  bool await_messages(std::size_t count) {
    return await([&] { return messages_.size() >= count; });
  }
  bool await_rates(std::size_t count) {
    return await([&] { return rates_.size() >= count; });
  }

 private:
  template <class Condition>
  bool await(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds{20}, condition);
  }
  void record(const Switch& seen) {
    {
      const std::lock_guard lock(mutex_);
      switches_.push_back(seen);
    }
    changed_.notify_all();
    if (on_switch) on_switch(seen.half);
  }

  static void ASIO_CALLBACK buffer_switch(std::int32_t half, std::int32_t direct) {
    self_->record({half, direct, false, {}});
  }
  static Time* ASIO_CALLBACK buffer_switch_time_info(Time* time, std::int32_t half,
                                                     std::int32_t direct) {
    self_->record({half, direct, true, *time});
    return nullptr;
  }
  static void ASIO_CALLBACK rate_changed(double rate) {
    const std::lock_guard lock(self_->mutex_);
    self_->rates_.push_back(rate);
    self_->changed_.notify_all();
  }
  static std::int32_t ASIO_CALLBACK message(std::int32_t selector, std::int32_t value, void*,
                                            double*) {
    if (selector == kSelectorSupported) return self_->understood.contains(value) ? 1 : 0;
    if (selector == kSupportsTimeInfo) return self_->wants_time_info;
    {
      const std::lock_guard lock(self_->mutex_);
      self_->messages_.push_back(selector);
    }
    self_->changed_.notify_all();
    if (self_->on_message) self_->on_message(selector);
    return 1;
  }

  static inline FakeHost* self_ = nullptr;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Switch> switches_;
  std::vector<std::int32_t> messages_;
  std::vector<double> rates_;
};

enum class Stepping { manual, threads };

class World {
 public:
  explicit World(Stepping stepping = Stepping::manual)
      : threads(std::make_unique<TrackedThreads>(platform::make_threads())),
        real_clock(platform::make_clock()),
        clock(stepping == Stepping::manual ? static_cast<ports::Clock&>(virtual_clock)
                                           : *real_clock),
        service(*threads, clock) {
    const bool manual = stepping == Stepping::manual;
    front = AsioFront::create(ports(), {.manual_stream = manual, .manual_notifier = manual});
  }
  ~World() {
    if (front) front->shutdown();
    front.reset();
    if (!threads->await_ended()) std::abort();  // a thread of ours never ends: a bug of ours
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] FrontPorts ports() {
    return {.clock = clock,
            .threads = *threads,
            .regions = service,
            .make_link = [this] { return service.make_link(); },
            .host_epoch_ms = [] { return kEpochMs; },
            .open_panel = {},
            .boost = {},
            .remembered_rate_hz = &remembered_rate};
  }

  /// Every channel of the device: inputs, then outputs.
  [[nodiscard]] std::vector<BufferInfo> all_channels() const {
    std::vector<BufferInfo> all;
    for (const std::int32_t is_input : {1, 0}) {
      const auto& names =
          is_input != 0 ? service.description.input_names : service.description.output_names;
      for (std::size_t c = 0; c < names.size(); ++c) {
        all.push_back({is_input, static_cast<std::int32_t>(c), {nullptr, nullptr}});
      }
    }
    return all;
  }
  std::int32_t create(std::int32_t frames = 64) {
    infos = all_channels();
    // Gone when createBuffers has returned, as some hosts do.
    auto callbacks = std::make_unique<Callbacks>(FakeHost::callbacks());
    return front->create_buffers(infos.data(), static_cast<std::int32_t>(infos.size()), frames,
                                 callbacks.get());
  }
  /// The host's own pointers, as createBuffers gave them.
  [[nodiscard]] float* host_input(std::size_t channel, std::int32_t half) const {
    return static_cast<float*>(infos[channel].buffers[half]);
  }
  [[nodiscard]] float* host_output(std::size_t channel, std::int32_t half) const {
    return static_cast<float*>(infos[2 + channel].buffers[half]);
  }
  void reach(State state) {
    if (state >= State::initialized) (void)front->init();
    if (state >= State::prepared) (void)create();
    if (state >= State::running) (void)front->start();
  }
  [[nodiscard]] std::string message() const {
    char text[kErrorMessageBytes + 1];
    text[kErrorMessageBytes] = '!';
    front->get_error_message(text);
    return text;
  }
  /// One cycle of the manual world, from ring to acknowledgement.
  bool cycle(float value = 0.0F) {
    service.ring(value);
    return front->serve_cycle();
  }

  ports::VirtualClock virtual_clock{Instant{1'000'000'000}};
  std::unique_ptr<TrackedThreads> threads;
  std::unique_ptr<ports::Clock> real_clock;
  ports::Clock& clock;
  FakeService service;
  FakeHost host;
  std::atomic<std::uint32_t> remembered_rate{0};
  std::vector<BufferInfo> infos;
  std::shared_ptr<AsioFront> front;
};

}  // namespace asiodrv::asio::testing
