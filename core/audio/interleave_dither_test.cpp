// The statistics of the noise that interleave_from_float adds, in steps of the integer.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <string>
#include <vector>

#include "core/audio/interleave.hpp"

namespace asiodrv::audio {
namespace {

constexpr std::uint32_t kChannels = 2;
constexpr std::uint32_t kBlock = 480;
constexpr std::uint32_t kBlocks = 273;
constexpr std::size_t kFrames = std::size_t{kBlock} * kBlocks;  // 131,040

/// Where the integer of a reduced layout lies, and its step.
std::int32_t dithered_at(DeviceLayout layout, const std::byte* bytes) {
  std::uint32_t raw = 0;
  const std::uint32_t width = device_layout_bytes(layout);
  std::memcpy(&raw, bytes, width);
  const auto top = static_cast<std::int32_t>(raw << (32 - 8 * width));
  return layout == DeviceLayout::int16 ? top >> 16 : top >> 8;
}

double steps_of(DeviceLayout layout) { return layout == DeviceLayout::int16 ? 0x1p15 : 0x1p23; }

/// What a device gets, in steps, of `level(frame)` steps on all channels: [channel][frame].
template <class Level>
std::vector<std::vector<double>> played(DeviceLayout layout, Dither* dither, const Level& level) {
  std::vector<float> block(kBlock);
  const std::vector<const float*> blocks(kChannels, block.data());
  std::vector<std::byte> device(std::size_t{kChannels} * kBlock * 4);
  std::vector<std::vector<double>> result(kChannels);
  for (std::size_t first = 0; first < kFrames; first += kBlock) {
    for (std::size_t i = 0; i < kBlock; ++i) {
      block[i] = static_cast<float>(level(first + i) / steps_of(layout));
    }
    interleave_from_float(layout, {blocks.data(), kChannels, {kBlock}}, device.data(), dither);
    for (std::size_t i = 0; i < std::size_t{kChannels} * kBlock; ++i) {
      result[i % kChannels].push_back(
          dithered_at(layout, device.data() + i * device_layout_bytes(layout)));
    }
  }
  return result;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// Of two series around their means, the second `lag` behind; 1 for a series with itself.
double correlation(const std::vector<double>& a, const std::vector<double>& b, std::size_t lag) {
  const double mean_a = mean(a), mean_b = mean(b);
  double product = 0, power_a = 0, power_b = 0;
  for (std::size_t i = 0; i + lag < a.size(); ++i) {
    product += (a[i] - mean_a) * (b[i + lag] - mean_b);
    power_a += (a[i] - mean_a) * (a[i] - mean_a);
    power_b += (b[i + lag] - mean_b) * (b[i + lag] - mean_b);
  }
  return product / std::sqrt(power_a * power_b);
}

/// Amplitude of the wave with `cycles` in the whole series.
double amplitude(const std::vector<double>& values, double cycles) {
  double in_phase = 0, quadrature = 0;
  const double step = 2 * std::numbers::pi * cycles / static_cast<double>(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    in_phase += values[i] * std::sin(step * static_cast<double>(i));
    quadrature += values[i] * std::cos(step * static_cast<double>(i));
  }
  return 2 * std::hypot(in_phase, quadrature) / static_cast<double>(values.size());
}

class InterleaveDither : public ::testing::TestWithParam<DeviceLayout> {};

INSTANTIATE_TEST_SUITE_P(reduced, InterleaveDither,
                         ::testing::Values(DeviceLayout::int16, DeviceLayout::int24,
                                           DeviceLayout::int24_in_32),
                         [](const auto& of) { return std::string(device_layout_name(of.param)); });

/// A triangle of two steps' width and the rounding: 1/6 + 1/12 whatever the level. Bounds are five
/// standard deviations of the estimate.
TEST_P(InterleaveDither, error_has_mean_zero_and_a_quarter_of_variance_at_every_level) {
  for (const double level : {0.0, 0.25, 0.5, 0.37, -0.5, 1000.75, -3000.125}) {
    Dither dither(17);
    const auto series = played(GetParam(), &dither, [&](std::size_t) { return level; });
    for (const auto& channel : series) {
      double power = 0, furthest = 0;
      for (const double value : channel) {
        power += (value - level) * (value - level);
        furthest = std::max(furthest, std::abs(value - level));
      }
      EXPECT_NEAR(mean(channel) - level, 0.0, 0.007) << level;
      EXPECT_NEAR(power / static_cast<double>(kFrames), 0.25, 0.006) << level;
      EXPECT_LE(furthest, 1.5) << level;
    }
  }
}

TEST_P(InterleaveDither, is_independent_of_its_neighbours_in_time_and_channels) {
  Dither dither(23);
  const auto series = played(GetParam(), &dither, [](std::size_t) { return 0.3; });
  constexpr double kBound = 0.014;  // five standard deviations
  for (const std::size_t lag : {1U, 2U, 3U, 16U, kBlock, 2 * kBlock}) {
    EXPECT_LT(std::abs(correlation(series[0], series[0], lag)), kBound) << lag;
  }
  for (const std::size_t lag : {0U, 1U, kBlock}) {
    EXPECT_LT(std::abs(correlation(series[0], series[1], lag)), kBound) << lag;
  }
}

/// Rounding turns a sine of one step into stairs, whose harmonics are tones. The second half of the
/// claim shows that the measurement would see them.
TEST_P(InterleaveDither, leaves_no_tone_beside_a_sine_of_one_step) {
  constexpr double kCycles = 1'001;
  const auto sine = [](std::size_t frame) {
    return std::sin(2 * std::numbers::pi * kCycles * static_cast<double>(frame) /
                    static_cast<double>(kFrames));
  };
  constexpr double kNoise = 0.01;  // five standard deviations of an amplitude
  Dither dither(29);
  const auto dithered = played(GetParam(), &dither, sine);
  const auto rounded = played(GetParam(), nullptr, sine);
  EXPECT_NEAR(amplitude(dithered[0], kCycles), 1.0, kNoise);
  double loudest = 0;
  for (int harmonic = 2; harmonic <= 20; ++harmonic) {
    EXPECT_LT(amplitude(dithered[0], kCycles * harmonic), kNoise) << harmonic;
    loudest = std::max(loudest, amplitude(rounded[0], kCycles * harmonic));
  }
  EXPECT_GT(loudest, 5 * kNoise);
}

TEST(interleave_dither, depends_on_its_seed_alone) {
  for (const DeviceLayout layout : kDeviceLayouts) {
    const auto silence = [](std::size_t) { return 0.0; };
    Dither one(1), same(1), other(2);
    const auto first = played(layout, &one, silence);
    EXPECT_EQ(first, played(layout, &same, silence));
    const bool noisy = layout != DeviceLayout::int32 && layout != DeviceLayout::float32;
    EXPECT_EQ(first != played(layout, &other, silence), noisy);
  }
}

TEST(interleave_dither, never_leaves_full_scale) {
  for (const DeviceLayout layout : {DeviceLayout::int16, DeviceLayout::int24}) {
    const double limit = steps_of(layout);
    Dither dither(31);
    const auto high = played(layout, &dither, [&](std::size_t) { return 1.5 * limit; });
    EXPECT_EQ(high[0], std::vector<double>(kFrames, limit - 1));
    const auto low = played(layout, &dither, [&](std::size_t) { return -limit; });
    for (const double value : low[1]) ASSERT_LT(value, -limit + 2);
  }
}

}  // namespace
}  // namespace asiodrv::audio
