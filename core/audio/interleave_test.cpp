#include "core/audio/interleave.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "core/base/prng.hpp"

namespace asiodrv::audio {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr SimdPath kPaths[] = {SimdPath::baseline, SimdPath::avx2, SimdPath::avx512};
constexpr std::byte kGuard{0xA5};

/// Planar blocks at addresses of no alignment but a float's, guarded on both sides.
struct Planar {
  Planar(std::uint32_t channels, std::uint32_t frames)
      : channels_(channels),
        frames_(frames),
        stride_(frames + 3),
        samples_(channels * stride_ + 3) {
    std::fill(samples_.begin(), samples_.end(), 77.0F);
    for (std::uint32_t c = 0; c < channels; ++c) blocks_.push_back(at(c));
  }
  float* at(std::uint32_t channel) { return samples_.data() + 1 + channel * stride_; }
  PlanarView<float> view() { return {blocks_.data(), channels_, {frames_}}; }
  PlanarView<const float> const_view() {
    return {const_cast<const float* const*>(blocks_.data()), channels_, {frames_}};
  }
  std::uint32_t channels_, frames_;
  std::size_t stride_;
  std::vector<float> samples_;
  std::vector<float*> blocks_;
};

int bits_of(DeviceLayout layout) {
  switch (layout) {
    case DeviceLayout::int16: return 16;
    case DeviceLayout::int24:
    case DeviceLayout::int24_in_32: return 24;
    default: return 32;
  }
}

/// The integer that a device sample stands for.
std::int64_t integer_at(DeviceLayout layout, const std::byte* bytes) {
  const std::uint32_t width = device_layout_bytes(layout);
  std::uint32_t raw = 0;
  std::memcpy(&raw, bytes, width);
  const auto top = static_cast<std::int32_t>(raw << (32 - 8 * width));
  return top >> (32 - bits_of(layout));
}

/// What deinterleave_to_float promises for one sample, in double, where every step is exact.
float expected_float(DeviceLayout layout, const std::byte* bytes) {
  if (layout != DeviceLayout::float32) {
    return static_cast<float>(
        std::ldexp(static_cast<double>(integer_at(layout, bytes)), 1 - bits_of(layout)));
  }
  float sample;
  std::memcpy(&sample, bytes, sizeof sample);
  if (std::isnan(sample)) return 0.0F;
  return std::isinf(sample) ? std::copysign(1.0F, sample) : sample;
}

/// What interleave_from_float promises for one sample.
void expected_bytes(DeviceLayout layout, float sample, std::byte* bytes) {
  if (layout == DeviceLayout::float32) {
    std::memcpy(bytes, &sample, sizeof sample);
    return;
  }
  const double limit = std::ldexp(1.0, bits_of(layout) - 1);
  const double exact = std::isnan(sample) ? 0.0 : static_cast<double>(sample) * limit;
  auto value = static_cast<std::int64_t>(std::clamp(std::nearbyint(exact), -limit, limit - 1));
  if (layout == DeviceLayout::int24_in_32) value *= 256;
  std::memcpy(bytes, &value, device_layout_bytes(layout));
}

float any_float(Prng& prng) {
  if (prng.chance(0.7)) return static_cast<float>(prng.unit() * 2.2 - 1.1);
  return std::bit_cast<float>(static_cast<std::uint32_t>(prng.next()));
}

bool same_bits(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

class InterleavePath : public ::testing::TestWithParam<SimdPath> {
 protected:
  void SetUp() override {
    if (!simd_path_available(GetParam())) {
      GTEST_SKIP() << "this processor has no " << simd_path_name(GetParam());
    }
  }

  void expect_deinterleaves(DeviceLayout layout, std::uint32_t channels, std::uint32_t frames) {
    const std::size_t width = device_layout_bytes(layout);
    // A vector of exactly the block's size: the sanitizer sees any byte read beyond it.
    std::vector<std::byte> device(channels * width * frames + 1);
    for (std::byte& each : device) each = static_cast<std::byte>(prng_.next());
    if (layout == DeviceLayout::float32) {
      for (std::uint32_t i = 0; i < channels * frames; ++i) {
        const float sample = any_float(prng_);
        std::memcpy(device.data() + 1 + i * width, &sample, width);
      }
    }
    Planar planar(channels, frames);
    std::vector<float> expected = planar.samples_;
    for (std::uint32_t c = 0; c < channels; ++c) {
      for (std::uint32_t f = 0; f < frames; ++f) {
        expected[1 + c * planar.stride_ + f] =
            expected_float(layout, device.data() + 1 + (f * channels + c) * width);
      }
    }
    deinterleave_to_float(layout, device.data() + 1, planar.view(), GetParam());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_TRUE(same_bits(planar.samples_[i], expected[i]))
          << device_layout_name(layout) << ", " << channels << " channels, " << frames
          << " frames, place " << i << ": " << planar.samples_[i] << ", not " << expected[i];
    }
  }

  void expect_interleaves(DeviceLayout layout, std::uint32_t channels, std::uint32_t frames) {
    const std::size_t width = device_layout_bytes(layout);
    Planar planar(channels, frames);
    std::vector<std::byte> device(channels * width * frames + 2, kGuard);
    std::vector<std::byte> expected = device;
    for (std::uint32_t c = 0; c < channels; ++c) {
      for (std::uint32_t f = 0; f < frames; ++f) {
        planar.at(c)[f] = any_float(prng_);
        expected_bytes(layout, planar.at(c)[f], expected.data() + 1 + (f * channels + c) * width);
      }
    }
    interleave_from_float(layout, planar.const_view(), device.data() + 1, nullptr, GetParam());
    const auto differs = std::mismatch(device.begin(), device.end(), expected.begin()).first;
    ASSERT_EQ(differs, device.end())
        << device_layout_name(layout) << ", " << channels << " channels, " << frames
        << " frames, byte " << differs - device.begin();
  }

  Prng prng_{11};
};

INSTANTIATE_TEST_SUITE_P(interleave, InterleavePath, ::testing::ValuesIn(kPaths),
                         [](const auto& of) { return std::string(simd_path_name(of.param)); });

std::vector<std::uint32_t> channel_counts() {
  std::vector<std::uint32_t> counts;
  for (std::uint32_t c = 0; c <= 18; ++c) counts.push_back(c);
  counts.push_back(32);
  counts.push_back(64);
  return counts;
}

/// Every count below, at and above the vectors' lengths, and a few long ones.
std::vector<std::uint32_t> frame_counts() {
  std::vector<std::uint32_t> counts;
  for (std::uint32_t f = 0; f <= 37; ++f) counts.push_back(f);
  for (const std::uint32_t f : {63U, 64U, 65U, 96U, 127U, 131U}) counts.push_back(f);
  return counts;
}

TEST_P(InterleavePath, deinterleaves_every_shape_and_touches_nothing_else) {
  for (const DeviceLayout layout : kDeviceLayouts) {
    for (const std::uint32_t channels : channel_counts()) {
      for (const std::uint32_t frames : frame_counts()) {
        ASSERT_NO_FATAL_FAILURE(expect_deinterleaves(layout, channels, frames));
      }
    }
  }
}

TEST_P(InterleavePath, interleaves_every_shape_and_touches_nothing_else) {
  for (const DeviceLayout layout : kDeviceLayouts) {
    for (const std::uint32_t channels : channel_counts()) {
      for (const std::uint32_t frames : frame_counts()) {
        ASSERT_NO_FATAL_FAILURE(expect_interleaves(layout, channels, frames));
      }
    }
  }
}

/// Device values from `first` up in steps, through the engine and back.
void expect_identity(DeviceLayout layout, std::uint32_t channels, std::uint64_t step,
                     SimdPath path) {
  constexpr std::uint32_t kFrames = 511;
  const std::uint32_t width = device_layout_bytes(layout);
  const std::uint64_t values = std::uint64_t{1} << bits_of(layout);
  Planar planar(channels, kFrames);
  std::vector<std::byte> device(std::size_t{channels} * kFrames * width), back(device.size());
  for (std::uint64_t value = 0; value < values;) {
    for (std::size_t i = 0; i < device.size(); i += width) {
      const std::uint64_t sample = layout == DeviceLayout::int24_in_32 ? value << 8U : value;
      std::memcpy(device.data() + i, &sample, width);
      value += step;
    }
    deinterleave_to_float(layout, device.data(), planar.view(), path);
    interleave_from_float(layout, planar.const_view(), back.data(), nullptr, path);
    ASSERT_EQ(device, back) << device_layout_name(layout) << " before " << value;
  }
}

TEST_P(InterleavePath, sixteen_bits_go_through_the_engine_unchanged_all_of_them) {
  for (const std::uint32_t channels : {1U, 2U, 3U, 4U, 8U}) {
    expect_identity(DeviceLayout::int16, channels, 1, GetParam());
  }
}

TEST_P(InterleavePath, twentyfour_bits_go_through_the_engine_unchanged) {
  for (const DeviceLayout layout : {DeviceLayout::int24, DeviceLayout::int24_in_32}) {
    expect_identity(layout, 8, 1, GetParam());  // all 2^24
    for (const std::uint32_t channels : {1U, 2U, 3U, 4U}) {
      expect_identity(layout, channels, 7, GetParam());
    }
  }
}

TEST_P(InterleavePath, thirtytwo_bits_go_through_unchanged_where_a_float_holds_them) {
  for (const std::uint32_t channels : {1U, 2U, 4U, 8U}) {
    expect_identity(DeviceLayout::int32, channels, 128 * 1021, GetParam());
  }
}

TEST_P(InterleavePath, clips_and_turns_nan_into_zero_in_every_place_of_a_vector) {
  constexpr std::uint32_t kFrames = 67;
  constexpr float kHostile[] = {1.0F,       1.0001F, 2.0F,    1e30F,  3.4e38F,
                                kInfinity,  -1.0F,   -1.001F, -2.0F,  -3.4e38F,
                                -kInfinity, kNan,    -kNan,   1e-45F, -0.0F};
  for (const DeviceLayout layout : kDeviceLayouts) {
    for (const std::uint32_t channels : {1U, 2U, 3U, 4U, 8U, 16U}) {
      Planar planar(channels, kFrames);
      std::vector<std::byte> device(std::size_t{channels} * kFrames * 4), expected(device.size());
      const std::size_t width = device_layout_bytes(layout);
      for (std::uint32_t round = 0; round < std::size(kHostile); ++round) {
        for (std::uint32_t i = 0; i < channels * kFrames; ++i) {
          const float sample = i % 5 == 0 ? kHostile[(i + round) % std::size(kHostile)] : 0.25F;
          planar.at(i % channels)[i / channels] = sample;
          expected_bytes(layout, sample, expected.data() + i * width);
        }
        interleave_from_float(layout, planar.const_view(), device.data(), nullptr, GetParam());
        ASSERT_EQ(device, expected) << device_layout_name(layout) << ", " << channels;
      }
    }
  }
}

TEST_P(InterleavePath, dither_is_the_same_noise_on_every_path) {
  for (const DeviceLayout layout : kDeviceLayouts) {
    for (const std::uint32_t channels : channel_counts()) {
      for (const std::uint32_t frames : {1U, 31U, 67U}) {
        Planar planar(channels, frames);
        for (std::uint32_t c = 0; c < channels; ++c) {
          for (std::uint32_t f = 0; f < frames; ++f) planar.at(c)[f] = any_float(prng_);
        }
        std::vector<std::byte> device(std::size_t{channels} * frames * 4), expected(device.size());
        Dither here(5), there(5);
        for (int block = 0; block < 2; ++block) {
          interleave_from_float(layout, planar.const_view(), device.data(), &here, GetParam());
          interleave_from_float(layout, planar.const_view(), expected.data(), &there,
                                SimdPath::baseline);
          ASSERT_EQ(device, expected) << device_layout_name(layout) << ", " << channels;
        }
      }
    }
  }
}

TEST(interleave, the_preferred_path_gives_the_same_bits) {
  Planar planar(6, 100), back(6, 100);
  Prng prng(3);
  for (std::uint32_t c = 0; c < 6; ++c) {
    for (std::uint32_t f = 0; f < 100; ++f) planar.at(c)[f] = any_float(prng);
  }
  for (const DeviceLayout layout : kDeviceLayouts) {
    std::vector<std::byte> device(2400), expected(2400);
    interleave_from_float(layout, planar.const_view(), device.data());
    interleave_from_float(layout, planar.const_view(), expected.data(), nullptr,
                          SimdPath::baseline);
    EXPECT_EQ(device, expected);
    deinterleave_to_float(layout, device.data(), back.view());
    EXPECT_TRUE(
        same_bits(back.at(5)[99],
                  expected_float(layout, expected.data() + 599 * device_layout_bytes(layout))));
  }
}

TEST(interleave, ignores_the_low_byte_of_24_bits_in_32) {
  const std::uint32_t word = 0x123456FF;
  float sample = 0;
  float* block = &sample;
  deinterleave_to_float(DeviceLayout::int24_in_32, reinterpret_cast<const std::byte*>(&word),
                        {&block, 1, {1}});
  EXPECT_EQ(sample, static_cast<float>(0x123456) / 8388608.0F);
}

TEST(interleave, runs_inside_a_real_time_scope) {
  Planar planar(5, 61);
  std::vector<std::byte> device(std::size_t{5} * 61 * 4);
  Dither dither;
  const RtScope scope;
  for (const DeviceLayout layout : kDeviceLayouts) {
    interleave_from_float(layout, planar.const_view(), device.data(), &dither);
    deinterleave_to_float(layout, device.data(), planar.view());
  }
}

}  // namespace
}  // namespace asiodrv::audio
