// A combined device in virtual time: every member at its own clock, stepped in the order in which
// a machine would wake them, with lateness and stalls. Tests and the simulation only.
#pragma once

#include <algorithm>
#include <cmath>
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

/// None: who is given these runs everything by hand.
class NoThreads final : public ports::Threads {
 public:
  Result<std::unique_ptr<ports::Thread>> start(const char*, ports::ThreadRole,
                                               std::function<void()>) override {
    return fail(ErrorCode::unsupported, "There are no threads in this world.");
  }
  std::unique_ptr<ports::Signal> make_signal() override { return std::make_unique<Quiet>(); }

 private:
  struct Quiet final : ports::Signal {
    void signal() RT_SAFE override {}
    bool wait(Instant) override { return false; }
  };
};

class RoomWorld {
 public:
  static constexpr Instant kStart{5'000'000'000};
  static constexpr std::size_t kEverybody = ~std::size_t{0};

  struct Stall {
    std::size_t device;  // or kEverybody
    double at_seconds, for_seconds;
  };

  explicit RoomWorld(const std::vector<RoomOptions>& devices, CombinedOptions options = {},
                     std::uint64_t seed = 7)
      : prng_(seed) {
    options.by_hand = true;
    std::vector<CombinedMember> members;
    for (RoomOptions each : devices) {
      each.start_later = nanoseconds{static_cast<std::int64_t>(377'000 * rooms.size())};
      auto own = std::make_unique<RoomDevice>(clock, each);
      rooms.push_back(own.get());
      members.push_back({std::move(own), "", {}, {}});
      inputs_.push_back(each.inputs);
    }
    heard.resize(devices.size());
    played.resize(devices.size());
    blocks.resize(devices.size());
    auto made = CombinedDevice::make(clock, threads_, std::move(members), options);
    if (made) {
      device = std::move(*made);
    } else {
      refused = made.error();
    }
  }

  /// Opens and starts.
  Result<> start(const ports::DeviceFormat& format) {
    if (!device) return tl::unexpected(refused);
    format_ = format;
    if (Result<> opened = device->open(format); !opened) return opened;
    return restart();
  }
  /// Starts only: the device is open.
  Result<> restart() {
    if (Result<> started = device->start(); !started) return started;
    lost = false;
    next_.clear();
    for (const RoomDevice* room : rooms) next_.push_back(room->next_due());
    retry_at_ = clock.now();
    return {};
  }

  /// Until `seconds` of the world have passed, or the device is lost.
  void run_until(double seconds) {
    const Instant end = kStart + nanoseconds{std::llround(seconds * 1e9)};
    while (!lost) {
      std::size_t first = 0;
      for (std::size_t i = 1; i < next_.size(); ++i) {
        if (next_[i] < next_[first]) first = i;
      }
      if (next_[first] >= end) return;
      clock.sleep_until(next_[first]);
      retry();
      if (next_[first] > clock.now()) continue;  // it is back, and begins later
      if (first == 0) {
        next_[0] = notice(0, serve ? serve() : engine_period());
      } else {
        next_[first] = notice(first, member_period(first));
      }
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
  /// Everything that happened since the last call.
  [[nodiscard]] std::vector<MemberEvent> events() const {
    std::vector<MemberEvent> all;
    MemberEvent event;
    while (device->next_event(event)) all.push_back(event);
    return all;
  }
  /// Offsets in frames of the master.
  [[nodiscard]] double heard_offset(std::size_t i) const {
    return heard[i].most_seconds * format_.rate.hz;
  }
  [[nodiscard]] double played_offset(std::size_t i) const {
    return played[i].most_seconds * format_.rate.hz;
  }
  [[nodiscard]] double seconds() const { return seconds_of(clock.now()); }
  [[nodiscard]] static double seconds_of(Instant at) {
    return static_cast<double>((at - kStart).count()) * 1e-9;
  }

  ports::VirtualClock clock{kStart};
  std::unique_ptr<CombinedDevice> device;  // null when it was refused
  Error refused;
  std::vector<RoomDevice*> rooms;          // the master first
  std::vector<OffsetMeter> heard, played;  // by device
  std::vector<const float*> blocks;        // by device: its last input, newest block
  std::vector<Stall> stalls;
  std::uint32_t jitter_us = 0;  // of every wake-up, evenly spread
  std::uint32_t judge_every = 1;
  bool lost = false;
  bool skip_commits = false;  // of the engine
  /// In place of the engine: one period; returns when the next one begins.
  std::function<Instant()> serve;
  /// Sees each period before and after `render` is filled.
  std::function<void(const ports::DevicePeriod&)> on_capture, on_render;

 private:
  /// When the boundary at `at` is noticed.
  Instant notice(std::size_t index, Instant at) {
    if (jitter_us > 0) {
      at = at + nanoseconds{static_cast<std::int64_t>(prng_.below(jitter_us * 1000))};
    }
    for (const Stall& stall : stalls) {
      const Instant begin = kStart + nanoseconds{std::llround(stall.at_seconds * 1e9)};
      const Instant end = begin + nanoseconds{std::llround(stall.for_seconds * 1e9)};
      const bool hit = stall.device == index || stall.device == kEverybody;
      if (hit && at >= begin && at < end) at = end;
    }
    return at;
  }

  void retry() {
    if (clock.now() < retry_at_) return;
    retry_at_ = clock.now() + std::chrono::milliseconds{500};
    device->retry_lost();
    for (std::size_t i = 1; i < rooms.size(); ++i) {
      // One that is back is stepped from its first boundary on.
      if (is_away_.size() > i && is_away_[i] && status(i).state != MemberState::lost) {
        is_away_[i] = false;
        next_[i] = rooms[i]->next_due();
      }
    }
  }

  Instant member_period(std::size_t i) {
    is_away_.resize(rooms.size());
    if (status(i).state != MemberState::lost &&
        device->pump(i - 1)->step() == ports::PeriodStatus::ready) {
      return rooms[i]->next_due();
    }
    is_away_[i] = true;
    return retry_at_ + nanoseconds{1};
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
      blocks[i] = period.capture.channel(channel + inputs_[i] - 1);
      if (judged) heard[i].add(blocks[i], at - step * (frames + common.input.count), step, frames);
    }
    if (on_capture) on_capture(period);
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
    if (on_render) on_render(period);
    const RtScope scope;
    if (!skip_commits) device->commit();
    return rooms[0]->next_due();
  }

  NoThreads threads_;
  std::vector<std::uint32_t> inputs_;
  ports::DeviceFormat format_{};
  std::vector<Instant> next_;
  std::vector<bool> is_away_;
  Instant retry_at_{};
  bool measuring_ = false;
  Prng prng_;
};

/// A stretch of a block that is silent.
inline bool is_silent(const float* block, std::uint32_t frames) {
  return std::all_of(block, block + frames, [](float s) { return s == 0.0F; });
}

}  // namespace asiodrv::devices::test
