#include "devices/wasapi/fake/formats.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace asiodrv::devices::wasapi::fake {
namespace {

// Odd, so that it has an inverse modulo 2^16: 40503 * 30599 = 1 (mod 65536).
constexpr std::uint32_t kSpread = 40'503, kGather = 30'599, kChannelStep = 977;
static_assert(((kSpread * kGather) & 0xFFFFU) == 1);

std::optional<Layout> layout_of(bool is_float, std::uint16_t bits, std::uint16_t valid) {
  if (is_float) return bits == 32 && valid == 32 ? std::optional(Layout::float32) : std::nullopt;
  if (bits == 16 && valid == 16) return Layout::int16;
  if (bits == 24 && valid == 24) return Layout::int24;
  if (bits == 32 && valid == 24) return Layout::int24_in_32;
  if (bits == 32 && valid == 32) return Layout::int32;
  return std::nullopt;
}

std::uint16_t valid_bits(Layout layout) {
  switch (layout) {
    case Layout::int16: return 16;
    case Layout::int24:
    case Layout::int24_in_32: return 24;
    case Layout::int32:
    case Layout::float32: return 32;
  }
  return 0;
}

}  // namespace

std::uint16_t container_bytes(Layout layout) noexcept {
  switch (layout) {
    case Layout::int16: return 2;
    case Layout::int24: return 3;
    case Layout::int24_in_32:
    case Layout::int32:
    case Layout::float32: return 4;
  }
  return 0;
}

std::optional<Format> parse(const WaveFormat* format) {
  if (format == nullptr) return std::nullopt;
  const WaveFormat base = *format;
  Format result;
  result.rate_hz = base.rate_hz;
  result.channels = base.channels;
  bool is_float = base.tag == kTagFloat;
  std::uint16_t valid = base.bits_per_sample;
  if (base.tag == kTagExtensible) {
    if (base.extra_bytes < 22) return std::nullopt;
    WaveFormatExtensible whole{};
    std::memcpy(&whole, format, sizeof whole);
    result.mask = whole.channel_mask;
    valid = whole.valid_bits;
    is_float = whole.sub_format == kSubFloat;
    if (!is_float && !(whole.sub_format == kSubPcm)) return std::nullopt;
  } else {
    if (base.tag != kTagPcm && base.tag != kTagFloat) return std::nullopt;
    result.is_extensible = false;
    result.mask = 0;
  }
  const std::optional<Layout> layout = layout_of(is_float, base.bits_per_sample, valid);
  if (!layout || base.channels == 0 || base.rate_hz == 0) return std::nullopt;
  result.layout = *layout;
  result.frame_bytes = static_cast<std::uint16_t>(base.channels * container_bytes(*layout));
  if (base.bytes_per_frame != result.frame_bytes) return std::nullopt;
  if (base.bytes_per_second != base.rate_hz * result.frame_bytes) return std::nullopt;
  return result;
}

WaveFormatExtensible extensible(Layout layout, std::uint32_t rate_hz, std::uint16_t channels,
                                std::uint32_t mask) {
  WaveFormatExtensible format{plain(layout, rate_hz, channels), valid_bits(layout), mask,
                              layout == Layout::float32 ? kSubFloat : kSubPcm};
  format.base.tag = kTagExtensible;
  format.base.extra_bytes = 22;
  return format;
}

WaveFormat plain(Layout layout, std::uint32_t rate_hz, std::uint16_t channels) {
  const std::uint16_t bytes = container_bytes(layout);
  const auto frame = static_cast<std::uint16_t>(bytes * channels);
  return {
      layout == Layout::float32 ? kTagFloat : kTagPcm, channels, rate_hz, rate_hz * frame, frame,
      static_cast<std::uint16_t>(8 * bytes),           0};
}

std::uint32_t usual_mask(std::uint16_t channels) noexcept {
  constexpr std::uint32_t kMasks[] = {0, 0x4, 0x3, 0xB, 0x33, 0x3B, 0x60F, 0x70F, 0x63F};
  return channels <= 8 ? kMasks[channels] : 0;
}

float read_sample(Layout layout, const std::uint8_t* bytes) noexcept {
  std::uint32_t word = 0;
  const std::uint16_t size = container_bytes(layout);
  std::memcpy(reinterpret_cast<std::uint8_t*>(&word) + (4 - size), bytes, size);
  if (layout == Layout::float32) return std::bit_cast<float>(word);
  if (layout == Layout::int24_in_32) word &= 0xFFFFFF00U;  // the converter ignores the low byte
  return static_cast<float>(static_cast<double>(static_cast<std::int32_t>(word)) * 0x1p-31);
}

void write_sample(Layout layout, float value, std::uint8_t* bytes) noexcept {
  const std::uint16_t size = container_bytes(layout);
  std::uint32_t word = std::bit_cast<std::uint32_t>(value);
  if (layout != Layout::float32) {
    const double scaled = std::floor(static_cast<double>(value) * 0x1p31);
    word = static_cast<std::uint32_t>(
        static_cast<std::int32_t>(std::clamp(scaled, -0x1p31, 0x1p31 - 1)));
    if (layout == Layout::int24_in_32) word &= 0xFFFFFF00U;
  }
  std::memcpy(bytes, reinterpret_cast<const std::uint8_t*>(&word) + (4 - size), size);
}

float signal(std::uint64_t frame, std::uint32_t channel) noexcept {
  const auto low = static_cast<std::uint32_t>(frame & 0xFFFFU);
  const std::uint32_t upper = (low * kSpread + channel * kChannelStep) & 0xFFFFU;
  const std::uint32_t word = (upper << 8U) | static_cast<std::uint32_t>((frame >> 16U) & 0xFFU);
  return static_cast<float>(static_cast<std::int32_t>(word) - 0x800000) * 0x1p-23F;
}

std::uint32_t frame_of_signal(float value, std::uint32_t channel) noexcept {
  const auto word = static_cast<std::uint32_t>(std::lround(value * 0x1p23F) + 0x800000);
  const std::uint32_t upper = (word >> 8U) & 0xFFFFU;
  const std::uint32_t low = ((upper - channel * kChannelStep) * kGather) & 0xFFFFU;
  return low | ((word & 0xFFU) << 16U);
}

}  // namespace asiodrv::devices::wasapi::fake
