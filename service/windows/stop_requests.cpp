#include "service/stop_requests.hpp"

#include <windows.h>

#include <atomic>

namespace asiodrv::service {
namespace {

// The console calls a plain function. Both are constants while a StopRequests lives.
std::atomic<const std::function<void()>*> g_stop{nullptr};
std::atomic<HANDLE> g_stopped{nullptr};

constexpr DWORD kStopLimitMs = 2000;

/// On a thread that the system makes. After a close, logoff or shutdown event the process ends as
/// soon as this returns, so it waits until the service has stopped.
BOOL WINAPI on_console_event(DWORD event) {
  const auto* const stop = g_stop.load();
  if (stop == nullptr) return FALSE;
  (*stop)();
  if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT) {
    WaitForSingleObject(g_stopped.load(), kStopLimitMs);
  }
  return TRUE;
}

}  // namespace

struct StopRequests::State {
  std::function<void()> stop;
  HANDLE stopped = nullptr;
};

StopRequests::StopRequests(ports::Clock& /*clock*/, ports::Threads& /*threads*/,
                           std::function<void()> stop)
    : state_(new State{std::move(stop), CreateEventW(nullptr, TRUE, FALSE, nullptr)}) {
  g_stopped.store(state_->stopped);
  g_stop.store(&state_->stop);
  SetConsoleCtrlHandler(on_console_event, TRUE);
}

StopRequests::~StopRequests() {
  SetConsoleCtrlHandler(on_console_event, FALSE);
  g_stop.store(nullptr);
  // The event stays open: a handler may be waiting for it until the process is gone.
  SetEvent(state_->stopped);
}

}  // namespace asiodrv::service
