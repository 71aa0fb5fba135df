// What the servo's movement does to an 18 kHz tone, heard through an ideal interpolator and through
// the product's resampler.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "core/audio/clock/testing/spectrum.hpp"
#include "core/audio/clock/testing/two_clock_world.hpp"
#include "core/audio/resampler/resampler.hpp"

namespace asiodrv::audio::testing {
namespace {

constexpr double kTone = 18'000;
constexpr double kRate = 48'000;
constexpr std::size_t kSamples = 1U << 18U;  // 5.5 s, bins of 0.18 Hz
constexpr double kListenFrom = 20;           // seconds

/// The servo's steps from 20 s on, enough for kSamples.
std::vector<ServoStep> steps_of(std::uint32_t ring_frames, std::uint32_t engine_frames,
                                std::uint64_t seed) {
  std::vector<ServoStep> trace;
  TwoClockScenario s;
  s.ring = {48'000, ring_frames, 150};
  s.engine = {48'000, engine_frames, -30};
  s.seed = seed;
  s.seconds = kListenFrom + 8;
  s.trace = &trace;
  run(s);
  const auto first = static_cast<std::size_t>(kListenFrom * kRate / engine_frames);
  EXPECT_GT(trace.size(), first + kSamples / engine_frames + 40);
  trace.erase(trace.begin(), trace.begin() + static_cast<std::ptrdiff_t>(first));
  return trace;
}

/// The tone read at exactly the places that the speeds say.
std::vector<double> ideally_resampled(const std::vector<ServoStep>& steps, std::uint32_t frames) {
  std::vector<double> out;
  out.reserve(kSamples);
  double place = 0;
  for (const ServoStep& step : steps) {
    for (std::uint32_t i = 0; i < frames && out.size() < kSamples; ++i) {
      const double x = (i + 0.5) / frames;
      out.push_back(std::sin(2 * std::numbers::pi * std::fmod(place * kTone / kRate, 1.0)));
      place += step.speed_from + (step.speed_to - step.speed_from) * x;
    }
  }
  return out;
}

std::vector<double> really_resampled(const std::vector<ServoStep>& steps, std::uint32_t frames) {
  ResamplerOptions options;
  options.channels = 1;
  options.max_block = {frames};
  auto resampler = Resampler::make(options);
  if (!resampler) {
    ADD_FAILURE() << resampler.error().message;
    return {};
  }
  std::vector<double> out;
  std::vector<float> input(2 * frames + 256), output(frames);
  std::uint64_t n = 0;
  std::size_t warm_up = 4096;  // frames: the filter fills, and the first ramp from speed 1 ends
  for (const ServoStep& step : steps) {
    const ReadSpeed speed{step.speed_to};
    const Frames need = resampler->needed({frames}, speed);
    for (std::uint32_t i = 0; i < need.count; ++i, ++n) {
      input[i] = static_cast<float>(
          0.9 * std::sin(2 * std::numbers::pi * std::fmod(double(n) * kTone / kRate, 1.0)));
    }
    const float* in = input.data();
    float* to = output.data();
    const Resampler::Flow flow = resampler->process({&in, 1, need}, {&to, 1, {frames}}, speed);
    EXPECT_EQ(flow.produced.count, frames);
    for (const float sample : output) {
      if (warm_up > 0) {
        --warm_up;
      } else if (out.size() < kSamples) {
        out.push_back(static_cast<double>(sample));
      }
    }
  }
  return out;
}

struct TonePair {
  std::uint32_t ring_frames, engine_frames;
};
constexpr TonePair kTonePairs[] = {{64, 64}, {64, 480}, {480, 64}, {128, 441}};

TEST(two_clocks_tone, sidebands_beyond_2_hz_of_an_ideal_interpolation_are_below_120_db) {
  double worst = -400;
  for (const TonePair& pair : kTonePairs) {
    for (const std::uint64_t seed : {1U, 41U, 0xC0FFEEU}) {
      const auto tone = ideally_resampled(steps_of(pair.ring_frames, pair.engine_frames, seed),
                                          pair.engine_frames);
      ASSERT_EQ(tone.size(), kSamples);
      const double power = power_beyond_db(tone, kRate, 2);
      EXPECT_LT(power, -120) << pair.ring_frames << "/" << pair.engine_frames << " seed " << seed;
      worst = std::max(worst, power);
    }
  }
  RecordProperty("power_beyond_2hz_db", std::to_string(worst));
}

TEST(two_clocks_tone, resampled_tone_has_nothing_above_120_db_beyond_2_hz) {
  double worst = -400;
  for (const TonePair& pair : kTonePairs) {
    const auto tone =
        really_resampled(steps_of(pair.ring_frames, pair.engine_frames, 5), pair.engine_frames);
    ASSERT_EQ(tone.size(), kSamples);
    const double power = power_beyond_db(tone, kRate, 2);
    EXPECT_LT(power, -120) << pair.ring_frames << "/" << pair.engine_frames;
    worst = std::max(worst, power);
  }
  RecordProperty("power_beyond_2hz_db", std::to_string(worst));
}

/// A wobble of a ppm at f_m makes two sidebands of a f / (2 f_m) each.
TEST(two_clocks_tone, meter_sees_a_modulation_of_known_size) {
  std::vector<ServoStep> steps(kSamples / 64);
  double phase = 0;
  double speed = 1;
  for (ServoStep& step : steps) {
    phase += 2 * std::numbers::pi * 20 * 64 / kRate;
    step.speed_from = speed;
    step.speed_to = speed = 1 + 0.02e-6 * std::sin(phase);
  }
  const double expected = 20 * std::log10(0.02e-6 * kTone / 40) + 10 * std::log10(2.0);
  EXPECT_NEAR(power_beyond_db(ideally_resampled(steps, 64), kRate, 2), expected, 0.3);
}

TEST(two_clocks_tone, meter_reads_a_pure_tone_as_silence) {
  std::vector<ServoStep> steps(kSamples / 64);
  EXPECT_LT(power_beyond_db(ideally_resampled(steps, 64), kRate, 2), -160);
}

}  // namespace
}  // namespace asiodrv::audio::testing
