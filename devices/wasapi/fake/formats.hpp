// Wave formats as a driver judges them, and the sound that they carry.
#pragma once

#include <cstdint>
#include <optional>

#include "devices/wasapi/abi.hpp"

namespace asiodrv::devices::wasapi::fake {

/// How a sample lies in memory; integers are little-endian and left-justified.
enum class Layout : std::uint8_t { int16, int24, int24_in_32, int32, float32 };

/// Bytes of one sample's container.
std::uint16_t container_bytes(Layout layout) noexcept;

/// A format whose parts agree with each other.
struct Format {
  Layout layout = Layout::float32;
  std::uint32_t rate_hz = 48'000;
  std::uint16_t channels = 2;
  std::uint32_t mask = 3;
  bool is_extensible = true;
  std::uint16_t frame_bytes = 8;  ///< in the client's memory
  friend bool operator==(const Format&, const Format&) = default;
};

/// What a driver makes of `format`; nothing when its numbers contradict each other or when it is
/// no linear format of whole samples. A null pointer is nothing, too.
std::optional<Format> parse(const WaveFormat* format);

/// With sizes and sums filled in. `mask` may be 0.
WaveFormatExtensible extensible(Layout layout, std::uint32_t rate_hz, std::uint16_t channels,
                                std::uint32_t mask);
/// The old form, without mask and valid bits; 24 in 32 bits cannot be told by it.
WaveFormat plain(Layout layout, std::uint32_t rate_hz, std::uint16_t channels);

/// The speakers that usually stand for `channels`; 0 above eight.
std::uint32_t usual_mask(std::uint16_t channels) noexcept;

/// One sample at `bytes`; full scale is 1.
float read_sample(Layout layout, const std::uint8_t* bytes) noexcept;
/// Values beyond full scale are clipped.
void write_sample(Layout layout, float value, std::uint8_t* bytes) noexcept;

/// What every capture endpoint without a wire hears in its absolute frame `frame`: 24 bits that
/// look like noise and name their frame. Exact in all layouts but 16 bit, which keeps the upper two
/// bytes.
float signal(std::uint64_t frame, std::uint32_t channel) noexcept;
/// The frame modulo 2^24 whose signal on `channel` is `value`, which must have come through 24 bits
/// or more; of a value that came through 16 bits, only the frame modulo 65536 is right.
std::uint32_t frame_of_signal(float value, std::uint32_t channel) noexcept;

}  // namespace asiodrv::devices::wasapi::fake
