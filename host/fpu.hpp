// The floating-point control state of the calling thread: rounding, denormals, exception masks.
// A driver must leave it as it found it: hosts set their own.
#pragma once

#include <cstdint>

#if defined(__x86_64__) || defined(__i386__)
#include <xmmintrin.h>
#endif

namespace asiodrv::host {

struct FpuControl {
  std::uint32_t vector = 0;  ///< MXCSR without its status bits
  std::uint16_t x87 = 0;
  bool operator==(const FpuControl&) const = default;
};

#if defined(__x86_64__) || defined(__i386__)
inline constexpr bool kHasFpuControl = true;
inline constexpr std::uint32_t kStatusBits = 0x3F;
/// Round towards zero, flush denormals both ways, every exception masked: like no default.
inline constexpr FpuControl kUnusualFpuControl{0xFFC0, 0x0F7F};

[[nodiscard]] inline FpuControl fpu_control() noexcept {
  FpuControl control;
  control.vector = _mm_getcsr() & ~kStatusBits;
  __asm__ volatile("fnstcw %0" : "=m"(control.x87));
  return control;
}
inline void set_fpu_control(const FpuControl& control) noexcept {
  _mm_setcsr(control.vector);
  __asm__ volatile("fldcw %0" : : "m"(control.x87));
}
#else
inline constexpr bool kHasFpuControl = false;
inline constexpr FpuControl kUnusualFpuControl{};
[[nodiscard]] inline FpuControl fpu_control() noexcept { return {}; }
inline void set_fpu_control(const FpuControl&) noexcept {}
#endif

}  // namespace asiodrv::host
