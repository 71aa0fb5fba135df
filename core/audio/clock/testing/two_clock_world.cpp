#include "core/audio/clock/testing/two_clock_world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

namespace asiodrv::audio::testing {
namespace {

constexpr double kTone = 18'000;      // hertz: the claims about sidebands
constexpr double kWarmSeconds = 0.5;  // filters must be usable by then
constexpr int kPointsPerBlock = 16;   // of the ramped position, for the sideband meters
constexpr double kPi = std::numbers::pi;
constexpr const char* kDeliveries[] = {"collapsed", "queued", "dropped"};

/// One clock's boundaries and when they are noticed. Nanoseconds since the start of the world.
class Side {
 public:
  explicit Side(const ClockTruth& truth) : truth_(truth), next_(5e6 + 0.3 * nominal_ns()) {}

  [[nodiscard]] double ppm(double ns) const {
    return truth_.offset_ppm +
           truth_.drift_ppm * std::sin(2 * kPi * ns * 1e-9 / truth_.drift_period_seconds);
  }
  [[nodiscard]] double next() const { return next_; }
  [[nodiscard]] double last() const { return last_; }
  [[nodiscard]] std::uint64_t frames() const { return frames_; }

  void step() {
    last_ = next_;
    frames_ += truth_.period_frames;
    next_ += nominal_ns() / (1 + ppm(next_) * 1e-6);
  }

  /// True count at `ns`, relative to frames(); exact enough within a second of last().
  [[nodiscard]] double frames_after_last(double ns) const {
    return (ns - last_) * 1e-9 * truth_.rate_hz * (1 + ppm(ns) * 1e-6);
  }

  double notice_ns = 0;

 private:
  [[nodiscard]] double nominal_ns() const { return 1e9 * truth_.period_frames / truth_.rate_hz; }
  ClockTruth truth_;
  double next_;
  double last_ = 0;
  std::uint64_t frames_ = 0;
};

/// Makes everything late.
class Machine {
 public:
  Machine(const Lateness& lateness, std::uint64_t seed) : lateness_(lateness), prng_(seed) {
    next_stall();
  }

  /// When the boundary at `ns` is noticed, if nobody is earlier than `now`.
  double notice(double ns, double now) {
    double at = ns + 1e3 * std::max(0.0, lateness_.gaussian_us * (4 + gaussian(prng_)));
    if (prng_.chance(lateness_.late_chance)) {
      at += 1e3 * lateness_.late_mean_us * -std::log(1 - prng_.unit());
    }
    at = std::max(at, now);
    while (at > stall_end_) next_stall();
    if (at > stall_begin_) at = stall_end_ + 1e3 * 20 * prng_.unit();
    const double big = lateness_.big_stall_at_seconds * 1e9;
    if (big > 0 && at > big && at < big + 20e6) at = big + 20e6 + 1e3 * 20 * prng_.unit();
    return at;
  }

 private:
  void next_stall() {
    if (lateness_.stall_mean_seconds <= 0) {
      stall_begin_ = stall_end_ = std::numeric_limits<double>::infinity();
      return;
    }
    const double gap = lateness_.stall_mean_seconds * (0.5 + prng_.unit());
    stall_begin_ = stall_end_ + 1e9 * gap;
    const double span = lateness_.stall_max_ms - lateness_.stall_min_ms;
    stall_end_ = stall_begin_ + 1e6 * (lateness_.stall_min_ms + span * prng_.unit());
  }

  Lateness lateness_;
  Prng prng_;
  double stall_begin_ = 0, stall_end_ = 0;
};

ServoStep drive_rightly(FillServo& servo, double error, double speed, std::uint32_t periods) {
  return servo.update(error, speed, periods);
}

/// Power of the sidebands of a tone whose position wanders by `sum_of_squares / count` frames^2.
double sideband_db(double sum_of_squares, double count, double ring_rate_hz) {
  if (count == 0) return -400;
  const double radians = 2 * kPi * kTone / ring_rate_hz;
  return 20 * std::log10(radians * std::sqrt(sum_of_squares / count) + 1e-20);
}

struct Meter {
  Meter(double corner_hz, double sample_hz) : filter(corner_hz, sample_hz) {}
  void add(double deviation, bool count_it) {
    const double rest = filter.next(deviation);
    if (!count_it) return;
    squares += rest * rest;
    ++count;
  }
  HighPass filter;
  double squares = 0, count = 0;
};

ClockFilterConfig filter_config(const ClockTruth& truth) {
  return {SampleRate{truth.rate_hz}, Frames{truth.period_frames}};
}

FillServoConfig servo_config(const TwoClockScenario& s) {
  FillServoConfig config;
  config.ring_rate_hz = s.ring.rate_hz;
  config.update_seconds = double(s.engine.period_frames) / s.engine.rate_hz;
  config.resync_frames = s.target_frames() / 2;
  return config;
}

class World {
 public:
  World(const TwoClockScenario& scenario, Drive drive)
      : s_(scenario),
        drive_(drive != nullptr ? drive : drive_rightly),
        machine_(scenario.lateness, scenario.seed),
        device_(scenario.ring),
        engine_(scenario.engine),
        device_filter_(filter_config(scenario.ring)),
        engine_filter_(filter_config(scenario.engine)),
        servo_(servo_config(scenario)),
        capture_(scenario.direction == Direction::capture),
        target_(scenario.target_frames()),
        block_seconds_(scenario.engine.period_frames / double(scenario.engine.rate_hz)),
        beyond_20_(20, kPointsPerBlock / block_seconds_),
        beyond_2_(2, kPointsPerBlock / block_seconds_) {}

