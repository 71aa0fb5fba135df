// Formats of streams: what we ask for, in which order, and what to think of the ones that the
// system returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/audio/interleave.hpp"
#include "core/base/units.hpp"
#include "devices/wasapi/abi.hpp"

namespace asiodrv::devices::wasapi {

inline constexpr std::uint32_t kMaxChannels = 64;
inline constexpr std::uint32_t kMaxRateHz = 768'000;

struct StreamFormat {
  audio::DeviceLayout layout = audio::DeviceLayout::float32;
  std::uint32_t channels = 0;
  SampleRate rate{};
  std::uint32_t mask = 0;  ///< speakers; 0: none named
  bool plain = false;      ///< WAVEFORMATEX alone: at most 2 channels of int16

  [[nodiscard]] std::uint32_t frame_bytes() const noexcept {
    return channels * audio::device_layout_bytes(layout);
  }
  friend bool operator==(const StreamFormat&, const StreamFormat&) = default;
};

/// "48000 Hz, 2 channels, int16"
[[nodiscard]] std::string format_text(const StreamFormat& format);

/// The speakers that the field uses for 1 to 8 channels; beyond, the lowest ones (at most 18), and
/// none from 19 channels up.
[[nodiscard]] std::uint32_t standard_mask(std::uint32_t channels) noexcept;

/// For the system; `base` is what the calls take.
[[nodiscard]] WaveFormatExtensible make_wave_format(const StreamFormat& format) noexcept;

/// Judges `bytes`, which hold a WAVEFORMATEX and what follows it. Nothing when the format
/// contradicts itself, or is one that we do not convert (20 bits, compressed, more than 64
/// channels).
[[nodiscard]] std::optional<StreamFormat> read_wave_format(std::span<const std::byte> bytes);

/// The same for memory of the system: copies what its own length names.
[[nodiscard]] std::optional<StreamFormat> copy_wave_format(const WaveFormat* format);

/// What to try for an exclusive stream, best first: the layout of the format that was chosen in
/// Windows, then the widest, extensible ones first, masks standard, own, none; plain last and for
/// int16 only, because there are drivers that take 24 bits for something else in a plain format.
[[nodiscard]] std::vector<StreamFormat> exclusive_candidates(
    SampleRate rate, std::uint32_t channels, const std::optional<StreamFormat>& chosen);

/// Frames of a duration in 100 ns and back, rounded to the nearest as drivers do it.
[[nodiscard]] constexpr std::uint32_t frames_of(ReferenceTime hns, SampleRate rate) noexcept {
  return static_cast<std::uint32_t>((hns * rate.hz + 5'000'000) / 10'000'000);
}
[[nodiscard]] constexpr ReferenceTime hns_of(std::uint32_t frames, SampleRate rate) noexcept {
  return (std::int64_t{frames} * 10'000'000 + rate.hz / 2) / rate.hz;
}

}  // namespace asiodrv::devices::wasapi
