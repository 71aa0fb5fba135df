#include "core/audio/wav.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "core/audio/sample_format.hpp"

namespace asiodrv::audio {
namespace {

constexpr std::uint32_t kUnknownSize = 0xFFFFFFFF;
// Programs that write to a pipe leave different "endless" sizes; the smallest in use is this.
constexpr std::uint32_t kEndlessSize = 0x7FFFF000;
constexpr std::uint16_t kTagPcm = 1;
constexpr std::uint16_t kTagFloat = 3;
constexpr std::uint16_t kTagExtensible = 0xFFFE;
// The last 14 bytes of every sub-format that stands for a plain format tag.
constexpr std::array<std::uint8_t, 14> kSubFormatTail{0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80,
                                                      0x00, 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71};

constexpr std::string_view kAccepted =
    "Accepted are integer PCM of up to 32 bits and float of 32 or 64 bits";

std::string at(std::uint64_t offset) { return " at byte " + std::to_string(offset); }

auto malformed(std::string message) { return fail(ErrorCode::malformed, std::move(message)); }

/// Little-endian bytes with bounds that the caller has checked.
class Bytes {
 public:
  explicit Bytes(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}

  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }

  template <class Integer>
  [[nodiscard]] Integer read(std::uint64_t offset) const noexcept {
    static_assert(std::endian::native == std::endian::little);
    Integer value;
    std::memcpy(&value, data(offset), sizeof value);
    return value;
  }

  [[nodiscard]] bool has_id(std::uint64_t offset, std::string_view id) const noexcept {
    return std::memcmp(data(offset), id.data(), id.size()) == 0;
  }

  /// The four characters of a chunk's name, fit for a sentence.
  [[nodiscard]] std::string id(std::uint64_t offset) const {
    std::string text(4, '?');
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto character =
          static_cast<unsigned char>(bytes_[static_cast<std::size_t>(offset) + i]);
      if (character >= 0x20 && character < 0x7F) text[i] = static_cast<char>(character);
    }
    return text;
  }

  [[nodiscard]] const std::byte* data(std::uint64_t offset) const noexcept {
    return bytes_.data() + static_cast<std::size_t>(offset);
  }

 private:
  std::span<const std::byte> bytes_;
};

struct Chunk {
  std::uint64_t offset = 0;  ///< of its name
  std::uint32_t size = 0;    ///< as the file says, without the 8 bytes of name and size

  [[nodiscard]] std::uint64_t body() const noexcept { return offset + 8; }
  /// Where the next chunk starts: sizes are padded to even.
  [[nodiscard]] std::uint64_t next() const noexcept { return body() + size + (size & 1U); }
};

struct Format {
  bool is_float = false;
  std::uint32_t channels = 0;
  std::uint32_t rate_hz = 0;
  std::uint32_t container_bytes = 0;  ///< of one sample

  [[nodiscard]] std::size_t frame_bytes() const noexcept {
    return std::size_t{channels} * container_bytes;
  }
};

/// The coding that the fmt chunk names, looking through an extensible header.
Result<std::uint16_t> parse_tag(const Bytes& bytes, const Chunk& chunk) {
  const std::uint64_t body = chunk.body();
  const auto tag = bytes.read<std::uint16_t>(body);
  if (tag != kTagExtensible) return tag;
  if (chunk.size < 40) {
    return malformed("The extensible fmt chunk" + at(chunk.offset) + " has " +
                     std::to_string(chunk.size) + " bytes; it needs 40.");
  }
  if (std::memcmp(bytes.data(body + 26), kSubFormatTail.data(), kSubFormatTail.size()) != 0) {
    return fail(ErrorCode::unsupported,
                "The sub-format" + at(body + 24) + " is unknown. " + std::string(kAccepted) + ".");
  }
  return bytes.read<std::uint16_t>(body + 24);
}

