#include "asio/dll/registration.hpp"

#include <string>
#include <string_view>

#include "core/base/product.hpp"

namespace asiodrv::asio {
namespace {

constexpr std::size_t kLongestPath = 32768;
constexpr wchar_t kInside = 0;  // an address of this module

/// What is registered. The product's texts are ASCII.
struct Keys {
  std::wstring name = wide(kProduct.driver_name);  // key and description
  std::wstring class_id = wide(kProduct.class_id_text);
  std::wstring host = L"SOFTWARE\\ASIO\\" + name;
  std::wstring class_key = L"SOFTWARE\\Classes\\CLSID\\" + class_id;
  std::wstring server = class_key + L"\\InprocServer32";

 private:
  static std::wstring wide(std::string_view ascii) { return {ascii.begin(), ascii.end()}; }
};

/// Creates the key if need be and writes one string value; `value` null is the default value.
LSTATUS write(const std::wstring& key, const wchar_t* value, const std::wstring& text) {
  HKEY handle = nullptr;
  LSTATUS status = RegCreateKeyExW(HKEY_LOCAL_MACHINE, key.c_str(), 0, nullptr, 0, KEY_WRITE,
                                   nullptr, &handle, nullptr);
  if (status != ERROR_SUCCESS) return status;
  const auto bytes = static_cast<DWORD>((text.size() + 1) * sizeof(wchar_t));
  status =
      RegSetValueExW(handle, value, 0, REG_SZ, reinterpret_cast<const BYTE*>(text.c_str()), bytes);
  RegCloseKey(handle);
  return status;
}

LSTATUS remove(const std::wstring& key) noexcept {
  const LSTATUS status = RegDeleteTreeW(HKEY_LOCAL_MACHINE, key.c_str());
  return status == ERROR_FILE_NOT_FOUND ? ERROR_SUCCESS : status;
}

/// The absolute path of this DLL; empty when the system does not say.
std::wstring own_path() {
  HMODULE self = nullptr;
  if (GetModuleHandleExW(
          GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
          &kInside, &self) == 0) {
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
  const Keys keys;
  const struct {
    const std::wstring& key;
    const wchar_t* value;
    std::wstring text;
  } entries[] = {{keys.class_key, nullptr, keys.name},
                 {keys.server, nullptr, path},
                 {keys.server, L"ThreadingModel", L"Both"},
                 {keys.host, L"CLSID", keys.class_id},
                 {keys.host, L"Description", keys.name}};
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
  const Keys keys;
  const LSTATUS host = remove(keys.host);
  const LSTATUS server = remove(keys.class_key);
  const LSTATUS first = host != ERROR_SUCCESS ? host : server;
  return first == ERROR_SUCCESS ? S_OK : HRESULT_FROM_WIN32(static_cast<DWORD>(first));
}

}  // namespace asiodrv::asio
