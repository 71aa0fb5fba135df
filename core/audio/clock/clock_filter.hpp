// When did the period begin, and how fast does this clock run? A delay-locked loop over the
// stamps of period boundaries, each of which was taken late by an unknown amount.
//
// Theory. Boundaries lie on the line t(n) = t0 + n T (1 + r), T the nominal period, r the clock's
// offset. A stamp is t(n) plus jitter; jitter is one-sided in its tail (a wake-up can be late,
// never early). Per stamp, with e = stamp - predicted boundary:
//     boundary = predicted + a e        r = r + b e / T        predicted' = boundary + T (1 + r)
//   Start      the first stamps (0.1 s, 8..64 of them) are only collected; a straight line through
//              those near their median gives phase, rate and the scale of the jitter.
//   Locking    a = 2 (2n - 1) / (n (n + 1)), b = 6 / (n (n + 1)) after n stamps: exactly the least
//              squares line through all stamps so far, the best that n stamps can tell.
//   Narrow     once these gains have fallen to them: a = sqrt(2) w, b = w^2, w = 2 pi B T, a loop
//              of bandwidth B and damping 0.707, B = min(0.03 Hz, 1 / (800 T)). White jitter
//              leaves it multiplied by sqrt(6.66 B T): 0.016 for 64 frames at 48 kHz, 0.045 for
//              480; the second bound keeps it under 0.092 for every period.
//   Outliers   s = running mean of |e|. |e| over 3 s + 2 us is limited to that; over 8 s + 100 us
//              the stamp is not used (coasting). Only when every stamp for 0.1 s was unusable (at
//              least 8), or the running mean of e exceeds 0.8 s and 20 us, has the clock itself
//              jumped: the phase is set anew (to the earliest of them), the rate kept. A second
//              jump within 5 s means that the rate is wrong: everything starts again.
//   Lost       the caller knows how many boundaries passed; the line is advanced by that many.
//
// Arithmetic: a whole-nanosecond anchor plus a small double, so uptime costs no precision.
// Thread: one at a time. RT: wait-free, no allocation; two partial sorts of 64 numbers at the end
// of the start phase, else O(1).
//
// Measured (clock_filter_test, 48 kHz, jitter 1 to 200 us, worst of three seeds): filtered over raw
// jitter 0.012 for 32 frames, 0.018 for 64, 0.046 for 480, 0.067 for 1024, 0.093 for 2048. Rate
// after 2 s: within four times the least possible deviation, jitter sqrt(12 / n) / t (0.9 ppm for
// 64 frames and 20 us). A stamp 15 ms late and the queue behind it move the rate by less than 1e-9
// ppm.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/rt.hpp"
#include "core/base/units.hpp"

namespace asiodrv::audio {

/// Both must not be zero.
struct ClockFilterConfig {
  SampleRate rate{};                  ///< nominal
  Frames period{};                    ///< frames between two boundaries
  double narrow_bandwidth_hz = 0.03;  ///< upper bound of B above
};

enum class ClockFilterState : std::uint8_t {
  empty,       ///< no stamp yet
  collecting,  ///< boundary() is the raw stamp, the rate is nominal
  locking,     ///< usable, less than 0.5 s of stamps behind it
  locked,      ///< usable
  coasting     ///< was usable; the last stamp was not, the line is continued at the last rate
};

/// What became of one stamp.
enum class StampUse : std::uint8_t {
  collected,  ///< start phase
  used,       ///< in full
  limited,    ///< with its error cut to the limit
  rejected,   ///< not at all
  relocked    ///< the clock jumped: the phase was set anew
};

class ClockFilter {
 public:
  explicit ClockFilter(const ClockFilterConfig& config) RT_SAFE;

  /// Takes the stamp of a boundary that lies `periods` after the previous one (1 = none lost; 0
  /// is ignored and reported as rejected). When one wake-up brings several boundaries, call it
  /// once with their number: only the last one's stamp says anything.
  StampUse update(Instant stamp, std::uint32_t periods = 1) RT_SAFE;

  /// Forgets everything, the frame count included. For a restarted stream.
  void reset() RT_SAFE;

  /// As reset, but for another format of the same clock: the offset in ppm is kept until the
  /// start phase has measured it again.
  void reconfigure(const ClockFilterConfig& config) RT_SAFE;

