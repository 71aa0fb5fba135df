// Timer period and power throttling, for as long as anything in this process streams.
#include <windows.h>

#include "platform/platform.hpp"
#include "platform/power_throttling.hpp"
#include "platform/windows/library.hpp"

namespace asiodrv::platform {
namespace {

constexpr UINT kTimerPeriod = 1;  // ms

SRWLOCK boost_lock = SRWLOCK_INIT;
unsigned boost_users = 0;       // guarded by boost_lock
bool timer_period_set = false;  // guarded by boost_lock; only a period that was begun is ended
constinit ThrottlingRefusal throttling_refusal;  // guarded by boost_lock

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

/// Of this process. Both functions are looked up: older systems have neither.
class ProcessThrottling final : public ThrottlingCalls {
 public:
  bool set(const ThrottlingState& wanted) noexcept override {
    auto* call = system_function<BOOL WINAPI(HANDLE, int, void*, DWORD)>(L"kernel32.dll",
                                                                         "SetProcessInformation");
    State state{kVersion, wanted.control, wanted.state};
    return call != nullptr && call(GetCurrentProcess(), kInformation, &state, sizeof(state)) != 0;
  }

  std::optional<ThrottlingState> get() noexcept override {
    auto* call = system_function<BOOL WINAPI(HANDLE, int, void*, DWORD)>(L"kernel32.dll",
                                                                         "GetProcessInformation");
    State state{kVersion, 0, 0};
    if (call == nullptr || call(GetCurrentProcess(), kInformation, &state, sizeof(state)) == 0) {
      return std::nullopt;
    }
    return ThrottlingState{state.control_mask, state.state_mask};
  }

 private:
  struct State {
    ULONG version, control_mask, state_mask;
  };
  static constexpr ULONG kVersion = 1;
  static constexpr int kInformation = 4;  // ProcessPowerThrottling
};

}  // namespace

StreamingBoost::StreamingBoost() {
  const BoostLock lock;
  if (boost_users++ > 0) return;
  timer_period_set = change_timer_period("timeBeginPeriod");
  ProcessThrottling calls;
  throttling_refusal.begin(calls);
}

StreamingBoost::~StreamingBoost() {
  const BoostLock lock;
  if (--boost_users > 0) return;
  ProcessThrottling calls;
  throttling_refusal.end(calls);
  if (timer_period_set) change_timer_period("timeEndPeriod");
  timer_period_set = false;
}

}  // namespace asiodrv::platform
