// The real-time trap: calls that are forbidden inside an RtScope, caught as they happen.
//
// Builds with ASIODRV_RT_TRAP intercept, on every thread, what this build can intercept:
//   native           malloc, calloc, realloc, free, aligned_alloc, posix_memalign; mutex locks and
//                    condition waits; nanosleep, clock_nanosleep, usleep, poll, read, write
//   with sanitizers  allocation and release (by the sanitizer's own hooks)
// A violation outside an expectation prints what was called and ends the program: a test can not
// pass over it.
#pragma once

#include <cstdint>

namespace asiodrv::test {

/// What this build catches; tests of the trap use it to know which canaries must fire.
struct TrapAbilities {
  bool armed;  ///< anything at all (ASIODRV_RT_TRAP)
  bool allocation;
  bool locks_and_system_calls;
};
[[nodiscard]] TrapAbilities trap_abilities() noexcept;

/// While alive, violations on this thread are counted instead of ending the program.
class ExpectViolations {
 public:
  ExpectViolations() noexcept;
  ~ExpectViolations();
  ExpectViolations(const ExpectViolations&) = delete;
  ExpectViolations& operator=(const ExpectViolations&) = delete;

  [[nodiscard]] std::uint32_t count() const noexcept;
  /// Name of the last forbidden function, or "".
  [[nodiscard]] const char* last() const noexcept;
};

}  // namespace asiodrv::test
