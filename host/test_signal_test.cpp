#include "host/test_signal.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numbers>

namespace asiodrv::host {
namespace {

constexpr std::int32_t kInt16 = 16;

std::vector<std::int16_t> read(const TestSignal& signal, std::uint64_t cursor,
                               std::uint32_t channel, std::uint32_t frames) {
  std::vector<std::int16_t> values(frames);
  signal.copy(cursor, channel, frames, reinterpret_cast<std::byte*>(values.data()));
  return values;
}

TEST(host_test_signal, the_payload_begins_after_the_markers_and_loops) {
  const TestSignal signal(kInt16, 1, 100, {{1, 2, 3}});
  EXPECT_EQ(read(signal, signal.payload_cursor(), 0, 7),
            (std::vector<std::int16_t>{1, 2, 3, 1, 2, 3, 1}));
}

TEST(host_test_signal, a_read_across_the_seams_equals_reads_of_single_frames) {
  const TestSignal signal(kInt16, 2, 100, {{1, 2, 3}, {4, 5, 6}});
  const std::uint64_t from = signal.payload_cursor() - 10;
  const std::vector<std::int16_t> whole = read(signal, from, 1, 30);
  for (std::uint32_t i = 0; i < 30; ++i) EXPECT_EQ(read(signal, from + i, 1, 1)[0], whole[i]);
}

TEST(host_test_signal, a_mono_file_plays_on_every_channel) {
  const TestSignal signal(kInt16, 3, 100, {{7, 8}});
  for (const std::uint32_t channel : {0U, 1U, 2U}) {
    EXPECT_EQ(read(signal, signal.payload_cursor(), channel, 2), (std::vector<std::int16_t>{7, 8}));
  }
}

TEST(host_test_signal, every_marker_of_every_channel_is_different) {
  const TestSignal signal(kInt16, 3, 100, {{0}});
  std::vector<std::vector<std::int16_t>> seen;
  for (std::uint32_t channel = 0; channel < 3; ++channel) {
    for (std::uint32_t number = 0; number < TestSignal::kMarkers; ++number) {
      std::vector<std::int16_t> marker =
          read(signal, signal.marker_cursor(number), channel, TestSignal::kMarkerFrames);
      for (const auto& other : seen) {
        int equal = 0;
        for (std::size_t i = 0; i < marker.size(); ++i) equal += marker[i] == other[i] ? 1 : 0;
        EXPECT_NEAR(equal, 511, 120);  // unrelated: about half of the signs agree
      }
      seen.push_back(std::move(marker));
    }
  }
}

TEST(host_test_signal, a_sine_loops_without_a_seam_and_is_not_rounded_to_sixteen_bits) {
  constexpr std::int32_t kType = 19;
  constexpr std::uint32_t kRate = 44'100;
  const TestSignal signal = TestSignal::from_floats(kType, 2, 100, TestSignal::sine(997, kRate));
  std::vector<float> values(3 * kRate);
  signal.copy(signal.payload_cursor(), 1, 3 * kRate, reinterpret_cast<std::byte*>(values.data()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double turns = std::fmod(997.0 * static_cast<double>(i) / kRate, 1.0);
    // A 16-bit number may be wrong by 1.5e-5, a float of this size by 3e-8.
    ASSERT_NEAR(values[i], 0.5 * std::sin(2 * std::numbers::pi * turns), 4e-8) << i;
  }
}

TEST(host_test_signal, noise_never_stands_still) {
  const Planar16 noise = TestSignal::noise(2, 5000);
  ASSERT_EQ(noise.size(), 2U);
  EXPECT_NE(noise[0], noise[1]);
  int repeats = 0;
  for (std::size_t i = 1; i < noise[0].size(); ++i) repeats += noise[0][i] == noise[0][i - 1];
  EXPECT_LT(repeats, 20);
}

}  // namespace
}  // namespace asiodrv::host
