#include "service/paths.hpp"

#include <windows.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "core/base/product.hpp"
#include "platform/windows/handle.hpp"
#include "platform/windows/security.hpp"

namespace asiodrv::service {
namespace {

/// Nothing when the system does not say. Of a link itself, not of what it leads to: whoever made it
/// can make it lead elsewhere.
std::optional<std::wstring> owner_at(const std::filesystem::path& path) {
  const platform::UniqueHandle file(CreateFileW(
      path.c_str(), READ_CONTROL, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
      OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, nullptr));
  if (!file) return std::nullopt;
  return platform::owner_of_file(file.get());
}

}  // namespace

std::string environment(const char* name) {
  const std::wstring wide_name(name, name + std::char_traits<char>::length(name));  // ASCII
  const DWORD needed = GetEnvironmentVariableW(wide_name.c_str(), nullptr, 0);
  if (needed == 0) return {};
  std::vector<wchar_t> wide(needed);
  const DWORD length = GetEnvironmentVariableW(wide_name.c_str(), wide.data(), needed);
  if (length == 0 || length >= needed) return {};
  const int bytes = WideCharToMultiByte(CP_UTF8, 0, wide.data(), static_cast<int>(length), nullptr,
                                        0, nullptr, nullptr);
  std::string value(static_cast<std::size_t>(bytes), '\0');
  WideCharToMultiByte(CP_UTF8, 0, wide.data(), static_cast<int>(length), value.data(), bytes,
                      nullptr, nullptr);
  return value;
}

std::string default_config_path() {
  const std::string folder = environment("LOCALAPPDATA");
  return folder.empty() ? folder : folder + "\\" + kProduct.id + "\\config.toml";
}

std::string machine_config_path() {
  const std::string folder = environment("PROGRAMDATA");
  return folder.empty() ? folder : folder + "\\" + kProduct.id + "\\config.toml";
}

bool is_foreign(const std::string& path) {
  constexpr const wchar_t* kAdministrators = L"S-1-5-32-544";
  constexpr const wchar_t* kSystem = L"S-1-5-18";
  const auto identity = platform::current_identity();
  const std::filesystem::path file = path_of(path);
  const std::optional<std::wstring> owners[] = {owner_at(file), owner_at(file.parent_path())};
  return std::any_of(std::begin(owners), std::end(owners), [&](const auto& owner) {
    return !owner || (*owner != kAdministrators && *owner != kSystem &&
                      !(identity && *owner == identity->user_sid));
  });
}

std::string log_path(const std::string& name) {
  const std::string folder = environment("LOCALAPPDATA");
  return folder.empty() ? folder : folder + "\\" + kProduct.id + "\\logs\\" + name + ".log";
}

}  // namespace asiodrv::service
