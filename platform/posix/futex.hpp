// The kernel's compare-and-sleep. Private ones serve one process, shared ones a shared mapping.
#pragma once

#include <cstdint>

#include "core/base/units.hpp"

namespace asiodrv::platform {

enum class FutexScope { in_process, shared };

/// Sleeps while `*word` is `expected`, until `until` at most. May return early for any reason. RT
/// but for the wait.
void futex_wait(const void* word, std::uint32_t expected, Instant until, FutexScope scope) noexcept;

/// Wakes up to `sleepers` of those that sleep on `word`. RT: one kernel call.
void futex_wake(const void* word, int sleepers, FutexScope scope) noexcept;

}  // namespace asiodrv::platform
