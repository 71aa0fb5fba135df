// The service manager of this machine: each method is one call, and its number when it fails.
#include "service/manager/service_control.hpp"

#include <windows.h>

#include <cstddef>
#include <utility>
#include <vector>

#include "platform/windows/handle.hpp"
#include "platform/windows/security.hpp"
#include "platform/windows/text.hpp"
#include "service/manager/windows/service_keys.hpp"

namespace asiodrv::service::manager {
namespace {

using platform::to_utf8;
using platform::to_wide;

tl::unexpected<SystemError> last_error() { return tl::unexpected(SystemError{GetLastError()}); }

Outcome<> outcome(BOOL done) {
  if (done == 0) return last_error();
  return {};
}

class ServiceHandle {
 public:
  explicit ServiceHandle(SC_HANDLE handle) noexcept : handle_(handle) {}
  ~ServiceHandle() {
    if (handle_ != nullptr) CloseServiceHandle(handle_);
  }
  ServiceHandle(ServiceHandle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  ServiceHandle& operator=(ServiceHandle&&) = delete;
  explicit operator bool() const noexcept { return handle_ != nullptr; }
  [[nodiscard]] SC_HANDLE get() const noexcept { return handle_; }

 private:
  SC_HANDLE handle_;
};

ServiceState state_of(const SERVICE_STATUS_PROCESS& status) {
  ServiceState state;
  state.type = status.dwServiceType;
  switch (status.dwCurrentState) {
    case SERVICE_STOPPED: state.state = RunState::stopped; break;
    case SERVICE_START_PENDING: state.state = RunState::start_pending; break;
    case SERVICE_STOP_PENDING: state.state = RunState::stop_pending; break;
    default: state.state = RunState::running; break;  // pausing is not ours
  }
  state.process_id = status.dwProcessId;
  state.exit_code = status.dwWin32ExitCode == system_errors::kServiceSpecific
                        ? status.dwServiceSpecificExitCode
                        : status.dwWin32ExitCode;
  return state;
}

/// Words, each ended by a zero, and a zero at the end of all.
std::wstring multi_text(const std::vector<std::string>& words) {
  std::wstring text;
  for (const std::string& word : words) (text += to_wide(word)) += L'\0';
  text += L'\0';
  return text;
}

class WindowsService final : public OpenedService {
 public:
  explicit WindowsService(ServiceHandle service) noexcept : service_(std::move(service)) {}

  Outcome<ServiceConfiguration> configuration() override {
    DWORD bytes = 0;
    QueryServiceConfigW(service_.get(), nullptr, 0, &bytes);
    if (GetLastError() != ERROR_INSUFFICIENT_BUFFER) return last_error();
    std::vector<std::max_align_t> room(bytes / sizeof(std::max_align_t) + 1);
    auto* const found = reinterpret_cast<QUERY_SERVICE_CONFIGW*>(room.data());
    const auto size = static_cast<DWORD>(room.size() * sizeof(std::max_align_t));
    if (QueryServiceConfigW(service_.get(), found, size, &bytes) == 0) return last_error();
    ServiceConfiguration answer;
    answer.type = found->dwServiceType;
    answer.start = static_cast<StartType>(found->dwStartType);
    answer.command = text(found->lpBinaryPathName);
    answer.display_name = text(found->lpDisplayName);
    const std::string account = text(found->lpServiceStartName);
    if (!account.empty()) answer.account = account;
    return answer;
  }

  Outcome<ServiceState> state() override {
    SERVICE_STATUS_PROCESS status{};
    DWORD bytes = 0;
    if (QueryServiceStatusEx(service_.get(), SC_STATUS_PROCESS_INFO,
                             reinterpret_cast<BYTE*>(&status), sizeof(status), &bytes) == 0) {
      return last_error();
    }
    return state_of(status);
  }

