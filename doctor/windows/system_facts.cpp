// The service manager, privacy, power and session of this Windows.
#include <windows.h>

#include <algorithm>
#include <array>

#include "doctor/gather.hpp"
#include "doctor/identity.hpp"
#include "doctor/installed_files.hpp"
#include "doctor/privacy.hpp"
#include "doctor/windows/registration_facts.hpp"
#include "doctor/windows/registry.hpp"
#include "platform/windows/handle.hpp"
#include "platform/windows/security.hpp"
#include "platform/windows/text.hpp"
#include "service/paths.hpp"

namespace asiodrv::doctor {
namespace {

class ServiceHandle {
 public:
  explicit ServiceHandle(SC_HANDLE handle) noexcept : handle_(handle) {}
  ~ServiceHandle() {
    if (handle_ != nullptr) CloseServiceHandle(handle_);
  }
  ServiceHandle(const ServiceHandle&) = delete;
  ServiceHandle& operator=(const ServiceHandle&) = delete;
  [[nodiscard]] SC_HANDLE get() const noexcept { return handle_; }

 private:
  SC_HANDLE handle_;
};

/// True unless it is stopped or about to be.
Known<bool> runs(SC_HANDLE manager, const wchar_t* name) {
  const ServiceHandle service(OpenServiceW(manager, name, SERVICE_QUERY_STATUS));
  SERVICE_STATUS status{};
  if (service.get() == nullptr || QueryServiceStatus(service.get(), &status) == 0) {
    const DWORD error = GetLastError();
    return Known<bool>::unknown(error == ERROR_SERVICE_DOES_NOT_EXIST
                                    ? "this Windows has no such service"
                                    : "the service manager refuses, error " +
                                          std::to_string(error));
  }
  return status.dwCurrentState != SERVICE_STOPPED && status.dwCurrentState != SERVICE_STOP_PENDING;
}

Known<std::string> start_mode(SC_HANDLE manager) {
  const ServiceHandle service(
      OpenServiceW(manager, platform::to_wide(service_key()).c_str(), SERVICE_QUERY_CONFIG));
  if (service.get() == nullptr) {
    const DWORD error = GetLastError();
    if (error == ERROR_SERVICE_DOES_NOT_EXIST) return std::string("none");
    return Known<std::string>::unknown("the service manager refuses, error " +
                                       std::to_string(error));
  }
  alignas(QUERY_SERVICE_CONFIGW) std::array<std::byte, 8192> answer{};  // the documented maximum
  auto* const config = reinterpret_cast<QUERY_SERVICE_CONFIGW*>(answer.data());
  DWORD needed = 0;
  if (QueryServiceConfigW(service.get(), config, static_cast<DWORD>(answer.size()), &needed) == 0) {
    return Known<std::string>::unknown("the service manager refuses, error " +
                                       std::to_string(GetLastError()));
  }
  switch (config->dwStartType) {
    case SERVICE_DISABLED: return std::string("disabled");
    case SERVICE_DEMAND_START: return std::string("demand");
    default: return std::string("automatic");
  }
}

void gather_services(Facts& facts) {
  const ServiceHandle manager(OpenSCManagerW(nullptr, nullptr, SC_MANAGER_CONNECT));
  if (manager.get() == nullptr) {
    const std::string why =
        "the service manager does not answer, error " + std::to_string(GetLastError());
    facts.service.start_mode = Known<std::string>::unknown(why);
    facts.system.audio_service = facts.system.endpoint_builder = Known<bool>::unknown(why);
    return;
  }
  facts.service.start_mode = start_mode(manager.get());
  facts.system.audio_service = runs(manager.get(), L"Audiosrv");
  facts.system.endpoint_builder = runs(manager.get(), L"AudioEndpointBuilder");
}

/// Whatever is not written as "Deny" is allowed.
Known<std::string> consent(HKEY root, const std::string& below) {
  const RegistryKey key(root,
                        "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\CapabilityAccessManager\\"
                        "ConsentStore\\microphone" +
                            below,
                        View::bits64);
  if (!key.decided()) {
    return Known<std::string>::unknown("the registry refuses, error " +
                                       std::to_string(key.error()));
  }
  return std::string(key.text("Value") == "Deny" ? "deny" : "allow");
}

void gather_privacy(SystemFacts& system) {
  constexpr DWORD kForceAllow = 1;
  constexpr DWORD kForceDeny = 2;
  const RegistryKey policy(HKEY_LOCAL_MACHINE, "SOFTWARE\\Policies\\Microsoft\\Windows\\AppPrivacy",
                           View::bits64);
  const DWORD forced = policy.number("LetAppsAccessMicrophone").value_or(0);
  system.microphone_policy = policy.decided()
                                 ? Known<std::string>(std::string(forced == kForceAllow  ? "allow"
                                                                  : forced == kForceDeny ? "deny"
                                                                                         : "user"))
                                 : Known<std::string>::unknown("the registry refuses, error " +
                                                               std::to_string(policy.error()));
  system.microphone_device = consent(HKEY_LOCAL_MACHINE, "");
  system.microphone_user = consent(HKEY_CURRENT_USER, "");
  system.microphone_desktop = consent(HKEY_CURRENT_USER, "\\NonPackaged");
}

/// From the registry: the library with the calls for it is one more to load.
void gather_power(SystemFacts& system) {
  const std::string schemes = "SYSTEM\\CurrentControlSet\\Control\\Power\\User\\PowerSchemes";
  const RegistryKey key(HKEY_LOCAL_MACHINE, schemes);
  const std::string active = key.text("ActivePowerScheme");
  if (active.empty()) {
    const char* const why = "this Windows names no active power plan";
    system.power_plan = Known<std::string>::unknown(why);
    system.processor_percent = Known<std::uint32_t>::unknown(why);
    return;
  }
  const auto is = [&](const char* plan) { return same_text(active, plan); };
  system.power_plan = std::string(is("a1841308-3541-4fab-bc81-f71556f20b4a")   ? "saver"
                                  : is("381b4222-f694-41f0-9685-ff5bb260df2e") ? "balanced"
                                  : is("8c5e7fda-e8bf-4a96-9a85-a6e23a8c635c") ? "performance"
                                                                               : "other");
  const RegistryKey most(HKEY_LOCAL_MACHINE, schemes + "\\" + active +
                                                 "\\54533251-82be-4824-96c1-47b60b740d00"
                                                 "\\bc5038f7-23e0-4960-96da-33abaf5935ec");
  // Only what was changed is written here; everything else is as the plan came.
  system.processor_percent = std::uint32_t{most.number("ACSettingIndex").value_or(100)};
}

/// Absent means 20.
Known<std::uint32_t> reserved_percent() {
  const RegistryKey profile(
      HKEY_LOCAL_MACHINE,
      "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Multimedia\\SystemProfile", View::bits64);
  if (!profile.decided()) {
    return Known<std::uint32_t>::unknown("the registry refuses, error " +
                                         std::to_string(profile.error()));
  }
  return std::uint32_t{profile.number("SystemResponsiveness").value_or(20)};
}

Known<bool> elevated() {
  HANDLE raw = nullptr;
  if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw) == 0) {
    return Known<bool>::unknown("the system does not tell");
  }
  const platform::UniqueHandle token(raw);
  TOKEN_ELEVATION value{};
  DWORD bytes = 0;
  if (GetTokenInformation(token.get(), TokenElevation, &value, sizeof value, &bytes) == 0) {
    return Known<bool>::unknown("the system does not tell");
  }
  TOKEN_ELEVATION_TYPE type{};
  // Where accounts have no second, weaker token, everything runs on one level.
  const bool split =
      GetTokenInformation(token.get(), TokenElevationType, &type, sizeof type, &bytes) != 0 &&
      type == TokenElevationTypeFull;
  return value.TokenIsElevated != 0 && split && platform::account_control_is_on();
}

