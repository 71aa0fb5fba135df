#include "platform/windows/sleeper.hpp"

#include <algorithm>
#include <array>
#include <atomic>

#include "platform/monotonic.hpp"

namespace asiodrv::platform {
namespace {

using NtDelayExecution = LONG NTAPI(BOOLEAN alertable, const LARGE_INTEGER* duration);
using NtWaitForSingleObject = LONG NTAPI(HANDLE, BOOLEAN alertable, const LARGE_INTEGER* timeout);

constexpr DWORD kHighResolution = 0x2;  // CREATE_WAITABLE_TIMER_HIGH_RESOLUTION
constexpr std::int64_t kNanosPerMillisecond = 1'000'000;
constexpr std::int64_t kFineBelow =
    20 * kNanosPerMillisecond;  // beyond, one tick more does not matter

struct Native {
  NtDelayExecution* delay;
  NtWaitForSingleObject* wait;
};

/// ntdll is in every process; no loading, no lock of our own.
const Native& native() noexcept {
  static const Native functions = [] {
    HMODULE module = GetModuleHandleW(L"ntdll.dll");
    const auto find = [module](const char* name) {
      return reinterpret_cast<void*>(GetProcAddress(module, name));
    };
    return Native{reinterpret_cast<NtDelayExecution*>(find("NtDelayExecution")),
                  reinterpret_cast<NtWaitForSingleObject*>(find("NtWaitForSingleObject"))};
  }();
  return functions;
}

/// Relative time as the system takes it: negative 100 ns units, rounded up.
LARGE_INTEGER relative(nanoseconds duration) noexcept {
  LARGE_INTEGER units;
  units.QuadPart =
      -((std::min<std::int64_t>(duration.count(), 3'600'000 * kNanosPerMillisecond) + 99) / 100);
  return units;
}

DWORD milliseconds_up(nanoseconds duration) noexcept {
  return static_cast<DWORD>(
      std::min<std::int64_t>(duration.count() / kNanosPerMillisecond + 1, 3'600'000));
}

/// True when native delays are finer than any tick. Judged by what they do: where they follow a
/// tick of 0.5 ms or more, a nap of 0.1 ms that starts at one tick ends at the next, so at most the
/// first of several can look good by chance. A busy machine spoils some of the good ones.
bool native_delay_is_precise() noexcept {
  constexpr nanoseconds kNap{100'000};
  constexpr nanoseconds kGood{250'000};  // lateness
  constexpr nanoseconds kHopeless{4'000'000};
  int good = 0;
  int hopeless = 0;
  for (int nap = 0; nap < 12 && good < 3 && hopeless < 2; ++nap) {
    const Instant target = monotonic_now() + kNap;
    sleep_for(SleepMethod::native_delay, nullptr, kNap);
    const nanoseconds lateness = monotonic_now() - target;
    if (lateness < kGood) ++good;
    if (lateness > kHopeless) ++hopeless;
  }
  return good >= 3;
}

SleepMethod measure() noexcept {
  if (native().delay != nullptr && native().wait != nullptr && native_delay_is_precise()) {
    return SleepMethod::native_delay;
  }
  return make_fine_timer() ? SleepMethod::fine_timer : SleepMethod::coarse;
}

}  // namespace

SleepMethod sleep_method() noexcept {
  static constinit std::atomic<int> known{-1};
  int method = known.load(std::memory_order_acquire);
  if (method < 0) {
    method = static_cast<int>(measure());
    known.store(method, std::memory_order_release);
  }
  return static_cast<SleepMethod>(method);
}

UniqueHandle make_fine_timer() noexcept {
  return UniqueHandle(CreateWaitableTimerExW(nullptr, nullptr, kHighResolution, TIMER_ALL_ACCESS));
}

void sleep_for(SleepMethod method, HANDLE timer, nanoseconds duration) noexcept {
  const LARGE_INTEGER due = relative(duration);
  if (method == SleepMethod::native_delay) {
    (void)native().delay(FALSE, &due);
  } else if (timer != nullptr && SetWaitableTimer(timer, &due, 0, nullptr, nullptr, FALSE) != 0) {
    WaitForSingleObject(timer, milliseconds_up(duration) + 20);
  } else {
    Sleep(static_cast<DWORD>(
        std::min<std::int64_t>(duration.count() / kNanosPerMillisecond, 3'600'000)));
  }
}

bool wait_event(SleepMethod method, HANDLE event, HANDLE timer, Instant deadline) noexcept {
  const nanoseconds left = time_left(deadline);
  const LARGE_INTEGER due = relative(left);
  if (method == SleepMethod::native_delay) return native().wait(event, FALSE, &due) == 0;
  if (timer != nullptr && left.count() > 0 && left.count() < kFineBelow &&
      SetWaitableTimer(timer, &due, 0, nullptr, nullptr, FALSE) != 0) {
    const std::array<HANDLE, 2> both{event, timer};
    return WaitForMultipleObjects(2, both.data(), FALSE, 40) == WAIT_OBJECT_0;
  }
  return WaitForSingleObject(event, left.count() == 0 ? 0 : milliseconds_up(left)) == WAIT_OBJECT_0;
}

int wait_any(const HANDLE* handles, DWORD count, Instant deadline) noexcept {
  for (;;) {
    const nanoseconds left = time_left(deadline);
    const DWORD result = WaitForMultipleObjects(count, handles, FALSE,
                                                left.count() == 0 ? 0 : milliseconds_up(left));
    if (result < WAIT_OBJECT_0 + count) return static_cast<int>(result - WAIT_OBJECT_0);
    if (result == WAIT_FAILED || left.count() == 0) return -1;
  }
}

}  // namespace asiodrv::platform
