// What the engine thread and a member's own thread have in common: a ring for each direction, the
// stamps of the member's periods, and figures for everybody. Internal to devices/combined.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/base/rt.hpp"
#include "core/base/units.hpp"
#include "devices/combined/position_ring.hpp"

namespace asiodrv::devices {

/// One period boundary of a member.
struct MemberStamp {
  std::uint64_t position = 0;  ///< frames that the member had counted then; see MemberPump
  Instant boundary{};
  std::uint32_t epoch = 0;  ///< which start of the member this belongs to
};

/// Stamps from the member's thread to the engine's. A stamp that finds the queue full is dropped:
/// the next one's position says how many periods have passed. RT: wait-free.
class StampQueue {
 public:
  /// Member's thread.
  void push(const MemberStamp& stamp) RT_SAFE {
    const std::uint64_t at = written_.load(std::memory_order_relaxed);
    if (at - read_.load(std::memory_order_acquire) >= kCapacity) return;  // pairs with pop
    stamps_[static_cast<std::size_t>(at % kCapacity)] = stamp;
    written_.store(at + 1, std::memory_order_release);
  }

  /// Engine thread. False when there is none.
  bool pop(MemberStamp& stamp) RT_SAFE {
    const std::uint64_t at = read_.load(std::memory_order_relaxed);
    if (at == written_.load(std::memory_order_acquire)) return false;  // pairs with push
    stamp = stamps_[static_cast<std::size_t>(at % kCapacity)];
    read_.store(at + 1, std::memory_order_release);
    return true;
  }

 private:
  // The longest period of an engine (16384 frames) over the shortest of a member (16) at equal
  // rates; a member at a higher rate loses a stamp or two, which costs nothing.
  static constexpr std::uint64_t kCapacity = 1024;
  std::array<MemberStamp, kCapacity> stamps_{};
  alignas(64) std::atomic<std::uint64_t> written_{0};
  alignas(64) std::atomic<std::uint64_t> read_{0};
};

struct MemberExchange {
  MemberExchange(std::uint32_t input_channels, std::uint32_t output_channels, Frames capacity)
      : inputs(input_channels),
        outputs(output_channels),
        capture(input_channels, capacity),
        playback(output_channels, capacity) {}

  const std::uint32_t inputs, outputs;
  PositionRing capture;   ///< member's thread writes
  PositionRing playback;  ///< engine thread writes
  StampQueue stamps;

  /// Which start of the member is alive; 0: it is stopped or lost. Stored last (release) by whoever
  /// starts it, 0 by its thread when the device is lost. The engine's acquire sees the latencies.
  std::atomic<std::uint32_t> epoch{0};
  std::atomic<std::uint32_t> input_latency{0}, output_latency{0};  ///< the member's own, frames

  // Figures, each written by one thread, readable from any. Relaxed: they order nothing.
  std::atomic<std::uint8_t> servo_state{0};      ///< engine: audio::ServoState
  std::atomic<double> offset_ppm{0};             ///< engine
  std::atomic<double> fill_frames{0};            ///< engine
  std::atomic<std::uint64_t> skips{0};           ///< engine
  std::atomic<std::uint64_t> capture_xruns{0};   ///< engine
  std::atomic<std::uint64_t> playback_xruns{0};  ///< member
  std::atomic<std::uint64_t> lost_periods{0};    ///< member
  std::atomic<std::uint64_t> gaps{0};            ///< member: its device says that it dropped data
  std::atomic<std::uint64_t> late_commits{0};    ///< member
  std::atomic<std::uint64_t> nonsense{0};        ///< member: periods that cannot be true
  std::atomic<std::int64_t> lateness_ns{0};      ///< member: how late the last period was noticed
};

/// Adds to a figure that only this thread writes.
inline void count(std::atomic<std::uint64_t>& figure, std::uint64_t more = 1) RT_SAFE {
  figure.store(figure.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

}  // namespace asiodrv::devices
