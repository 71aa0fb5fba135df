// The service manager's own calls, from within a service process.
#include "service/manager/service_process.hpp"

#include <windows.h>

#include <atomic>
#include <utility>

#include "platform/windows/handle.hpp"
#include "service/manager/names.hpp"

namespace asiodrv::service::manager {
namespace {

constexpr DWORD kLeaveLimitMs = 5000;

class WindowsConnection;

// The manager calls a plain function without a context. One connection at a time.
std::atomic<WindowsConnection*> g_connection{nullptr};

class WindowsConnection final : public ServiceConnection {
 public:
  Outcome<> dispatch(std::function<void()> service_main) override {
    service_main_ = std::move(service_main);
    g_connection.store(this);
    // The name is ignored for a service that has its process to itself: an instance of a user finds
    // its own.
    std::wstring name;
    for (const char* c = service_name(); *c != '\0'; ++c) name += static_cast<wchar_t>(*c);
    const SERVICE_TABLE_ENTRYW table[] = {{name.data(), enter}, {nullptr, nullptr}};
    const BOOL dispatched = StartServiceCtrlDispatcherW(table);
    const DWORD error = dispatched != 0 ? 0 : GetLastError();
    // The manager lets go as soon as STOPPED was reported; the thread that did is still in our
    // code.
    if (dispatched != 0) WaitForSingleObject(left_.get(), kLeaveLimitMs);
    g_connection.store(nullptr);
    if (dispatched == 0) return tl::unexpected(SystemError{error});
    return {};
  }

  Outcome<> handle(
      std::function<std::uint32_t(std::uint32_t control, std::uint32_t event)> handler) override {
    handler_ = std::move(handler);
    status_ = RegisterServiceCtrlHandlerExW(name_.c_str(), on_control, this);
    if (status_ == nullptr) return tl::unexpected(SystemError{GetLastError()});
    return {};
  }

  Outcome<> report(const StatusReport& report) override {
    SERVICE_STATUS status{};
    status.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
    status.dwCurrentState = static_cast<DWORD>(report.state);
    status.dwControlsAccepted = report.accepts_controls
                                    ? SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN |
                                          SERVICE_ACCEPT_POWEREVENT | SERVICE_ACCEPT_SESSIONCHANGE
                                    : 0;
    status.dwCheckPoint = report.checkpoint;
    status.dwWaitHint = static_cast<DWORD>(report.wait_hint.count() / 1'000'000);
    status.dwWin32ExitCode = report.exit_code;
    status.dwServiceSpecificExitCode = report.own_exit_code;
    if (SetServiceStatus(status_, &status) == 0) {
      return tl::unexpected(SystemError{GetLastError()});
    }
    return {};
  }

 private:
  static void WINAPI enter(DWORD count, wchar_t** arguments) noexcept {
    WindowsConnection* const here = g_connection.load();
    if (count > 0 && arguments != nullptr) here->name_ = arguments[0];
    here->service_main_();
    SetEvent(here->left_.get());
  }

  static DWORD WINAPI on_control(DWORD control, DWORD event, void* /*data*/, void* context) {
    return static_cast<WindowsConnection*>(context)->handler_(control, event);
  }

  std::function<void()> service_main_;
  std::function<std::uint32_t(std::uint32_t, std::uint32_t)> handler_;
  std::wstring name_;
  SERVICE_STATUS_HANDLE status_ = nullptr;
  const platform::UniqueHandle left_ = platform::make_event(true);  // ServiceMain is done
};

}  // namespace

std::unique_ptr<ServiceConnection> make_service_connection() {
  return std::make_unique<WindowsConnection>();
}

}  // namespace asiodrv::service::manager
