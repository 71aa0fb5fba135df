#include "service/paths.hpp"

#include <windows.h>

#include <vector>

#include "core/base/product.hpp"

namespace asiodrv::service {

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

std::string log_path(const std::string& name) {
  const std::string folder = environment("LOCALAPPDATA");
  return folder.empty() ? folder : folder + "\\" + kProduct.id + "\\logs\\" + name + ".log";
}

}  // namespace asiodrv::service
