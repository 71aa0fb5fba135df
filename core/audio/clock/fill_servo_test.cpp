#include "core/audio/clock/fill_servo.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace asiodrv::audio {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// The plant without any jitter: a ring that gains what the clocks differ and loses what is read.
struct Plant {
  explicit Plant(const FillServoConfig& chosen = {}) : config(chosen), servo(chosen) {}

  ServoStep tick() {
    const ServoStep step = servo.update(error, 1 + measured_ppm * 1e-6);
    apply(step);
    return step;
  }
  ServoStep tick_blind() {
    const ServoStep step = servo.hold();
    apply(step);
    return step;
  }
  void run(double seconds) {
    for (double t = 0; t < seconds; t += config.update_seconds) tick();
  }
  void apply(const ServoStep& step) {
    EXPECT_DOUBLE_EQ(step.speed_from, speed) << "blocks must join";
    speed = step.speed_to;
    const double frames = config.ring_rate_hz * config.update_seconds;
    error -= static_cast<double>(step.skip);
    error += frames * (1 + clock_ppm * 1e-6 - 0.5 * (step.speed_from + step.speed_to));
  }
  [[nodiscard]] double ppm() const { return (speed - 1) * 1e6; }

  FillServoConfig config;
  FillServo servo;
  double error = 0.3;
  double clock_ppm = 0;     // truth
  double measured_ppm = 0;  // what the clock filters say
  double speed = 1;
};

/// Starts where it should be, tracking at the final bandwidth.
Plant settled(double ppm) {
  Plant plant;
  plant.clock_ppm = plant.measured_ppm = ppm;
  plant.speed = 1 + ppm * 1e-6;
  plant.run(60);
  EXPECT_EQ(plant.servo.state(), ServoState::tracking);
  return plant;
}