  [[nodiscard]] ClockFilterState state() const RT_SAFE { return state_; }
  /// True when boundary() and rate_hz() may steer something: locked, or coasting after that.
  [[nodiscard]] bool usable() const RT_SAFE {
    return state_ == ClockFilterState::locked || state_ == ClockFilterState::coasting;
  }

  /// The newest boundary, filtered, and the prediction for the next. Mean wake-up lateness is part
  /// of both: no filter can know it.
  [[nodiscard]] Instant boundary() const RT_SAFE;
  [[nodiscard]] Instant next_boundary() const RT_SAFE;
  /// Frames that the clock had counted at boundary(); the first stamp was frame 0.
  [[nodiscard]] std::uint64_t boundary_frame() const RT_SAFE { return frame_; }
  /// Frames from boundary_frame() to `at`, interpolated (or extrapolated; negative before it).
  [[nodiscard]] double frames_after_boundary(Instant at) const RT_SAFE;

  /// Measured rate in frames per second of the machine's clock; nominal while collecting.
  [[nodiscard]] double rate_hz() const RT_SAFE;
  /// The same relative to nominal: 1.0001 is 100 ppm fast.
  [[nodiscard]] double speed() const RT_SAFE { return 1.0 / (1.0 + deviation_); }
  [[nodiscard]] double offset_ppm() const RT_SAFE { return (speed() - 1.0) * 1e6; }

  /// Running mean of the absolute stamp error, the scale of the jitter.
  [[nodiscard]] nanoseconds jitter() const RT_SAFE;
  [[nodiscard]] std::uint64_t limited() const RT_SAFE { return limited_; }
  [[nodiscard]] std::uint64_t rejected() const RT_SAFE { return rejected_; }
  [[nodiscard]] std::uint64_t relocks() const RT_SAFE { return relocks_; }

 private:
  struct Collected {
    double index;     // periods since the first stamp
    double residual;  // ns behind the nominal grid through the first stamp
  };
  static constexpr std::uint32_t kMaxCollected = 64;

  void apply(const ClockFilterConfig& config) RT_SAFE;
  void start(Instant stamp) RT_SAFE;
  StampUse collect(Instant stamp, std::uint32_t periods) RT_SAFE;
  void fit_line() RT_SAFE;
  StampUse reject(Instant stamp, double predicted, double error, double elapsed) RT_SAFE;
  StampUse relock(Instant stamp, double boundary_ns, bool resumed) RT_SAFE;
  void set_boundary(double offset_ns) RT_SAFE;
  [[nodiscard]] double period_ns() const RT_SAFE { return nominal_ns_ * (1.0 + deviation_); }

  // Constants of the configuration.
  double nominal_ns_ = 0;  // T
  double nominal_hz_ = 0;
  double period_frames_ = 0;
  double narrow_phase_gain_ = 0;
  double narrow_rate_gain_ = 0;
  std::uint32_t collect_count_ = 0;

  // The line.
  ClockFilterState state_ = ClockFilterState::empty;
  std::int64_t anchor_ns_ = 0;  // the newest boundary is anchor_ns_ + offset_ns_
  double offset_ns_ = 0;        // within half a nanosecond
  double deviation_ = 0;        // r
  std::uint64_t frame_ = 0;
  double rate_stamps_ = 0;   // n behind the rate estimate
  double phase_stamps_ = 0;  // n behind the phase since the last jump; equal unless relocked
  bool rate_known_ = false;  // the phase was relocked under a known rate
  double usable_ns_ = 0;     // nominal time since the line was fitted
  double scale_ns_ = 0;      // s
  double bias_ns_ = 0;       // running mean of e

  // The present run of unusable stamps.
  double unusable_ns_ = 0;
  std::uint32_t unusable_stamps_ = 0;
  double earliest_error_ns_ = 0;
  double since_relock_ns_ = 0;

  std::uint64_t limited_ = 0;
  std::uint64_t rejected_ = 0;
  std::uint64_t relocks_ = 0;

  std::uint32_t collected_ = 0;
  std::array<Collected, kMaxCollected> start_{};
};

/// How fast a resampler must read `input`, relative to the nominal rates, so that it keeps up with
/// both clocks in the long run; above 1 when the input's clock is fast.
[[nodiscard]] inline double relative_speed(const ClockFilter& input,
                                           const ClockFilter& output) RT_SAFE {
  return input.speed() / output.speed();
}

}  // namespace asiodrv::audio
