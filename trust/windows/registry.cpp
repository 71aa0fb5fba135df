#include "trust/windows/registry.hpp"

#include "platform/windows/text.hpp"

namespace asiodrv::trust {
namespace {

using platform::to_utf8;
using platform::to_wide;

constexpr DWORD kMaxRegistryEntries = 8192;
constexpr std::size_t kMaxCharacters = 32'768;

REGSAM access_for(View view) {
  switch (view) {
    case View::native: return KEY_READ;
    case View::for_64: return KEY_READ | KEY_WOW64_64KEY;
    case View::for_32: return KEY_READ | KEY_WOW64_32KEY;
  }
  return KEY_READ;
}

std::string text_of(HKEY key, const wchar_t* name) {
  std::wstring value(kMaxCharacters, L'\0');
  auto bytes = static_cast<DWORD>(value.size() * sizeof(wchar_t));
  if (RegGetValueW(key, nullptr, name, RRF_RT_REG_SZ, nullptr, value.data(), &bytes) !=
      ERROR_SUCCESS) {
    return {};
  }
  value.resize(value.find(L'\0'));
  return to_utf8(value);
}

}  // namespace

RegistryKey::RegistryKey(HKEY parent, const std::string& path, View view) {
  error_ = parent == nullptr
               ? ERROR_FILE_NOT_FOUND
               : RegOpenKeyExW(parent, to_wide(path).c_str(), 0, access_for(view), &key_);
  if (error_ != ERROR_SUCCESS) key_ = nullptr;
}

RegistryKey::~RegistryKey() {
  if (key_ != nullptr) RegCloseKey(key_);
}

std::string RegistryKey::text(const char* name) const {
  if (key_ == nullptr) return {};
  const std::wstring wide = name == nullptr ? std::wstring() : to_wide(name);
  return text_of(key_, name == nullptr ? nullptr : wide.c_str());
}

DWORD RegistryKey::number(const char* name) const {
  DWORD value = 0;
  DWORD bytes = sizeof value;
  if (key_ == nullptr || RegGetValueW(key_, nullptr, to_wide(name).c_str(), RRF_RT_REG_DWORD,
                                      nullptr, &value, &bytes) != ERROR_SUCCESS) {
    return 0;
  }
  return value;
}

std::vector<std::string> RegistryKey::subkeys() const {
  std::vector<std::string> names;
  for (DWORD index = 0; key_ != nullptr && index < kMaxRegistryEntries; ++index) {
    wchar_t name[256];  // the longest that a key can have
    DWORD length = 256;
    if (RegEnumKeyExW(key_, index, name, &length, nullptr, nullptr, nullptr, nullptr) !=
        ERROR_SUCCESS) {
      break;
    }
    names.push_back(to_utf8({name, length}));
  }
  return names;
}

std::vector<RegistryValue> RegistryKey::texts() const {
  std::vector<RegistryValue> values;
  std::wstring name(16'384, L'\0');  // the longest that a value can have
  for (DWORD index = 0; key_ != nullptr && index < kMaxRegistryEntries; ++index) {
    auto length = static_cast<DWORD>(name.size());
    const LSTATUS status =
        RegEnumValueW(key_, index, name.data(), &length, nullptr, nullptr, nullptr, nullptr);
    if (status != ERROR_SUCCESS) break;
    const std::wstring own(name.data(), length);
    std::string text = text_of(key_, own.c_str());
    if (!text.empty()) values.push_back({to_utf8(own), std::move(text)});
  }
  return values;
}

}  // namespace asiodrv::trust
