// What the sine's judge finds, on tapes that were never recorded: each planted fault must show.
#include "host/sine_fit.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <numbers>

#include "core/base/prng.hpp"
#include "host/samples.hpp"

namespace asiodrv::host {
namespace {

constexpr std::int32_t kSineType = 19;
constexpr std::uint32_t kHz = 997;
constexpr std::uint32_t kSineRate = 44'100;
constexpr std::uint32_t kSineFrames = 128;
constexpr std::int64_t kWay = 400;  // the whole frames that the markers found
constexpr std::int64_t kSpot = 60'000;

/// What is heard at an input position; the default is the played sine, `kWay` frames later.
using Heard = std::function<double(std::int64_t position)>;

double played(double frames_after_payload) {
  return TestSignal::kSineAmplitude *
         std::sin(2 * std::numbers::pi * kHz * frames_after_payload / kSineRate);
}

struct Rig {
  TestSignal signal = TestSignal::from_floats(kSineType, 1, 480, TestSignal::sine(kHz, kSineRate));
  std::size_t blocks = 1000;
  std::map<std::size_t, std::int64_t> jumps{};  ///< before block k, the position jumps by this

  [[nodiscard]] double wire(std::int64_t position, double more_delay = 0) const {
    return played(static_cast<double>(position - kWay) - more_delay -
                  static_cast<double>(signal.payload_cursor()));
  }

