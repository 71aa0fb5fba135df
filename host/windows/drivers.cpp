// The registry of ASIO drivers, in the view of this program's own bitness, and their loading.
#include <fmt/format.h>
#include <objbase.h>
#include <windows.h>

#include <algorithm>

#include "host/system.hpp"
#include "host/windows/handles.hpp"

namespace asiodrv::host {
namespace {

constexpr const wchar_t* kAsioKey = L"SOFTWARE\\ASIO";
constexpr const char* kDriverEntryPoint = "asio_driver_create";

class RegistryKey {
 public:
  RegistryKey(HKEY parent, const std::wstring& path) {
    if (RegOpenKeyExW(parent, path.c_str(), 0, KEY_READ, &key_) != ERROR_SUCCESS) key_ = nullptr;
  }
  ~RegistryKey() {
    if (key_ != nullptr) RegCloseKey(key_);
  }
  RegistryKey(const RegistryKey&) = delete;
  RegistryKey& operator=(const RegistryKey&) = delete;

  [[nodiscard]] HKEY get() const noexcept { return key_; }

  /// The text of value `name` (null: the default value); empty when it is absent or not text.
  [[nodiscard]] std::wstring text(const wchar_t* name) const {
    wchar_t value[1024];
    DWORD bytes = sizeof value;
    if (key_ == nullptr ||
        RegGetValueW(key_, nullptr, name, RRF_RT_REG_SZ, nullptr, value, &bytes) != ERROR_SUCCESS) {
      return {};
    }
    return value;
  }

  [[nodiscard]] std::wstring subkey(DWORD index) const {
    wchar_t name[256];
    DWORD length = 256;
    if (key_ == nullptr || RegEnumKeyExW(key_, index, name, &length, nullptr, nullptr, nullptr,
                                         nullptr) != ERROR_SUCCESS) {
      return {};
    }
    return name;
  }

 private:
  HKEY key_ = nullptr;
};

DriverEntry read_entry(const std::wstring& name) {
  const RegistryKey key(HKEY_LOCAL_MACHINE, std::wstring(kAsioKey) + L"\\" + name);
  const std::wstring clsid = key.text(L"CLSID");
  const std::wstring description = key.text(L"Description");
  DriverEntry entry;
  entry.name = to_utf8(name);
  entry.clsid = to_utf8(clsid);
  entry.description = description.empty() ? entry.name : to_utf8(description);
  if (clsid.empty()) return entry;
  const RegistryKey server(HKEY_CLASSES_ROOT, L"CLSID\\" + clsid + L"\\InprocServer32");
  const std::wstring path = server.text(nullptr);
  entry.path = to_utf8(path);
  entry.exists = !path.empty() && GetFileAttributesW(path.c_str()) != INVALID_FILE_ATTRIBUTES;
  return entry;
}

Result<asio::AsioDriver*> create_from_file(const DriverEntry& entry) {
  const HMODULE module = LoadLibraryW(to_wide(entry.path).c_str());
  if (module == nullptr) {
    return fail(ErrorCode::not_found, fmt::format("'{}' cannot be loaded (Windows error {}).",
                                                  entry.path, GetLastError()));
  }
  const FARPROC symbol = GetProcAddress(module, kDriverEntryPoint);
  if (symbol == nullptr) {
    return fail(ErrorCode::unsupported,
                fmt::format("'{}' exports no {}. Register the driver and choose it by its name.",
                            entry.path, kDriverEntryPoint));
  }
  auto* const create = reinterpret_cast<asio::AsioDriver* (*)()>(reinterpret_cast<void*>(symbol));
  asio::AsioDriver* driver = create();
  if (driver == nullptr) {
    return fail(ErrorCode::internal,
                fmt::format("The driver '{}' made no instance of itself.", entry.name));
  }
  return driver;
}

}  // namespace

std::vector<DriverEntry> installed_drivers() {
  std::vector<DriverEntry> entries;
  const RegistryKey asio_key(HKEY_LOCAL_MACHINE, kAsioKey);
  for (DWORD index = 0;; ++index) {
    const std::wstring name = asio_key.subkey(index);
    if (name.empty()) return entries;
    entries.push_back(read_entry(name));
  }
}

Result<asio::AsioDriver*> create_instance(const DriverEntry& entry) {
  if (entry.clsid.empty()) return create_from_file(entry);
  CLSID clsid{};
  if (CLSIDFromString(to_wide(entry.clsid).c_str(), &clsid) != S_OK) {
    return fail(ErrorCode::malformed, fmt::format("The driver '{}' is registered with '{}', which "
                                                  "is not a CLSID. Reinstall it.",
                                                  entry.name, entry.clsid));
  }
  void* object = nullptr;
  const HRESULT result =
      CoCreateInstance(clsid, nullptr, CLSCTX_INPROC_SERVER, clsid, &object);  // IID = CLSID
  if (FAILED(result) || object == nullptr) {
    return fail(ErrorCode::internal,
                fmt::format("The driver '{}' cannot be loaded from '{}' (HRESULT 0x{:08X}).",
                            entry.name, entry.path, static_cast<std::uint32_t>(result)));
  }
  return static_cast<asio::AsioDriver*>(object);
}

}  // namespace asiodrv::host
