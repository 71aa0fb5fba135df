// The instruction sets that kernels are compiled for, and which of them this processor runs.
#pragma once

#include <cstdint>
#include <string_view>

namespace asiodrv::audio {

/// Instruction sets that have a path of their own.
enum class SimdPath : std::uint32_t {
  baseline,  ///< what every build assumes: SSE2 on x86
  avx2,      ///< AVX2 and FMA
  avx512,    ///< AVX-512 F, DQ, VL
};

constexpr std::string_view simd_path_name(SimdPath path) noexcept {
  switch (path) {
    case SimdPath::baseline: return "baseline";
    case SimdPath::avx2: return "avx2";
    case SimdPath::avx512: return "avx512";
  }
  return "baseline";
}

/// Whether this processor and its system can run `path`.
[[nodiscard]] bool simd_path_available(SimdPath path) noexcept;

/// The path to prefer here. AVX-512 only where it does not slow the rest of the machine down:
/// processors with VBMI2 (2019 and later) keep their clock, earlier ones throttle.
[[nodiscard]] SimdPath best_simd_path() noexcept;

}  // namespace asiodrv::audio
