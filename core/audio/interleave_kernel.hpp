// The loops behind core/audio/interleave.hpp, one copy per instruction set. Internal to core/audio.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/audio/interleave.hpp"

namespace asiodrv::audio::kernel {

/// A device's block to the engine's. Both have `channels` times `frames` samples.
struct DeinterleaveJob {
  const std::byte* source;
  float* const* targets;  ///< one block per channel
  std::uint32_t channels;
  std::uint32_t frames;
};

/// The engine's block to a device's.
struct InterleaveJob {
  const float* const* sources;  ///< one block per channel
  std::byte* target;
  std::uint32_t channels;
  std::uint32_t frames;
  bool dithered;      ///< where the layout takes it
  std::uint64_t key;  ///< of the block's noise, when dithered
};

/// The noise of one sample, in 32 random bits that depend on the block's key and the sample's place
/// in the block alone: every path finds the same, in whatever order it goes. The mixing is that of
/// a 32-bit hash: two odd multipliers between shifts. The upper half of the key comes in between,
/// so that blocks differ by more than where they begin.
inline constexpr std::uint32_t kFirstMultiplier = 0x7FEB352DU;
inline constexpr std::uint32_t kSecondMultiplier = 0x846CA68BU;

using Deinterleave = void (*)(DeviceLayout layout, const DeinterleaveJob& job) RT_SAFE;
using Interleave = void (*)(DeviceLayout layout, const InterleaveJob& job) RT_SAFE;

void deinterleave_baseline(DeviceLayout layout, const DeinterleaveJob& job) RT_SAFE;
void deinterleave_avx2(DeviceLayout layout, const DeinterleaveJob& job) RT_SAFE;
void deinterleave_avx512(DeviceLayout layout, const DeinterleaveJob& job) RT_SAFE;

void interleave_baseline(DeviceLayout layout, const InterleaveJob& job) RT_SAFE;
void interleave_avx2(DeviceLayout layout, const InterleaveJob& job) RT_SAFE;
void interleave_avx512(DeviceLayout layout, const InterleaveJob& job) RT_SAFE;

}  // namespace asiodrv::audio::kernel
