#include "host/samples.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

static_assert(std::endian::native == std::endian::little);

namespace asiodrv::host {
namespace {

/// How a type stores one sample: `bits` significant ones at the low end of `bytes`.
struct Layout {
  std::uint32_t bytes;
  std::uint32_t bits;
  bool is_float;
  bool big_endian;
};

constexpr Layout kNone{0, 0, false, false};

constexpr Layout layout_of(std::int32_t type) noexcept {
  switch (type) {
    case 0: return {2, 16, false, true};
    case 1: return {3, 24, false, true};
    case 2: return {4, 32, false, true};
    case 3: return {4, 32, true, true};
    case 4: return {8, 64, true, true};
    case 8: return {4, 16, false, true};
    case 9: return {4, 18, false, true};
    case 10: return {4, 20, false, true};
    case 11: return {4, 24, false, true};
    case 16: return {2, 16, false, false};
    case 17: return {3, 24, false, false};
    case 18: return {4, 32, false, false};
    case 19: return {4, 32, true, false};
    case 20: return {8, 64, true, false};
    case 24: return {4, 16, false, false};
    case 25: return {4, 18, false, false};
    case 26: return {4, 20, false, false};
    case 27: return {4, 24, false, false};
    default: return kNone;
  }
}

void store(const Layout& layout, std::int16_t value, std::byte* into) noexcept {
  std::byte word[8] = {};
  if (layout.is_float) {
    const float single = static_cast<float>(value) / 32768.0F;  // exact: 16 bits fit in 24
    const double real = single;
    if (layout.bytes == 4) {
      std::memcpy(word, &single, 4);
    } else {
      std::memcpy(word, &real, 8);
    }
  } else {
    const auto wide = static_cast<std::int32_t>(value) * (std::int32_t{1} << (layout.bits - 16));
    std::memcpy(word, &wide, 4);  // the low bytes first; sign-extended into the rest
  }
  if (layout.big_endian) std::reverse(word, word + layout.bytes);
  std::memcpy(into, word, layout.bytes);
}

float load(const Layout& layout, const std::byte* from) noexcept {
  std::byte word[8] = {};
  std::memcpy(word, from, layout.bytes);
  if (layout.big_endian) std::reverse(word, word + layout.bytes);
  if (layout.is_float && layout.bytes == 4) {
    float single = 0;
    std::memcpy(&single, word, 4);
    return single;
  }
  if (layout.is_float) {
    double real = 0;
    std::memcpy(&real, word, 8);
    return static_cast<float>(real);
  }
  std::uint32_t wide = 0;
  std::memcpy(&wide, word, std::min<std::uint32_t>(layout.bytes, 4));
  const auto at_top = static_cast<std::int32_t>(wide << (32 - layout.bits));  // sign to bit 31
  return static_cast<float>(static_cast<double>(at_top) / 2147483648.0);
}

}  // namespace

std::uint32_t sample_bytes(std::int32_t type) noexcept { return layout_of(type).bytes; }

void encode_samples(std::int32_t type, std::span<const std::int16_t> values,
                    std::byte* bytes) RT_SAFE {
  const Layout layout = layout_of(type);
  for (const std::int16_t value : values) {
    store(layout, value, bytes);
    bytes += layout.bytes;
  }
}

void encode_float(std::int32_t type, float value, std::byte* bytes) noexcept {
  const Layout layout = layout_of(type);
  if (!(value == value)) value = 0.0F;
  std::byte word[8] = {};
  const double real = value;
  if (layout.is_float && layout.bytes == 4) {
    std::memcpy(word, &value, 4);
  } else if (layout.is_float) {
    std::memcpy(word, &real, 8);
  } else {
    const double scale = std::ldexp(1.0, static_cast<int>(layout.bits) - 1);
    const double scaled = std::clamp(std::nearbyint(real * scale), -scale, scale - 1.0);
    const auto wide = static_cast<std::int32_t>(scaled);
    std::memcpy(word, &wide, 4);
  }
  if (layout.big_endian) std::reverse(word, word + layout.bytes);
  std::memcpy(bytes, word, layout.bytes);
}

void encode_floats(std::int32_t type, std::span<const float> values, std::byte* bytes) noexcept {
  for (const float value : values) {
    encode_float(type, value, bytes);
    bytes += sample_bytes(type);
  }
}

void decode_samples(std::int32_t type, const std::byte* bytes, std::span<float> values) RT_SAFE {
  const Layout layout = layout_of(type);
  for (float& value : values) {
    value = load(layout, bytes);
    bytes += layout.bytes;
  }
}

std::int16_t quantise(float value) noexcept {
  if (!(value == value)) return 0;  // not a number
  const float scaled = std::round(value * 32768.0F);
  return static_cast<std::int16_t>(std::clamp(scaled, -32768.0F, 32767.0F));
}

}  // namespace asiodrv::host
