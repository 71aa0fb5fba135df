#include "trust/windows/registrations.hpp"

#include <fmt/format.h>

#include "platform/windows/text.hpp"
#include "trust/place.hpp"
#include "trust/surroundings.hpp"
#include "trust/windows/file_facts.hpp"
#include "trust/windows/registry.hpp"

namespace asiodrv::trust {
namespace {

constexpr const char* kDrivers = "SOFTWARE\\ASIO";

struct Classes {
  HKEY root;
  const char* path;
};

const Classes kOfTheMachine{HKEY_LOCAL_MACHINE, "SOFTWARE\\Classes"};
const Classes kOfTheUser{HKEY_CURRENT_USER, "Software\\Classes"};

/// Without the quotes and blanks that some installers leave around it.
std::string plain_path(std::string path) {
  const std::size_t from = path.find_first_not_of("\" \t");
  if (from == std::string::npos) return {};
  const std::size_t to = path.find_last_not_of("\" \t");
  return path.substr(from, to - from + 1);
}

/// What a 32-bit program finds behind System32 lies elsewhere for others, and what it calls
/// Sysnative is their System32.
std::string seen_by_64(const std::string& path, bool view_32) {
  if (!view_32) return path;
  wchar_t buffer[MAX_PATH];
  const UINT length = GetSystemDirectoryW(buffer, MAX_PATH);
  const UINT other = GetSystemWow64DirectoryW(nullptr, 0);
  if (length == 0 || length >= MAX_PATH || other == 0) return path;
  const std::string system = platform::to_utf8({buffer, length});
  const std::string native = folder_of(system) + "\\Sysnative";
  if (lies_in(path, native)) return system + path.substr(native.size());
  if (!lies_in(path, system)) return path;
  std::wstring wow(other, L'\0');
  const UINT written = GetSystemWow64DirectoryW(wow.data(), other);
  wow.resize(std::min(written, other));
  return platform::to_utf8(wow) + path.substr(system.size());
}

std::string server_path(const Classes& classes, const std::string& clsid, View view) {
  const RegistryKey server(classes.root,
                           fmt::format("{}\\CLSID\\{}\\InprocServer32", classes.path, clsid), view);
  const RegistryText registered = server.written(nullptr);
  const bool view_32 = view == View::for_32;
  return server_file(
      registered.has_variables ? expanded_as_seen_by(registered.text, view_32) : registered.text,
      view_32);
}

/// What `classes` lead `clsid` to, by themselves or through another class (TreatAs); empty when
/// they say nothing of it.
std::string led_to(const Classes& classes, const std::string& clsid, View view) {
  const RegistryKey other(classes.root, fmt::format("{}\\CLSID\\{}\\TreatAs", classes.path, clsid),
                          view);
  const std::string target = other.text(nullptr);
  if (target.empty()) return server_path(classes, clsid, view);
  const std::string path = server_path(classes, target, view);
  return path.empty() ? server_path(kOfTheMachine, target, view) : path;
}

void read_view(View view, std::vector<Registration>& found) {
  const RegistryKey drivers(HKEY_LOCAL_MACHINE, kDrivers, view);
  const RegistryNames all = drivers.subkeys();
  for (const std::string& name : all.names) {
    const RegistryKey key(drivers.get(), name, view);
    Registration each;
    each.name = name;
    each.clsid = key.text("CLSID");
    each.description = key.text("Description");
    each.view_32 = view == View::for_32;
    if (!each.clsid.empty()) each.path = led_to(kOfTheMachine, each.clsid, view);
    found.push_back(each);
    if (each.clsid.empty()) continue;
    std::string own = led_to(kOfTheUser, each.clsid, view);
    if (own.empty() || same_path(own, each.path)) continue;
    each.path = std::move(own);
    each.per_user = true;
    found.push_back(each);
  }
}

}  // namespace

std::string expanded_as_seen_by(const std::string& text, bool view_32) {
  return expanded(view_32 ? with_variables_of_32(text) : text);
}

std::string server_file(const std::string& registered, bool view_32) {
  std::string path = plain_path(registered);
  if (path.empty()) return path;
  if (file_name_of(path).find('.') == std::string::npos) path += ".dll";  // as the loader does
  return is_absolute(path) ? seen_by_64(full_path(path), view_32) : path;
}

Known<std::vector<Registration>> registered_drivers() {
  for (const View view : {View::for_64, View::for_32}) {
    const RegistryKey key(HKEY_LOCAL_MACHINE, kDrivers, view);
    if (!key && key.error() != ERROR_FILE_NOT_FOUND) {
      return Known<std::vector<Registration>>::unknown(
          fmt::format("the list of drivers may not be read (Windows error {})", key.error()));
    }
    if (key.subkeys().more) {
      return Known<std::vector<Registration>>::unknown(
          "the list of drivers could not be read to its end");
    }
  }
  std::vector<Registration> found;
  read_view(View::for_64, found);
  read_view(View::for_32, found);
  return found;
}

}  // namespace asiodrv::trust
