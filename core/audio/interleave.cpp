#include "core/audio/interleave.hpp"

#include <algorithm>
#include <cstring>

#include "core/audio/sample_format.hpp"

namespace asiodrv::audio {
namespace {

constexpr std::uint32_t kChunk = 64;  // frames of one channel at a time

constexpr SampleType sample_type_of(DeviceLayout layout) noexcept {
  switch (layout) {
    case DeviceLayout::int16: return SampleType::int16;
    case DeviceLayout::int24: return SampleType::int24;
    case DeviceLayout::int24_in_32: return SampleType::int24;
    case DeviceLayout::int32: return SampleType::int32;
    case DeviceLayout::float32: return SampleType::float32;
  }
  return SampleType::float32;
}

/// Bytes of a sample that carry nothing; they come first.
constexpr std::uint32_t padding_of(DeviceLayout layout) noexcept {
  return layout == DeviceLayout::int24_in_32 ? 1 : 0;
}

constexpr bool takes_dither(DeviceLayout layout) noexcept {
  return sample_bytes(sample_type_of(layout)) < 4;
}

/// A sample's noise in steps of the integer: the sum of two uniform halves of one hash, (-1, 1).
constexpr float dither_at(std::uint64_t key, std::uint32_t place) noexcept {
  std::uint32_t x = place + static_cast<std::uint32_t>(key);
  x = (x ^ (x >> 16U)) * 0x7FEB352DU + static_cast<std::uint32_t>(key >> 32U);
  x = (x ^ (x >> 15U)) * 0x846CA68BU;
  x ^= x >> 16U;
  const std::uint32_t sum = (x & 0xFFFFU) + (x >> 16U);
  return static_cast<float>(static_cast<std::int32_t>(sum) - 0xFFFF) * 0x1p-16F;
}

}  // namespace

void deinterleave_to_float(DeviceLayout layout, const std::byte* source, PlanarView<float> target,
                           SimdPath) RT_SAFE {
  const SampleType type = sample_type_of(layout);
  const std::size_t bytes = sample_bytes(type);
  const std::size_t stride = std::size_t{target.channels} * device_layout_bytes(layout);
  std::byte packed[kChunk * sizeof(float)];
  for (std::uint32_t c = 0; c < target.channels; ++c) {
    const std::byte* from =
        source + std::size_t{c} * device_layout_bytes(layout) + padding_of(layout);
    for (std::uint32_t first = 0; first < target.frames.count; first += kChunk) {
      const std::uint32_t count = std::min(kChunk, target.frames.count - first);
      for (std::uint32_t i = 0; i < count; ++i) {
        std::memcpy(packed + i * bytes, from + (first + i) * stride, bytes);
      }
      to_float(type, packed, target.channel(c) + first, {count});
    }
  }
}

void interleave_from_float(DeviceLayout layout, PlanarView<const float> source, std::byte* target,
                           Dither* dither, SimdPath) RT_SAFE {
  const SampleType type = sample_type_of(layout);
  const std::size_t bytes = sample_bytes(type);
  const std::uint32_t padding = padding_of(layout);
  const std::size_t stride = std::size_t{source.channels} * device_layout_bytes(layout);
  const bool dithered = dither != nullptr && takes_dither(layout);
  const std::uint64_t key = dithered ? dither->next_key() : 0;
  const float step = bytes == 2 ? 0x1p-15F : 0x1p-23F;
  std::byte packed[kChunk * sizeof(float)];
  float noisy[kChunk];
  for (std::uint32_t c = 0; c < source.channels; ++c) {
    std::byte* to = target + std::size_t{c} * device_layout_bytes(layout);
    for (std::uint32_t first = 0; first < source.frames.count; first += kChunk) {
      const std::uint32_t count = std::min(kChunk, source.frames.count - first);
      const float* samples = source.channel(c) + first;
      if (dithered) {
        for (std::uint32_t i = 0; i < count; ++i) {
          const float sample = samples[i] == samples[i] ? samples[i] : 0.0F;
          noisy[i] = sample + step * dither_at(key, (first + i) * source.channels + c);
        }
        samples = noisy;
      }
      from_float(type, samples, packed, {count});
      for (std::uint32_t i = 0; i < count; ++i) {
        std::byte* sample = to + (first + i) * stride;
        if (padding != 0) sample[0] = std::byte{0};
        std::memcpy(sample + padding, packed + i * bytes, bytes);
      }
    }
  }
}

void deinterleave_to_float(DeviceLayout layout, const std::byte* source,
                           PlanarView<float> target) RT_SAFE {
  deinterleave_to_float(layout, source, target, best_simd_path());
}

void interleave_from_float(DeviceLayout layout, PlanarView<const float> source, std::byte* target,
                           Dither* dither) RT_SAFE {
  interleave_from_float(layout, source, target, dither, best_simd_path());
}

}  // namespace asiodrv::audio
