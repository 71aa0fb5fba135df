// Markers that come back late, weak, upside down, bent and beside other sound.
#include "core/audio/marker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "core/audio/fourier.hpp"
#include "core/base/prng.hpp"

namespace asiodrv::audio {
namespace {

constexpr std::size_t kLength = 4096;
constexpr std::size_t kRoom = 12'000;

std::vector<float> marker(std::uint32_t number) {
  std::vector<std::int16_t> values(kLength);
  write_marker(0, number, values);
  std::vector<float> floats(kLength);
  for (std::size_t i = 0; i < kLength; ++i) floats[i] = static_cast<float>(values[i]) / 32768.0F;
  return floats;
}

/// What an ideal converter makes of `sound`, `delay` frames later: interpolated by a long sinc.
std::vector<float> delayed(const std::vector<float>& sound, double delay, double gain = 1.0) {
  std::vector<float> heard(kRoom);
  for (std::size_t n = 0; n < heard.size(); ++n) {
    const double at = static_cast<double>(n) - delay;
    const auto middle = static_cast<std::ptrdiff_t>(std::floor(at));
    double sum = 0;
    for (std::ptrdiff_t i = middle - 255; i <= middle + 256; ++i) {
      if (i < 0 || i >= static_cast<std::ptrdiff_t>(sound.size())) continue;
      const double x = std::numbers::pi * (at - static_cast<double>(i));
      const double sinc = std::abs(x) < 1e-9 ? 1.0 : std::sin(x) / x;
      sum += static_cast<double>(sound[static_cast<std::size_t>(i)]) * sinc *
             (0.5 + 0.5 * std::cos(x / 256));
    }
    heard[n] = static_cast<float>(gain * sum);
  }
  return heard;
}

void add_noise(std::vector<float>& heard, double amplitude, std::uint64_t seed) {
  Prng random(seed);
  for (float& value : heard) {
    const double unit = static_cast<double>(random.next() >> 11U) / 9007199254740992.0;
    value += static_cast<float>(amplitude * (2 * unit - 1));
  }
}

TEST(fourier, a_transform_and_its_inverse_give_the_values_back) {
  std::vector<std::complex<double>> values(64);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = {std::sin(0.3 * static_cast<double>(i)), static_cast<double>(i % 5)};
  }
  auto copy = values;
  fourier_transform(copy);
  std::complex<double> sum;
  for (const auto& value : values) sum += value;
  EXPECT_LT(std::abs(copy[0] - sum), 1e-12);
  inverse_fourier_transform(copy);
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_LT(std::abs(copy[i] - values[i]), 1e-13);
}

TEST(marker, a_whole_delay_is_found_where_it_is) {
  for (const double delay : {0.0, 1.0, 517.0, 7904.0}) {
    const auto sighting = find_marker(marker(1), delayed(marker(1), delay));
    ASSERT_TRUE(sighting) << delay;
    EXPECT_NEAR(sighting->place, delay, 0.02);  // at either end the interpolation has one side only
    EXPECT_NEAR(sighting->gain, 1.0, 0.01);
    EXPECT_GT(sighting->match, 0.999);
  }
}

TEST(marker, a_fraction_of_a_frame_is_found_to_a_twentieth) {
  for (int step = 0; step <= 20; ++step) {
    const double delay = 300 + step / 20.0;
    const auto sighting = find_marker(marker(2), delayed(marker(2), delay));
    ASSERT_TRUE(sighting) << delay;
    EXPECT_NEAR(sighting->place, delay, 0.05);
  }
}

TEST(marker, polarity_level_a_constant_and_noise_do_not_matter) {
  for (const double gain : {0.9, -0.9, 0.05, -0.05}) {
    std::vector<float> heard = delayed(marker(3), 1000.25, gain);
    add_noise(heard, 0.02, 7);
    for (float& value : heard) value += 0.3F;
    const auto sighting = find_marker(marker(3), heard);
    ASSERT_TRUE(sighting) << gain;
    EXPECT_NEAR(sighting->place, 1000.25, 0.1) << gain;
    EXPECT_NEAR(sighting->gain, gain, 0.01);
    EXPECT_GT(sighting->contrast, 20);
  }
}

TEST(marker, music_louder_than_the_marker_does_not_hide_it) {
  std::vector<float> heard = delayed(marker(4), 4321.0, 0.5);
  for (std::size_t i = 0; i < heard.size(); ++i) {
    heard[i] += 0.4F * std::sin(0.02F * static_cast<float>(i));
    heard[i] += 0.2F * std::sin(0.31F * static_cast<float>(i));
  }
  add_noise(heard, 0.1, 11);
  const auto sighting = find_marker(marker(4), heard);
  ASSERT_TRUE(sighting);
  EXPECT_NEAR(sighting->place, 4321.0, 0.1);
  EXPECT_GT(sighting->contrast, 10);
}

TEST(marker, of_an_echo_the_first_arrival_counts) {
  std::vector<float> heard = delayed(marker(5), 700.0, 0.5);
  const std::vector<float> again = delayed(marker(5), 1500.0, 0.55);
  for (std::size_t i = 0; i < heard.size(); ++i) heard[i] += again[i];
  const auto sighting = find_marker(marker(5), heard);
  ASSERT_TRUE(sighting);
  EXPECT_NEAR(sighting->place, 700.0, 0.1);
}

TEST(marker, noise_and_other_markers_are_told_from_it_by_their_contrast) {
  double highest = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::vector<float> heard = delayed(marker(6), 1000.0);
    add_noise(heard, 0.2, seed);
    const auto sighting = find_marker(marker(7), heard);
    ASSERT_TRUE(sighting);
    highest = std::max(highest, sighting->contrast);
  }
  EXPECT_LT(highest, 8);
}

TEST(marker, a_piece_of_another_one_in_silence_is_told_from_it_by_its_contrast) {
  for (std::uint32_t number = 20; number < 40; ++number) {
    std::vector<float> heard(kRoom);
    const std::vector<float> other = marker(number + 1);
    std::copy_n(other.begin(), 600, heard.end() - 600);
    const auto sighting = find_marker(marker(number), heard);
    ASSERT_TRUE(sighting);
    EXPECT_LT(sighting->contrast, 8) << number;
  }
}

TEST(marker, silence_a_constant_and_too_little_sound_give_nothing) {
  EXPECT_FALSE(find_marker(marker(8), std::vector<float>(kRoom)));
  EXPECT_FALSE(find_marker(marker(8), std::vector<float>(kRoom, 0.25F)));
  EXPECT_FALSE(find_marker(marker(8), std::vector<float>(kLength - 1, 0.25F)));
}

}  // namespace
}  // namespace asiodrv::audio
