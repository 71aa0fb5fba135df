#include "core/audio/sample_format.hpp"

#include <cstring>

#include "core/audio/simd.hpp"

namespace asiodrv::audio {
namespace {

using simd::Float4;
using simd::Int4;
using simd::Long2;

// Every integer type passes through the top bits of an int32: one scale serves all.
constexpr float kFromInt32 = 0x1p-31F;

/// Four int16, each into the top half of an int32.
Int4 load_int16(const void* source) noexcept {
#ifdef __SSE2__
  const __m128i packed = _mm_loadl_epi64(static_cast<const __m128i*>(source));
  return simd::bits_as<Int4>(_mm_unpacklo_epi16(_mm_setzero_si128(), packed));
#else
  const auto packed = simd::load<std::uint64_t>(source);
  const Long2 halves{packed & 0xFFFFFFFFU, packed >> 32U};  // two samples per lane
  return simd::bits_as<Int4>(((halves << 16U) & 0xFFFF0000U) |
                             ((halves << 32U) & 0xFFFF000000000000U));
#endif
}

void store_int16(void* target, Int4 values) noexcept {
#ifdef __SSE2__
  const __m128i narrow = _mm_packs_epi32(simd::bits_as<__m128i>(values), _mm_setzero_si128());
  _mm_storel_epi64(static_cast<__m128i*>(target), narrow);
#else
  const std::int16_t narrow[simd::kLanes]{
      static_cast<std::int16_t>(values[0]), static_cast<std::int16_t>(values[1]),
      static_cast<std::int16_t>(values[2]), static_cast<std::int16_t>(values[3])};
  std::memcpy(target, narrow, sizeof narrow);
#endif
}

/// Four packed int24 (12 bytes), each into the top three bytes of an int32.
Int4 load_int24(const void* source) noexcept {
  const auto* bytes = static_cast<const std::byte*>(source);
  const std::uint64_t first = simd::load<std::uint64_t>(bytes);       // samples 0, 1, 2/3 of 2
  const std::uint64_t second = simd::load<std::uint32_t>(bytes + 8);  // the rest
  const Long2 pairs{first, (first >> 48U) | (second << 16U)};         // 48 bits per lane count
  return simd::bits_as<Int4>(((pairs << 8U) & 0xFFFFFF00U) |
                             ((pairs << 16U) & 0xFFFFFF0000000000U));
}

void store_int24(void* target, Int4 values) noexcept {
  const auto lanes = simd::bits_as<Long2>(values);
  const Long2 pairs = (lanes & 0xFFFFFFU) | ((lanes >> 8U) & 0xFFFFFF000000U);
  auto* bytes = static_cast<std::byte*>(target);
  simd::store(bytes, pairs[0] | (pairs[1] << 48U));
  simd::store(bytes + 8, static_cast<std::uint32_t>(pairs[1] >> 16U));
}

Float4 to_samples(Int4 top_aligned) noexcept {
  return simd::to_float4(top_aligned) * simd::splat(kFromInt32);
}

/// Scaled by a power of two (exact), then clipped to limits that floats hold exactly.
Int4 to_integer(Float4 samples, float scale) noexcept {
  const Float4 scaled = simd::without_nan(samples) * simd::splat(scale);
  return simd::round_to_int(simd::at_least(simd::at_most(scaled, scale - 1.0F), -scale));
}

/// The largest int32 has no float: what lies above turns the conversion's INT32_MIN around.
Int4 to_int32(Float4 samples) noexcept {
  const Float4 scaled = simd::without_nan(samples) * simd::splat(0x1p31F);
  const Int4 above = scaled >= simd::splat(0x1p31F);
  return simd::round_to_int(scaled) ^ above;
}

}  // namespace

void to_float(SampleType type, const std::byte* source, float* target, Frames frames) RT_SAFE {
  switch (type) {
    case SampleType::float32:
      return simd::by_fours<4, 4>(source, target, frames.count, [](const void* from, void* to) {
        simd::store(to, simd::sanitised(simd::load<Int4>(from)));
      });
    case SampleType::int32:
      return simd::by_fours<4, 4>(source, target, frames.count, [](const void* from, void* to) {
        simd::store(to, to_samples(simd::load<Int4>(from)));
      });
    case SampleType::int24:
      return simd::by_fours<3, 4>(source, target, frames.count, [](const void* from, void* to) {
        simd::store(to, to_samples(load_int24(from)));
      });
    case SampleType::int16:
      return simd::by_fours<2, 4>(source, target, frames.count, [](const void* from, void* to) {
        simd::store(to, to_samples(load_int16(from)));
      });
  }
}

void to_float_clipped(SampleType type, const std::byte* source, float* target,
                      Frames frames) RT_SAFE {
  // Integers cannot leave full scale.
  if (type != SampleType::float32) return to_float(type, source, target, frames);
  simd::by_fours<4, 4>(source, target, frames.count, [](const void* from, void* to) {
    const Float4 value = simd::without_nan(simd::load<Float4>(from));
    simd::store(to, simd::at_least(simd::at_most(value, 1.0F), -1.0F));
  });
}

void from_float(SampleType type, const float* source, std::byte* target, Frames frames) RT_SAFE {
  switch (type) {
    case SampleType::float32:
      if (frames.count == 0) return;  // pointers to nothing may be null, which memmove refuses
      std::memmove(target, source, std::size_t{frames.count} * sizeof(float));
      return;
    case SampleType::int32:
      return simd::by_fours<4, 4>(source, target, frames.count, [](const void* from, void* to) {
        simd::store(to, to_int32(simd::load<Float4>(from)));
      });
    case SampleType::int24:
      return simd::by_fours<4, 3>(source, target, frames.count, [](const void* from, void* to) {
        store_int24(to, to_integer(simd::load<Float4>(from), 0x1p23F));
      });
    case SampleType::int16:
      return simd::by_fours<4, 2>(source, target, frames.count, [](const void* from, void* to) {
        store_int16(to, to_integer(simd::load<Float4>(from), 0x1p15F));
      });
  }
}

}  // namespace asiodrv::audio
