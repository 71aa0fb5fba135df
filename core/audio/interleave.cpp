#include "core/audio/interleave.hpp"

#include "core/audio/interleave_kernel.hpp"

namespace asiodrv::audio {
namespace {

#if defined(__x86_64__) || defined(__i386__)
kernel::Deinterleave deinterleave_for(SimdPath path) noexcept {
  switch (path) {
    case SimdPath::baseline: return kernel::deinterleave_baseline;
    case SimdPath::avx2: return kernel::deinterleave_avx2;
    case SimdPath::avx512: return kernel::deinterleave_avx512;
  }
  return kernel::deinterleave_baseline;
}

kernel::Interleave interleave_for(SimdPath path) noexcept {
  switch (path) {
    case SimdPath::baseline: return kernel::interleave_baseline;
    case SimdPath::avx2: return kernel::interleave_avx2;
    case SimdPath::avx512: return kernel::interleave_avx512;
  }
  return kernel::interleave_baseline;
}
#else
kernel::Deinterleave deinterleave_for(SimdPath) noexcept { return kernel::deinterleave_baseline; }
kernel::Interleave interleave_for(SimdPath) noexcept { return kernel::interleave_baseline; }
#endif

}  // namespace

void deinterleave_to_float(DeviceLayout layout, const std::byte* source, PlanarView<float> target,
                           SimdPath path) RT_SAFE {
  if (target.channels == 0 || target.frames.count == 0) return;
  deinterleave_for(path)(layout, {source, target.blocks, target.channels, target.frames.count});
}

void interleave_from_float(DeviceLayout layout, PlanarView<const float> source, std::byte* target,
                           Dither* dither, SimdPath path) RT_SAFE {
  if (source.channels == 0 || source.frames.count == 0) return;
  const bool dithered = dither != nullptr;
  interleave_for(path)(layout, {source.blocks, target, source.channels, source.frames.count,
                                dithered, dithered ? dither->next_key() : 0});
}

void deinterleave_to_float(DeviceLayout layout, const std::byte* source,
                           PlanarView<float> target) RT_SAFE {
  deinterleave_to_float(layout, source, target, best_simd_path());
}

void interleave_from_float(DeviceLayout layout, PlanarView<const float> source, std::byte* target,
                           Dither* dither) RT_SAFE {
  interleave_from_float(layout, source, target, dither, best_simd_path());
}

}  // namespace asiodrv::audio
