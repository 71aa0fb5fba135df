// A member's own thread, one period at a time: what it captured goes into the ring, what it shall
// play comes out of the other. Internal to devices/combined.
//
// Positions. The member counts frames: at the boundary of its period j, of P frames, its count is
//     base + (j + 1) P
// whatever was lost before, for j counts lost periods too. Capture block j holds the frames
// [count - P, count); render block j is the frames of the same numbers, which leave two periods
// (and the device's own latency) later. `base` only grows from one start to the next, so nothing
// of an earlier one can be taken for something of this one.
//
// What a device says is checked: a period number that goes back or leaps, a boundary that is not
// now, blocks of another shape. Such a device is lost, and begun anew by whoever runs the pump.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/base/rt.hpp"
#include "core/base/units.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/device.hpp"
#include "devices/combined/member_exchange.hpp"

namespace asiodrv::devices {

class MemberPump {
 public:
  /// All must outlive the pump. `format` is what the device is opened at.
  MemberPump(ports::Clock& clock, ports::Device& device, MemberExchange& exchange,
             const ports::DeviceFormat& format) noexcept;

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
  [[nodiscard]] bool plausible(const ports::DevicePeriod& period, Instant now) const RT_SAFE;

  ports::Clock& clock_;
  ports::Device& device_;
  MemberExchange& exchange_;
  const ports::DeviceFormat format_;
  const std::uint64_t longest_leap_;  // periods
  std::uint32_t epoch_ = 0;
  std::uint64_t base_ = 0;
  std::uint64_t next_index_ = 0;  // of the period after the last one
  bool sounding_ = false;         // the last render block was complete
  Instant next_boundary_{};
};

}  // namespace asiodrv::devices
