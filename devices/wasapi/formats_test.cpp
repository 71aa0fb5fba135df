#include "devices/wasapi/formats.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>

namespace asiodrv::devices::wasapi {
namespace {

using audio::DeviceLayout;

std::vector<std::byte> bytes_of(const WaveFormatExtensible& wave, std::size_t count) {
  std::vector<std::byte> bytes(count);
  std::memcpy(bytes.data(), &wave, count);
  return bytes;
}

StreamFormat stereo(DeviceLayout layout) { return {layout, 2, {48'000}, 3, false}; }

TEST(wasapi_formats, what_we_ask_for_keeps_the_relations_that_drivers_check) {
  for (const DeviceLayout layout : audio::kDeviceLayouts) {
    for (std::uint32_t channels = 1; channels <= kMaxChannels; ++channels) {
      const StreamFormat format{layout, channels, {96'000}, standard_mask(channels), false};
      const WaveFormatExtensible wave = make_wave_format(format);
      EXPECT_EQ(wave.base.tag, kTagExtensible);
      EXPECT_EQ(wave.base.extra_bytes, 22);
      EXPECT_EQ(wave.base.bytes_per_frame, channels * wave.base.bits_per_sample / 8);
      EXPECT_EQ(wave.base.bytes_per_second, 96'000U * wave.base.bytes_per_frame);
      EXPECT_LE(wave.valid_bits, wave.base.bits_per_sample);
      EXPECT_EQ(read_wave_format(bytes_of(wave, sizeof wave)), format);
    }
  }
}

TEST(wasapi_formats, a_plain_one_is_18_bytes_and_without_extra) {
  const StreamFormat format{DeviceLayout::int16, 2, {44'100}, 0, true};
  const WaveFormatExtensible wave = make_wave_format(format);
  EXPECT_EQ(wave.base.tag, kTagPcm);
  EXPECT_EQ(wave.base.extra_bytes, 0);
  EXPECT_EQ(read_wave_format(bytes_of(wave, sizeof(WaveFormat))), format);
}

TEST(wasapi_formats, what_contradicts_itself_is_refused) {
  const WaveFormatExtensible good = make_wave_format(stereo(DeviceLayout::int24_in_32));
  ASSERT_TRUE(read_wave_format(bytes_of(good, sizeof good)));
  EXPECT_FALSE(read_wave_format(bytes_of(good, sizeof good - 1)));
  EXPECT_FALSE(read_wave_format(bytes_of(good, 17)));
  EXPECT_FALSE(read_wave_format({}));
  const auto refused = [&good](auto change) {
    WaveFormatExtensible wave = good;
    change(wave);
    return !read_wave_format(bytes_of(wave, sizeof wave));
  };
  EXPECT_TRUE(refused([](auto& wave) { wave.base.extra_bytes = 21; }));
  EXPECT_TRUE(refused([](auto& wave) { wave.base.bytes_per_frame = 6; }));
  EXPECT_TRUE(refused([](auto& wave) { wave.base.channels = 0; }));
  EXPECT_TRUE(refused([](auto& wave) { wave.base.channels = 65; }));
  EXPECT_TRUE(refused([](auto& wave) { wave.base.rate_hz = 0; }));
  EXPECT_TRUE(refused([](auto& wave) { wave.base.rate_hz = 1'000'000; }));
  EXPECT_TRUE(refused([](auto& wave) { wave.valid_bits = 20; }));
  EXPECT_TRUE(refused([](auto& wave) { wave.sub_format.a = 0x92; }));  // not samples
  EXPECT_TRUE(refused([](auto& wave) { wave.base.tag = 0x55; }));
  EXPECT_FALSE(refused([](auto& wave) { wave.valid_bits = 0; }));  // reads as all of them
}

TEST(wasapi_formats, memory_of_the_system_is_read_as_far_as_it_says_and_no_further) {
  // What lies behind a plain format is not ours: only its 18 bytes exist here.
  const WaveFormatExtensible wave = make_wave_format({DeviceLayout::float32, 2, {48'000}, 0, true});
  auto* plain = new WaveFormat(wave.base);
  EXPECT_EQ(copy_wave_format(plain)->layout, DeviceLayout::float32);
  delete plain;
  EXPECT_FALSE(copy_wave_format(nullptr));
}

TEST(wasapi_formats, candidates_begin_with_the_chosen_layout_and_end_with_plain_16) {
  const auto all = exclusive_candidates({44'100}, 2, stereo(DeviceLayout::int24));
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(all.front(), (StreamFormat{DeviceLayout::int24, 2, {44'100}, 3, false}));
  EXPECT_EQ(all.back(), (StreamFormat{DeviceLayout::int16, 2, {44'100}, 0, true}));
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    EXPECT_FALSE(all[i].plain);
    for (std::size_t j = i + 1; j < all.size(); ++j) EXPECT_FALSE(all[i] == all[j]);
  }
  EXPECT_EQ(exclusive_candidates({48'000}, 2, std::nullopt).front().layout, DeviceLayout::int32);
}

TEST(wasapi_formats, more_than_two_channels_are_never_plain) {
  for (const StreamFormat& format : exclusive_candidates({48'000}, 8, std::nullopt)) {
    EXPECT_FALSE(format.plain);
  }
}

TEST(wasapi_formats, masks_name_as_many_speakers_as_channels_up_to_18) {
  for (std::uint32_t channels = 1; channels <= 18; ++channels) {
    EXPECT_EQ(std::popcount(standard_mask(channels)), static_cast<int>(channels));
  }
  EXPECT_EQ(standard_mask(19), 0U);
  EXPECT_EQ(standard_mask(6), 0x60FU);
  EXPECT_EQ(standard_mask(8), 0x63FU);
}

TEST(wasapi_formats, durations_become_frames_by_the_nearest_whole_one) {
  // Pairs that are known to work on Windows; cutting off would be one short for each.
  EXPECT_EQ(frames_of(33'333, {48'000}), 160U);
  EXPECT_EQ(frames_of(53'333, {48'000}), 256U);
  EXPECT_EQ(frames_of(101'587, {44'100}), 448U);
  EXPECT_EQ(frames_of(36'281, {44'100}), 160U);
  EXPECT_EQ(hns_of(448, {44'100}), 101'587);
  EXPECT_EQ(hns_of(256, {44'100}), 58'050);
  EXPECT_EQ(hns_of(512, {48'000}), 106'667);
  for (const std::uint32_t hz : {44'100U, 48'000U, 192'000U}) {
    for (std::uint32_t frames = 1; frames < 9000; ++frames) {
      ASSERT_EQ(frames_of(hns_of(frames, {hz}), {hz}), frames) << hz;
    }
  }
}

}  // namespace
}  // namespace asiodrv::devices::wasapi
