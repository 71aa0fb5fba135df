#include "devices/wasapi/formats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace asiodrv::devices::wasapi {
namespace {

using audio::DeviceLayout;

// SPEAKER_* bits of ksmedia.
constexpr std::uint32_t kFrontLeft = 0x1, kFrontRight = 0x2, kFrontCenter = 0x4,
                        kLowFrequency = 0x8;
constexpr std::uint32_t kBackLeft = 0x10, kBackRight = 0x20, kBackCenter = 0x100;
constexpr std::uint32_t kSideLeft = 0x200, kSideRight = 0x400;
constexpr std::uint32_t kStereo = kFrontLeft | kFrontRight;
constexpr std::uint32_t kQuad = kStereo | kBackLeft | kBackRight;
constexpr std::uint32_t kFivePointOne =
    kStereo | kFrontCenter | kLowFrequency | kSideLeft | kSideRight;

constexpr std::array<std::uint32_t, 9> kMasks{0,
                                              kFrontCenter,
                                              kStereo,
                                              kStereo | kLowFrequency,
                                              kQuad,
                                              kQuad | kLowFrequency,
                                              kFivePointOne,
                                              kFivePointOne | kBackCenter,
                                              kFivePointOne | kBackLeft | kBackRight};
constexpr std::uint32_t kNamedSpeakers = 18;
constexpr std::uint16_t kExtensibleBytes = sizeof(WaveFormatExtensible) - sizeof(WaveFormat);

std::uint16_t valid_bits(DeviceLayout layout) {
  switch (layout) {
    case DeviceLayout::int16: return 16;
    case DeviceLayout::int24: return 24;
    case DeviceLayout::int24_in_32: return 24;
    case DeviceLayout::int32: return 32;
    case DeviceLayout::float32: return 32;
  }
  return 32;
}

std::optional<DeviceLayout> layout_of(bool is_float, std::uint32_t container, std::uint32_t valid) {
  if (is_float) {
    return container == 32 && valid == 32 ? std::optional(DeviceLayout::float32) : std::nullopt;
  }
  if (container == 16 && valid == 16) return DeviceLayout::int16;
  if (container == 24 && valid == 24) return DeviceLayout::int24;
  if (container == 32 && valid == 24) return DeviceLayout::int24_in_32;
  if (container == 32 && valid == 32) return DeviceLayout::int32;
  return std::nullopt;
}

}  // namespace

std::string format_text(const StreamFormat& format) {
  return fmt::format("{} Hz, {} channel{}, {}", format.rate.hz, format.channels,
                     format.channels == 1 ? "" : "s", audio::device_layout_name(format.layout));
}

std::uint32_t standard_mask(std::uint32_t channels) noexcept {
  if (channels < kMasks.size()) return kMasks[channels];
  return channels <= kNamedSpeakers ? (1U << channels) - 1 : 0;
}

WaveFormatExtensible make_wave_format(const StreamFormat& format) noexcept {
  const std::uint32_t frame = format.frame_bytes();
  const bool is_float = format.layout == DeviceLayout::float32;
  WaveFormatExtensible wave{};
  wave.base.tag = format.plain ? (is_float ? kTagFloat : kTagPcm) : kTagExtensible;
  wave.base.channels = static_cast<std::uint16_t>(format.channels);
  wave.base.rate_hz = format.rate.hz;
  wave.base.bytes_per_second = format.rate.hz * frame;
  wave.base.bytes_per_frame = static_cast<std::uint16_t>(frame);
  wave.base.bits_per_sample =
      static_cast<std::uint16_t>(audio::device_layout_bytes(format.layout) * 8);
  if (format.plain) return wave;
  wave.base.extra_bytes = kExtensibleBytes;
  wave.valid_bits = valid_bits(format.layout);
  wave.channel_mask = format.mask;
  wave.sub_format = is_float ? kSubFloat : kSubPcm;
  return wave;
}

std::optional<StreamFormat> read_wave_format(std::span<const std::byte> bytes) {
  WaveFormatExtensible wave{};
  if (bytes.size() < sizeof(WaveFormat)) return std::nullopt;
  std::memcpy(&wave, bytes.data(), std::min(bytes.size(), sizeof wave));
  bool is_float = wave.base.tag == kTagFloat;
  std::uint32_t valid = wave.base.bits_per_sample;
  const bool extensible = wave.base.tag == kTagExtensible;
  if (extensible) {
    if (bytes.size() < sizeof wave || wave.base.extra_bytes < kExtensibleBytes) return std::nullopt;
    is_float = wave.sub_format == kSubFloat;
    if (!is_float && !(wave.sub_format == kSubPcm)) return std::nullopt;
    if (wave.valid_bits != 0) valid = wave.valid_bits;  // some drivers leave it out
  } else if (!is_float && wave.base.tag != kTagPcm) {
    return std::nullopt;
  }
  const std::optional<DeviceLayout> layout = layout_of(is_float, wave.base.bits_per_sample, valid);
  if (!layout) return std::nullopt;
  StreamFormat format;
  format.layout = *layout;
  format.channels = wave.base.channels;
  format.rate = {wave.base.rate_hz};
  format.mask = extensible ? wave.channel_mask : 0;
  format.plain = !extensible;
  if (format.channels < 1 || format.channels > kMaxChannels) return std::nullopt;
  if (format.rate.hz < 8'000 || format.rate.hz > kMaxRateHz) return std::nullopt;
  if (wave.base.bytes_per_frame != format.frame_bytes()) return std::nullopt;
  return format;
}

std::optional<StreamFormat> copy_wave_format(const WaveFormat* format) {
  if (format == nullptr) return std::nullopt;
  WaveFormat head;
  std::memcpy(&head, format, sizeof head);
  const std::size_t extra = head.tag == kTagPcm ? 0 : std::min(head.extra_bytes, kExtensibleBytes);
  std::array<std::byte, sizeof(WaveFormatExtensible)> bytes{};
  std::memcpy(bytes.data(), format, sizeof head + extra);
  return read_wave_format({bytes.data(), sizeof head + extra});
}

std::vector<StreamFormat> exclusive_candidates(SampleRate rate, std::uint32_t channels,
                                               const std::optional<StreamFormat>& chosen) {
  std::vector<StreamFormat> candidates;
  const auto add = [&candidates](const StreamFormat& format) {
    if (std::find(candidates.begin(), candidates.end(), format) == candidates.end()) {
      candidates.push_back(format);
    }
  };
  const auto add_masks = [&](DeviceLayout layout, std::uint32_t own) {
    for (const std::uint32_t mask : {standard_mask(channels), own, std::uint32_t{0}}) {
      add({layout, channels, rate, mask, false});
    }
  };
  const std::uint32_t own = chosen ? chosen->mask : 0;
  if (chosen) add_masks(chosen->layout, own);
  for (const DeviceLayout layout :
       {DeviceLayout::int32, DeviceLayout::int24_in_32, DeviceLayout::int24, DeviceLayout::int16,
        DeviceLayout::float32}) {
    add_masks(layout, own);
  }
  if (channels <= 2) add({DeviceLayout::int16, channels, rate, 0, true});
  return candidates;
}

}  // namespace asiodrv::devices::wasapi
