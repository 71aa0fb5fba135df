// Conversion between a device's interleaved blocks and the engine's planar float blocks, in one
// pass over both.
//
// Scale, rounding, clipping and NaN follow core/audio/sample_format.hpp: full scale is [-1, 1), an
// integer of b bits is its value / 2^(b-1), little-endian; halves round to even.
//
//   layout       bytes  device -> engine -> device   engine -> device
//   int16        2      identity, all 2^16 values    clips, rounds
//   int24        3      identity, all 2^24 values    clips, rounds
//   int24_in_32  4      identity, all 2^24 values    clips, rounds to 24 bits; the low byte is zero
//   int32        4      identity for values of at    clips, rounds
//                       most 24 significant bits
//   float32      4      identity but for NaN (0)     bit for bit: no clipping; the caller clips
//   once
//                       and infinities (full scale)  (core/audio/mix.hpp)
//
// Shape: a device block holds `frames` frames of `channels` samples each without gaps, as many as
// the planar view has. Any number of either, from 0 up; no alignment needed on either side; blocks
// must not overlap. Nothing outside of the blocks is read or written. A device sample may be read
// twice, so the device must not write its block meanwhile.
// RT: wait-free, O(frames * channels), no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/audio/simd_path.hpp"
#include "core/base/planar.hpp"
#include "core/base/prng.hpp"
#include "core/base/rt.hpp"

namespace asiodrv::audio {

/// How a device lays out one sample. Little-endian.
enum class DeviceLayout : std::uint32_t {
  int16,
  int24,        ///< packed into 3 bytes
  int24_in_32,  ///< the upper 3 of 4 bytes: value * 256. What the low byte holds is ignored.
  int32,
  float32,
};

inline constexpr std::array kDeviceLayouts{DeviceLayout::int16, DeviceLayout::int24,
                                           DeviceLayout::int24_in_32, DeviceLayout::int32,
                                           DeviceLayout::float32};

/// Bytes of one sample of one channel.
constexpr std::uint32_t device_layout_bytes(DeviceLayout layout) noexcept {
  switch (layout) {
    case DeviceLayout::int16: return 2;
    case DeviceLayout::int24: return 3;
    case DeviceLayout::int24_in_32: return 4;
    case DeviceLayout::int32: return 4;
    case DeviceLayout::float32: return 4;
  }
  return 4;
}

constexpr std::string_view device_layout_name(DeviceLayout layout) noexcept {
  switch (layout) {
    case DeviceLayout::int16: return "int16";
    case DeviceLayout::int24: return "int24";
    case DeviceLayout::int24_in_32: return "int24_in_32";
    case DeviceLayout::int32: return "int32";
    case DeviceLayout::float32: return "float32";
  }
  return "float32";
}

/// Noise that is added before rounding to 16 or 24 bits, so that what is rounded off is heard as a
/// steady hiss and not as distortion: triangular (TPDF), within one step of the integer either way,
/// mean 0, variance 1/6 of a squared step. Independent from sample to sample and channel to
/// channel. Silence becomes hiss, too, and integers that went through the engine unchanged are no
/// longer identical: for a sink whose sound was really calculated.
///
/// One per stream; one thread at a time. RT: wait-free, no allocation.
class Dither {
 public:
  explicit constexpr Dither(std::uint64_t seed = 1) noexcept : keys_(seed) {}

  /// Starts the noise of the next block: 64 bits that choose it.
  constexpr std::uint64_t next_key() noexcept { return keys_.next(); }

 private:
  Prng keys_;
};

/// Every device sample to the engine's channel of its place. RT, any thread.
void deinterleave_to_float(DeviceLayout layout, const std::byte* source,
                           PlanarView<float> target) RT_SAFE;

/// The engine's channels into the device's frames. `dither`, if any, is used for int16, int24 and
/// int24_in_32 and ignored for the others. RT, any thread.
void interleave_from_float(DeviceLayout layout, PlanarView<const float> source, std::byte* target,
                           Dither* dither = nullptr) RT_SAFE;

/// As above on a chosen path, which must be available. All paths give the same bits.
void deinterleave_to_float(DeviceLayout layout, const std::byte* source, PlanarView<float> target,
                           SimdPath path) RT_SAFE;
void interleave_from_float(DeviceLayout layout, PlanarView<const float> source, std::byte* target,
                           Dither* dither, SimdPath path) RT_SAFE;

}  // namespace asiodrv::audio
