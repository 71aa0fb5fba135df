// What the measurement plays: a few markers first, then a payload in an endless loop, all of it
// encoded beforehand into the driver's sample type. Markers and what is compared bit by bit are
// made of 16-bit numbers, which every type holds exactly; a sine is as exact as float and the type
// are.
//
//   cursor 0        a quiet hiss, until the stream has settled
//          m_0      marker 0 | hiss | marker 1 | hiss | ...    each unique, per channel too
//          payload  the file, noise, or a sine, looped
//
// The cursor counts frames that were handed to the driver; it knows nothing of lost periods.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/rt.hpp"

namespace asiodrv::host {

/// Planar 16-bit audio: [channel][frame], every channel of the same length.
using Planar16 = std::vector<std::vector<std::int16_t>>;
/// The same in floats; full scale is 1.0.
using PlanarFloat = std::vector<std::vector<float>>;

class TestSignal {
 public:
  static constexpr std::uint32_t kMarkers = 5;
  static constexpr std::uint32_t kMarkerFrames = 1023;
  static constexpr double kSineAmplitude = 0.5;

  /// `payload` has at least one channel and one frame; output channel c plays its channel
  /// c modulo the channels it has. `lead_frames` of hiss come first. Allocates.
  TestSignal(std::int32_t sample_type, std::uint32_t channels, std::uint32_t lead_frames,
             const Planar16& payload);
  /// The same with a payload in floats, which is not rounded to 16 bits on its way.
  [[nodiscard]] static TestSignal from_floats(std::int32_t sample_type, std::uint32_t channels,
                                              std::uint32_t lead_frames,
                                              const PlanarFloat& payload);

  /// Copies `frames` frames of output channel `channel` from `cursor` on, encoded.
  /// RT: wait-free, a few memcpys.
  void copy(std::uint64_t cursor, std::uint32_t channel, std::uint32_t frames,
            std::byte* into) const RT_SAFE;

  /// Cursor of the first frame of marker `number`, the same for every channel.
  [[nodiscard]] std::size_t marker_cursor(std::uint32_t number) const noexcept;
  /// Cursor at which the payload begins for the first time.
  [[nodiscard]] std::size_t payload_cursor() const noexcept { return preamble_frames_; }

  [[nodiscard]] std::uint32_t channels() const noexcept { return channels_; }
  [[nodiscard]] std::uint32_t bytes_per_sample() const noexcept { return bytes_; }

  /// Pseudo-random numbers of an eighth of full scale at most: every lost or repeated frame shows.
  [[nodiscard]] static Planar16 noise(std::uint32_t channels, std::uint32_t frames);
  /// One second of a sine, which loops without a seam: `rate` frames of one channel. A frequency of
  /// whole Hz and a rate of whole Hz make it so.
  [[nodiscard]] static PlanarFloat sine(std::uint32_t hz, std::uint32_t rate);

 private:
  TestSignal(std::int32_t sample_type, std::uint32_t channels, std::uint32_t lead_frames,
             std::size_t payload_frames);

  std::uint32_t channels_;
  std::uint32_t bytes_;
  std::uint32_t lead_frames_;
  std::size_t preamble_frames_;
  std::size_t payload_frames_;
  std::vector<std::vector<std::byte>> preamble_;  ///< per output channel
  std::vector<std::vector<std::byte>> payload_;   ///< per payload channel
};

}  // namespace asiodrv::host
