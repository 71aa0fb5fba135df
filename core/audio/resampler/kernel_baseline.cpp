// The path of every machine: vector types that GCC and clang share, SSE2 on x86. No FMA, so each
// product is rounded once more than on the other paths.
#include "core/audio/resampler/kernel_body.hpp"
#include "core/audio/simd.hpp"

namespace asiodrv::audio::kernel {
namespace {

using Double2 = double __attribute__((vector_size(16)));
using Float2 = float __attribute__((vector_size(8)));

struct FourDoubles {
  Double2 low, high;
};

struct Baseline {
  using Float = simd::Float4;
  using Double = FourDoubles;
  using Partial = FourDoubles;
  static constexpr std::uint32_t kLanes = 4;
  static constexpr std::uint32_t kDoubleLanes = 4;
  static constexpr std::uint32_t kRun = 1;  // frames at once that fit the registers
  static constexpr std::uint32_t kCoreRun = 1;

  static Float zero() { return Float{}; }
  static Double zero_double() { return splat(0.0); }
  static Float splat(float value) { return simd::splat(value); }
  static Double splat(double value) { return {Double2{value, value}, Double2{value, value}}; }
  static Float load(const float* from) { return simd::load<Float>(from); }
  static Double load(const double* from) {
    return {simd::load<Double2>(from), simd::load<Double2>(from + 2)};
  }
  static Double widen(const float* from) { return widened(load(from)); }
  static void store(float* to, const Float& value) { simd::store(to, value); }
  static void store(double* to, const Double& value) {
    simd::store(to, value.low);
    simd::store(to + 2, value.high);
  }
  static Float fma(Float a, Float b, Float c) { return a * b + c; }
  static Double fma(const Double& a, const Double& b, const Double& c) {
    return {a.low * b.low + c.low, a.high * b.high + c.high};
  }
  static Float add(Float a, Float b) { return a + b; }
  static Double add(const Double& a, const Double& b) { return {a.low + b.low, a.high + b.high}; }

  static Partial fold(Float sum) { return widened(sum); }
  static Partial fold(const Double& core) { return core; }
  static Partial sum(const Partial& a, const Partial& b) { return add(a, b); }
  static void store_sums(float* to, const Partial* sums) {
    for (std::uint32_t frame = 0; frame < kGroup; ++frame) {
      const Double2 sum = sums[frame].low + sums[frame].high;
      to[frame] = static_cast<float>(sum[0] + sum[1]);
    }
  }

 private:
  static Double widened(Float value) {
#ifdef __SSE2__
    const auto bits = simd::bits_as<__m128>(value);
    return {simd::bits_as<Double2>(_mm_cvtps_pd(bits)),
            simd::bits_as<Double2>(_mm_cvtps_pd(_mm_movehl_ps(bits, bits)))};
#else
    return {__builtin_convertvector((Float2{value[0], value[1]}), Double2),
            __builtin_convertvector((Float2{value[2], value[3]}), Double2)};
#endif
  }
};

}  // namespace

void run_baseline(const Job& job) RT_SAFE { run<Baseline>(job); }

}  // namespace asiodrv::audio::kernel
