// The few processor instructions that have no name in C++.
#pragma once

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace asiodrv::platform {

/// Tells the processor that this is a spin loop. RT.
inline void cpu_pause() noexcept {
#if defined(__SSE__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Treats denormal numbers as zero on the calling thread, for good (MXCSR bits 15 FTZ and 6 DAZ).
/// Only for threads of our own: a host's thread keeps its own rounding state.
inline void flush_denormals() noexcept {
#if defined(__SSE__)
  _mm_setcsr(_mm_getcsr() | 0x8040U);
#elif defined(__aarch64__)
  unsigned long control = 0;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  asm volatile("msr fpcr, %0" : : "r"(control | (1UL << 24)));
#endif
}

}  // namespace asiodrv::platform
