// A world in which the engine runs in virtual time on one thread: a clock that moves when someone
// waits, an ideal device with straight wires, and scripted clients. For tests of core/engine.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "core/engine/engine.hpp"

namespace asiodrv::engine::testing {

class FakeClock final : public ports::Clock {
 public:
  [[nodiscard]] Instant now() const RT_SAFE override { return now_; }
  void sleep_until(Instant deadline) RT_SAFE override {
    ++sleeps;
    now_ = std::max(now_, deadline) + std::exchange(pause, nanoseconds{0});
  }
  void advance(nanoseconds by) noexcept { now_ = now_ + by; }

  std::uint64_t sleeps = 0;
  nanoseconds pause{0};  ///< for so long the machine stands still at the end of the next sleep

 private:
  Instant now_{1'000'000'000};
};

/// Ideal double-buffered hardware: what is committed before the next boundary is played in the
/// period after it, and captured (output n into input n) while it plays.
class FakeDevice final : public ports::Device {
 public:
  FakeDevice(FakeClock& clock, std::uint32_t channels, Frames period, SampleRate rate)
      : clock_(clock), period_(period), length_(duration_ceil(period, rate)), start_(clock.now()) {
    info_.input_channels = info_.output_channels = channels;
    for (auto& side : memory_) side.assign(std::size_t{channels} * period.count, 0.0F);
    for (std::uint32_t c = 0; c < channels; ++c) {
      capture_.push_back(memory_[0].data() + std::size_t{c} * period.count);
      render_.push_back(memory_[1].data() + std::size_t{c} * period.count);
    }
  }

  [[nodiscard]] const ports::DeviceInfo& info() const noexcept override { return info_; }
  [[nodiscard]] Result<> open(const ports::DeviceFormat&) override { return {}; }
  [[nodiscard]] ports::DeviceLatency latency() const noexcept override { return {}; }
  [[nodiscard]] Result<> start() override { return {}; }
  void stop() noexcept override {}
  void close() noexcept override {}

  ports::PeriodStatus wait_period(ports::DevicePeriod& period) RT_SAFE override {
    if (lost) return ports::PeriodStatus::lost;
    clock_.sleep_until(boundary(next_));
    if (oversleep.count() > 0) clock_.advance(std::exchange(oversleep, nanoseconds{0}));
    std::uint32_t skipped = 0;
    while (clock_.now() >= boundary(next_ + 1)) {
      play(false);
      ++next_;
      ++skipped;
    }
    play(committed_);
    period.index = next_;
    period.boundary = boundary(next_);
    period.next_boundary = boundary(next_ + 1);
    period.lost = skipped;
    period.gap = false;
    period.capture = {capture_.data(), info_.input_channels, period_};
    period.render = {render_.data(), info_.output_channels, period_};
    ++next_;
    committed_ = false;
    return ports::PeriodStatus::ready;
  }

  bool commit() RT_SAFE override {
    committed_ = !refuses && clock_.now() < boundary(next_);
    return committed_;
  }
  void interrupt() RT_SAFE override {}

  /// The next wait_period returns this much after its boundary.
  nanoseconds oversleep{0};
  bool lost = false;
  bool refuses = false;  ///< takes no block, as a device that is just going away
  [[nodiscard]] nanoseconds length() const noexcept { return length_; }

 private:
  [[nodiscard]] Instant boundary(std::uint64_t index) const noexcept {
    return start_ + nanoseconds{length_.count() * static_cast<std::int64_t>(index + 1)};
  }
  /// One period of wire time: what was playing is now captured, what was committed now plays.
  void play(bool committed) noexcept {
    memory_[0] = memory_[2];
    if (committed) {
      memory_[2] = memory_[1];
    } else {
      std::fill(memory_[2].begin(), memory_[2].end(), 0.0F);
    }
    committed_ = false;
  }

  FakeClock& clock_;
  Frames period_;
  nanoseconds length_;
  Instant start_;
  ports::DeviceInfo info_;
  std::array<std::vector<float>, 3> memory_;  // capture, render, playing
  std::vector<const float*> capture_;
  std::vector<float*> render_;
  std::uint64_t next_ = 0;
  bool committed_ = false;
};

/// A client whose host runs inside the engine's wait: each callback takes `callback_time` of
/// virtual time, unless it outlasts the deadline; then it ends later, on its own.
class FakeClient final : public ClientMailbox {
 public:
  using Host = std::function<void(FakeClient&, const ClientStamp&)>;

