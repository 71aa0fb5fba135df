// A burst of noise that is known beforehand, and how it is found in a recording: whatever the level
// and the polarity that it comes back with, beside other sound and on top of a constant.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace asiodrv::audio {

/// A small generator of 32 pseudo-random bits (xorshift); `state` must not be zero.
constexpr std::uint32_t next_noise(std::uint32_t& state) noexcept {
  state ^= state << 13U;
  state ^= state >> 17U;
  state ^= state << 5U;
  return state;
}

/// Plus and minus a quarter of full scale: strong enough for a cable, far from clipping.
inline constexpr std::int16_t kMarkerAmplitude = 8192;

/// Fills `into` with one of many markers, each unlike every other at every shift. 16-bit numbers:
/// every sample type holds them exactly.
void write_marker(std::uint32_t channel, std::uint32_t number, std::span<std::int16_t> into);

struct MarkerSighting {
  double place = 0;     ///< frame of the recording at which it begins, to a fraction
  double gain = 0;      ///< a factor on the way; negative: the polarity is reversed
  double match = 0;     ///< 1: nothing else is heard there; 0: nothing of it is
  double contrast = 0;  ///< match against what chance gives anywhere (rms); 4 or 5 is chance itself
};

/// Looks for all of `marker` in `heard` (full scale 1) and gives the place where it matches best,
/// or, where it comes back several times, the first of those that match almost as well. Nothing
/// when `heard` is shorter or silent.
/// The fraction assumes that what lies between is free of aliasing, as converters and resamplers
/// are: then it is right to a few hundredths of a frame for 1000 frames of marker and more.
/// Control thread. O(M log M), M the frames of `heard`; allocates about 64 bytes per frame.
[[nodiscard]] std::optional<MarkerSighting> find_marker(std::span<const float> marker,
                                                        std::span<const float> heard);

}  // namespace asiodrv::audio
