#include "service/manager/windows/service_keys.hpp"

#include <windows.h>

#include <vector>

#include "platform/windows/text.hpp"

namespace asiodrv::service::manager::keys {
namespace {

using platform::to_wide;

constexpr const wchar_t* kServices = L"SYSTEM\\CurrentControlSet\\Services\\";
constexpr const wchar_t* kSources = L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\";
constexpr const wchar_t* kInstanceValue = L"UserServiceFlags";
constexpr const wchar_t* kModeValue = L"StartMode";
constexpr DWORD kAllEventTypes = 7;  // errors, warnings, information

Outcome<> key_outcome(LSTATUS status) {
  if (status != ERROR_SUCCESS) return tl::unexpected(SystemError{static_cast<DWORD>(status)});
  return {};
}

class RegistryKey {
 public:
  ~RegistryKey() {
    if (key_ != nullptr) RegCloseKey(key_);
  }
  RegistryKey() = default;
  RegistryKey(const RegistryKey&) = delete;
  RegistryKey& operator=(const RegistryKey&) = delete;

  LSTATUS create(const std::wstring& path) {
    return RegCreateKeyExW(HKEY_LOCAL_MACHINE, path.c_str(), 0, nullptr, 0,
                           KEY_SET_VALUE | KEY_WOW64_64KEY, nullptr, &key_, nullptr);
  }
  LSTATUS open(const std::wstring& path) {
    return RegOpenKeyExW(HKEY_LOCAL_MACHINE, path.c_str(), 0, KEY_SET_VALUE | KEY_WOW64_64KEY,
                         &key_);
  }
  LSTATUS set_text(const wchar_t* name, const std::wstring& text, DWORD type) {
    return RegSetValueExW(key_, name, 0, type, reinterpret_cast<const BYTE*>(text.c_str()),
                          static_cast<DWORD>((text.size() + 1) * sizeof(wchar_t)));
  }
  LSTATUS set_number(const wchar_t* name, DWORD number) {
    return RegSetValueExW(key_, name, 0, REG_DWORD, reinterpret_cast<const BYTE*>(&number),
                          sizeof(number));
  }
  LSTATUS remove_value(const wchar_t* name) {
    const LSTATUS status = RegDeleteValueW(key_, name);
    return status == ERROR_FILE_NOT_FOUND ? ERROR_SUCCESS : status;
  }

 private:
  HKEY key_ = nullptr;
};

std::wstring parameters_of(const std::string& name) {
  return kServices + to_wide(name) + L"\\Parameters";
}

}  // namespace

Outcome<> allow_instances(const std::string& name, bool allowed) {
  RegistryKey key;
  if (const LSTATUS status = key.open(kServices + to_wide(name)); status != ERROR_SUCCESS) {
    return key_outcome(status);
  }
  return key_outcome(allowed ? key.remove_value(kInstanceValue)
                             : key.set_number(kInstanceValue, 0));
}

Outcome<> note_mode(const std::string& name, const std::string& mode) {
  RegistryKey key;
  if (const LSTATUS status = key.create(parameters_of(name)); status != ERROR_SUCCESS) {
    return key_outcome(status);
  }
  return key_outcome(key.set_text(kModeValue, to_wide(mode), REG_SZ));
}

std::string noted_mode(const std::string& name) {
  wchar_t found[32] = {};
  DWORD bytes = sizeof(found);
  const LSTATUS status =
      RegGetValueW(HKEY_LOCAL_MACHINE, parameters_of(name).c_str(), kModeValue,
                   RRF_RT_REG_SZ | RRF_SUBKEY_WOW6464KEY, nullptr, found, &bytes);
  return status == ERROR_SUCCESS ? platform::to_utf8(found) : std::string();
}

Outcome<> register_events(const std::string& source, const std::string& program) {
  RegistryKey key;
  LSTATUS status = key.create(kSources + to_wide(source));
  if (status == ERROR_SUCCESS) {
    status = key.set_text(L"EventMessageFile", to_wide(program), REG_EXPAND_SZ);
  }
  if (status == ERROR_SUCCESS) status = key.set_number(L"TypesSupported", kAllEventTypes);
  return key_outcome(status);
}

Outcome<> unregister_events(const std::string& source) {
  const LSTATUS status =
      RegDeleteKeyExW(HKEY_LOCAL_MACHINE, (kSources + to_wide(source)).c_str(), KEY_WOW64_64KEY, 0);
  return key_outcome(status == ERROR_FILE_NOT_FOUND ? ERROR_SUCCESS : status);
}

}  // namespace asiodrv::service::manager::keys
