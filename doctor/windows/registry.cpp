#include "doctor/windows/registry.hpp"

#include <array>

#include "platform/windows/text.hpp"

namespace asiodrv::doctor {
namespace {

constexpr DWORD kMostKeys = 1000;
constexpr DWORD kLongestName = 256;  // of a key: the system's own limit
constexpr DWORD kMostTextBytes = 64 * 1024;

REGSAM rights(View view) noexcept {
  switch (view) {
    case View::native: return KEY_READ;
    case View::bits64: return KEY_READ | KEY_WOW64_64KEY;
    case View::bits32: return KEY_READ | KEY_WOW64_32KEY;
  }
  return KEY_READ;
}

}  // namespace

RegistryKey::RegistryKey(HKEY root, const std::string& path, View view) {
  error_ = RegOpenKeyExW(root, platform::to_wide(path).c_str(), 0, rights(view), &key_);
  if (error_ != ERROR_SUCCESS) key_ = nullptr;
  missing_ = error_ == ERROR_FILE_NOT_FOUND || error_ == ERROR_PATH_NOT_FOUND;
}

RegistryKey::~RegistryKey() {
  if (key_ != nullptr) RegCloseKey(key_);
}

std::string RegistryKey::text(const std::string& name) const {
  if (key_ == nullptr) return {};
  const std::wstring wide = platform::to_wide(name);
  DWORD bytes = 0;
  constexpr DWORD kText = RRF_RT_REG_SZ;  // takes variables in, and values of that type, too
  if (RegGetValueW(key_, nullptr, wide.c_str(), kText, nullptr, nullptr, &bytes) != ERROR_SUCCESS ||
      bytes > kMostTextBytes) {
    return {};
  }
  std::wstring value(bytes / sizeof(wchar_t) + 1, L'\0');
  bytes = static_cast<DWORD>(value.size() * sizeof(wchar_t));
  if (RegGetValueW(key_, nullptr, wide.c_str(), kText, nullptr, value.data(), &bytes) !=
      ERROR_SUCCESS) {
    return {};  // it was changed just now
  }
  return platform::to_utf8(value.c_str());
}

std::optional<DWORD> RegistryKey::number(const std::string& name) const {
  DWORD value = 0;
  DWORD bytes = sizeof value;
  if (key_ == nullptr || RegGetValueW(key_, nullptr, platform::to_wide(name).c_str(),
                                      RRF_RT_REG_DWORD, nullptr, &value, &bytes) != ERROR_SUCCESS) {
    return std::nullopt;
  }
  return value;
}

std::vector<std::string> RegistryKey::keys() const {
  std::vector<std::string> names;
  for (DWORD index = 0; key_ != nullptr && index < kMostKeys; ++index) {
    std::array<wchar_t, kLongestName> name{};
    DWORD length = kLongestName;
    if (RegEnumKeyExW(key_, index, name.data(), &length, nullptr, nullptr, nullptr, nullptr) !=
        ERROR_SUCCESS) {
      break;
    }
    names.push_back(platform::to_utf8({name.data(), length}));
  }
  return names;
}

}  // namespace asiodrv::doctor
