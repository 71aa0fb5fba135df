// Real-time scheduling of one thread: the system's scheduler service for multimedia (MMCSS) where
// it answers, the highest ordinary priority where it does not.
#pragma once

#include <windows.h>

#include "core/ports/thread.hpp"

namespace asiodrv::platform {

/// The functions of avrt.dll, looked up once; null where it is missing.
struct SchedulerService {
  HANDLE(WINAPI* join)(const wchar_t* task, DWORD* index);
  BOOL(WINAPI* set_priority)(HANDLE, int priority);
  BOOL(WINAPI* leave)(HANDLE);
};

/// Real-time scheduling of the calling thread, from construction to destruction (on that thread).
class AudioPriority {
 public:
  AudioPriority(const SchedulerService& service, ports::ThreadRole role) noexcept
      : leave_(service.leave) {
    if (service.join != nullptr) {
      DWORD index = 0;  // anything else fails on the first call
      task_ = service.join(L"Pro Audio", &index);
      constexpr int kHigh = 1;      // AVRT_PRIORITY_HIGH
      constexpr int kCritical = 2;  // AVRT_PRIORITY_CRITICAL
      const int wanted = role == ports::ThreadRole::engine ? kCritical : kHigh;
      if (task_ != nullptr && service.set_priority != nullptr) service.set_priority(task_, wanted);
    }
    granted_ = task_ != nullptr;
    // A service that answers and raises nothing exists; so does a machine without the service.
    if (!raised()) {
      granted_ = SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_TIME_CRITICAL) != 0;
    }
  }
  ~AudioPriority() {
    if (task_ != nullptr && leave_ != nullptr) leave_(task_);
  }
  AudioPriority(const AudioPriority&) = delete;
  AudioPriority& operator=(const AudioPriority&) = delete;

  [[nodiscard]] bool granted() const noexcept { return granted_; }

 private:
  /// True when the kernel schedules this thread in its real-time range (16 to 31).
  [[nodiscard]] bool raised() const noexcept {
    struct BasicInformation {
      LONG exit_status;
      void* environment_block;
      HANDLE process, thread;
      ULONG_PTR affinity;
      LONG priority, base_priority;
    };
    using Query = LONG NTAPI(HANDLE, int, void*, ULONG, ULONG*);
    HMODULE module = GetModuleHandleW(L"ntdll.dll");
    auto* query = reinterpret_cast<Query*>(
        reinterpret_cast<void*>(GetProcAddress(module, "NtQueryInformationThread")));
    BasicInformation information{};
    constexpr int kThreadBasicInformation = 0;
    if (task_ == nullptr || query == nullptr ||
        query(GetCurrentThread(), kThreadBasicInformation, &information, sizeof(information),
              nullptr) != 0) {
      return task_ != nullptr;
    }
    return information.priority >= 16;
  }

  BOOL(WINAPI* leave_)(HANDLE);
  HANDLE task_ = nullptr;
  bool granted_ = false;
};

}  // namespace asiodrv::platform
