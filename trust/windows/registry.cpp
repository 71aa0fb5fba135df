#include "trust/windows/registry.hpp"

#include <string_view>

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

std::string expanded(const std::string& text) {
  const std::wstring wide = to_wide(text);
  const DWORD room = ExpandEnvironmentStringsW(wide.c_str(), nullptr, 0);
  std::wstring whole(room, L'\0');
  const DWORD length = ExpandEnvironmentStringsW(wide.c_str(), whole.data(), room);
  if (length == 0 || length > room) return text;
  whole.resize(length - 1);
  return to_utf8(whole);
}

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

RegistryText RegistryKey::written(const char* name) const {
  if (key_ == nullptr) return {};
  const std::wstring wide = name == nullptr ? std::wstring() : to_wide(name);
  std::wstring value(kMaxCharacters, L'\0');
  auto bytes = static_cast<DWORD>(value.size() * sizeof(wchar_t));
  DWORD type = REG_NONE;
  if (RegGetValueW(key_, nullptr, name == nullptr ? nullptr : wide.c_str(),
                   RRF_RT_REG_SZ | RRF_RT_REG_EXPAND_SZ | RRF_NOEXPAND, &type, value.data(),
                   &bytes) != ERROR_SUCCESS) {
    return {};
  }
  value.resize(value.find(L'\0'));
  return {to_utf8(value), type == REG_EXPAND_SZ};
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

RegistryNames RegistryKey::subkeys() const {
  RegistryNames all;
  for (DWORD index = 0; key_ != nullptr; ++index) {
    wchar_t name[256];  // the longest that a key can have
    DWORD length = 256;
    const LSTATUS status =
        RegEnumKeyExW(key_, index, name, &length, nullptr, nullptr, nullptr, nullptr);
    if (status == ERROR_NO_MORE_ITEMS) break;
    if (status != ERROR_SUCCESS || index == kMaxRegistryEntries) {
      all.more = true;
      break;
    }
    all.names.push_back(to_utf8({name, length}));
  }
  return all;
}

RegistryTexts RegistryKey::texts(decltype(&::RegEnumValueW) enumerate) const {
  RegistryTexts all;
  std::wstring name(16'384, L'\0');  // the longest that a value can have
  std::wstring data(kMaxCharacters, L'\0');
  for (DWORD index = 0; key_ != nullptr; ++index) {
    auto length = static_cast<DWORD>(name.size());
    auto bytes = static_cast<DWORD>(data.size() * sizeof(wchar_t));
    DWORD type = REG_NONE;
    const LSTATUS status = enumerate(key_, index, name.data(), &length, nullptr, &type,
                                     reinterpret_cast<BYTE*>(data.data()), &bytes);
    if (status == ERROR_NO_MORE_ITEMS) break;
    if ((status != ERROR_SUCCESS && status != ERROR_MORE_DATA) || index == kMaxRegistryEntries) {
      all.more = true;
      break;
    }
    if (status == ERROR_MORE_DATA) {
      ++all.unread;
      continue;
    }
    if (type != REG_SZ && type != REG_EXPAND_SZ) continue;
    const std::wstring_view whole(data.data(), bytes / sizeof(wchar_t));
    std::string text = to_utf8(whole.substr(0, whole.find(L'\0')));
    if (!text.empty()) all.values.push_back({to_utf8({name.data(), length}), std::move(text)});
  }
  return all;
}

}  // namespace asiodrv::trust
