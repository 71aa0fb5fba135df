// The host's floating-point environment, left as found.
//
// Hosts run with denormals flushed, odd rounding modes or unmasked exceptions. Inside a driver call
// the default environment holds, so that comparing a host's NaN cannot trap; on the way out every
// bit of it, the sticky ones too, is what it was.
#pragma once

#include <cstdint>

#if defined(__x86_64__) || defined(__i386__)
#include <xmmintrin.h>
#endif

namespace asiodrv::asio {

class FloatGuard {
 public:
#if defined(__x86_64__) || defined(__i386__)
  FloatGuard() noexcept : mxcsr_(_mm_getcsr()) {
    __asm__ __volatile__("fnstcw %0" : "=m"(x87_));
    _mm_setcsr(kDefaultMxcsr);
    if (x87_ != kDefaultX87) {
      const std::uint16_t word = kDefaultX87;
      __asm__ __volatile__("fldcw %0" : : "m"(word));
    }
  }
  ~FloatGuard() {
    _mm_setcsr(mxcsr_);
    if (x87_ != kDefaultX87) {
      // Nothing of ours computes on the x87 stack but returned doubles, which raise nothing; what
      // they may have left is cleared, or an unmasked flag would trap at the host's next use.
      __asm__ __volatile__("fnclex");
      __asm__ __volatile__("fldcw %0" : : "m"(x87_));
    }
  }
#else
  FloatGuard() noexcept {}
  ~FloatGuard() {}
#endif
  FloatGuard(const FloatGuard&) = delete;
  FloatGuard& operator=(const FloatGuard&) = delete;

 private:
#if defined(__x86_64__) || defined(__i386__)
  static constexpr unsigned kDefaultMxcsr = 0x1F80;     // all masked, to nearest, no flushing
  static constexpr std::uint16_t kDefaultX87 = 0x037F;  // all masked, to nearest, 64-bit mantissa
  unsigned mxcsr_;
  std::uint16_t x87_ = 0;
#endif
};

}  // namespace asiodrv::asio