  TwoClockReport run() {
    device_.notice_ns = machine_.notice(device_.next(), 0);
    engine_.notice_ns = machine_.notice(engine_.next(), 0);
    report_.fill_min = std::numeric_limits<double>::infinity();
    report_.fill_max = -report_.fill_min;
    const double end = s_.seconds * 1e9;
    while (std::min(device_.notice_ns, engine_.notice_ns) < end) {
      if (device_.notice_ns <= engine_.notice_ns) {
        notice_device();
      } else {
        notice_engine();
      }
    }
    return finish();
  }

 private:
  static Instant stamp(double ns) { return {std::llround(ns)}; }

  std::uint32_t pass_boundaries(Side& side, ClockFilter& filter) {
    const double now = side.notice_ns;
    std::uint32_t passed = 0;
    do {
      side.step();
      ++passed;
      if (s_.delivery == Delivery::queued) filter.update(stamp(now + 2e3 * passed), 1);
    } while (side.next() <= now);
    if (s_.delivery != Delivery::queued) filter.update(stamp(now), passed);
    side.notice_ns = machine_.notice(side.next(), now);
    return passed;
  }

  void notice_device() {
    const double frames = double(s_.ring.period_frames) * pass_boundaries(device_, device_filter_);
    fill_ += capture_ ? frames : -frames;
    note_fill();
  }

  void notice_engine() {
    std::uint32_t passed = pass_boundaries(engine_, engine_filter_);
    const Instant newest = engine_filter_.boundary();
    const double newest_truth = engine_.last();
    std::uint32_t periods = 1;
    if (s_.delivery == Delivery::dropped) {
      if (started_) move(block_seconds_ * s_.ring.rate_hz * last_speed_ * (passed - 1));
      periods = std::exchange(passed, 1);
    }
    while (passed-- > 0) {  // the missed cycles are run one after the other
      const double age_ns = 1e9 * s_.engine.period_frames / engine_filter_.rate_hz() * passed;
      cycle(stamp(double(newest.ns) - age_ns), newest_truth - age_ns, periods);
    }
  }

  void cycle(Instant boundary, double truth_ns, std::uint32_t periods) {
    const double now = truth_ns * 1e-9;
    const bool usable = device_filter_.usable() && engine_filter_.usable();
    if (!started_ && (now < kWarmSeconds || !usable)) return;
    const double device =
        double(device_filter_.boundary_frame()) + device_filter_.frames_after_boundary(boundary);
    if (!started_) {  // the ring begins empty; the servo's first skip sets the fill
      started_ = true;
      base_ = std::floor(device);
      fill_ = double(device_.frames() - s_.ring.period_frames) - base_;
      if (!capture_) fill_ = -fill_;
    }
    const double error = (capture_ ? device - base_ - moved_ : moved_ - (device - base_)) - target_;
    const double speed = capture_ ? relative_speed(device_filter_, engine_filter_)
                                  : relative_speed(engine_filter_, device_filter_);
    const ServoStep step = usable ? drive_(servo_, error, speed, periods) : servo_.hold(periods);
    const double skip = double(step.skip);
    moved_ += capture_ ? skip : -skip;
    fill_ -= skip;
    const double mean = 0.5 * (step.speed_from + step.speed_to);
    const double frames = block_seconds_ * s_.ring.rate_hz;  // of the ring, at speed 1
    move(capture_ ? frames * mean : frames / mean);
    last_speed_ = capture_ ? step.speed_to : 1 / step.speed_to;
    if (s_.trace != nullptr) s_.trace->push_back(step);
    judge(step, now, truth_ns);
  }