Result<Format> parse_format(const Bytes& bytes, const Chunk& chunk) {
  if (chunk.size < 16) {
    return malformed("The fmt chunk" + at(chunk.offset) + " has " + std::to_string(chunk.size) +
                     " bytes; it needs at least 16.");
  }
  const Result<std::uint16_t> tag = parse_tag(bytes, chunk);
  if (!tag) return tl::unexpected(tag.error());
  const std::uint64_t body = chunk.body();
  if (*tag != kTagPcm && *tag != kTagFloat) {
    return fail(ErrorCode::unsupported, "The format tag" + at(body) + " is " +
                                            std::to_string(*tag) + ". " + std::string(kAccepted) +
                                            ".");
  }
  Format format;
  format.is_float = *tag == kTagFloat;
  format.channels = bytes.read<std::uint16_t>(body + 2);
  format.rate_hz = bytes.read<std::uint32_t>(body + 4);
  const std::uint32_t frame_bytes = bytes.read<std::uint16_t>(body + 12);
  const std::uint32_t bits = bytes.read<std::uint16_t>(body + 14);
  if (format.channels == 0) {
    return malformed("The channel count" + at(body + 2) + " is 0; it must be 1 to 1024.");
  }
  if (format.channels > kMaxWavChannels) {
    return fail(ErrorCode::limit_reached, "The channel count" + at(body + 2) + " is " +
                                              std::to_string(format.channels) +
                                              "; 1 to 1024 are accepted.");
  }
  if (format.rate_hz == 0) {
    return malformed("The sample rate" + at(body + 4) + " is 0; it must be positive.");
  }
  if (frame_bytes == 0 || frame_bytes % format.channels != 0) {
    return malformed("The frame size" + at(body + 12) + " is " + std::to_string(frame_bytes) +
                     " bytes; it must be a positive multiple of the " +
                     std::to_string(format.channels) + " channels.");
  }
  format.container_bytes = frame_bytes / format.channels;
  const bool known =
      format.is_float
          ? (format.container_bytes == 4 || format.container_bytes == 8) &&
                bits == format.container_bytes * 8
          : format.container_bytes <= 4 && bits >= 1 && bits <= format.container_bytes * 8;
  if (!known) {
    return malformed("The sample size" + at(body + 14) + " is " + std::to_string(bits) +
                     " bits in " + std::to_string(format.container_bytes) + " bytes. " +
                     std::string(kAccepted) + ".");
  }
  return format;
}

/// Whether well-formed chunks fill the bytes from `offset` to the end exactly.
bool is_chunk_chain(const Bytes& bytes, std::uint64_t offset) {
  while (offset + 8 <= bytes.size()) {
    for (std::uint64_t i = 0; i < 4; ++i) {
      const auto character = bytes.read<std::uint8_t>(offset + i);
      if (character < 0x20 || character > 0x7E) return false;
    }
    const Chunk chunk{offset, bytes.read<std::uint32_t>(offset + 4)};
    if (chunk.body() + chunk.size == bytes.size()) return true;
    offset = chunk.next();
  }
  return offset == bytes.size();
}

/// How many bytes of samples follow, once every lie that the format knows is seen through.
/// `long_size` is the 64-bit size of an RF64 file.
Result<std::uint64_t> data_bytes(const Bytes& bytes, const Chunk& chunk, const Format& format,
                                 std::optional<std::uint64_t> long_size) {
  const std::uint64_t present = bytes.size() - chunk.body();
  const bool is_long = chunk.size == kUnknownSize && long_size && *long_size != 0;
  const std::uint64_t said = is_long ? *long_size : chunk.size;
  const bool endless =
      !is_long && (said == kUnknownSize || (said >= kEndlessSize && said > present) ||
                   (said == 0 && !is_chunk_chain(bytes, chunk.body())));
  if (endless) return present - present % format.frame_bytes();
  if (said > present) {
    return malformed("The data chunk" + at(chunk.offset) + " promises " + std::to_string(said) +
                     " bytes, but the file ends after " + std::to_string(present) +
                     " of them: it is cut short.");
  }
  if (said % format.frame_bytes() != 0) {
    return malformed("The data chunk" + at(chunk.offset) + " has " + std::to_string(said) +
                     " bytes; they must be whole frames of " +
                     std::to_string(format.frame_bytes()) + " bytes.");
  }
  return said;
}

float from_double(double value) noexcept {
  if (std::isnan(value)) return 0.0F;
  if (std::abs(value) > static_cast<double>(std::numeric_limits<float>::max())) {
    return value < 0.0 ? -1.0F : 1.0F;
  }
  return static_cast<float>(value);
}

