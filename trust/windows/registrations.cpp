#include "trust/windows/registrations.hpp"

#include <fmt/format.h>

#include "platform/windows/text.hpp"
#include "trust/place.hpp"
#include "trust/windows/registry.hpp"

namespace asiodrv::trust {
namespace {

constexpr const char* kDrivers = "SOFTWARE\\ASIO";

/// Without the quotes and blanks that some installers leave around it.
std::string plain_path(std::string path) {
  const std::size_t from = path.find_first_not_of("\" \t");
  if (from == std::string::npos) return {};
  const std::size_t to = path.find_last_not_of("\" \t");
  return path.substr(from, to - from + 1);
}

/// What a 32-bit program finds behind System32 lies elsewhere for others.
std::string seen_by_64(const std::string& path, bool view_32) {
  if (!view_32) return path;
  wchar_t buffer[MAX_PATH];
  const UINT length = GetSystemDirectoryW(buffer, MAX_PATH);
  const UINT other = GetSystemWow64DirectoryW(nullptr, 0);
  if (length == 0 || length >= MAX_PATH || other == 0) return path;
  const std::string system = platform::to_utf8({buffer, length});
  if (!lies_in(path, system)) return path;
  std::wstring wow(other, L'\0');
  const UINT written = GetSystemWow64DirectoryW(wow.data(), other);
  wow.resize(std::min(written, other));
  return platform::to_utf8(wow) + path.substr(system.size());
}

std::string server_path(HKEY root, const char* classes, const std::string& clsid, View view) {
  const RegistryKey server(root, fmt::format("{}\\CLSID\\{}\\InprocServer32", classes, clsid),
                           view);
  return server_file(server.text(nullptr), view == View::for_32);
}

void read_view(View view, std::vector<Registration>& found) {
  const RegistryKey drivers(HKEY_LOCAL_MACHINE, kDrivers, view);
  for (const std::string& name : drivers.subkeys()) {
    const RegistryKey key(drivers.get(), name, view);
    Registration each;
    each.name = name;
    each.clsid = key.text("CLSID");
    each.description = key.text("Description");
    each.view_32 = view == View::for_32;
    if (!each.clsid.empty()) {
      each.path = server_path(HKEY_LOCAL_MACHINE, "SOFTWARE\\Classes", each.clsid, view);
    }
    found.push_back(each);
    if (each.clsid.empty()) continue;
    std::string own = server_path(HKEY_CURRENT_USER, "Software\\Classes", each.clsid, view);
    if (own.empty()) continue;
    each.path = std::move(own);
    each.per_user = true;
    found.push_back(each);
  }
}

}  // namespace

std::string server_file(const std::string& registered, bool view_32) {
  return seen_by_64(plain_path(registered), view_32);
}

Known<std::vector<Registration>> registered_drivers() {
  for (const View view : {View::for_64, View::for_32}) {
    const RegistryKey key(HKEY_LOCAL_MACHINE, kDrivers, view);
    if (!key && key.error() != ERROR_FILE_NOT_FOUND) {
      return Known<std::vector<Registration>>::unknown(
          fmt::format("the list of drivers may not be read (Windows error {})", key.error()));
    }
  }
  std::vector<Registration> found;
  read_view(View::for_64, found);
  read_view(View::for_32, found);
  return found;
}

}  // namespace asiodrv::trust
