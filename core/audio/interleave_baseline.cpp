// The path of every machine: vector types that GCC and clang share, SSE2 on x86.
#include "core/audio/interleave_body.hpp"
#include "core/audio/simd.hpp"

namespace asiodrv::audio::kernel {
namespace {

using UInt4 = std::uint32_t __attribute__((vector_size(16)));

struct Baseline {
  using Float = simd::Float4;
  using Int = simd::Int4;
  using Lane = simd::Int4;
  static constexpr std::uint32_t kLanes = 1;

  static Int splat(std::int32_t value) { return simd::splat(value); }
  static Int count() { return Int{0, 1, 2, 3}; }
  static Int load(const std::byte* from) { return simd::load<Int>(from); }
  static Int load_pieces(const std::byte* from, std::size_t) { return load(from); }
  static Float load_samples(const float* from) { return simd::load<Float>(from); }
  static void store(float* to, Float value) { simd::store(to, value); }
  static void store(std::byte* to, Int value) { simd::store(to, value); }
  static void store_zipped(std::byte* to, Int even, Int odd) {
    store(to, zip_low(even, odd));
    store(to + sizeof(Int), zip_high(even, odd));
  }
  static void store_16(std::byte* to, Lane lane) { store(to, lane); }
  static void store_12(std::byte* to, Lane lane) {
    const auto halves = simd::bits_as<simd::Long2>(lane);
    simd::store(to, halves[0]);
    simd::store(to + 8, static_cast<std::uint32_t>(halves[1]));
  }
  template <std::uint32_t kLane>
  static Lane lane(Int value) {
    return value;
  }

  static Float as_float(Int value) { return simd::bits_as<Float>(value); }
  static Int as_int(Float value) { return simd::bits_as<Int>(value); }
  static Int both(Int a, Int b) { return a & b; }
  static Int differ(Int a, Int b) { return a ^ b; }
  static Int add(Int a, Int b) { return signed_of(unsigned_of(a) + unsigned_of(b)); }
  static Float add(Float a, Float b) { return a + b; }
  static Int multiply(Int a, Int b) { return signed_of(unsigned_of(a) * unsigned_of(b)); }
  template <int kBits>
  static Int shl(Int value) {
    return signed_of(unsigned_of(value) << kBits);
  }
  template <int kBits>
  static Int shr(Int value) {
    return signed_of(unsigned_of(value) >> kBits);
  }
  static Int pair(Int low, Int high) { return (low & 0xFFFF) | shl<16>(high); }

  static Float to_float(Int value) { return simd::to_float4(value); }
  static Float scaled(Float value, float scale) { return value * simd::splat(scale); }
  static Float sample(Int top_aligned) { return scaled(to_float(top_aligned), 0x1p-31F); }
  static Float without_nan(Float value) { return simd::without_nan(value); }
  static Float clipped(Float value, float low, float high) {
    return simd::at_least(simd::at_most(value, high), low);
  }
  static Int round(Float value) { return simd::round_to_int(value); }
  /// What lies above turns the conversion's INT32_MIN around.
  static Int round_to_int32(Float scaled) {
    const Int above = scaled >= simd::splat(0x1p31F);
    return round(scaled) ^ above;
  }

  template <std::size_t kCount>
  static bool any_not_finite(const Int (&)[kCount]) {
    return true;  // looking costs as much as removing
  }
  static Int sanitised(Int bits) { return as_int(simd::sanitised(bits)); }

  static Int zip_low(Int a, Int b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
  static Int zip_high(Int a, Int b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
  static Int join_low(Int a, Int b) { return __builtin_shufflevector(a, b, 0, 1, 4, 5); }
  static Int join_high(Int a, Int b) { return __builtin_shufflevector(a, b, 2, 3, 6, 7); }
  static Int even_in_lanes(Int a, Int b) { return __builtin_shufflevector(a, b, 0, 2, 4, 6); }
  static Int odd_in_lanes(Int a, Int b) { return __builtin_shufflevector(a, b, 1, 3, 5, 7); }
  static Int even(Int a, Int b) { return even_in_lanes(a, b); }
  static Int odd(Int a, Int b) { return odd_in_lanes(a, b); }

  static Int spread_24(Int packed) {
    const auto halves = simd::bits_as<simd::Long2>(packed);
    const simd::Long2 pairs{halves[0], (halves[0] >> 48U) | (halves[1] << 16U)};
    return simd::bits_as<Int>(((pairs << 8U) & 0xFFFFFF00U) |
                              ((pairs << 16U) & 0xFFFFFF0000000000U));
  }
  static Int pack_24(Int words) {
    const auto lanes = simd::bits_as<simd::Long2>(words);
    const simd::Long2 pairs = (lanes & 0xFFFFFFU) | ((lanes >> 8U) & 0xFFFFFF000000U);
    return simd::bits_as<Int>(simd::Long2{pairs[0] | (pairs[1] << 48U), pairs[1] >> 16U});
  }

 private:
  static UInt4 unsigned_of(Int value) { return simd::bits_as<UInt4>(value); }
  static Int signed_of(UInt4 value) { return simd::bits_as<Int>(value); }
};

}  // namespace

void deinterleave_baseline(DeviceLayout layout, const DeinterleaveJob& job) RT_SAFE {
  deinterleave<Baseline>(layout, job);
}

void interleave_baseline(DeviceLayout layout, const InterleaveJob& job) RT_SAFE {
  interleave<Baseline>(layout, job);
}

}  // namespace asiodrv::audio::kernel
