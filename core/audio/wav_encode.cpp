// The writing half of wav.hpp.
#include <array>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>

#include "core/audio/sample_format.hpp"
#include "core/audio/wav.hpp"

namespace asiodrv::audio {
namespace {

constexpr std::uint32_t kLengthUnknown = 0xFFFFFFFF;
constexpr std::size_t kMaxHeaderBytes = 80;

class HeaderWriter {
 public:
  HeaderWriter() { bytes_.reserve(kMaxHeaderBytes); }

  void id(std::string_view name) {
    for (const char character : name) bytes_.push_back(static_cast<std::byte>(character));
  }
  void u16(std::uint32_t value) {
    bytes_.push_back(static_cast<std::byte>(value & 0xFFU));
    bytes_.push_back(static_cast<std::byte>((value >> 8U) & 0xFFU));
  }
  void u32(std::uint32_t value) {
    u16(value & 0xFFFFU);
    u16(value >> 16U);
  }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

/// The fmt chunk: 16 bytes where they say all, 18 for float, 40 for more than two channels.
void write_format(HeaderWriter& out, const WavShape& shape) {
  const bool extensible = shape.channels > 2;
  const std::uint32_t tag = shape.coding == WavCoding::float32 ? 3 : 1;
  const std::uint32_t bits = wav_sample_bytes(shape.coding) * 8;
  out.id("fmt ");
  out.u32(extensible ? 40 : tag == 3 ? 18 : 16);
  out.u16(extensible ? 0xFFFE : tag);
  out.u16(shape.channels);
  out.u32(shape.rate.hz);
  out.u32(static_cast<std::uint32_t>(std::uint64_t{shape.rate.hz} * shape.frame_bytes()));
  out.u16(shape.frame_bytes());
  out.u16(bits);
  if (!extensible && tag == 3) out.u16(0);  // no extension follows
  if (!extensible) return;
  out.u16(22);    // bytes of extension
  out.u16(bits);  // all of them valid
  out.u32(0);     // no speaker positions: channels are just numbered
  out.u16(tag);   // the sub-format: the tag, then the tail that all of them share
  out.u16(0);
  out.u32(0x00100000);
  out.u32(0xAA000080);
  out.u32(0x719B3800);
}

}  // namespace

std::uint64_t max_wav_frames(const WavShape& shape) noexcept {
  // The RIFF size counts the header (less its first 8 bytes), the samples and a padding byte.
  return (std::numeric_limits<std::uint32_t>::max() - kMaxHeaderBytes) / shape.frame_bytes();
}

Result<> check_wav_shape(const WavShape& shape) {
  if (shape.channels == 0 || shape.channels > kMaxWavChannels) {
    return fail(ErrorCode::invalid_argument,
                "A WAV file has 1 to 1024 channels, not " + std::to_string(shape.channels) + ".");
  }
  if (shape.rate.hz == 0) {
    return fail(ErrorCode::invalid_argument, "A WAV file needs a sample rate above 0.");
  }
  return {};
}

std::vector<std::byte> wav_header(const WavShape& shape, std::uint64_t frames) {
  const bool known = frames <= max_wav_frames(shape);
  const std::uint64_t data = known ? frames * shape.frame_bytes() : 0;
  HeaderWriter out;
  out.id("RIFF");
  out.u32(0);  // below, when the header's own length is known
  out.id("WAVE");
  write_format(out, shape);
  if (shape.coding == WavCoding::float32) {  // the format demands it of everything but PCM
    out.id("fact");
    out.u32(4);
    out.u32(known ? static_cast<std::uint32_t>(frames) : kLengthUnknown);
  }
  out.id("data");
  out.u32(known ? static_cast<std::uint32_t>(data) : kLengthUnknown);
  std::vector<std::byte> header = out.take();
  // A frame of one int16 channel or more is always even: no padding byte is ever needed.
  const auto riff = known ? static_cast<std::uint32_t>(header.size() - 8 + data) : kLengthUnknown;
  std::memcpy(header.data() + 4, &riff, sizeof riff);
  return header;
}

void append_wav_samples(std::vector<std::byte>& target, WavCoding coding,
                        std::span<const float* const> channels, std::size_t frames) {
  constexpr std::size_t kSlice = 256;
  const SampleType type = coding == WavCoding::float32 ? SampleType::float32 : SampleType::int16;
  const std::size_t sample = wav_sample_bytes(coding);
  const std::size_t frame = sample * channels.size();
  const std::size_t start = target.size();
  target.resize(start + frames * frame);
  std::array<std::byte, kSlice * 4> coded;
  for (std::size_t done = 0; done < frames; done += kSlice) {
    const std::size_t count = frames - done < kSlice ? frames - done : kSlice;
    for (std::size_t channel = 0; channel < channels.size(); ++channel) {
      from_float(type, channels[channel] + done, coded.data(),
                 Frames{static_cast<std::uint32_t>(count)});
      std::byte* to = target.data() + start + done * frame + channel * sample;
      for (std::size_t i = 0; i < count; ++i) {
        std::memcpy(to + i * frame, coded.data() + i * sample, sample);
      }
    }
  }
}

Result<std::vector<std::byte>> encode_wav(const WavAudio& audio, WavCoding coding) {
  // A count beyond 32 bits is refused as one that is too large.
  const auto count = static_cast<std::uint32_t>(
      audio.channels.size() > kMaxWavChannels ? kMaxWavChannels + 1 : audio.channels.size());
  const WavShape shape{audio.rate, count, coding};
  if (Result<> checked = check_wav_shape(shape); !checked) return tl::unexpected(checked.error());
  std::vector<const float*> channels;
  for (const std::vector<float>& channel : audio.channels) {
    if (channel.size() != audio.frames()) {
      return fail(ErrorCode::invalid_argument,
                  "All channels of a WAV file need the same length; channel 0 has " +
                      std::to_string(audio.frames()) + " frames and channel " +
                      std::to_string(channels.size()) + " has " + std::to_string(channel.size()) +
                      ".");
    }
    channels.push_back(channel.data());
  }
  if (audio.frames() > max_wav_frames(shape)) {
    return fail(ErrorCode::limit_reached, "A WAV file of this shape holds up to " +
                                              std::to_string(max_wav_frames(shape)) + " frames.");
  }
  std::vector<std::byte> file = wav_header(shape, audio.frames());
  append_wav_samples(file, coding, channels, audio.frames());
  return file;
}

}  // namespace asiodrv::audio
