#include "asio/dll/registration.hpp"

#include <string>

namespace asiodrv::asio {
namespace {

constexpr const wchar_t* kName = L"asio-driver";  // key and description: hosts cut at 31 characters
constexpr const wchar_t* kClsid = L"{5E0C7B0A-93D4-4C1F-8B62-1FA47D2E9C35}";
constexpr const wchar_t* kHostKey = L"SOFTWARE\\ASIO\\asio-driver";
constexpr const wchar_t* kClassKey =
    L"SOFTWARE\\Classes\\CLSID\\{5E0C7B0A-93D4-4C1F-8B62-1FA47D2E9C35}";
constexpr const wchar_t* kServerKey =
    L"SOFTWARE\\Classes\\CLSID\\{5E0C7B0A-93D4-4C1F-8B62-1FA47D2E9C35}\\InprocServer32";
constexpr std::size_t kLongestPath = 32768;

/// Creates the key if need be and writes one string value; `value` null is the default value.
LSTATUS write(const wchar_t* key, const wchar_t* value, const std::wstring& text) {
  HKEY handle = nullptr;
  LSTATUS status =
      RegCreateKeyExW(HKEY_LOCAL_MACHINE, key, 0, nullptr, 0, KEY_WRITE, nullptr, &handle, nullptr);
  if (status != ERROR_SUCCESS) return status;
  const auto bytes = static_cast<DWORD>((text.size() + 1) * sizeof(wchar_t));
  status =
      RegSetValueExW(handle, value, 0, REG_SZ, reinterpret_cast<const BYTE*>(text.c_str()), bytes);
  RegCloseKey(handle);
  return status;
}

LSTATUS remove(const wchar_t* key) noexcept {
  const LSTATUS status = RegDeleteTreeW(HKEY_LOCAL_MACHINE, key);
  return status == ERROR_FILE_NOT_FOUND ? ERROR_SUCCESS : status;
}

/// The absolute path of this DLL; empty when the system does not say.
std::wstring own_path() {
  HMODULE self = nullptr;
  if (GetModuleHandleExW(
          GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
          kName, &self) == 0) {
    return {};
  }
  std::wstring path(MAX_PATH, L'\0');
  while (path.size() <= kLongestPath) {
    const auto size = static_cast<DWORD>(path.size());
    const DWORD used = GetModuleFileNameW(self, path.data(), size);
    if (used == 0) return {};
    if (used < size) {
      path.resize(used);
      return path;
    }
    path.resize(path.size() * 2);
  }
  return {};
}

}  // namespace

HRESULT register_driver() {
  const std::wstring path = own_path();
  if (path.empty()) return HRESULT_FROM_WIN32(GetLastError());
  const struct {
    const wchar_t* key;
    const wchar_t* value;
    std::wstring text;
  } entries[] = {{kClassKey, nullptr, kName},
                 {kServerKey, nullptr, path},
                 {kServerKey, L"ThreadingModel", L"Both"},
                 {kHostKey, L"CLSID", kClsid},
                 {kHostKey, L"Description", kName}};
  for (const auto& entry : entries) {
    const LSTATUS status = write(entry.key, entry.value, entry.text);
    if (status != ERROR_SUCCESS) {
      (void)unregister_driver();
      return HRESULT_FROM_WIN32(static_cast<DWORD>(status));
    }
  }
  return S_OK;
}

HRESULT unregister_driver() {
  const LSTATUS host = remove(kHostKey);
  const LSTATUS server = remove(kClassKey);
  const LSTATUS first = host != ERROR_SUCCESS ? host : server;
  return first == ERROR_SUCCESS ? S_OK : HRESULT_FROM_WIN32(static_cast<DWORD>(first));
}

}  // namespace asiodrv::asio
