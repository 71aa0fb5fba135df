// Compiled for AVX-512 F, DQ, VL (CMakeLists.txt); run only where simd_path_available() says so.
#include <immintrin.h>

#include "core/audio/resampler/kernel_body.hpp"

namespace asiodrv::audio::kernel {
namespace {

struct Avx512 {
  using Float = __m512;
  using Double = __m512d;
  using Partial = __m256d;
  static constexpr std::uint32_t kLanes = 16;
  static constexpr std::uint32_t kDoubleLanes = 8;
  static constexpr std::uint32_t kRun = 4;  // frames at once that fit the registers
  static constexpr std::uint32_t kCoreRun = 2;

  static Float zero() { return _mm512_setzero_ps(); }
  static Double zero_double() { return _mm512_setzero_pd(); }
  static Float splat(float value) { return _mm512_set1_ps(value); }
  static Double splat(double value) { return _mm512_set1_pd(value); }
  static Float load(const float* from) { return _mm512_loadu_ps(from); }
  static Double load(const double* from) { return _mm512_loadu_pd(from); }
  static Double widen(const float* from) { return _mm512_cvtps_pd(_mm256_loadu_ps(from)); }
  static void store(float* to, Float value) { _mm512_storeu_ps(to, value); }
  static void store(double* to, Double value) { _mm512_storeu_pd(to, value); }
  static Float fma(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }
  static Double fma(Double a, Double b, Double c) { return _mm512_fmadd_pd(a, b, c); }
  static Float add(Float a, Float b) { return _mm512_add_ps(a, b); }
  static Double add(Double a, Double b) { return _mm512_add_pd(a, b); }

  static Partial fold(Float sum) {
    const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(sum), _mm512_extractf32x8_ps(sum, 1));
    return _mm256_cvtps_pd(
        _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1)));
  }
  static Partial fold(Double core) {
    return _mm256_add_pd(_mm512_castpd512_pd256(core), _mm512_extractf64x4_pd(core, 1));
  }
  static Partial sum(Partial a, Partial b) { return _mm256_add_pd(a, b); }
  static void store_sums(float* to, const Partial* sums) {
    const __m256d low = _mm256_hadd_pd(sums[0], sums[1]);  // 0 1 0 1: each half of the lanes
    const __m256d high = _mm256_hadd_pd(sums[2], sums[3]);
    const __m256d sum = _mm256_add_pd(_mm256_permute2f128_pd(low, high, 0x20),
                                      _mm256_permute2f128_pd(low, high, 0x31));
    _mm_storeu_ps(to, _mm256_cvtpd_ps(sum));
  }
};

}  // namespace

void run_avx512(const Job& job) RT_SAFE { run<Avx512>(job); }

}  // namespace asiodrv::audio::kernel
