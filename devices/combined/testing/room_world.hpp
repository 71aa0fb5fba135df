// A combined device in virtual time: every member at its own clock, stepped in the order in which
// a machine would wake them, with lateness and stalls. Tests only.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/prng.hpp"
#include "core/base/rt.hpp"
#include "core/ports/thread.hpp"
#include "core/ports/virtual_clock.hpp"
#include "devices/combined/combined_device.hpp"
#include "devices/combined/member_pump.hpp"
#include "devices/combined/testing/room_device.hpp"

namespace asiodrv::devices::test {

/// Threads that never run: whoever has them steps what they would have done.
class StillThreads final : public ports::Threads {
 public:
  Result<std::unique_ptr<ports::Thread>> start(const char*, ports::ThreadRole,
                                               std::function<void()>) override {
    return std::make_unique<Still>();
  }
  std::unique_ptr<ports::Signal> make_signal() override { return std::make_unique<Quiet>(); }

 private:
  struct Still final : ports::Thread {
    bool join(Instant) override { return true; }
    [[nodiscard]] bool is_current() const noexcept override { return false; }
    [[nodiscard]] bool is_realtime() const noexcept override { return false; }
  };
  struct Quiet final : ports::Signal {
    void signal() RT_SAFE override {}
    bool wait(Instant) override { return false; }
  };
};

class RoomWorld {
 public:
  static constexpr Instant kStart{5'000'000'000};

  struct Stall {
    std::size_t device;
    double at_seconds, for_seconds;
  };

  explicit RoomWorld(const std::vector<RoomOptions>& devices, CombinedOptions options = {}) {
    std::vector<CombinedMember> members;
    for (const RoomOptions& each : devices) {
      // Not in step: the devices start a little after one another.
      const nanoseconds later{static_cast<std::int64_t>(377'000 * clocks_.size())};
      clocks_.push_back(std::make_unique<ports::VirtualClock>(kStart + later));
      auto own = std::make_unique<RoomDevice>(*clocks_.back(), each);
      rooms.push_back(own.get());
      members.push_back({std::move(own), "", {}, {}});
      inputs_.push_back(each.inputs);
    }
    heard.resize(devices.size());
    played.resize(devices.size());
    auto made = CombinedDevice::make(*clocks_.front(), threads_, std::move(members), options);
    EXPECT_TRUE(made) << made.error().message;
    device = std::move(*made);
  }

  ~RoomWorld() { device.reset(); }  // before the clocks and threads that it uses
  RoomWorld(const RoomWorld&) = delete;
  RoomWorld& operator=(const RoomWorld&) = delete;

  /// Opens and starts; a failure fails the test.
  void start(const ports::DeviceFormat& format) {
    format_ = format;
    const Result<> opened = device->open(format);
    ASSERT_TRUE(opened) << opened.error().message;
    const Result<> started = device->start();
    ASSERT_TRUE(started) << started.error().message;
    next_.assign(rooms.size(), kStart);
    retry_at_ = kStart;
  }

  /// Until `seconds` since the start have passed, or the device is lost.
  void run_until(double seconds) {
    const Instant end = kStart + nanoseconds{std::llround(seconds * 1e9)};
    while (!lost) {
      std::size_t first = 0;
      for (std::size_t i = 1; i < next_.size(); ++i) {
        if (next_[i] < next_[first]) first = i;
      }
      if (next_[first] >= end) return;
      now_ = std::max(now_, next_[first]);
      retry();
      clocks_[first]->sleep_until(next_[first]);
      next_[first] = notice(first, first == 0 ? engine_period() : member_period(first));
    }
  }

  /// From now on blocks are measured; what has been is forgotten.
  void measure() {
    measuring_ = true;
    for (OffsetMeter& meter : heard) meter = {};
    for (std::size_t i = 0; i < rooms.size(); ++i) {
      played[i] = {};
      rooms[i]->judge = &played[i];
    }
  }

  [[nodiscard]] MemberStatus status(std::size_t member) const { return device->status(member - 1); }
  /// Offsets in frames of the master.
  [[nodiscard]] double heard_offset(std::size_t i) const {
    return heard[i].most_seconds * format_.rate.hz;
  }
  [[nodiscard]] double played_offset(std::size_t i) const {
    return played[i].most_seconds * format_.rate.hz;
  }
  [[nodiscard]] double seconds() const { return RoomDevice::seconds(now_) - 5; }

  std::unique_ptr<CombinedDevice> device;
  std::vector<RoomDevice*> rooms;                   // the master first
  std::vector<OffsetMeter> heard, played;           // by device
  std::vector<bool> silent = std::vector<bool>(8);  // the device's newest capture block
  std::vector<Stall> stalls;
  std::uint32_t jitter_us = 0;  // of every wake-up, evenly spread
  std::uint32_t judge_every = 1;
  bool lost = false;
  bool skip_commits = false;  // of the engine

 private:
  /// When the boundary at `at` is noticed.
  Instant notice(std::size_t index, Instant at) {
    if (jitter_us > 0) {
      at = at + nanoseconds{static_cast<std::int64_t>(prng_.below(jitter_us * 1000))};
    }
    for (const Stall& stall : stalls) {
      const Instant begin = kStart + nanoseconds{std::llround(stall.at_seconds * 1e9)};
      const Instant end = begin + nanoseconds{std::llround(stall.for_seconds * 1e9)};
      if (stall.device == index && at >= begin && at < end) at = end;
    }
    return at;
  }

  void retry() {
    if (now_ < retry_at_) return;
    retry_at_ = now_ + std::chrono::milliseconds{500};
    for (std::size_t i = 1; i < rooms.size(); ++i) {
      if (status(i).state != MemberState::lost) continue;
      clocks_[i]->sleep_until(now_);
      device->retry_lost();
      if (status(i).state != MemberState::lost) next_[i] = now_;
    }
  }

  Instant member_period(std::size_t i) {
    if (status(i).state == MemberState::lost) return retry_at_;
    MemberPump& pump = *device->pump(i - 1);
    return pump.step() == ports::PeriodStatus::ready ? pump.next_boundary() : retry_at_;
  }

  Instant engine_period() {
    ports::DevicePeriod period;
    {
      const RtScope scope;
      if (device->wait_period(period) != ports::PeriodStatus::ready) {
        lost = true;
        return retry_at_;
      }
    }
    const double step = rooms[0]->step();
    const double at = RoomDevice::seconds(period.boundary);
    const std::uint32_t frames = period.capture.frames.count;
    const ports::DeviceLatency common = device->latency();
    const bool judged = measuring_ && period.index % judge_every == 0;
    std::uint32_t channel = 0;
    for (std::size_t i = 0; i < rooms.size(); channel += inputs_[i], ++i) {
      if (inputs_[i] == 0) continue;
      const float* block = period.capture.channel(channel + inputs_[i] - 1);
      silent[i] = std::all_of(block, block + frames, [](float s) { return s == 0.0F; });
      if (judged) heard[i].add(block, at - step * (frames + common.input.count), step, frames);
    }
    for (std::uint32_t c = 0; c < period.render.channels; ++c) {
      if (c > 0) {
        std::copy_n(period.render.channel(0), frames, period.render.channel(c));
        continue;
      }
      RoomSound::visit(at + step * (frames + common.output.count), step, frames,
                       [&](std::uint32_t f, double value, double) {
                         period.render.channel(0)[f] = static_cast<float>(value);
                       });
    }
    const RtScope scope;
    if (!skip_commits) device->commit();
    return period.next_boundary;
  }

  StillThreads threads_;
  std::vector<std::unique_ptr<ports::VirtualClock>> clocks_;
  std::vector<std::uint32_t> inputs_;
  ports::DeviceFormat format_{};
  std::vector<Instant> next_;
  Instant now_ = kStart;
  Instant retry_at_{};
  bool measuring_ = false;
  Prng prng_{7};
};

}  // namespace asiodrv::devices::test