TEST(fill_servo, first_error_is_skipped_in_whole_frames_once) {
  for (const double error : {700.3, -123.8, 0.4}) {
    Plant plant;
    plant.error = error;
    const ServoStep first = plant.tick();
    EXPECT_EQ(first.skip, std::llround(error));
    EXPECT_LE(std::abs(plant.error), 0.5);
    for (int i = 0; i < 10'000; ++i) EXPECT_EQ(plant.tick().skip, 0);
    EXPECT_EQ(plant.servo.skips(), error == 0.4 ? 0U : 1U);
  }
}

TEST(fill_servo, states_follow_one_another) {
  Plant plant;
  EXPECT_EQ(plant.servo.state(), ServoState::idle);
  plant.tick_blind();
  EXPECT_EQ(plant.servo.state(), ServoState::idle);  // nothing to hold yet
  plant.tick();
  EXPECT_EQ(plant.servo.state(), ServoState::acquiring);
  plant.tick_blind();
  EXPECT_EQ(plant.servo.state(), ServoState::holding);
  plant.tick();
  EXPECT_EQ(plant.servo.state(), ServoState::acquiring);
  plant.run(1.1);
  EXPECT_EQ(plant.servo.state(), ServoState::tracking);
  plant.tick_blind();
  EXPECT_EQ(plant.servo.state(), ServoState::holding);
  plant.tick();
  EXPECT_EQ(plant.servo.state(), ServoState::tracking);
  plant.servo.restart();
  EXPECT_EQ(plant.servo.state(), ServoState::idle);
}

TEST(fill_servo, starts_at_the_measured_speed_without_a_ramp) {
  for (const double ppm : {0.0, 1.0, -50.0, 200.0, 1000.0, -1000.0}) {
    Plant plant;
    plant.clock_ppm = plant.measured_ppm = ppm;
    plant.speed = 1 + ppm * 1e-6;  // what the first step must begin with
    plant.run(2);
    EXPECT_EQ(plant.servo.state(), ServoState::tracking);
    EXPECT_LT(std::abs(plant.error), 0.5);
  }
}

TEST(fill_servo, bandwidth_falls_to_its_final_value) {
  Plant plant;
  plant.run(0.5);
  EXPECT_DOUBLE_EQ(plant.servo.bandwidth_hz(), 0.15);
  plant.run(4.5);
  EXPECT_NEAR(plant.servo.bandwidth_hz(), 0.05, 0.001);
  plant.run(15);
  EXPECT_DOUBLE_EQ(plant.servo.bandwidth_hz(), 0.015);
}

TEST(fill_servo, wrong_measurement_leaves_no_lasting_error) {
  Plant plant;
  plant.clock_ppm = 100;
  plant.measured_ppm = 90;  // the filters were 10 ppm wrong while acquiring
  plant.speed = 1 + 90e-6;
  plant.run(120);
  EXPECT_NEAR(plant.ppm(), 100, 0.01);
  EXPECT_NEAR(plant.servo.offset_ppm(), 100, 0.01);
  EXPECT_NEAR(plant.error, 0, 0.01);
  EXPECT_EQ(plant.servo.state(), ServoState::tracking);
}

/// A type 2 loop of damping 1 shows a step of d in its input as at most d F / (e w_n) frames, ten
/// to 45 % more with the two extra poles.
TEST(fill_servo, speed_step_moves_the_fill_as_the_theory_says) {
  Plant plant = settled(0);
  plant.clock_ppm = 1;
  double most = 0;
  for (int i = 0; i < 90'000; ++i) {
    plant.tick();
    most = std::max(most, plant.error);
  }
  const double theory = 1e-6 * 48e3 / (std::exp(1.0) * 2 * std::numbers::pi * 0.015);
  EXPECT_GT(most, theory);
  EXPECT_LT(most, 1.45 * theory);
  EXPECT_NEAR(plant.ppm(), 1, 0.01);
}

TEST(fill_servo, fill_step_settles_with_the_documented_overshoot) {
  Plant plant = settled(0);
  plant.error += 1;
  double least = 0;
  for (int i = 0; i < 90'000; ++i) {
    plant.tick();
    least = std::min(least, plant.error);
  }
  EXPECT_GT(least, -0.26);  // 22 % with poles at ten times the bandwidth
  EXPECT_LT(least, -0.12);  // 13.5 % is the loop without them
  EXPECT_NEAR(plant.error, 0, 0.005);
}

TEST(fill_servo, slow_drift_lags_by_the_documented_amount) {
  Plant plant = settled(0);
  for (int i = 0; i < 450'000; ++i) {  // 600 s at 0.01 ppm/s
    plant.clock_ppm += 0.01 * plant.config.update_seconds;
    plant.tick();
  }
  EXPECT_NEAR(plant.error, 0.01e-6 * 48e3 / std::pow(2 * std::numbers::pi * 0.015, 2), 0.005);
  EXPECT_NEAR(plant.ppm(), plant.clock_ppm, 0.02);
}

TEST(fill_servo, holding_keeps_the_lasting_speed) {
  Plant plant = settled(300);
  for (int i = 0; i < 7'500; ++i) plant.tick_blind();  // 10 s
  EXPECT_EQ(plant.servo.state(), ServoState::holding);
  EXPECT_NEAR(plant.ppm(), 300, 0.01);
  EXPECT_LT(std::abs(plant.error), 0.05);
}

TEST(fill_servo, holding_freezes_the_integral_and_tracking_resumes_from_it) {
  Plant plant = settled(300);
  plant.error += 3;
  plant.run(1);  // a correction is under way
  const double before = plant.servo.offset_ppm();
  for (int i = 0; i < 750; ++i) plant.tick_blind();
  EXPECT_EQ(plant.servo.offset_ppm(), before);
  plant.measured_ppm = 250;  // the filters' word counts only while acquiring
  plant.tick();
  EXPECT_EQ(plant.servo.state(), ServoState::tracking);
  EXPECT_NEAR(plant.servo.offset_ppm(), before, 0.1);
}

TEST(fill_servo, values_that_are_not_finite_hold) {
  Plant plant = settled(10);
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {kNaN, infinity, -infinity}) {
    plant.apply(plant.servo.update(bad, 1.0));
    EXPECT_EQ(plant.servo.state(), ServoState::holding);
    plant.apply(plant.servo.update(0.0, bad));
    EXPECT_EQ(plant.servo.state(), ServoState::holding);
  }
  EXPECT_NEAR(plant.ppm(), 10, 0.1);
  plant.tick();
  EXPECT_EQ(plant.servo.state(), ServoState::tracking);
}

TEST(fill_servo, slew_and_range_are_bounded_whatever_comes_in) {
  Plant plant = settled(0);
  double sign = 1;
  for (int i = 0; i < 20'000; ++i) {
    if (i % 977 == 0) sign = -sign;
    const ServoStep step = plant.servo.update(sign * 499, 1 + sign * 0.5);
    const double slew = std::abs(step.speed_to - step.speed_from) / plant.config.update_seconds;
    const bool tracking = plant.servo.state() == ServoState::tracking;
    const double limit = tracking ? 3'333e-6 * plant.servo.bandwidth_hz() : 10'000e-6;
    EXPECT_LE(slew, limit * 1.000001);
    EXPECT_LE(std::abs(step.speed_to - 1), 2000.001e-6);
  }
  EXPECT_GT(plant.servo.clamped(), 0U);
}

/// A clock 5000 ppm off for 20 s is more than the servo may follow; once it is sane again, nothing
/// of that time may remain. With a wound-up integral the fill would swing by hundreds of frames.
TEST(fill_servo, integral_does_not_wind_up_at_the_limit) {
  FillServoConfig config;
  config.resync_frames = 1e9;  // no skip may come to the rescue
  Plant plant(config);
  plant.run(30);
  plant.clock_ppm = 5000;
  plant.measured_ppm = 5000;
  plant.run(20);
  EXPECT_GT(plant.servo.clamped(), 1'000U);
  EXPECT_LE(plant.servo.offset_ppm(), 2000.001);
  plant.clock_ppm = plant.measured_ppm = 0;
  plant.run(2);
  const double backlog = plant.error;  // 20 s at 3000 ppm: 2900 frames to work off at 2000 ppm
  EXPECT_GT(backlog, 2'000);
  plant.run(backlog / (2000e-6 * 48e3) + 10);
  EXPECT_LT(std::abs(plant.error), 4);
  EXPECT_LT(std::abs(plant.ppm()), 100);
  double least = 0;
  for (int i = 0; i < 45'000; ++i) {
    plant.tick();
    least = std::min(least, plant.error);
  }
  EXPECT_GT(least, -4);
  EXPECT_NEAR(plant.error, 0, 0.05);
}

/// Within 4 frames the servo stays in tracking, however long the error lasts: without the freeze
/// the integral would rise by 0.7 ppm/s.
TEST(fill_servo, integral_stands_still_at_the_limit_while_tracking) {
  Plant plant = settled(1'995);
  for (int i = 0; i < 750'000; ++i) plant.servo.update(3.9, 1 + 1'995e-6);
  EXPECT_EQ(plant.servo.state(), ServoState::tracking);
  EXPECT_GT(plant.servo.clamped(), 100'000U);
  EXPECT_LE(plant.servo.offset_ppm(), 2'000);
}

TEST(fill_servo, far_error_while_tracking_acquires_again_without_a_skip) {
  Plant plant = settled(50);
  plant.error += 40;
  const std::uint64_t skips = plant.servo.skips();
  plant.run(1.2);
  EXPECT_EQ(plant.servo.state(), ServoState::acquiring);
  plant.run(10);
  EXPECT_EQ(plant.servo.state(), ServoState::tracking);
  EXPECT_LT(std::abs(plant.error), 1);
  EXPECT_EQ(plant.servo.skips(), skips);
}

TEST(fill_servo, error_beyond_the_resync_limit_is_skipped_at_once) {
  Plant plant = settled(50);
  plant.error = -1'500.25;
  EXPECT_EQ(plant.tick().skip, -1'500);
  EXPECT_EQ(plant.servo.state(), ServoState::acquiring);
  plant.run(3);
  EXPECT_EQ(plant.servo.state(), ServoState::tracking);
  EXPECT_LT(std::abs(plant.error), 0.5);
}

TEST(fill_servo, missed_periods_count_as_time) {
  Plant plant;
  plant.tick();
  plant.servo.update(plant.error, 1.0, 1'000'000);  // a pause says no more than 0.25 s
  EXPECT_EQ(plant.servo.state(), ServoState::acquiring);
  for (int i = 0; i < 3; ++i) plant.servo.update(0.1, 1.0, 188);
  EXPECT_EQ(plant.servo.state(), ServoState::tracking);
}

TEST(fill_servo, is_real_time_safe) {
  Plant plant;
  const RtScope scope;
  plant.run(5);
  plant.tick_blind();
  plant.error = 5'000;
  plant.run(1);
  plant.servo.restart();
  plant.speed = 1;  // a start jumps to the measured speed
  plant.tick();
  EXPECT_EQ(plant.servo.state(), ServoState::acquiring);
}

}  // namespace
}  // namespace asiodrv::audio
