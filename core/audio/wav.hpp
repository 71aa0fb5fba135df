// WAV files as bytes: a strict reader for anything valid, and the headers that our writer emits.
// No file access here; see wav_file.hpp.
//
// Reads RIFF, RF64 and BW64; integer PCM of 1 to 32 bits in containers of 8, 16, 24 or 32 bits (so
// 20 in 24 and 24 in 32, left-justified as the format demands), float of 32 and 64 bits; plain and
// extensible headers; up to 1024 channels. What the format leaves to writers is tolerated: unknown
// chunks, a missing last padding byte, a wrong RIFF size, and a data chunk of unknown size (0 or
// 0x7FFFF000 and above, as programs that write to a pipe leave behind): it runs to the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/units.hpp"

namespace asiodrv::audio {

inline constexpr std::uint32_t kMaxWavChannels = 1024;
/// Samples of one file, all channels together: 1 GiB as floats.
inline constexpr std::uint64_t kMaxWavSamples = std::uint64_t{1} << 28U;

/// Sound in memory: planar, full scale [-1, 1).
struct WavAudio {
  SampleRate rate{};
  std::vector<std::vector<float>> channels;  ///< [channel][frame], all of one length

  [[nodiscard]] std::size_t frames() const noexcept {
    return channels.empty() ? 0 : channels.front().size();
  }
};

/// Reads a whole file image. Integers become value / 2^(bits - 1), exact to 24 bits, rounded to
/// the nearest float beyond; float32 is exact. NaN becomes 0 and what no float can hold becomes
/// full scale. Errors name what is wrong, its byte offset, and what is accepted:
///   malformed      not a WAV file, or a broken one
///   unsupported    a valid file of a coding other than PCM and float
///   limit_reached  more than kMaxWavChannels or kMaxWavSamples
/// Any thread. Allocates what it returns.
[[nodiscard]] Result<WavAudio> parse_wav(std::span<const std::byte> bytes);

/// What our writers emit.
enum class WavCoding { float32, int16 };

/// Bytes of one sample.
constexpr std::uint32_t wav_sample_bytes(WavCoding coding) noexcept {
  return coding == WavCoding::float32 ? 4 : 2;
}

struct WavShape {
  SampleRate rate{};
  std::uint32_t channels = 0;
  WavCoding coding = WavCoding::float32;

  [[nodiscard]] constexpr std::uint32_t frame_bytes() const noexcept {
    return channels * wav_sample_bytes(coding);
  }
};

/// Frames that fit into one file of this shape: its sizes are 32-bit. `channels` must not be 0.
[[nodiscard]] std::uint64_t max_wav_frames(const WavShape& shape) noexcept;

/// The bytes before the samples. Their count depends on the shape alone, so a header can be
/// rewritten in place when the length is known. More than two channels get an extensible header
/// without speaker positions. `frames` above max_wav_frames means "unknown": readers go to the end.
[[nodiscard]] std::vector<std::byte> wav_header(const WavShape& shape, std::uint64_t frames);

/// Appends `frames` frames of planar `channels`, interleaved and coded, to `target`. float32 is bit
/// for bit; int16 clips and rounds to nearest even.
void append_wav_samples(std::vector<std::byte>& target, WavCoding coding,
                        std::span<const float* const> channels, std::size_t frames);

/// A whole file image. Errors: invalid_argument (no channel, too many, lengths that differ, rate
/// 0), limit_reached (max_wav_frames).
[[nodiscard]] Result<std::vector<std::byte>> encode_wav(const WavAudio& audio, WavCoding coding);

/// Errors: invalid_argument, when no file can have this shape.
[[nodiscard]] Result<> check_wav_shape(const WavShape& shape);

}  // namespace asiodrv::audio
