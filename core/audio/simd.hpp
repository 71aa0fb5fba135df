// Four samples at a time, in the vector types that GCC and clang share: they compile to SSE2 on
// x86 (the baseline of every build) and to whatever another machine has. Internal to core/audio.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace asiodrv::audio::simd {

static_assert(std::endian::native == std::endian::little, "sample bytes are little-endian");

using Float4 = float __attribute__((vector_size(16)));
using Int4 = std::int32_t __attribute__((vector_size(16)));
using Long2 = std::uint64_t __attribute__((vector_size(16)));

inline constexpr std::uint32_t kLanes = 4;

template <class Vector>
inline Vector load(const void* source) noexcept {
  Vector value;
  std::memcpy(&value, source, sizeof value);
  return value;
}

template <class Vector>
inline void store(void* target, const Vector& value) noexcept {
  std::memcpy(target, &value, sizeof value);
}

template <class To, class From>
inline To bits_as(const From& value) noexcept {
  static_assert(sizeof(To) == sizeof(From));
  To result;
  std::memcpy(&result, &value, sizeof result);
  return result;
}

inline Float4 splat(float value) noexcept { return Float4{value, value, value, value}; }
inline Int4 splat(std::int32_t value) noexcept { return Int4{value, value, value, value}; }

/// Lane by lane: `chosen` where the mask is all ones, `other` where it is zero.
inline Float4 select(Int4 mask, Float4 chosen, Float4 other) noexcept {
  return bits_as<Float4>((mask & bits_as<Int4>(chosen)) | (~mask & bits_as<Int4>(other)));
}

/// `value` where it compares, +0 where it is NaN.
inline Float4 without_nan(Float4 value) noexcept {
  return bits_as<Float4>(bits_as<Int4>(value) & Int4(value == value));
}

inline Float4 at_most(Float4 value, float limit) noexcept {
#ifdef __SSE2__
  return bits_as<Float4>(_mm_min_ps(bits_as<__m128>(value), _mm_set1_ps(limit)));
#else
  return select(value > splat(limit), splat(limit), value);
#endif
}

inline Float4 at_least(Float4 value, float limit) noexcept {
#ifdef __SSE2__
  return bits_as<Float4>(_mm_max_ps(bits_as<__m128>(value), _mm_set1_ps(limit)));
#else
  return select(value < splat(limit), splat(limit), value);
#endif
}

/// To the nearest integer, halves to even. Lanes outside int32 become its minimum.
inline Int4 round_to_int(Float4 value) noexcept {
#ifdef __SSE2__
  return bits_as<Int4>(_mm_cvtps_epi32(bits_as<__m128>(value)));
#else
  Int4 result;
  for (std::uint32_t lane = 0; lane < kLanes; ++lane) {
    const bool inside = value[lane] >= -0x1p31F && value[lane] < 0x1p31F;
    result[lane] = inside ? static_cast<std::int32_t>(std::lrintf(value[lane]))
                          : std::numeric_limits<std::int32_t>::min();
  }
  return result;
#endif
}

inline Float4 to_float4(Int4 value) noexcept { return __builtin_convertvector(value, Float4); }

/// Finite lanes unchanged, infinities full scale of their sign, NaN zero. Integer arithmetic only:
/// no floating-point operation sees a hostile value.
inline Float4 sanitised(Int4 bits) noexcept {
  constexpr std::int32_t kMagnitudeBits = 0x7FFFFFFF;
  constexpr std::int32_t kInfinityBits = 0x7F800000;
  constexpr std::int32_t kOneBits = 0x3F800000;
  const Int4 magnitude = bits & splat(kMagnitudeBits);
  const Int4 not_finite = magnitude > splat(kInfinityBits - 1);
  const Int4 infinite = magnitude == splat(kInfinityBits);
  const Int4 full_scale = (bits & splat(~kMagnitudeBits)) | splat(kOneBits);
  return bits_as<Float4>((bits & ~not_finite) | (full_scale & infinite));
}

/// Calls `four(const void* source, void* target)` for every four elements of two blocks; the rest
/// goes through a padded copy, so that every sample takes the same arithmetic.
template <std::size_t SourceBytes, std::size_t TargetBytes, class Operation>
inline void by_fours(const void* source, void* target, std::uint32_t count,
                     const Operation& four) noexcept {
  const auto* from = static_cast<const std::byte*>(source);
  auto* to = static_cast<std::byte*>(target);
  std::uint32_t left = count;
  for (; left >= kLanes; left -= kLanes) {
    four(from, to);
    from += kLanes * SourceBytes;
    to += kLanes * TargetBytes;
  }
  if (left == 0) return;
  std::byte padded_source[kLanes * SourceBytes]{};
  std::byte padded_target[kLanes * TargetBytes]{};
  std::memcpy(padded_source, from, left * SourceBytes);
  four(padded_source, padded_target);
  std::memcpy(to, padded_target, left * TargetBytes);
}

}  // namespace asiodrv::audio::simd