  FakeClient(FakeClock& clock, std::uint32_t id, const std::vector<std::uint32_t>& inputs,
             const std::vector<std::uint32_t>& outputs, Frames frames, Host host)
      : clock_(clock), frames_(frames), host_(std::move(host)), wake_(*this), ack_(*this) {
    setup_.id = id;
    for (const std::uint32_t channel : inputs) setup_.inputs.push_back(device_port(channel));
    for (const std::uint32_t channel : outputs) setup_.outputs.push_back(device_port(channel));
    const std::size_t blocks = (setup_.inputs.size() + setup_.outputs.size()) * 2;
    memory_.assign(blocks * frames.count, 0.0F);
    float* next = memory_.data();
    const auto halves = [&](std::size_t channels, auto& into) {
      for (std::size_t i = 0; i < channels; ++i) {
        into.push_back({reinterpret_cast<std::byte*>(next),
                        reinterpret_cast<std::byte*>(next + frames.count)});
        next += std::size_t{2} * frames.count;
      }
    };
    halves(setup_.inputs.size(), setup_.input_halves);
    halves(setup_.outputs.size(), setup_.output_halves);
    setup_.wake = &wake_;
    setup_.ack = &ack_;
    setup_.mailbox = this;
  }

  [[nodiscard]] const ClientSetup& setup() const noexcept { return setup_; }
  ClientSetup& setup() noexcept { return setup_; }
  [[nodiscard]] float* input(std::size_t channel, std::uint32_t half) const noexcept {
    return reinterpret_cast<float*>(setup_.input_halves[channel][half]);
  }
  [[nodiscard]] float* output(std::size_t channel, std::uint32_t half) const noexcept {
    return reinterpret_cast<float*>(setup_.output_halves[channel][half]);
  }

  void publish(const ClientStamp& stamp) RT_SAFE override { stamp_ = stamp; }
  [[nodiscard]] ClientReply reply() const RT_SAFE override { return reply_; }

  nanoseconds callback_time{0};
  bool dead = false;  ///< never answers again
  ClientReply reply_{0, false};
  std::uint64_t callbacks = 0;

 private:
  struct Wake final : ports::Doorbell {
    explicit Wake(FakeClient& client) : client_(client) {}
    void ring(std::uint32_t count) RT_SAFE override {
      count_ = count;
      client_.finished_at_ = client_.clock_.now() + client_.callback_time;
    }
    [[nodiscard]] std::uint32_t count() const RT_SAFE override { return count_; }
    std::uint32_t wait_change(std::uint32_t, Instant, nanoseconds) RT_SAFE override {
      return count_;
    }
    void interrupt() RT_SAFE override {}
    FakeClient& client_;
    std::uint32_t count_ = 0;
  };

  struct Ack final : ports::Doorbell {
    explicit Ack(FakeClient& client) : client_(client) {}
    void ring(std::uint32_t) RT_SAFE override {}
    [[nodiscard]] std::uint32_t count() const RT_SAFE override {
      const_cast<FakeClient&>(client_).catch_up();
      return client_.acknowledged_;
    }
    std::uint32_t wait_change(std::uint32_t seen, Instant deadline, nanoseconds) RT_SAFE override {
      client_.clock_.sleep_until(client_.dead ? deadline
                                              : std::min(deadline, client_.finished_at_));
      client_.catch_up();
      return client_.acknowledged_ == seen ? seen : client_.acknowledged_;
    }
    void interrupt() RT_SAFE override {}
    FakeClient& client_;
  };

  /// Runs the host's callback if its time has come.
  void catch_up() {
    if (dead || acknowledged_ == wake_.count_ || clock_.now() < finished_at_) return;
    const RtPermit permit;  // the host is not under the engine's rules
    if (!stamp_.resync) {
      host_(*this, stamp_);
      ++callbacks;
      reply_.next_half = 1 - stamp_.half;
    }
    reply_.free_running = false;
    acknowledged_ = wake_.count_;
  }

  FakeClock& clock_;
  Frames frames_;
  Host host_;
  std::vector<float> memory_;
  ClientSetup setup_;
  ClientStamp stamp_{};
  Wake wake_;
  Ack ack_;
  std::uint32_t acknowledged_ = 0;
  Instant finished_at_{};
};

}  // namespace asiodrv::engine::testing
