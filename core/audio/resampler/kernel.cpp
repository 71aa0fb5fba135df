#include "core/audio/resampler/kernel.hpp"

namespace asiodrv::audio {

#if defined(__x86_64__) || defined(__i386__)
kernel::Run kernel::kernel_for(SimdPath path) noexcept {
  switch (path) {
    case SimdPath::baseline: return run_baseline;
    case SimdPath::avx2: return run_avx2;
    case SimdPath::avx512: return run_avx512;
  }
  return run_baseline;
}
#else
kernel::Run kernel::kernel_for(SimdPath) noexcept { return run_baseline; }
#endif

}  // namespace asiodrv::audio
