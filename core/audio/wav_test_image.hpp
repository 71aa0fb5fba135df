// Builds WAV files byte by byte, valid and broken ones. Tests only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace asiodrv::audio::test {

class Image {
 public:
  Image& id(std::string_view name) {
    for (const char character : name) bytes_.push_back(static_cast<std::byte>(character));
    return *this;
  }
  Image& u8(std::uint8_t value) { return raw(&value, 1); }
  Image& u16(std::uint16_t value) { return raw(&value, 2); }
  Image& u24(std::uint32_t value) { return raw(&value, 3); }
  Image& u32(std::uint32_t value) { return raw(&value, 4); }
  Image& f32(float value) { return raw(&value, 4); }
  Image& f64(double value) { return raw(&value, 8); }
  Image& append(const Image& other) { return raw(other.bytes_.data(), other.bytes_.size()); }

  [[nodiscard]] const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  Image& raw(const void* value, std::size_t size) {
    const auto* from = static_cast<const std::byte*>(value);
    for (std::size_t i = 0; i < size; ++i) bytes_.push_back(from[i]);
    return *this;
  }
  std::vector<std::byte> bytes_;
};

/// The body of a plain PCM fmt chunk at 48 kHz.
inline Image pcm_format(std::uint16_t channels, std::uint16_t bits) {
  const auto frame = static_cast<std::uint16_t>(channels * bits / 8);
  return Image().u16(1).u16(channels).u32(48'000).u32(48'000U * frame).u16(frame).u16(bits);
}

/// A file of one fmt chunk and one data chunk, sizes right.
inline std::vector<std::byte> wav_image(const Image& format, const Image& samples) {
  const auto format_bytes = static_cast<std::uint32_t>(format.bytes().size());
  const auto data_bytes = static_cast<std::uint32_t>(samples.bytes().size());
  return Image()
      .id("RIFF")
      .u32(20 + format_bytes + data_bytes)
      .id("WAVE")
      .id("fmt ")
      .u32(format_bytes)
      .append(format)
      .id("data")
      .u32(data_bytes)
      .append(samples)
      .bytes();
}

}  // namespace asiodrv::audio::test