/// One channel, contiguous, into samples. `packed` holds `frames` containers.
void decode(const Format& format, const std::byte* packed, float* target, std::uint32_t frames) {
  if (format.is_float && format.container_bytes == 8) {
    for (std::uint32_t i = 0; i < frames; ++i) {
      double value;
      std::memcpy(&value, packed + std::size_t{i} * 8, sizeof value);
      target[i] = from_double(value);
    }
    return;
  }
  if (format.container_bytes == 1) {  // the one unsigned type
    for (std::uint32_t i = 0; i < frames; ++i) {
      target[i] = static_cast<float>(static_cast<int>(packed[i]) - 128) / 128.0F;
    }
    return;
  }
  const SampleType type = format.is_float               ? SampleType::float32
                          : format.container_bytes == 4 ? SampleType::int32
                          : format.container_bytes == 3 ? SampleType::int24
                                                        : SampleType::int16;
  to_float(type, packed, target, Frames{frames});
}

WavAudio decode_all(const Format& format, const std::byte* data, std::size_t frames) {
  constexpr std::uint32_t kSlice = 1024;
  std::array<std::byte, std::size_t{kSlice} * 8> packed;
  const std::size_t sample_bytes = format.container_bytes;
  WavAudio audio;
  audio.rate = {format.rate_hz};
  audio.channels.assign(format.channels, std::vector<float>(frames));
  for (std::size_t done = 0; done < frames; done += kSlice) {
    const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(kSlice, frames - done));
    for (std::uint32_t channel = 0; channel < format.channels; ++channel) {
      const std::byte* from = data + done * format.frame_bytes() + channel * sample_bytes;
      for (std::uint32_t i = 0; i < count; ++i) {
        std::memcpy(packed.data() + i * sample_bytes, from + i * format.frame_bytes(),
                    sample_bytes);
      }
      decode(format, packed.data(), audio.channels[channel].data() + done, count);
    }
  }
  return audio;
}

Result<WavAudio> parse_data(const Bytes& bytes, const Chunk& chunk, const Format& format,
                            std::optional<std::uint64_t> long_size) {
  const Result<std::uint64_t> size = data_bytes(bytes, chunk, format, long_size);
  if (!size) return tl::unexpected(size.error());
  if (*size / format.container_bytes > kMaxWavSamples) {
    return fail(ErrorCode::limit_reached, "The data chunk" + at(chunk.offset) + " holds " +
                                              std::to_string(*size / format.container_bytes) +
                                              " samples; up to " + std::to_string(kMaxWavSamples) +
                                              " are accepted.");
  }
  return decode_all(format, bytes.data(chunk.body()),
                    static_cast<std::size_t>(*size / format.frame_bytes()));
}

}  // namespace

Result<WavAudio> parse_wav(std::span<const std::byte> file) {
  const Bytes bytes(file);
  if (bytes.size() < 12) {
    return malformed("The file has " + std::to_string(bytes.size()) +
                     " bytes; a WAV file needs more than 12.");
  }
  const bool is_long = bytes.has_id(0, "RF64") || bytes.has_id(0, "BW64");
  if ((!bytes.has_id(0, "RIFF") && !is_long) || !bytes.has_id(8, "WAVE")) {
    return malformed("This is not a WAV file: it begins with '" + bytes.id(0) + "' and '" +
                     bytes.id(8) + "' at byte 8; RIFF (or RF64, BW64) and WAVE are accepted.");
  }
  std::optional<Format> format;
  std::optional<std::uint64_t> long_size;
  std::uint64_t offset = 12;
  while (offset + 8 <= bytes.size()) {
    const Chunk chunk{offset, bytes.read<std::uint32_t>(offset + 4)};
    if (bytes.has_id(offset, "data")) {
      if (!format) {
        return malformed("The data chunk" + at(offset) + " comes before any fmt chunk.");
      }
      return parse_data(bytes, chunk, *format, long_size);
    }
    if (chunk.body() + chunk.size > bytes.size()) {
      return malformed("The chunk '" + bytes.id(offset) + "'" + at(offset) + " promises " +
                       std::to_string(chunk.size) + " bytes, but the file ends after " +
                       std::to_string(bytes.size() - chunk.body()) + " of them.");
    }
    if (bytes.has_id(offset, "fmt ")) {
      if (format)
        return malformed("There is a second fmt chunk" + at(offset) + "; one is allowed.");
      const Result<Format> parsed = parse_format(bytes, chunk);
      if (!parsed) return tl::unexpected(parsed.error());
      format = *parsed;
    } else if (is_long && bytes.has_id(offset, "ds64") && chunk.size >= 16) {
      long_size = bytes.read<std::uint64_t>(chunk.body() + 8);
    }
    offset = chunk.next();
  }
  return malformed("The file ends" + at(bytes.size()) + " without a " +
                   (format ? "data" : "fmt and a data") + " chunk.");
}

}  // namespace asiodrv::audio
