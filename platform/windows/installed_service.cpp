// The service manager as the driver DLL needs it: two questions and one request, none of which asks
// for more than a user has. Part of the DLL; see ipc/client/service_start.hpp for who calls it
// where.
#include <windows.h>

#include <cstddef>
#include <utility>
#include <vector>

#include "platform/platform.hpp"
#include "platform/service_instances.hpp"
#include "platform/windows/text.hpp"

namespace asiodrv::platform {
namespace {

constexpr DWORD kPerUserBit = 0x40;    // of a template: it never runs itself
constexpr DWORD kAllServices = 0x3FF;  // the header has no name for it
constexpr DWORD kListBytes = 256 * 1024;
constexpr int kMostListPages = 256;

class ManagerHandle {
 public:
  explicit ManagerHandle(SC_HANDLE handle) noexcept : handle_(handle) {}
  ~ManagerHandle() {
    if (handle_ != nullptr) CloseServiceHandle(handle_);
  }
  ManagerHandle(ManagerHandle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  ManagerHandle& operator=(ManagerHandle&&) = delete;
  explicit operator bool() const noexcept { return handle_ != nullptr; }
  [[nodiscard]] SC_HANDLE get() const noexcept { return handle_; }

 private:
  SC_HANDLE handle_;
};

tl::unexpected<Error> service_failure(const char* what, DWORD error) {
  switch (error) {
    case ERROR_SERVICE_DOES_NOT_EXIST:
      return fail(ErrorCode::not_found, "No service is registered.");
    case ERROR_SERVICE_ALREADY_RUNNING:
      return fail(ErrorCode::already_exists, "The service runs already.");
    default: return system_failure(what, error);
  }
}

std::optional<std::uint32_t> session_of_process(std::uint32_t process_id) {
  DWORD session = 0;
  if (ProcessIdToSessionId(process_id, &session) == 0) return std::nullopt;
  return session;
}

/// All services that this user may see; what leaves while the list is read is not in it.
std::vector<ListedService> listed_services() {
  std::vector<ListedService> services;
  const ManagerHandle manager(
      OpenSCManagerW(nullptr, nullptr, SC_MANAGER_CONNECT | SC_MANAGER_ENUMERATE_SERVICE));
  if (!manager) return services;
  std::vector<std::max_align_t> room(kListBytes / sizeof(std::max_align_t));
  DWORD resume = 0;
  for (int page = 0; page < kMostListPages; ++page) {
    DWORD needed = 0;
    DWORD count = 0;
    const BOOL whole = EnumServicesStatusExW(
        manager.get(), SC_ENUM_PROCESS_INFO, kAllServices, SERVICE_STATE_ALL,
        reinterpret_cast<BYTE*>(room.data()), kListBytes, &needed, &count, &resume, nullptr);
    if (whole == 0 && GetLastError() != ERROR_MORE_DATA) break;
    const auto* entries = reinterpret_cast<const ENUM_SERVICE_STATUS_PROCESSW*>(room.data());
    for (DWORD index = 0; index < count; ++index) {
      const SERVICE_STATUS_PROCESS& status = entries[index].ServiceStatusProcess;
      services.push_back(
          {to_utf8(entries[index].lpServiceName), status.dwServiceType, status.dwProcessId});
    }
    if (whole != 0 || count == 0) break;
  }
  return services;
}

class RegisteredService final : public ports::InstalledService {
 public:
  explicit RegisteredService(const std::string& name) : name_(name) {}

  Result<ports::InstalledServiceFacts> look() override {
    auto known = open(name_, SERVICE_QUERY_CONFIG | SERVICE_QUERY_STATUS);
    if (!known) return tl::unexpected(known.error());
    alignas(std::max_align_t) std::byte answer[8 * 1024];  // the most that this call returns
    auto* const found = reinterpret_cast<QUERY_SERVICE_CONFIGW*>(answer);
    DWORD bytes = 0;
    if (QueryServiceConfigW(known->get(), found, sizeof(answer), &bytes) == 0) {
      return service_failure("The service's configuration could not be read", GetLastError());
    }
    ports::InstalledServiceFacts facts;
    facts.switched_off = found->dwStartType == SERVICE_DISABLED;
    if ((found->dwServiceType & kPerUserBit) == 0) {
      facts.can_start = true;
      return with_state(*known, facts);
    }
    const auto instance = own_instance();
    if (!instance) return facts;
    auto own = open(*instance, SERVICE_QUERY_STATUS);
    if (!own) return facts;
    facts.can_start = true;
    return with_state(*own, facts);
  }

  Result<> start() override {
    std::string target = name_;
    {
      auto known = open(name_, SERVICE_QUERY_STATUS);
      if (!known) return tl::unexpected(known.error());
      SERVICE_STATUS status{};
      if (QueryServiceStatus(known->get(), &status) == 0) {
        return service_failure("The service's state could not be read", GetLastError());
      }
      if ((status.dwServiceType & kPerUserBit) != 0) {
        const auto instance = own_instance();
        if (!instance) return fail(ErrorCode::not_found, "This user has no service yet.");
        target = *instance;
      }
    }
    auto service = open(target, SERVICE_START);
    if (!service) return tl::unexpected(service.error());
    if (StartServiceW(service->get(), 0, nullptr) == 0) {
      return service_failure("The service could not be started", GetLastError());
    }
    return {};
  }

 private:
  static Result<ManagerHandle> open(const std::string& name, DWORD rights) {
    const ManagerHandle manager(OpenSCManagerW(nullptr, nullptr, SC_MANAGER_CONNECT));
    if (!manager) {
      return service_failure("The service manager could not be asked", GetLastError());
    }
    ManagerHandle service(OpenServiceW(manager.get(), to_wide(name).c_str(), rights));
    if (!service) return service_failure("The service could not be opened", GetLastError());
    return service;
  }

  static Result<ports::InstalledServiceFacts> with_state(const ManagerHandle& service,
                                                         ports::InstalledServiceFacts facts) {
    SERVICE_STATUS_PROCESS status{};
    DWORD bytes = 0;
    if (QueryServiceStatusEx(service.get(), SC_STATUS_PROCESS_INFO,
                             reinterpret_cast<BYTE*>(&status), sizeof(status), &bytes) == 0) {
      return service_failure("The service's state could not be read", GetLastError());
    }
    facts.running =
        status.dwCurrentState == SERVICE_RUNNING || status.dwCurrentState == SERVICE_START_PENDING;
    // Stopping counts: whoever stops it means it, and it cannot be started before it has stopped.
    facts.was_stopped =
        status.dwCurrentState == SERVICE_STOP_PENDING ||
        (status.dwCurrentState == SERVICE_STOPPED && status.dwWin32ExitCode == NO_ERROR);
    return facts;
  }

  [[nodiscard]] std::optional<std::string> own_instance() const {
    const auto session = session_of_process(GetCurrentProcessId());
    if (!session) return std::nullopt;
    return instance_of_session(listed_services(), name_, *session, session_of_process);
  }

  const std::string name_;
};

}  // namespace

std::unique_ptr<ports::InstalledService> make_installed_service(const std::string& name) {
  return std::make_unique<RegisteredService>(name);
}

}  // namespace asiodrv::platform
