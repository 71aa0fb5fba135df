#include "host/samples.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

namespace asiodrv::host {
namespace {

constexpr std::array kAllTypes{0, 1, 2, 3, 4, 8, 9, 10, 11, 16, 17, 18, 19, 20, 24, 25, 26, 27};
constexpr std::array<std::int16_t, 7> kValues{0, 1, -1, 32767, -32768, 12345, -4096};

TEST(host_samples, sixteen_bits_survive_every_type_exactly) {
  for (const int type : kAllTypes) {
    std::array<std::byte, kValues.size() * 8> bytes{};
    std::array<float, kValues.size()> back{};
    encode_samples(type, kValues, bytes.data());
    decode_samples(type, bytes.data(), back);
    for (std::size_t i = 0; i < kValues.size(); ++i) {
      EXPECT_EQ(quantise(back[i]), kValues[i]) << "type " << type;
    }
  }
}

TEST(host_samples, int24_is_packed_little_endian_with_the_value_at_the_top) {
  const std::array<std::int16_t, 1> value{0x1234};
  std::array<std::byte, 3> bytes{};
  encode_samples(17, value, bytes.data());
  EXPECT_EQ(bytes, (std::array{std::byte{0x00}, std::byte{0x34}, std::byte{0x12}}));
}

TEST(host_samples, right_aligned_types_are_sign_extended) {
  const std::array<std::int16_t, 1> value{-2};
  std::int32_t word = 0;
  std::byte bytes[4];
  encode_samples(25, value, bytes);  // 18 bits in a word
  std::memcpy(&word, bytes, 4);
  EXPECT_EQ(word, -8);
}

TEST(host_samples, big_endian_reverses_the_bytes) {
  const std::array<std::int16_t, 1> value{0x0102};
  std::byte bytes[2];
  encode_samples(0, value, bytes);
  EXPECT_EQ(bytes[0], std::byte{1});
  EXPECT_EQ(bytes[1], std::byte{2});
}

TEST(host_samples, floats_clip_at_full_scale_and_sixteen_bit_values_stay_exact) {
  for (const int type : kAllTypes) {
    std::byte bytes[8];
    float back = 0;
    for (const std::int16_t value : kValues) {
      encode_float(type, static_cast<float>(value) / 32768.0F, bytes);
      decode_samples(type, bytes, {&back, 1});
      EXPECT_EQ(quantise(back), value) << "type " << type;
    }
  }
  std::byte bytes[4];
  std::int32_t word = 0;
  encode_float(18, 1.5F, bytes);
  std::memcpy(&word, bytes, 4);
  EXPECT_EQ(word, INT32_MAX);
}

TEST(host_samples, several_floats_are_written_as_each_alone) {
  const std::array<float, 3> values{0.123456F, -1.5F, 0.75F};
  for (const int type : kAllTypes) {
    std::array<std::byte, 3 * 8> together{};
    std::array<std::byte, 3 * 8> alone{};
    encode_floats(type, values, together.data());
    for (std::size_t i = 0; i < values.size(); ++i) {
      encode_float(type, values[i], alone.data() + i * sample_bytes(type));
    }
    EXPECT_EQ(together, alone) << "type " << type;
  }
}

TEST(host_samples, one_bit_types_are_refused) {
  for (const int type : {32, 33, 40, -1, 99}) EXPECT_EQ(sample_bytes(type), 0U);
}

TEST(host_samples, quantise_clips_and_survives_what_is_not_a_number) {
  EXPECT_EQ(quantise(2.0F), 32767);
  EXPECT_EQ(quantise(-2.0F), -32768);
  EXPECT_EQ(quantise(0.0F / 1.0F), 0);
  EXPECT_EQ(quantise(__builtin_nanf("")), 0);
}

}  // namespace
}  // namespace asiodrv::host