/// As Windows' sign-in screen remembers it, when the one who signed in last is one of `users`. The
/// call for it would ask the domain, over the network.
std::string full_name(const std::vector<std::string>& users) {
  const RegistryKey key(HKEY_LOCAL_MACHINE,
                        "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Authentication\\LogonUI",
                        View::bits64);
  const std::string last = key.text("LastLoggedOnUser");  // "DOMAIN\name", ".\name"
  const std::string name = last.substr(last.find_last_of('\\') + 1);
  const bool known = std::any_of(users.begin(), users.end(),
                                 [&](const std::string& user) { return same_text(user, name); });
  return known && !name.empty() ? key.text("LastLoggedOnDisplayName") : std::string();
}

}  // namespace

void gather_system(Facts& facts, const GatherOptions& options) {
  SystemFacts& system = facts.system;
  system.name = "windows";
  system.elevated = elevated();
  system.remote_session = GetSystemMetrics(SM_REMOTESESSION) != 0;
  gather_services(facts);
  gather_privacy(system);
  gather_power(system);
  system.reserved_percent = reserved_percent();
  gather_registration(facts, options);
}

PersonalNames personal_names() {
  PersonalNames names;
  for (const char* const variable : {"USERPROFILE", "HOME", "OneDrive", "HOMEPATH"}) {
    names.folders.push_back(service::environment(variable));
  }
  std::array<wchar_t, 512> text{};
  auto length = static_cast<DWORD>(text.size());
  if (GetUserNameW(text.data(), &length) != 0)
    names.users.push_back(platform::to_utf8(text.data()));
  names.users.push_back(service::environment("USERNAME"));
  names.users.push_back(full_name(names.users));
  length = static_cast<DWORD>(text.size());
  if (GetComputerNameExW(ComputerNameDnsHostname, text.data(), &length) != 0) {
    names.computers.push_back(platform::to_utf8({text.data(), length}));
  }
  length = static_cast<DWORD>(text.size());
  if (GetComputerNameW(text.data(), &length) != 0) {
    names.computers.push_back(platform::to_utf8({text.data(), length}));
  }
  names.computers.push_back(service::environment("COMPUTERNAME"));
  for (const char* const variable : {"USERDOMAIN", "USERDNSDOMAIN"}) {
    names.computers.push_back(service::environment(variable));
  }
  return names;
}

}  // namespace asiodrv::doctor
