// Compiled for AVX2 and FMA (CMakeLists.txt); run only where simd_path_available() says so.
#include <immintrin.h>

#include "core/audio/interleave_body.hpp"

namespace asiodrv::audio::kernel {
namespace {

struct Avx2 {
  using Float = __m256;
  using Int = __m256i;
  using Lane = __m128i;
  static constexpr std::uint32_t kLanes = 2;

  static Int splat(std::int32_t value) { return _mm256_set1_epi32(value); }
  static Int count() { return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7); }
  static Int load(const std::byte* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  }
  static Int load_pieces(const std::byte* from, std::size_t stride) {
    const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + stride));
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
  }
  static Int load_rows(const std::byte* from, std::size_t) { return load(from); }
  static Float load_samples(const float* from) { return _mm256_loadu_ps(from); }
  static void store(float* to, Float value) { _mm256_storeu_ps(to, value); }
  static void store(std::byte* to, Int value) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), value);
  }
  static void store_zipped(std::byte* to, Int even, Int odd) {
    const Int low = zip_low(even, odd), high = zip_high(even, odd);
    store(to, even_lanes(low, high));
    store(to + sizeof(Int), odd_lanes(low, high));
  }
  static void store_rows(std::byte* to, std::size_t, Int value) { store(to, value); }
  static void store_16(std::byte* to, Lane lane) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), lane);
  }
  static void store_12(std::byte* to, Lane lane) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), lane);
    const std::int32_t rest = _mm_extract_epi32(lane, 2);
    __builtin_memcpy(to + 8, &rest, sizeof rest);
  }
  template <std::uint32_t kLane>
  static Lane lane(Int value) {
    return _mm256_extracti128_si256(value, kLane);
  }

  static Float as_float(Int value) { return _mm256_castsi256_ps(value); }
  static Int as_int(Float value) { return _mm256_castps_si256(value); }
  static Int both(Int a, Int b) { return _mm256_and_si256(a, b); }
  static Int differ(Int a, Int b) { return _mm256_xor_si256(a, b); }
  static Int add(Int a, Int b) { return _mm256_add_epi32(a, b); }
  static Float add(Float a, Float b) { return _mm256_add_ps(a, b); }
  static Int multiply(Int a, Int b) { return _mm256_mullo_epi32(a, b); }
  template <int kBits>
  static Int shl(Int value) {
    return _mm256_slli_epi32(value, kBits);
  }
  template <int kBits>
  static Int shr(Int value) {
    return _mm256_srli_epi32(value, kBits);
  }
  static Int pair(Int low, Int high) { return _mm256_blend_epi16(low, shl<16>(high), 0xAA); }

  static Float to_float(Int value) { return _mm256_cvtepi32_ps(value); }
  static Float scaled(Float value, float scale) {
    return _mm256_mul_ps(value, _mm256_set1_ps(scale));
  }
  static Float sample(Int top_aligned) { return scaled(to_float(top_aligned), 0x1p-31F); }
  static Float without_nan(Float value) {
    return _mm256_and_ps(value, _mm256_cmp_ps(value, value, _CMP_ORD_Q));
  }
  static Float clipped(Float value, float low, float high) {
    return _mm256_max_ps(_mm256_min_ps(value, _mm256_set1_ps(high)), _mm256_set1_ps(low));
  }
  static Int round(Float value) { return _mm256_cvtps_epi32(value); }
  /// What lies above turns the conversion's INT32_MIN around.
  static Int round_to_int32(Float scaled) {
    const Float above = _mm256_cmp_ps(scaled, _mm256_set1_ps(0x1p31F), _CMP_GE_OQ);
    return differ(round(scaled), as_int(above));
  }

  template <std::size_t kCount>
  static bool any_not_finite(const Int (&words)[kCount]) {
    Int most = _mm256_setzero_si256();
    for (const Int word : words) most = _mm256_max_epu32(most, shl<1>(word));
    const Int limit = splat(static_cast<std::int32_t>(0xFF000000U));
    return _mm256_movemask_epi8(_mm256_cmpeq_epi32(_mm256_max_epu32(most, limit), most)) != 0;
  }
  /// As simd::sanitised (core/audio/simd.hpp).
  static Int sanitised(Int bits) {
    const Int magnitude = both(bits, splat(0x7FFFFFFF));
    const Int infinity = splat(0x7F800000);
    const Int finite = _mm256_cmpgt_epi32(infinity, magnitude);
    const Int infinite = _mm256_cmpeq_epi32(infinity, magnitude);
    const Int full_scale =
        _mm256_or_si256(_mm256_andnot_si256(splat(0x7FFFFFFF), bits), splat(0x3F800000));
    return _mm256_or_si256(both(bits, finite), both(full_scale, infinite));
  }

  static Int zip_low(Int a, Int b) { return _mm256_unpacklo_epi32(a, b); }
  static Int zip_high(Int a, Int b) { return _mm256_unpackhi_epi32(a, b); }
  static Int join_low(Int a, Int b) { return _mm256_unpacklo_epi64(a, b); }
  static Int join_high(Int a, Int b) { return _mm256_unpackhi_epi64(a, b); }
  static Int even_lanes(Int a, Int b) { return _mm256_permute2x128_si256(a, b, 0x20); }
  static Int odd_lanes(Int a, Int b) { return _mm256_permute2x128_si256(a, b, 0x31); }
  static Int even_in_lanes(Int a, Int b) {
    return as_int(_mm256_shuffle_ps(as_float(a), as_float(b), 0x88));
  }
  static Int odd_in_lanes(Int a, Int b) {
    return as_int(_mm256_shuffle_ps(as_float(a), as_float(b), 0xDD));
  }
  static Int even(Int a, Int b) { return _mm256_permute4x64_epi64(even_in_lanes(a, b), 0xD8); }
  static Int odd(Int a, Int b) { return _mm256_permute4x64_epi64(odd_in_lanes(a, b), 0xD8); }

  static Int spread_24(Int packed) {
    return _mm256_shuffle_epi8(packed, _mm256_broadcastsi128_si256(_mm_setr_epi8(
                                           -1, 0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11)));
  }
  static Int pack_24(Int words) {
    return _mm256_shuffle_epi8(words, _mm256_broadcastsi128_si256(_mm_setr_epi8(
                                          0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1)));
  }
};

}  // namespace

void deinterleave_avx2(DeviceLayout layout, const DeinterleaveJob& job) RT_SAFE {
  deinterleave<Avx2>(layout, job);
}

void interleave_avx2(DeviceLayout layout, const InterleaveJob& job) RT_SAFE {
  interleave<Avx2>(layout, job);
}

}  // namespace asiodrv::audio::kernel