  Outcome<> change(const ServiceConfiguration& wanted) override {
    const std::wstring account = wanted.account ? to_wide(*wanted.account) : L"";
    return outcome(ChangeServiceConfigW(
        service_.get(), wanted.type, static_cast<DWORD>(wanted.start), SERVICE_ERROR_NORMAL,
        to_wide(wanted.command).c_str(), nullptr, nullptr, nullptr,
        wanted.account ? account.c_str() : nullptr, nullptr, to_wide(wanted.display_name).c_str()));
  }

  Outcome<> set_option(const ServiceOption& option) override {
    return std::visit([this](const auto& each) { return set(each); }, option);
  }

  Outcome<> start() override { return outcome(StartServiceW(service_.get(), 0, nullptr)); }

  Outcome<> stop() override {
    SERVICE_STATUS status{};
    return outcome(ControlService(service_.get(), SERVICE_CONTROL_STOP, &status));
  }

  Outcome<> remove() override { return outcome(DeleteService(service_.get())); }

 private:
  static std::string text(const wchar_t* found) {
    return found != nullptr ? to_utf8(found) : std::string();
  }

  Outcome<> change_option(DWORD level, void* value) {
    return outcome(ChangeServiceConfig2W(service_.get(), level, value));
  }

  Outcome<> set(const Description& description) {
    std::wstring words = to_wide(description.text);
    SERVICE_DESCRIPTIONW value{words.data()};
    return change_option(SERVICE_CONFIG_DESCRIPTION, &value);
  }

  Outcome<> set(const Recovery& recovery) {
    std::vector<SC_ACTION> actions;
    for (const auto delay : recovery.restart_after) {
      actions.push_back({SC_ACTION_RESTART, static_cast<DWORD>(delay.count())});
    }
    SERVICE_FAILURE_ACTIONSW value{};
    value.dwResetPeriod = static_cast<DWORD>(recovery.forget_after.count());
    value.cActions = static_cast<DWORD>(actions.size());
    value.lpsaActions = actions.data();
    return change_option(SERVICE_CONFIG_FAILURE_ACTIONS, &value);
  }

  Outcome<> set(const RecoveryAfterErrors&) {
    SERVICE_FAILURE_ACTIONS_FLAG value{TRUE};
    return change_option(SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &value);
  }

  Outcome<> set(const OwnIdentity& identity) {
    SERVICE_SID_INFO value{identity.sid_type};
    return change_option(SERVICE_CONFIG_SERVICE_SID_INFO, &value);
  }

  Outcome<> set(const RequiredPrivileges& privileges) {
    std::wstring words = multi_text(privileges.names);
    SERVICE_REQUIRED_PRIVILEGES_INFOW value{words.data()};
    return change_option(SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, &value);
  }

  Outcome<> set(const AccessList& access) {
    auto descriptor = platform::SecurityAttributes::parse(to_wide(access.sddl));
    if (!descriptor) return tl::unexpected(SystemError{system_errors::kInvalidParameter});
    return outcome(SetServiceObjectSecurity(service_.get(), DACL_SECURITY_INFORMATION,
                                            descriptor->get()->lpSecurityDescriptor));
  }

  ServiceHandle service_;
};

class WindowsProcess final : public WatchedProcess {
 public:
  explicit WindowsProcess(platform::UniqueHandle process) noexcept : process_(std::move(process)) {}
  bool has_ended() override { return WaitForSingleObject(process_.get(), 0) == WAIT_OBJECT_0; }

 private:
  platform::UniqueHandle process_;
};

/// One of another account, which not even an administrator may wait for. While it lives its number
/// is refused; afterwards it is unknown, or somebody's whom we may open.
class ForeignProcess final : public WatchedProcess {
 public:
  explicit ForeignProcess(DWORD id) noexcept : id_(id) {}
  bool has_ended() override {
    const platform::UniqueHandle process(OpenProcess(SYNCHRONIZE, FALSE, id_));
    return process || GetLastError() != ERROR_ACCESS_DENIED;
  }

