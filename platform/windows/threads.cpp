// Threads and signals on CreateThread and events; MMCSS for audio threads.
#include <windows.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/ports/thread.hpp"
#include "platform/cpu.hpp"
#include "platform/monotonic.hpp"
#include "platform/platform.hpp"
#include "platform/realtime.hpp"
#include "platform/windows/audio_priority.hpp"
#include "platform/windows/handle.hpp"
#include "platform/windows/library.hpp"
#include "platform/windows/sleeper.hpp"
#include "platform/windows/text.hpp"

namespace asiodrv::platform {
namespace {

constexpr SIZE_T kStackBytes = 1024 * 1024;
constexpr nanoseconds kStartBound{2'000'000'000};

SchedulerService scheduler_service() noexcept {
  return {system_function<HANDLE WINAPI(const wchar_t*, DWORD*)>(L"avrt.dll",
                                                                 "AvSetMmThreadCharacteristicsW"),
          system_function<BOOL WINAPI(HANDLE, int)>(L"avrt.dll", "AvSetMmThreadPriority"),
          system_function<BOOL WINAPI(HANDLE)>(L"avrt.dll", "AvRevertMmThreadCharacteristics")};
}

/// What a running thread and its Thread object share; the last of the two frees it.
struct ThreadState {
  std::function<void()> body;
  ports::ThreadRole role{};
  char name[16] = {};
  SchedulerService service{};
  std::atomic<bool> realtime{false};
  std::atomic<DWORD> id{0};
  std::atomic<bool> ended{false};            // set by the thread, before its id can be another's
  UniqueHandle ready = make_event(true);     // the thread has its priority and its stack
  UniqueHandle finished = make_event(true);  // the body has returned and is destroyed
};

void name_thread(const char* name) noexcept {
  using SetThreadDescription = HRESULT WINAPI(HANDLE, const wchar_t*);
  HMODULE module = GetModuleHandleW(L"kernel32.dll");  // Windows 10 1607 and later
  auto* set = reinterpret_cast<SetThreadDescription*>(
      reinterpret_cast<void*>(GetProcAddress(module, "SetThreadDescription")));
  if (set == nullptr) return;
  wchar_t wide[16] = {};
  for (std::size_t at = 0; at < 15 && name[at] != '\0'; ++at) {
    wide[at] = static_cast<wchar_t>(static_cast<unsigned char>(name[at]));
  }
  set(GetCurrentThread(), wide);
}

void run_body(ThreadState& state) {
  if (code_in_program()) {
    state.body();  // an exception ends the program, as the contract says
  } else {
    try {
      state.body();
    } catch (...) {  // NOLINT: a foreign host's process is not ours to end
    }
  }
  state.body = nullptr;  // what it captured is released before a join returns
}

void run_thread(ThreadState& state) noexcept {
  name_thread(state.name);
  if (ports::is_realtime(state.role)) {
    const AudioPriority priority(state.service, state.role);
    state.realtime.store(priority.granted(), std::memory_order_relaxed);
    flush_denormals();
    prefault_stack();
    SetEvent(state.ready.get());
    run_body(state);
  } else {
    SetEvent(state.ready.get());
    run_body(state);
  }
}

DWORD WINAPI thread_main(void* argument) noexcept {
  const std::unique_ptr<std::shared_ptr<ThreadState>> holder(
      static_cast<std::shared_ptr<ThreadState>*>(argument));
  run_thread(**holder);
  (*holder)->ended.store(true, std::memory_order_relaxed);
  SetEvent((*holder)->finished.get());
  return 0;
}

class WindowsThread final : public ports::Thread {
 public:
  explicit WindowsThread(std::shared_ptr<ThreadState> state) noexcept : state_(std::move(state)) {}

  /// It runs from now on, and has to be joined.
  void begun() noexcept { tried_ = false; }

  ~WindowsThread() override {
    if (tried_ || ended_by({0}) || !code_in_program()) return;
    std::fprintf(stderr, "The thread \"%s\" was dropped while it ran; join it first.\n",
                 state_->name);
    std::abort();
  }

  /// Waits for the body, not for the thread object: its end takes the loader lock, which a host
  /// may hold while it calls us.
  bool join(Instant deadline) override {
    tried_ = true;
    return !is_current() && ended_by(deadline);
  }

  /// No kernel call: outputReady asks it in every callback. Ids are reused, but whoever has this
  /// one now began after its last owner wrote `ended`.
  [[nodiscard]] bool is_current() const noexcept override {
    return state_->id.load(std::memory_order_relaxed) == GetCurrentThreadId() &&
           !state_->ended.load(std::memory_order_relaxed);
  }

  [[nodiscard]] bool is_realtime() const noexcept override {
    return state_->realtime.load(std::memory_order_relaxed);
  }

 private:
  [[nodiscard]] bool ended_by(Instant deadline) const noexcept {
    const HANDLE finished = state_->finished.get();
    return wait_any(&finished, 1, deadline) == 0;
  }

  std::shared_ptr<ThreadState> state_;
  /// Nobody has to try before it runs. A thread may try to join itself while another joins it.
  std::atomic<bool> tried_{true};
};

class EventSignal final : public ports::Signal {
 public:
  EventSignal() noexcept : method_(sleep_method()) {}

  void signal() RT_SAFE override { SetEvent(event_.get()); }

  bool wait(Instant deadline) override {
    while (!wait_event(method_, event_.get(), nullptr, deadline)) {
      if (time_left(deadline) == nanoseconds{0}) return false;
    }
    return true;
  }

 private:
  SleepMethod method_;
  UniqueHandle event_ = make_event(false);
};

class WindowsThreads final : public ports::Threads {
 public:
  Result<std::unique_ptr<ports::Thread>> start(const char* name, ports::ThreadRole role,
                                               std::function<void()> body) override {
    pin_module();
    auto state = std::make_shared<ThreadState>();
    if (!state->ready || !state->finished) {
      return refusal(name, GetLastError());
    }
    state->body = std::move(body);
    state->role = role;
    std::strncpy(state->name, name, sizeof(state->name) - 1);
    if (ports::is_realtime(role)) state->service = scheduler_service();
    auto holder = std::make_unique<std::shared_ptr<ThreadState>>(state);
    // Before it runs: nobody would hold a thread whose object finds no memory.
    auto object = std::make_unique<WindowsThread>(state);

    DWORD id = 0;
    const UniqueHandle thread(CreateThread(nullptr, kStackBytes, thread_main, holder.get(),
                                           STACK_SIZE_PARAM_IS_A_RESERVATION, &id));
    if (!thread) return refusal(name, GetLastError());
    (void)holder.release();  // the thread has it now
    object->begun();
    state->id.store(id, std::memory_order_relaxed);
    const HANDLE ready = state->ready.get();
    (void)wait_any(&ready, 1, monotonic_now() + kStartBound);
    return std::unique_ptr<ports::Thread>(std::move(object));
  }

  std::unique_ptr<ports::Signal> make_signal() override { return std::make_unique<EventSignal>(); }

 private:
  static tl::unexpected<Error> refusal(const char* name, DWORD error) {
    return system_failure("The thread \"" + std::string(name) + "\" could not be started", error);
  }
};

}  // namespace

std::unique_ptr<ports::Threads> make_threads() { return std::make_unique<WindowsThreads>(); }

}  // namespace asiodrv::platform
