// The sample types that a client's buffers may hold. Always little-endian, one type per session.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace asiodrv {

/// Values are part of the shared-memory ABI (core/wire/section.hpp).
enum class SampleType : std::uint32_t { float32 = 0, int32 = 1, int24 = 2, int16 = 3 };

inline constexpr std::array kSampleTypes{SampleType::float32, SampleType::int32, SampleType::int24,
                                         SampleType::int16};

/// Bytes of one sample; int24 is packed.
constexpr std::uint32_t sample_bytes(SampleType type) noexcept {
  switch (type) {
    case SampleType::float32: return 4;
    case SampleType::int32: return 4;
    case SampleType::int24: return 3;
    case SampleType::int16: return 2;
  }
  return 4;
}

constexpr std::string_view sample_type_name(SampleType type) noexcept {
  switch (type) {
    case SampleType::float32: return "float32";
    case SampleType::int32: return "int32";
    case SampleType::int24: return "int24";
    case SampleType::int16: return "int16";
  }
  return "float32";
}

constexpr std::optional<SampleType> parse_sample_type(std::string_view text) noexcept {
  for (const SampleType type : kSampleTypes) {
    if (sample_type_name(type) == text) return type;
  }
  return std::nullopt;
}

}  // namespace asiodrv
