#include "core/audio/sample_format.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/audio/mix.hpp"
#include "core/base/prng.hpp"

namespace asiodrv::audio {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// The value of one little-endian integer sample.
std::int64_t integer_at(SampleType type, const std::byte* bytes) {
  switch (type) {
    case SampleType::int16: {
      std::int16_t value;
      std::memcpy(&value, bytes, sizeof value);
      return value;
    }
    case SampleType::int24: {
      std::int32_t value = 0;
      std::memcpy(&value, bytes, 3);
      return (value ^ 0x800000) - 0x800000;
    }
    default: {
      std::int32_t value;
      std::memcpy(&value, bytes, sizeof value);
      return value;
    }
  }
}

std::uint32_t bits_of(SampleType type) { return sample_bytes(type) * 8; }

std::int64_t from_one_float(SampleType type, float sample) {
  std::byte bytes[4]{};
  from_float(type, &sample, bytes, {1});
  return integer_at(type, bytes);
}

/// What from_float promises, computed in double, where every step is exact.
std::int64_t expected_integer(SampleType type, float sample) {
  if (std::isnan(sample)) return 0;
  const double limit = std::ldexp(1.0, static_cast<int>(bits_of(type)) - 1);
  const double scaled = std::nearbyint(static_cast<double>(sample) * limit);  // halves to even
  return static_cast<std::int64_t>(std::clamp(scaled, -limit, limit - 1.0));
}

void expect_identity_of_all_values(SampleType type) {
  constexpr std::uint32_t kBlock = 4096;
  const std::uint32_t width = sample_bytes(type);
  const std::uint64_t values = std::uint64_t{1} << bits_of(type);
  const double limit = std::ldexp(1.0, static_cast<int>(bits_of(type)) - 1);
  std::vector<std::byte> source(std::size_t{kBlock} * width), back(source.size());
  std::vector<float> samples(kBlock);
  for (std::uint64_t first = 0; first < values; first += kBlock) {
    for (std::uint32_t i = 0; i < kBlock; ++i) {
      const std::uint64_t value = first + i;
      std::memcpy(source.data() + std::size_t{i} * width, &value, width);
    }
    to_float(type, source.data(), samples.data(), {kBlock});
    from_float(type, samples.data(), back.data(), {kBlock});
    ASSERT_EQ(source, back) << "in the block from " << first;
    for (std::uint32_t i = 0; i < kBlock; i += 511) {  // the scale itself, not only its inverse
      const auto integer = integer_at(type, source.data() + std::size_t{i} * width);
      ASSERT_EQ(static_cast<double>(samples[i]), static_cast<double>(integer) / limit);
    }
  }
}

TEST(sample_format, int16_to_float_and_back_is_the_identity_for_all_values) {
  expect_identity_of_all_values(SampleType::int16);
}

TEST(sample_format, int24_to_float_and_back_is_the_identity_for_all_values) {
  expect_identity_of_all_values(SampleType::int24);
}

TEST(sample_format, int32_is_exact_for_all_values_of_24_significant_bits) {
  std::vector<std::int32_t> values{0,
                                   1,
                                   -1,
                                   1 << 24,
                                   -(1 << 24),
                                   (1 << 24) - 1,
                                   std::numeric_limits<std::int32_t>::min(),
                                   0x7FFFFF80};
  Prng prng(24);
  for (int i = 0; i < 200'000; ++i) {
    const std::int64_t mantissa = prng.between(-(1 << 24), (1 << 24) - 1);
    values.push_back(static_cast<std::int32_t>(mantissa * (std::int64_t{1} << prng.below(8))));
  }
  for (std::int64_t v = -(1LL << 31); v < (1LL << 31); v += 128 * 1021) {
    values.push_back(static_cast<std::int32_t>(v));
  }
  const Frames frames{static_cast<std::uint32_t>(values.size())};
  std::vector<float> samples(values.size());
  std::vector<std::int32_t> back(values.size());
  to_float(SampleType::int32, reinterpret_cast<const std::byte*>(values.data()), samples.data(),
           frames);
  from_float(SampleType::int32, samples.data(), reinterpret_cast<std::byte*>(back.data()), frames);
  EXPECT_EQ(values, back);
}

TEST(sample_format, int32_beyond_a_float_rounds_to_the_nearest_float) {
  for (const std::int32_t value : {0x7FFFFFFF, 0x01000001, -0x01000003, 0x12345678}) {
    float sample = 0;
    to_float(SampleType::int32, reinterpret_cast<const std::byte*>(&value), &sample, {1});
    EXPECT_EQ(sample, static_cast<float>(std::ldexp(static_cast<double>(value), -31)));
  }
}

TEST(sample_format, from_float_clips_at_the_limits_of_each_type) {
  for (const SampleType type : {SampleType::int16, SampleType::int24, SampleType::int32}) {
    const std::int64_t limit = std::int64_t{1} << (bits_of(type) - 1);
    for (const float above : {1.0F, 1.0001F, 2.0F, 1e30F, 3.4e38F, kInfinity}) {
      EXPECT_EQ(from_one_float(type, above), limit - 1) << above;
      EXPECT_EQ(from_one_float(type, -above), -limit) << -above;
    }
  }
}

TEST(sample_format, from_float_turns_nan_of_any_kind_into_zero) {
  for (const SampleType type : {SampleType::int16, SampleType::int24, SampleType::int32}) {
    for (const std::uint32_t bits : {0x7FC00000U, 0xFFC00000U, 0x7F800001U, 0xFFFFFFFFU}) {
      EXPECT_EQ(from_one_float(type, std::bit_cast<float>(bits)), 0);
    }
  }
}

TEST(sample_format, from_float_rounds_halves_to_even) {
  EXPECT_EQ(from_one_float(SampleType::int16, 0.5F / 32768), 0);
  EXPECT_EQ(from_one_float(SampleType::int16, 1.5F / 32768), 2);
  EXPECT_EQ(from_one_float(SampleType::int16, 2.5F / 32768), 2);
  EXPECT_EQ(from_one_float(SampleType::int16, -2.5F / 32768), -2);
  EXPECT_EQ(from_one_float(SampleType::int16, -3.5F / 32768), -4);
  EXPECT_EQ(from_one_float(SampleType::int24, 2.5F / 8388608), 2);
  EXPECT_EQ(from_one_float(SampleType::int24, 3.5F / 8388608), 4);
  EXPECT_EQ(from_one_float(SampleType::int32, 2.5F * 0x1p-31F), 2);
}

TEST(sample_format, from_float_agrees_with_exact_arithmetic_on_any_bits) {
  Prng prng(7);
  for (const SampleType type : {SampleType::int16, SampleType::int24, SampleType::int32}) {
    std::vector<float> samples(50'001);
    for (float& sample : samples) {
      const bool any = prng.chance(0.3);
      sample = any ? std::bit_cast<float>(static_cast<std::uint32_t>(prng.next()))
                   : static_cast<float>(prng.unit() * 2.2 - 1.1);
    }
    std::vector<std::byte> bytes(samples.size() * sample_bytes(type));
    from_float(type, samples.data(), bytes.data(), {static_cast<std::uint32_t>(samples.size())});
    for (std::size_t i = 0; i < samples.size(); ++i) {
      ASSERT_EQ(integer_at(type, bytes.data() + i * sample_bytes(type)),
                expected_integer(type, samples[i]))
          << sample_type_name(type) << " of " << samples[i];
    }
  }
}

TEST(sample_format, float32_to_a_client_is_a_copy_of_every_bit) {
  const std::vector<float> samples{0.0F, -0.0F, 1e-45F, 5.0F, kInfinity, kNan, -1.0F};
  std::vector<std::byte> bytes(samples.size() * sizeof(float));
  from_float(SampleType::float32, samples.data(), bytes.data(),
             {static_cast<std::uint32_t>(samples.size())});
  EXPECT_EQ(std::memcmp(bytes.data(), samples.data(), bytes.size()), 0);
}

TEST(sample_format, float32_from_a_client_loses_only_nan_and_infinity) {
  const std::vector<float> samples{0.0F, -0.0F, 1e-45F, 5.0F, kInfinity, -kInfinity, kNan};
  const std::vector<float> expected{0.0F, -0.0F, 1e-45F, 5.0F, 1.0F, -1.0F, 0.0F};
  std::vector<float> target(samples.size());
  to_float(SampleType::float32, reinterpret_cast<const std::byte*>(samples.data()), target.data(),
           {static_cast<std::uint32_t>(samples.size())});
  EXPECT_EQ(std::memcmp(target.data(), expected.data(), samples.size() * sizeof(float)), 0);
}

/// Every length, at odd addresses, writes its own bytes and no others.
TEST(sample_format, converts_any_length_at_any_address_and_touches_nothing_else) {
  constexpr std::byte kGuard{0xA5};
  for (const SampleType type : kSampleTypes) {
    const std::size_t width = sample_bytes(type);
    for (std::uint32_t frames = 0; frames <= 37; ++frames) {
      std::vector<float> samples(frames);
      for (std::uint32_t i = 0; i < frames; ++i) {
        samples[i] = static_cast<float>(i + 1) / -64.0F;
      }
      std::vector<std::byte> bytes(frames * width + 2, kGuard);
      from_float(type, samples.data(), bytes.data() + 1, {frames});
      EXPECT_EQ(bytes.front(), kGuard);
      EXPECT_EQ(bytes.back(), kGuard);
      std::vector<float> back(frames + 2, 77.0F);
      to_float(type, bytes.data() + 1, back.data() + 1, {frames});
      EXPECT_EQ(back.front(), 77.0F);
      EXPECT_EQ(back.back(), 77.0F);
      EXPECT_EQ(std::vector<float>(back.begin() + 1, back.end() - 1), samples);
    }
  }
}

TEST(sample_format, runs_inside_a_real_time_scope) {
  std::vector<float> samples(64, 0.5F);
  std::vector<std::byte> bytes(256);
  const RtScope scope;
  for (const SampleType type : kSampleTypes) {
    from_float(type, samples.data(), bytes.data(), {61});
    to_float(type, bytes.data(), samples.data(), {61});
  }
}

TEST(sample_format, one_pass_with_clipping_equals_conversion_then_clip) {
  Prng prng(7);
  constexpr Frames kFrames{203};  // not a multiple of any vector
  for (const SampleType type : kSampleTypes) {
    std::vector<std::byte> bytes(std::size_t{kFrames.count} * sample_bytes(type));
    for (int round = 0; round < 200; ++round) {
      for (std::byte& each : bytes) each = static_cast<std::byte>(prng.next());
      std::vector<float> expected(kFrames.count), got(kFrames.count);
      to_float(type, bytes.data(), expected.data(), kFrames);
      clip(expected.data(), kFrames);
      to_float_clipped(type, bytes.data(), got.data(), kFrames);
      ASSERT_EQ(std::memcmp(expected.data(), got.data(), got.size() * sizeof(float)), 0);
    }
  }
}

}  // namespace
}  // namespace asiodrv::audio
