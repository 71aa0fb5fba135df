// What time it is, as hosts want it told: positions, system time, and the structure for the
// time-info callback.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "asio/abi.hpp"
#include "core/base/rt.hpp"
#include "core/base/units.hpp"

namespace asiodrv::asio {

/// The present block: its first frame and the moment at which it began.
struct Moment {
  std::uint64_t position = 0;   ///< frames since start
  std::uint64_t system_ns = 0;  ///< nanoseconds in the host's epoch
};

/// Turns instants into the epoch of the host's millisecond clock (timeGetTime: 32 bits), with which
/// hosts compare what they are told. Anchored once per start, so differences keep the precision of
/// our own clock; never runs backwards but where the host's clock begins anew, after 49.7 days.
class HostTime {
 public:
  HostTime() = default;
  HostTime(std::uint64_t epoch_ms, Instant anchor) noexcept
      : epoch_ns_(epoch_ms * 1'000'000U), anchor_(anchor), last_ns_(0) {}

  /// One thread. RT: wait-free.
  [[nodiscard]] std::uint64_t at(Instant instant) RT_SAFE {
    // Before the anchor is at the anchor: an epoch that has just begun would wrap, for good.
    const std::int64_t since = std::max<std::int64_t>((instant - anchor_).count(), 0);
    last_ns_ = std::max(last_ns_, epoch_ns_ + static_cast<std::uint64_t>(since));
    return last_ns_ % kTurnNs;
  }

 private:
  static constexpr std::uint64_t kTurnNs = (std::uint64_t{1} << 32) * 1'000'000U;

  std::uint64_t epoch_ns_ = 0;
  Instant anchor_{};
  std::uint64_t last_ns_ = 0;
};

/// One writer, any number of readers, no locks: getSamplePosition may be called from inside the
/// callback, from other audio threads, or from the user interface.
class PositionBoard {
 public:
  /// The stream's thread, or the control thread before the stream runs. RT: wait-free.
  void write(const Moment& moment) RT_SAFE {
    const std::uint32_t turn = turn_.load(std::memory_order_relaxed);
    turn_.exchange(turn + 1, std::memory_order_acq_rel);  // odd; the stores below stay below
    position_.store(moment.position, std::memory_order_relaxed);
    system_ns_.store(moment.system_ns, std::memory_order_relaxed);
    turn_.store(turn + 2, std::memory_order_release);  // even: publishes both
  }

  /// Any thread. RT: lock-free; tries again only while a write is under way.
  [[nodiscard]] Moment read() const RT_SAFE {
    for (;;) {
      const std::uint32_t before = turn_.load(std::memory_order_acquire);
      const Moment moment{position_.load(std::memory_order_acquire),  // the check stays below
                          system_ns_.load(std::memory_order_acquire)};
      if ((before & 1U) == 0 && turn_.load(std::memory_order_relaxed) == before) return moment;
    }
  }

 private:
  std::atomic<std::uint32_t> turn_{0};
  std::atomic<std::uint64_t> position_{0};
  std::atomic<std::uint64_t> system_ns_{0};
};

/// Fills `time` completely. `rate_hz` 0 = unknown; `changes` holds kSampleRateChanged and
/// kClockSourceChanged as they apply. RT: wait-free.
inline void fill_time(Time& time, const Moment& moment, double rate_hz,
                      std::uint32_t changes) RT_SAFE {
  time = Time{};
  time.info.system_time = split64(moment.system_ns);
  time.info.sample_position = split64(moment.position);
  time.info.sample_rate = rate_hz;
  time.info.flags = kSystemTimeValid | kSamplePositionValid | changes;
  if (rate_hz > 0) time.info.flags |= kSampleRateValid;
}

}  // namespace asiodrv::asio