 private:
  const DWORD id_;
};

class WindowsControl final : public ServiceControl {
 public:
  Outcome<std::unique_ptr<OpenedService>> create(const std::string& name,
                                                 const ServiceConfiguration& wanted,
                                                 std::uint32_t rights) override {
    const ServiceHandle manager(
        OpenSCManagerW(nullptr, nullptr, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE));
    if (!manager) return last_error();
    const std::wstring account = wanted.account ? to_wide(*wanted.account) : L"";
    ServiceHandle made(CreateServiceW(manager.get(), to_wide(name).c_str(),
                                      to_wide(wanted.display_name).c_str(), rights, wanted.type,
                                      static_cast<DWORD>(wanted.start), SERVICE_ERROR_NORMAL,
                                      to_wide(wanted.command).c_str(), nullptr, nullptr, nullptr,
                                      wanted.account ? account.c_str() : nullptr, nullptr));
    if (!made) return last_error();
    return std::make_unique<WindowsService>(std::move(made));
  }

  Outcome<std::unique_ptr<OpenedService>> open(const std::string& name,
                                               std::uint32_t rights) override {
    const ServiceHandle manager(OpenSCManagerW(nullptr, nullptr, SC_MANAGER_CONNECT));
    if (!manager) return last_error();
    ServiceHandle found(OpenServiceW(manager.get(), to_wide(name).c_str(), rights));
    if (!found) return last_error();
    return std::make_unique<WindowsService>(std::move(found));
  }

  Outcome<ServicePage> enumerate(std::uint32_t types, std::uint32_t room_bytes,
                                 std::uint32_t resume) override {
    const ServiceHandle manager(
        OpenSCManagerW(nullptr, nullptr, SC_MANAGER_CONNECT | SC_MANAGER_ENUMERATE_SERVICE));
    if (!manager) return last_error();
    std::vector<std::max_align_t> room(room_bytes / sizeof(std::max_align_t));
    const auto size = static_cast<DWORD>(room.size() * sizeof(std::max_align_t));
    DWORD needed = 0;
    DWORD count = 0;
    DWORD next = resume;
    const BOOL whole = EnumServicesStatusExW(
        manager.get(), SC_ENUM_PROCESS_INFO, types, SERVICE_STATE_ALL,
        reinterpret_cast<BYTE*>(room.data()), size, &needed, &count, &next, nullptr);
    if (whole == 0 && GetLastError() != ERROR_MORE_DATA) return last_error();
    ServicePage page;
    page.more = whole == 0;
    page.resume = next;
    page.bytes_needed = needed;
    const auto* entries = reinterpret_cast<const ENUM_SERVICE_STATUS_PROCESSW*>(room.data());
    for (DWORD index = 0; index < count; ++index) {
      page.entries.push_back(
          {to_utf8(entries[index].lpServiceName), state_of(entries[index].ServiceStatusProcess)});
    }
    return page;
  }

  Outcome<std::unique_ptr<WatchedProcess>> watch(std::uint32_t process_id) override {
    platform::UniqueHandle process(OpenProcess(SYNCHRONIZE, FALSE, process_id));
    if (process) return std::make_unique<WindowsProcess>(std::move(process));
    if (GetLastError() != ERROR_ACCESS_DENIED) return last_error();
    return std::make_unique<ForeignProcess>(process_id);
  }

  Outcome<> allow_instances(const std::string& name, bool allowed) override {
    return keys::allow_instances(name, allowed);
  }
  Outcome<> note_mode(const std::string& name, const std::string& mode) override {
    return keys::note_mode(name, mode);
  }
  std::string noted_mode(const std::string& name) override { return keys::noted_mode(name); }
  Outcome<> register_events(const std::string& source, const std::string& program) override {
    return keys::register_events(source, program);
  }
  Outcome<> unregister_events(const std::string& source) override {
    return keys::unregister_events(source);
  }
};

}  // namespace

std::unique_ptr<ServiceControl> make_service_control() {
  return std::make_unique<WindowsControl>();
}

}  // namespace asiodrv::service::manager
