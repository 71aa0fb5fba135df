// A small seeded generator for tests, simulations and simulated faults: the same seed gives the
// same sequence on every platform. Never for secrets (platform::random_bytes is).
#pragma once

#include <array>
#include <bit>
#include <cassert>
#include <cstdint>

namespace asiodrv {

/// The splitmix64 output function: a bijection on 64 bits whose outputs for 0, 1, 2, ... look
/// independent. Also serves as a stateless random number per (seed, index).
constexpr std::uint64_t scramble64(std::uint64_t value) noexcept {
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

/// xoshiro256** (Blackman and Vigna), its state filled by splitmix64. Period 2^256 - 1.
/// One thread at a time. RT: wait-free, no allocation.
class Prng {
 public:
  explicit constexpr Prng(std::uint64_t seed) noexcept {
    for (std::uint64_t& word : state_) {
      seed += kGoldenGamma;
      word = scramble64(seed);
    }
  }

  /// Uniform over all 64-bit values.
  constexpr std::uint64_t next() noexcept {
    const std::uint64_t result = std::rotl(state_[1] * 5U, 7) * 9U;
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// Uniform over [0, bound); `bound` must not be zero. Without bias: the few values that would
  /// favour small results are drawn again.
  constexpr std::uint64_t below(std::uint64_t bound) noexcept {
    assert(bound != 0);
    const std::uint64_t biased = (0U - bound) % bound;  // 2^64 mod bound
    std::uint64_t value = next();
    while (value < biased) value = next();
    return value % bound;
  }

  /// Uniform over [low, high], both included; `low` must not exceed `high`.
  constexpr std::int64_t between(std::int64_t low, std::int64_t high) noexcept {
    assert(low <= high);
    const std::uint64_t span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
    const std::uint64_t offset = span == ~std::uint64_t{0} ? next() : below(span + 1);
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + offset);
  }

  /// Uniform over [0, 1), 53 random bits.
  constexpr double unit() noexcept { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

  /// True with `probability` (0: never, 1: always).
  constexpr bool chance(double probability) noexcept { return unit() < probability; }

 private:
  static constexpr std::uint64_t kGoldenGamma = 0x9E3779B97F4A7C15U;
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace asiodrv
