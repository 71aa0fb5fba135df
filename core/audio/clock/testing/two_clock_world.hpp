// Two free-running clocks, a ring between them and a machine that is late: a deterministic world in
// which the clock filters and the fill servo run for any number of virtual hours.
//
// The truth is known here, so every figure is measured against it: the true ratio of the clocks,
// the true fill, and what the ratio's movement does to a tone.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/audio/clock/clock_filter.hpp"
#include "core/audio/clock/fill_servo.hpp"
#include "core/base/prng.hpp"

namespace asiodrv::audio::testing {

/// One clock's truth.
struct ClockTruth {
  std::uint32_t rate_hz = 48'000;
  std::uint32_t period_frames = 64;
  double offset_ppm = 0;
  double drift_ppm = 0;  ///< amplitude of a slow sine on top, as temperature makes
  double drift_period_seconds = 600;
};

/// How late a boundary is noticed. Stalls hit both clocks alike: it is one machine.
struct Lateness {
  double gaussian_us = 20;        ///< standard deviation of every stamp, about a mean of four times
  double late_chance = 0.02;      ///< of a late wake-up on top,
  double late_mean_us = 150;      ///<   exponentially distributed
  double stall_mean_seconds = 3;  ///< between two stalls of the machine; 0 = none
  double stall_min_ms = 1, stall_max_ms = 15;
  double big_stall_at_seconds = 0;  ///< one more of 20 ms; 0 = none
};

/// What a stall leaves behind.
enum class Delivery {
  collapsed,  ///< one wake-up brings all missed boundaries; the missed cycles are caught up
  queued,     ///< each boundary comes as an event of its own, at once; cycles are caught up
  dropped     ///< one wake-up; the engine's missed cycles are lost, their frames passed over
};
enum class Direction { capture, playback };

struct TwoClockScenario {
  ClockTruth ring{};    ///< the device, on the other side of the ring
  ClockTruth engine{};  ///< runs the resampler
  Lateness lateness{};
  Delivery delivery = Delivery::collapsed;
  Direction direction = Direction::capture;
  double seconds = 60;
  double settle_seconds = 15;  ///< figures called settled are taken from here on
  std::uint64_t seed = 1;
  bool measure_sidebands = false;
  std::vector<ServoStep>* trace = nullptr;  ///< every step is appended, if given

  [[nodiscard]] std::string name() const;
  /// Both periods, a 20 ms stall and 64 frames for filters, in ring frames. Capacity is twice that.
  [[nodiscard]] double target_frames() const;
};

/// How the servo is called; a canary calls it wrongly.
using Drive = ServoStep (*)(FillServo& servo, double error_frames, double clock_speed,
                            std::uint32_t periods);

struct TwoClockReport {
  double locked_seconds = 0;  ///< from then on tracking, |ratio error| < 30 ppm, |fill error| < 1
  double ppm_at_2s = 0;       ///< |ratio error| at 2 s
  double within_1ppm_seconds = 0;                     ///< from then on |ratio error| < 1 ppm
  double settled_ppm_max = 0, settled_ppm_rms = 0;    ///< ratio against the truth
  double settled_fill_max = 0, settled_fill_rms = 0;  ///< true fill against target, mean removed
  double late_fill_mean = 0;  ///< mean true fill error of the second half minus that of the first
  double fill_min = 0;        ///< frames really in the ring, least and most since the servo started
  double fill_max = 0;
  double settled_slew_ppm_per_second = 0;
  double sidebands_20hz_db = -400, sidebands_2hz_db = -400;  ///< of 18 kHz, power beyond the offset
  std::uint64_t skips = 0, clamped = 0, relocks = 0;
  std::uint64_t updates = 0;
  bool tracking_at_end = false;
  bool left_tracking = false;  ///< after it had first been reached
};

TwoClockReport run(const TwoClockScenario& scenario, Drive drive = nullptr);

/// What the product promises for periods up to 10 ms; reasons in two_clocks_test.cpp.
struct Claims {
  double locked_seconds = 2;
  double settled_ppm = 1;
  double settled_fill_frames = 1;
  double settled_slew_ppm_per_second = 5;
  double sidebands_20hz_db = -150;
  double sidebands_2hz_db = -120;
};

/// The claims that `report` breaks, one sentence each; empty when all hold.
std::vector<std::string> broken_claims(const TwoClockScenario& scenario,
                                       const TwoClockReport& report, const Claims& claims = {});

/// Standard normal deviate.
double gaussian(Prng& prng);

/// Sixth-order Butterworth high-pass: what remains of a read position's movement above `corner_hz`.
class HighPass {
 public:
  HighPass(double corner_hz, double sample_hz);
  double next(double value);

 private:
  struct Section {
    double b0, b1, b2, a1, a2, s1, s2;
  };
  std::array<Section, 3> sections_{};
};

}  // namespace asiodrv::audio::testing
