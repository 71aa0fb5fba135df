// A member's own thread, one period at a time: what it captured goes into the ring, what it shall
// play comes out of the other. Internal to devices/combined.
//
// Positions. The member counts frames: at the boundary of its period j, of P frames, its count is
//     base + (j + 1) P
// whatever was lost before, for j counts lost periods too. Capture block j holds the frames
// [count - P, count); render block j is the frames of the same numbers, which leave two periods
// (and the device's own latency) later. `base` only grows from one start to the next, so nothing
// of an earlier one can be taken for something of this one.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/base/rt.hpp"
#include "core/base/units.hpp"
#include "core/ports/device.hpp"
#include "devices/combined/member_exchange.hpp"

namespace asiodrv::devices {

class MemberPump {
 public:
  /// Both must outlive the pump. `period` and `rate` are what the device is opened at.
  MemberPump(ports::Device& device, MemberExchange& exchange, Frames period,
             SampleRate rate) noexcept
      : device_(device), exchange_(exchange), period_(period), rate_(rate) {}

  /// A new start: the device has just been started and no step runs. Control thread.
  void begin() noexcept;

  /// One period of the member: waits for it, moves the blocks, commits. Member's thread, bounded
  /// as Device::wait_period is. After `lost` the exchange's epoch is 0.
  ports::PeriodStatus step() RT_SAFE;

  /// No more steps until begin(). No step runs. Control thread.
  void end() noexcept { exchange_.epoch.store(0, std::memory_order_release); }

  /// When the period after the last step's begins. Same thread as step().
  [[nodiscard]] Instant next_boundary() const RT_SAFE { return next_boundary_; }

 private:
  ports::Device& device_;
  MemberExchange& exchange_;
  const Frames period_;
  const SampleRate rate_;
  std::uint32_t epoch_ = 0;
  std::uint64_t base_ = 0;
  bool sounding_ = false;  // the last render block was complete
  Instant next_boundary_{};
};

}  // namespace asiodrv::devices
