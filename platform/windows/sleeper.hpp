// The precise ways to sleep, and which of them this machine is good at.
//
//   native_delay   NtDelayExecution, NtWaitForSingleObject: 100 ns units, as precise as the
//                  system's tick; excellent where the kernel below has fine timers
//   fine_timer     a high-resolution waitable timer (Windows 10 1803): about 0.5 ms steps,
//                  whatever the tick
//   coarse         Sleep: milliseconds, rounded up to the tick; StreamingBoost asks for 1 ms
#pragma once

#include <windows.h>

#include "core/base/units.hpp"
#include "platform/windows/handle.hpp"

namespace asiodrv::platform {

enum class SleepMethod { native_delay, fine_timer, coarse };

/// Measured at the first call (up to about 30 ms) and remembered. Control threads.
[[nodiscard]] SleepMethod sleep_method() noexcept;

/// A high-resolution timer for one waiting thread at a time; none where there is no such thing.
[[nodiscard]] UniqueHandle make_fine_timer() noexcept;

/// Sleeps about that long; may end early. `timer` may be null. RT but for the wait.
void sleep_for(SleepMethod method, HANDLE timer, nanoseconds duration) noexcept;

/// Waits until `event` is signalled (true) or about `deadline` (false, may be early). `timer` may
/// be null. RT but for the wait.
bool wait_event(SleepMethod method, HANDLE event, HANDLE timer, Instant deadline) noexcept;

/// Waits until one of `handles` is signalled and gives its index, or -1 when `deadline` passed.
/// Millisecond steps.
int wait_any(const HANDLE* handles, DWORD count, Instant deadline) noexcept;

}  // namespace asiodrv::platform