  /// The engine's end of the ring goes on by `frames`.
  void move(double frames) {
    moved_ += frames;
    fill_ += capture_ ? -frames : frames;
    note_fill();
  }

  void note_fill() {
    if (!started_ || servo_.state() == ServoState::idle) return;
    report_.fill_min = std::min(report_.fill_min, fill_);
    report_.fill_max = std::max(report_.fill_max, fill_);
  }

  void judge(const ServoStep& step, double now, double truth_ns) {
    const double device = 1 + device_.ppm(truth_ns) * 1e-6;
    const double engine = 1 + engine_.ppm(truth_ns) * 1e-6;
    const double ideal = capture_ ? device / engine : engine / device;
    const double ppm = (step.speed_to / ideal - 1) * 1e6;
    // The fill after this block belongs to the next boundary.
    const double boundary = truth_ns + block_seconds_ * 1e9 / (1 + engine_.ppm(truth_ns) * 1e-6);
    const double count = double(device_.frames() - s_.ring.period_frames) +
                         device_.frames_after_last(boundary) - base_;
    const double error = (capture_ ? count - moved_ : moved_ - count) - target_;
    ++report_.updates;
    if (servo_.state() != ServoState::tracking || std::abs(ppm) > 30 || std::abs(error) > 1.0) {
      report_.locked_seconds = now;
    }
    if (now <= 2) report_.ppm_at_2s = std::abs(ppm);
    if (std::abs(ppm) > 1) report_.within_1ppm_seconds = now;
    was_tracking_ |= servo_.state() == ServoState::tracking;
    report_.left_tracking |= was_tracking_ && servo_.state() != ServoState::tracking;
    const bool settled = now > s_.settle_seconds;
    if (settled) add_settled(ppm, error, step, now);
    if (s_.measure_sidebands) add_sidebands(step, ideal, settled);
  }

  void add_settled(double ppm, double error, const ServoStep& step, double now) {
    ppm_max_ = std::max(ppm_max_, std::abs(ppm));
    ppm_squares_ += ppm * ppm;
    ++settled_;
    error_sum_ += error;
    error_squares_ += error * error;
    error_low_ = std::min(error_low_, error);
    error_high_ = std::max(error_high_, error);
    const int half = now < 0.5 * (s_.seconds + s_.settle_seconds) ? 0 : 1;
    half_sum_[half] += error;
    half_count_[half] += 1;
    const double slew = std::abs(step.speed_to - step.speed_from) * 1e6;
    report_.settled_slew_ppm_per_second =
        std::max(report_.settled_slew_ppm_per_second, slew / block_seconds_);
  }

  /// The position's deviation from an even walk, at some points of the block.
  void add_sidebands(const ServoStep& step, double ideal, bool settled) {
    const double frames = block_seconds_ * s_.ring.rate_hz;
    const double scale = capture_ ? 1.0 : 1.0 / ideal / ideal;  // playback writes frames / speed
    const double from = (step.speed_from - ideal) * scale;
    const double rise = (step.speed_to - step.speed_from) * scale;
    for (int i = 1; i <= kPointsPerBlock; ++i) {
      const double x = double(i) / kPointsPerBlock;
      const double at = deviation_ + frames * (from * x + 0.5 * rise * x * x);
      beyond_20_.add(at, settled);
      beyond_2_.add(at, settled);
    }
    deviation_ += frames * (from + 0.5 * rise);
  }

  TwoClockReport finish() {
    const double n = std::max(settled_, 1.0);
    const double mean = error_sum_ / n;
    report_.settled_ppm_max = ppm_max_;
    report_.settled_ppm_rms = std::sqrt(ppm_squares_ / n);
    report_.settled_fill_max = std::max(error_high_ - mean, mean - error_low_);
    report_.settled_fill_rms = std::sqrt(std::max(0.0, error_squares_ / n - mean * mean));
    report_.late_fill_mean =
        half_sum_[1] / std::max(half_count_[1], 1.0) - half_sum_[0] / std::max(half_count_[0], 1.0);
    report_.sidebands_20hz_db = sideband_db(beyond_20_.squares, beyond_20_.count, s_.ring.rate_hz);
    report_.sidebands_2hz_db = sideband_db(beyond_2_.squares, beyond_2_.count, s_.ring.rate_hz);
    report_.skips = servo_.skips();
    report_.clamped = servo_.clamped();
    report_.relocks = device_filter_.relocks() + engine_filter_.relocks();
    report_.tracking_at_end = servo_.state() == ServoState::tracking;
    return report_;
  }

