// Compiled for AVX-512 F, BW, DQ, VL (CMakeLists.txt); run only where simd_path_available() says
// so.
#include <immintrin.h>

#include "core/audio/interleave_body.hpp"

namespace asiodrv::audio::kernel {
namespace {

struct Avx512 {
  using Float = __m512;
  using Int = __m512i;
  using Lane = __m128i;
  static constexpr std::uint32_t kLanes = 4;

  static Int splat(std::int32_t value) { return _mm512_set1_epi32(value); }
  static Int count() {
    return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  }
  static Int load(const std::byte* from) { return _mm512_loadu_si512(from); }
  static Lane load_lane(const std::byte* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  }
  static Int load_pieces(const std::byte* from, std::size_t stride) {
    const __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(load_lane(from)),
                                                load_lane(from + stride), 1);
    const __m256i high = _mm256_inserti128_si256(
        _mm256_castsi128_si256(load_lane(from + 2 * stride)), load_lane(from + 3 * stride), 1);
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
  }
  static Int load_rows(const std::byte* from, std::size_t stride) {
    const auto half = [](const std::byte* row) {
      return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row));
    };
    return _mm512_inserti64x4(_mm512_castsi256_si512(half(from)), half(from + stride), 1);
  }
  static Float load_samples(const float* from) { return _mm512_loadu_ps(from); }
  static void store(float* to, Float value) { _mm512_storeu_ps(to, value); }
  static void store(std::byte* to, Int value) { _mm512_storeu_si512(to, value); }
  static void store_zipped(std::byte* to, Int even, Int odd) {
    const Int low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    store(to, _mm512_permutex2var_epi32(even, low, odd));
    store(to + sizeof(Int), _mm512_permutex2var_epi32(even, add(low, splat(8)), odd));
  }
  static void store_rows(std::byte* to, std::size_t stride, Int value) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_castsi512_si256(value));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + stride),
                        _mm512_extracti64x4_epi64(value, 1));
  }
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
    return _mm512_extracti32x4_epi32(value, kLane);
  }

  static Float as_float(Int value) { return _mm512_castsi512_ps(value); }
  static Int as_int(Float value) { return _mm512_castps_si512(value); }
  static Int both(Int a, Int b) { return _mm512_and_si512(a, b); }
  static Int differ(Int a, Int b) { return _mm512_xor_si512(a, b); }
  static Int add(Int a, Int b) { return _mm512_add_epi32(a, b); }
  static Float add(Float a, Float b) { return _mm512_add_ps(a, b); }
  static Int multiply(Int a, Int b) { return _mm512_mullo_epi32(a, b); }
  template <int kBits>
  static Int shl(Int value) {
    return _mm512_slli_epi32(value, kBits);
  }
  template <int kBits>
  static Int shr(Int value) {
    return _mm512_srli_epi32(value, kBits);
  }
  static Int pair(Int low, Int high) {
    constexpr int kSelect = 0xCA;  // where the first is 1 the second, else the third
    return _mm512_ternarylogic_epi32(splat(0xFFFF), low, shl<16>(high), kSelect);
  }

  static Float to_float(Int value) { return _mm512_cvtepi32_ps(value); }
  static Float scaled(Float value, float scale) {
    return _mm512_mul_ps(value, _mm512_set1_ps(scale));
  }
  static Float sample(Int top_aligned) { return scaled(to_float(top_aligned), 0x1p-31F); }
  static Float without_nan(Float value) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(value, value, _CMP_ORD_Q), value);
  }
  static Float clipped(Float value, float low, float high) {
    return _mm512_max_ps(_mm512_min_ps(value, _mm512_set1_ps(high)), _mm512_set1_ps(low));
  }
  static Int round(Float value) { return _mm512_cvtps_epi32(value); }
  /// What lies above turns the conversion's INT32_MIN around.
  static Int round_to_int32(Float scaled) {
    const __mmask16 above = _mm512_cmp_ps_mask(scaled, _mm512_set1_ps(0x1p31F), _CMP_GE_OQ);
    return _mm512_mask_mov_epi32(round(scaled), above, splat(0x7FFFFFFF));
  }

  template <std::size_t kCount>
  static bool any_not_finite(const Int (&words)[kCount]) {
    Int most = _mm512_setzero_si512();
    for (const Int& word : words) most = _mm512_max_epu32(most, shl<1>(word));
    return _mm512_cmpge_epu32_mask(most, splat(static_cast<std::int32_t>(0xFF000000U))) != 0;
  }
  /// As simd::sanitised (core/audio/simd.hpp).
  static Int sanitised(Int bits) {
    const Int magnitude = both(bits, splat(0x7FFFFFFF));
    const Int infinity = splat(0x7F800000);
    const Int full_scale =
        _mm512_or_si512(_mm512_andnot_si512(splat(0x7FFFFFFF), bits), splat(0x3F800000));
    const Int limited =
        _mm512_mask_mov_epi32(bits, _mm512_cmpeq_epi32_mask(magnitude, infinity), full_scale);
    return _mm512_maskz_mov_epi32(_mm512_cmple_epi32_mask(magnitude, infinity), limited);
  }

  static Int zip_low(Int a, Int b) { return _mm512_unpacklo_epi32(a, b); }
  static Int zip_high(Int a, Int b) { return _mm512_unpackhi_epi32(a, b); }
  static Int join_low(Int a, Int b) { return _mm512_unpacklo_epi64(a, b); }
  static Int join_high(Int a, Int b) { return _mm512_unpackhi_epi64(a, b); }
  static Int even_lanes(Int a, Int b) {
    return _mm512_permutex2var_epi64(a, _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13), b);
  }
  static Int odd_lanes(Int a, Int b) {
    return _mm512_permutex2var_epi64(a, _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15), b);
  }
  static Int even_in_lanes(Int a, Int b) {
    return as_int(_mm512_shuffle_ps(as_float(a), as_float(b), 0x88));
  }
  static Int odd_in_lanes(Int a, Int b) {
    return as_int(_mm512_shuffle_ps(as_float(a), as_float(b), 0xDD));
  }
  static Int even(Int a, Int b) { return _mm512_permutex2var_epi32(a, shl<1>(count()), b); }
  static Int odd(Int a, Int b) {
    return _mm512_permutex2var_epi32(a, add(shl<1>(count()), splat(1)), b);
  }

  static Int spread_24(Int packed) {
    return _mm512_shuffle_epi8(packed, _mm512_broadcast_i32x4(_mm_setr_epi8(
                                           -1, 0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11)));
  }
  static Int pack_24(Int words) {
    return _mm512_shuffle_epi8(words, _mm512_broadcast_i32x4(_mm_setr_epi8(
                                          0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1)));
  }
};

}  // namespace

void deinterleave_avx512(DeviceLayout layout, const DeinterleaveJob& job) RT_SAFE {
  deinterleave<Avx512>(layout, job);
}

void interleave_avx512(DeviceLayout layout, const InterleaveJob& job) RT_SAFE {
  interleave<Avx512>(layout, job);
}

}  // namespace asiodrv::audio::kernel
