// Timer period and power throttling, for as long as anything in this process streams.
#include <windows.h>

#include "platform/platform.hpp"
#include "platform/windows/library.hpp"

namespace asiodrv::platform {
namespace {

constexpr UINT kTimerPeriod = 1;  // ms

SRWLOCK boost_lock = SRWLOCK_INIT;
unsigned boost_users = 0;       // guarded by boost_lock
bool timer_period_set = false;  // guarded by boost_lock; only a period that was begun is ended

class BoostLock {
 public:
  BoostLock() noexcept { AcquireSRWLockExclusive(&boost_lock); }
  ~BoostLock() { ReleaseSRWLockExclusive(&boost_lock); }
  BoostLock(const BoostLock&) = delete;
  BoostLock& operator=(const BoostLock&) = delete;
};

bool change_timer_period(const char* function) noexcept {
  auto* change = system_function<UINT WINAPI(UINT)>(L"winmm.dll", function);
  return change != nullptr && change(kTimerPeriod) == 0;
}

/// `control` names the mechanisms that this process decides about; all of them are decided as
/// "off" (state 0), which is what opting out means. A control of 0 hands them back to the system.
/// Failure is not ours to repair: older systems know neither the call nor the newer mechanism.
void set_power_throttling(ULONG control) noexcept {
  struct State {
    ULONG version, control_mask, state_mask;
  };
  constexpr int kProcessPowerThrottling = 4;
  auto* set = system_function<BOOL WINAPI(HANDLE, int, void*, DWORD)>(L"kernel32.dll",
                                                                      "SetProcessInformation");
  State state{1, control, 0};
  if (set != nullptr) set(GetCurrentProcess(), kProcessPowerThrottling, &state, sizeof(state));
}

}  // namespace

StreamingBoost::StreamingBoost() {
  const BoostLock lock;
  if (boost_users++ > 0) return;
  timer_period_set = change_timer_period("timeBeginPeriod");
  // Two calls: Windows 10 refuses the second mechanism and would refuse both in one.
  constexpr ULONG kExecutionSpeed = 0x1;
  constexpr ULONG kIgnoreTimerResolution = 0x4;
  set_power_throttling(kExecutionSpeed);
  set_power_throttling(kIgnoreTimerResolution);
}

StreamingBoost::~StreamingBoost() {
  const BoostLock lock;
  if (--boost_users > 0) return;
  set_power_throttling(0);
  if (timer_period_set) change_timer_period("timeEndPeriod");
  timer_period_set = false;
}

}  // namespace asiodrv::platform