  [[nodiscard]] SineReport examine(const Heard& heard) const {
    Tape tape(blocks, 1, kSineFrames, sample_bytes(kSineType));
    std::int64_t position = 0;
    for (std::size_t block = 0; block < blocks; ++block) {
      if (const auto jump = jumps.find(block); jump != jumps.end()) position += jump->second;
      BlockRecord& record = tape.next_record();
      record.position = position;
      record.cursor = block * kSineFrames;
      std::vector<float> values;
      for (std::int64_t i = 0; i < kSineFrames; ++i) {
        values.push_back(static_cast<float>(heard(position + i)));
      }
      encode_floats(kSineType, values, tape.next_input(0));
      tape.push();
      position += kSineFrames;
    }
    return examine_sine(tape, signal, kSineType, kHz, kSineRate, kWay);
  }
};

/// Every damaged window touches what was broken, and what was broken is covered.
void expect_damaged_at(const SineReport& report, std::int64_t position, std::int64_t frames) {
  ASSERT_EQ(report.damaged.size(), 1U);
  const Stretch& stretch = report.damaged[0];
  EXPECT_LE(stretch.position, position);
  EXPECT_GE(stretch.position + stretch.frames, position + frames);
  EXPECT_LT(stretch.frames, frames + 2 * std::int64_t{kSineWindowFrames});
}

TEST(host_sine_fit, a_perfect_wire_has_the_noise_of_its_sample_type_only) {
  const Rig run;
  const SineReport report = run.examine([&](std::int64_t p) { return run.wire(p); });
  EXPECT_TRUE(report.damaged.empty());
  EXPECT_GE(report.windows, 45U);
  EXPECT_GT(report.snr_db.value(), 145);
  EXPECT_GT(report.worst_db.value(), 145);
  EXPECT_NEAR(report.gain_db.value(), 0, 1e-4);
  EXPECT_NEAR(report.round_trip_frames.value(), kWay, 1e-4);
}

TEST(host_sine_fit, a_third_of_a_frame_of_delay_shows) {
  const Rig run;
  for (const double more : {0.3, -0.3, 0.5, 1.2}) {
    const SineReport report = run.examine([&](std::int64_t p) { return run.wire(p, more); });
    EXPECT_NEAR(report.round_trip_frames.value(), kWay + more, 1e-3);
    EXPECT_TRUE(report.damaged.empty());
  }
}

TEST(host_sine_fit, an_inverted_path_is_as_long_as_a_straight_one) {
  const Rig run;
  const SineReport report = run.examine([&](std::int64_t p) { return -run.wire(p, 0.25); });
  EXPECT_NEAR(report.round_trip_frames.value(), kWay + 0.25, 1e-3);
}

TEST(host_sine_fit, a_dropped_frame_shows_where_it_happened) {
  const Rig run;
  const SineReport report =
      run.examine([&](std::int64_t p) { return run.wire(p < kSpot ? p : p + 1); });
  expect_damaged_at(report, kSpot, 1);
}

TEST(host_sine_fit, a_repeated_block_shows_where_it_happened) {
  const Rig run;
  const std::int64_t spot = kSpot / kSineFrames * kSineFrames;
  const SineReport report = run.examine([&](std::int64_t p) {
    return run.wire(p >= spot && p < spot + kSineFrames ? p - kSineFrames : p);
  });
  expect_damaged_at(report, spot, kSineFrames);
  // What is left is as clean as ever: the neighbours of the damage are not counted.
  EXPECT_GT(report.snr_db.value(), 145);
}

TEST(host_sine_fit, noise_far_below_hearing_shows_in_the_ratio) {
  const Rig run;
  Prng random(7);
  // Uniform between +-a has the power a^2 / 3: 120 dB below full scale.
  const double reach = std::sqrt(3.0) * 1e-6;
  const SineReport report =
      run.examine([&](std::int64_t p) { return run.wire(p) + reach * (2 * random.unit() - 1); });
  EXPECT_NEAR(report.snr_db.value(), 120 - 9.03, 0.3);  // the sine itself lies at -9.03 dB
  EXPECT_LT(report.worst_db.value(), 113);
  EXPECT_TRUE(report.damaged.empty());
}

TEST(host_sine_fit, another_gain_is_clean_and_shows_in_the_gain) {
  const Rig run;
  const SineReport report = run.examine([&](std::int64_t p) { return run.wire(p) / 2 + 0.01; });
  EXPECT_NEAR(report.gain_db.value(), -6.0206, 1e-3);
  EXPECT_GT(report.snr_db.value(), 140);
}

TEST(host_sine_fit, silence_and_another_frequency_are_damage) {
  const Rig run;
  for (const Heard& heard : {Heard([](std::int64_t) { return 0.0; }), Heard([&](std::int64_t p) {
                               return run.wire(0, -static_cast<double>(p) * 1.0001);
                             })}) {
    const SineReport report = run.examine(heard);
    ASSERT_EQ(report.damaged.size(), 1U);
    EXPECT_EQ(report.damaged[0].frames,
              static_cast<std::int64_t>(report.windows) * kSineWindowFrames);
    EXPECT_FALSE(report.snr_db);
    EXPECT_FALSE(report.round_trip_frames);
  }
}

TEST(host_sine_fit, windows_begin_anew_behind_a_lost_position) {
  Rig run;
  run.jumps = {{500, 3 * kSineFrames}};
  const std::int64_t jump = 500 * kSineFrames;
  // The phase changes where nobody listened: a window across the jump would be damaged.
  const SineReport report =
      run.examine([&](std::int64_t p) { return run.wire(p < jump ? p : p + 17); });
  EXPECT_TRUE(report.damaged.empty());
  EXPECT_GE(report.windows, 43U);
}

TEST(host_sine_fit, frequencies_that_no_window_can_tell_are_refused_with_those_that_it_can) {
  EXPECT_TRUE(check_sine(997, 44'100));
  EXPECT_TRUE(check_sine(19, 44'100));
  EXPECT_TRUE(check_sine(11'024, 44'100));
  for (const auto& [hz, rate] : {std::pair{18U, 44'100.0}, {11'025U, 44'100.0}, {997U, 0.0}}) {
    const Result<> checked = check_sine(hz, rate);
    ASSERT_FALSE(checked) << hz;
    EXPECT_EQ(checked.error().code, ErrorCode::invalid_argument);
  }
  EXPECT_NE(check_sine(18, 44'100).error().message.find("19 to 11024"), std::string::npos);
  EXPECT_FALSE(check_sine(997, 44'100.5));
}

}  // namespace
}  // namespace asiodrv::host
