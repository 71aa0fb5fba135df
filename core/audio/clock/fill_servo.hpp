// How fast the resampler between two clocks must read, so that the ring between them keeps its
// fill.
//
// The ring sits on either side of the resampler; in both places a greater speed (input frames per
// output frame, relative to the nominal rates) lowers the fill. The servo sees fill minus target at
// the engine's filtered period boundary t, both counts interpolated in filtered time; never the raw
// fill, a saw-tooth as high as a period, whose beat no filter of useful speed removes:
//
//     capture   error = ring.boundary_frame() + ring.frames_after_boundary(t) - read - target
//     playback  error = written - (ring.boundary_frame() + ring.frames_after_boundary(t)) - target
//   with `read` the resampler's next position and `written` the frames put into the ring, both with
//   their fraction, and t = engine.boundary(). Subtract the whole counts first, as integers.
//
// Theory. speed = 1 + u. The plant integrates: the error falls by F u per second, F the ring's
// rate. Per update of T seconds, with w = 2 pi f T:
//     z1 += (1 - exp(-10 w)) (2 w / (F T) error - z1)     two poles at ten times the bandwidth f,
//     z2 += (1 - exp(-10 w)) (z1 - z2)                    so that jitter leaves no sidebands
//     integral += w / 2 z2            u = integral + z2   damping 1
//   Acquiring  At least 1 s: the integral follows the speed that the two clock filters measure,
//              f = 0.15 Hz corrects the phase. The whole frames of the first error are skipped.
//   Tracking   f falls as 0.25 / seconds since acquiring began, down to 0.015 Hz after 17 s; the
//              loop alone steers. An offset leaves no lasting error, a drift of a per second
//              leaves a F / (2 pi f)^2: 0.054 frames for 0.01 ppm/s at 48 kHz.
//   Holding    No measurement: u returns to the integral and stays there.
//   Limits     |u| <= 2000 ppm; the integral stands still while that limit is reached and the
//              error pushes on. u moves by at most 10000 ppm/s acquiring, 3333 ppm/s per Hz of f
//              tracking: 50 ppm/s in the end, 0.067 ppm per 64 frames (a step each way in turn
//              would be -120 dB of an 18 kHz tone). Within a block the resampler ramps from
//              speed_from to speed_to, so that blocks join without a step.
//   Skips      Only at a start, and when |error| > resync_frames: then acquiring again.
//   Return     |error| > 4 frames for 1 s while tracking: acquiring again, without a skip.
//
// Ring: to survive a stall of S seconds on either side, the target must be at least both periods
// + S F + the resampler's look-ahead, and the capacity twice that.
// Thread: one at a time. RT: wait-free, no allocation.
//
// Measured (two_clocks_test: stamps with 20 us of Gaussian jitter, every fiftieth 150 us later,
// stalls of 1 to 15 ms about every 3 s and one of 20 ms; offsets to +-1000 ppm, 27 runs each; the
// worst):
//     periods, ring/engine        64/64     480/64    128/441   480/480   2048/2048
//     locked after                1.5 s     1.8 s     1.7 s     1.7 s     8 s
//     speed error at 2 s          7 ppm     22 ppm    13 ppm    21 ppm    30 ppm
//     under 1 ppm for ever from   5 s       11 s      10 s      12 s      (1.5 ppm from 40 s)
//     speed error from 15 s, max  0.31 ppm  0.70      0.68      0.89
//     the same, rms               0.15 ppm  0.32      0.30      0.38
//     fill error from 15 s, max   0.13      0.31      0.28      0.32 frames
//     sidebands of 18 kHz, all beyond 2 Hz    -130 dB   -124      -125      -122
//   "Locked" is tracking, within 30 ppm and 1 frame. Two seconds of such stamps cannot say more:
//   the least deviation possible is 1.3 ppm (64/64) and 3.5 ppm (480/480). Stamps good to 1 us give
//   1 ppm at the lock. 24 h at 128/441 with drifting clocks: at most 0.72 ppm (0.17 rms) and 0.22
//   frames. Nearer than 2 Hz to a tone the clocks' own noise is greater.
#pragma once

#include <cstdint>

#include "core/base/rt.hpp"

namespace asiodrv::audio {

/// All must be finite and positive.
struct FillServoConfig {
  double ring_rate_hz = 48'000;         ///< F: nominal rate of the frames in the ring
  double update_seconds = 64.0 / 48e3;  ///< T: one engine period
  double resync_frames = 1'000;         ///< usually half the target fill
  double narrow_bandwidth_hz = 0.015;   ///< f in the end, at most 0.15
};

enum class ServoState : std::uint8_t {
  idle,       ///< nothing measured since restart()
  acquiring,  ///< following the measured rates
  tracking,   ///< locked
  holding     ///< no measurement at the last update
};

/// What the resampler does for one engine period.
struct ServoStep {
  double speed_from = 1;  ///< at the block's start: the speed_to of the step before
  double speed_to = 1;    ///< at its end
  std::int64_t skip = 0;  ///< ring frames to drop (> 0) or to insert (< 0) before the block
};

class FillServo {
 public:
  explicit FillServo(const FillServoConfig& config) RT_SAFE;

  /// One engine period with a measurement. `error_frames`: fill minus target as above, ring
  /// frames. `clock_speed`: relative_speed of the two filters, used while acquiring. `periods`:
  /// engine periods since the last call. Values that are not finite hold.
  ServoStep update(double error_frames, double clock_speed, std::uint32_t periods = 1) RT_SAFE;

  /// One engine period without a measurement (a filter is not usable).
  ServoStep hold(std::uint32_t periods = 1) RT_SAFE;

  /// Start again, with a skip if need be: after the ring ran empty or full, or a restarted stream.
  void restart() RT_SAFE;

  [[nodiscard]] ServoState state() const RT_SAFE { return state_; }
  /// The lasting speed difference that the servo believes in, parts per million, without the
  /// momentary correction of the fill.
  [[nodiscard]] double offset_ppm() const RT_SAFE { return integral_ * 1e6; }
  /// Present bandwidth f.
  [[nodiscard]] double bandwidth_hz() const RT_SAFE { return bandwidth_hz_; }
  /// Skips since construction, the first one of each start included.
  [[nodiscard]] std::uint64_t skips() const RT_SAFE { return skips_; }
  /// Updates whose u reached its limit.
  [[nodiscard]] std::uint64_t clamped() const RT_SAFE { return clamped_; }

 private:
  void acquire(double offset) RT_SAFE;
  void choose_bandwidth(double error_frames, double offset, double seconds) RT_SAFE;
  ServoStep step(double error_frames, double seconds, bool integrate) RT_SAFE;
  [[nodiscard]] double seconds_of(std::uint32_t periods) const RT_SAFE;

  FillServoConfig config_;
  ServoState state_ = ServoState::idle;
  bool acquired_ = false;  // what holding returns to
  double bandwidth_hz_ = 0;
  double seconds_ = 0;             // since acquiring began
  double far_seconds_ = 0;         // error beyond 4 frames since
  double first_ = 0, second_ = 0;  // z1, z2
  double integral_ = 0;
  double output_ = 0;  // u
  std::uint64_t skips_ = 0;
  std::uint64_t clamped_ = 0;
};

}  // namespace asiodrv::audio