  TwoClockScenario s_;
  Drive drive_;
  Machine machine_;
  Side device_, engine_;
  ClockFilter device_filter_, engine_filter_;
  FillServo servo_;
  bool capture_;
  double target_;
  double block_seconds_;
  Meter beyond_20_, beyond_2_;

  bool started_ = false;
  bool was_tracking_ = false;
  double base_ = 0;        // device frames when the ring began
  double moved_ = 0;       // the engine's position in the ring, frames after base_
  double fill_ = 0;        // frames really in the ring
  double last_speed_ = 1;  // ring frames per nominal ring frame
  double deviation_ = 0;
  double ppm_max_ = 0, ppm_squares_ = 0, settled_ = 0;
  double error_sum_ = 0, error_squares_ = 0, error_low_ = 1e300, error_high_ = -1e300;
  std::array<double, 2> half_sum_{}, half_count_{};
  TwoClockReport report_;
};

}  // namespace

std::string TwoClockScenario::name() const {
  return fmt::format("{} {} Hz/{} {:+} ppm, engine {} Hz/{} {:+} ppm, {}, seed {}",
                     direction == Direction::capture ? "capture" : "playback", ring.rate_hz,
                     ring.period_frames, ring.offset_ppm, engine.rate_hz, engine.period_frames,
                     engine.offset_ppm, kDeliveries[static_cast<std::size_t>(delivery)], seed);
}

double TwoClockScenario::target_frames() const {
  const double ring_rate = ring.rate_hz;
  const double engine_period = engine.period_frames * ring_rate / engine.rate_hz;
  return std::ceil(ring.period_frames + engine_period + 0.020 * ring_rate + 64);
}

TwoClockReport run(const TwoClockScenario& scenario, Drive drive) {
  return World(scenario, drive).run();
}

std::vector<std::string> broken_claims(const TwoClockScenario& scenario,
                                       const TwoClockReport& report, const Claims& claims) {
  std::vector<std::string> broken;
  const auto at_most = [&](const char* what, double value, double limit) {
    if (value <= limit) return;  // a NaN is not
    broken.push_back(
        fmt::format("{}: {} is {:.4g}, at most {:.4g}", scenario.name(), what, value, limit));
  };
  at_most("lock time in seconds", report.locked_seconds, claims.locked_seconds);
  at_most("settled speed error in ppm", report.settled_ppm_max, claims.settled_ppm);
  at_most("settled fill error in frames", report.settled_fill_max, claims.settled_fill_frames);
  at_most("settled slew in ppm/s", report.settled_slew_ppm_per_second,
          claims.settled_slew_ppm_per_second);
  if (scenario.measure_sidebands) {
    at_most("sidebands beyond 20 Hz in dB", report.sidebands_20hz_db, claims.sidebands_20hz_db);
    at_most("sidebands beyond 2 Hz in dB", report.sidebands_2hz_db, claims.sidebands_2hz_db);
  }
  at_most("frames missing in the ring", -report.fill_min, 0);
  at_most("frames in the ring", report.fill_max, 2 * scenario.target_frames());
  at_most("skips", double(report.skips), 1);
  at_most("updates at the limit of the speed", double(report.clamped), 0);
  at_most("relocks of the filters", double(report.relocks), 0);
  at_most("not tracking at the end", report.tracking_at_end ? 0 : 1, 0);
  at_most("lost the lock", report.left_tracking ? 1 : 0, 0);
  return broken;
}

double gaussian(Prng& prng) {
  const double radius = std::sqrt(-2 * std::log(1 - prng.unit()));
  return radius * std::cos(2 * kPi * prng.unit());
}

HighPass::HighPass(double corner_hz, double sample_hz) {
  const double k = std::tan(kPi * corner_hz / sample_hz);
  for (std::size_t i = 0; i < sections_.size(); ++i) {
    const double q = 0.5 / std::cos(kPi * (2.0 * double(i) + 1) / 12);
    const double norm = 1 / (1 + k / q + k * k);
    sections_[i] = {norm, -2 * norm, norm, 2 * (k * k - 1) * norm, (1 - k / q + k * k) * norm,
                    0,    0};
  }
}

double HighPass::next(double value) {
  for (Section& s : sections_) {
    const double out = s.b0 * value + s.s1;
    s.s1 = s.b1 * value - s.a1 * out + s.s2;
    s.s2 = s.b2 * value - s.a2 * out;
    value = out;
  }
  return value;
}

}  // namespace asiodrv::audio::testing
