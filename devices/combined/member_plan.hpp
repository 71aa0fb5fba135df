// How a member runs beside the master, and what delay all of them have in common.
//
// Signs: P0 frames a period at F0 hertz for the master, P at F for a member, r = F / F0; L the
// device's own latency (DeviceLatency), H the look-ahead of the resampler, S the stall allowance,
// A the common latency in frames of the master. c(t) is the member's count of frames, interpolated
// between its filtered boundaries; T is the filtered boundary at which the master's period begins.
//
// Inputs. Frame f of the block that is delivered at T was captured A + P0 - f master frames
// earlier, on every channel. A member's frame of that instant has the number
//     c(T) - (P0 + A - f) r + L
// The block needs the ring to hold H frames beyond its last one, and a period and a stall may pass
// before a captured frame is in the ring, so
//     (P0 + A) r - L  >=  P0 r + P + S F + H      the target fill: both periods, stall, look-ahead
//     A  =  max over the members of (L + P + S F + H + m) / r         and the master's own L
//
// Outputs. Frame f of the block that is committed in the master's period leaves P0 + f + A master
// frames after T. A member's frame number q leaves when its count is q + 2 P + L. At T that is
//     q = c(T) + (P0 + f + A) r - 2 P - L
// The member reads number q when its count is q + 1 at the latest; the engine writes a block within
// the master's period, a stall later at worst, and its resampler keeps H (master frames) back, so
//     (P0 + A) r - 2 P - L  >=  P0 r + S F + H r                      the target fill
//     A  =  max over the members of (2 P + L + S F + m) / r + H       and the master's own L
//
// m = 5 frames: what the servo tolerates (4), and the resampler's rounding. The clocks may differ
// by 2000 ppm (the servo's limit), by which A and P0 shrink in the member's frames: added on top.
// The master is delayed by A - L in either direction, in whole frames.
//
// Thread: control. Internal to devices/combined.
#pragma once

#include <optional>
#include <vector>

#include "core/base/units.hpp"
#include "core/ports/device.hpp"

namespace asiodrv::devices {

/// Frames of the member in a frame of the master.
[[nodiscard]] inline double ratio(const ports::DeviceFormat& master,
                                  const ports::DeviceFormat& member) noexcept {
  return static_cast<double>(member.rate.hz) / master.rate.hz;
}

/// The one of `rates` (ascending) nearest to `wanted` as a ratio, of two equally near the higher;
/// `wanted` when there are none.
[[nodiscard]] SampleRate nearest_rate(const std::vector<SampleRate>& rates, SampleRate wanted);

/// The longest period that `info` offers at `rate` and that lasts no longer than `most`; its
/// shortest when all last longer.
[[nodiscard]] Frames period_below(const ports::DeviceInfo& info, SampleRate rate,
                                  const ports::DeviceFormat& most);

/// Whether a resampler brings one rate to the other.
[[nodiscard]] bool resamples(SampleRate a, SampleRate b);

/// What a device runs at beside a master at `master`: its nearest rate, and the longest of its
/// periods that lasts no longer. Nothing when no resampler brings the two together.
[[nodiscard]] std::optional<ports::DeviceFormat> member_format(const ports::DeviceInfo& info,
                                                               const ports::DeviceFormat& master);

/// A member at its format.
struct MemberPlan {
  ports::DeviceFormat format{};
  ports::DeviceLatency own{};  ///< L
  Frames input_look_ahead{};   ///< H of its inputs, member frames
  Frames output_look_ahead{};  ///< H of its outputs, master frames
  bool inputs = true, outputs = true;
};

/// A for both directions.
[[nodiscard]] ports::DeviceLatency common_latency(const ports::DeviceFormat& master,
                                                  const ports::DeviceLatency& master_own,
                                                  const std::vector<MemberPlan>& members,
                                                  nanoseconds stall);

/// The target fills at equal speed of the clocks, in member frames.
[[nodiscard]] double input_target(const ports::DeviceFormat& master, Frames common,
                                  const MemberPlan& member);
[[nodiscard]] double output_target(const ports::DeviceFormat& master, Frames common,
                                   const MemberPlan& member);

}  // namespace asiodrv::devices
