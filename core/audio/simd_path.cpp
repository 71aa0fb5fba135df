#include "core/audio/simd_path.hpp"

namespace asiodrv::audio {

#if defined(__x86_64__) || defined(__i386__)
bool simd_path_available(SimdPath path) noexcept {
  __builtin_cpu_init();  // these also ask the system whether it saves the wide registers
  switch (path) {
    case SimdPath::baseline: return true;
    case SimdPath::avx2:
      return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
    case SimdPath::avx512:
      return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
             __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx2") != 0 &&
             __builtin_cpu_supports("fma") != 0;
  }
  return false;
}

SimdPath best_simd_path() noexcept {
  const bool keeps_its_clock = __builtin_cpu_supports("avx512vbmi2") != 0;
  if (simd_path_available(SimdPath::avx512) && keeps_its_clock) return SimdPath::avx512;
  return simd_path_available(SimdPath::avx2) ? SimdPath::avx2 : SimdPath::baseline;
}
#else
bool simd_path_available(SimdPath path) noexcept { return path == SimdPath::baseline; }
SimdPath best_simd_path() noexcept { return SimdPath::baseline; }
#endif

}  // namespace asiodrv::audio
