#include "trust/windows/persistence.hpp"

#include <fmt/format.h>
#include <windows.h>
// What the next needs comes first.
#include <shlobj.h>

#include <filesystem>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "platform/windows/text.hpp"
#include "trust/collect.hpp"
#include "trust/files_below.hpp"
#include "trust/place.hpp"
#include "trust/surroundings.hpp"
#include "trust/windows/file_facts.hpp"
#include "trust/windows/registry.hpp"
#include "trust/windows/system_facts.hpp"

namespace asiodrv::trust {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFiles = 5000;
constexpr std::size_t kMaxFileBytesRead = std::size_t{256} << 10;
constexpr std::uint32_t kSilentExit = 0x200;  // of GlobalFlag

constexpr const char* kRunKeys[] = {
    "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run",
    "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\RunOnce",
    "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\Explorer\\Run"};
constexpr const char* kImageOptions =
    "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options";
constexpr const char* kSilentExits =
    "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\SilentProcessExit";
constexpr const char* kServices = "SYSTEM\\CurrentControlSet\\Services";

void note_unreadable(const RegistryKey& key, const std::string& what, PersistenceScan& scan) {
  if (!key && key.error() != ERROR_FILE_NOT_FOUND) scan.not_seen.push_back(what);
}

void note_unread(const RegistryTexts& texts, const std::string& what, PersistenceScan& scan) {
  if (texts.unread > 0) scan.not_seen.push_back(fmt::format("{} values of {}", texts.unread, what));
  if (texts.more) scan.not_seen.push_back("the rest of " + what);
}

void read_run_keys(PersistenceScan& scan) {
  const struct {
    HKEY root;
    const char* name;
    View view;
  } places[] = {{HKEY_LOCAL_MACHINE, "HKLM (64-bit)", View::for_64},
                {HKEY_LOCAL_MACHINE, "HKLM (32-bit)", View::for_32},
                {HKEY_CURRENT_USER, "HKCU", View::native}};
  for (const auto& place : places) {
    for (const char* const path : kRunKeys) {
      const RegistryKey key(place.root, path, place.view);
      const std::string where = fmt::format("{}\\{}", place.name, path);
      note_unreadable(key, where, scan);
      const RegistryTexts texts = key.texts();
      note_unread(texts, where, scan);
      for (const RegistryValue& value : texts.values) {
        scan.found.push_back({PersistenceKind::run_key, fmt::format("{}\\{}", where, value.name),
                              expanded(value.text)});
      }
    }
  }
}

/// Single values that start or load something: the shell of a sign-in, libraries for everybody.
void read_single_values(PersistenceScan& scan) {
  constexpr const char* kSignIn = "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon";
  constexpr const char* kWindows = "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Windows";
  const struct {
    HKEY root;
    const char* root_name;
    View view;
    const char* path;
    const char* value;
    PersistenceKind kind;
  } places[] = {
      {HKEY_LOCAL_MACHINE, "HKLM", View::for_64, kSignIn, "Shell", PersistenceKind::run_key},
      {HKEY_LOCAL_MACHINE, "HKLM", View::for_64, kSignIn, "Userinit", PersistenceKind::run_key},
      {HKEY_CURRENT_USER, "HKCU", View::native, kSignIn, "Shell", PersistenceKind::run_key},
      {HKEY_CURRENT_USER, "HKCU", View::native, kWindows, "Load", PersistenceKind::run_key},
      {HKEY_CURRENT_USER, "HKCU", View::native, kWindows, "Run", PersistenceKind::run_key},
      {HKEY_LOCAL_MACHINE, "HKLM (64-bit)", View::for_64, kWindows, "AppInit_DLLs",
       PersistenceKind::injected},
      {HKEY_LOCAL_MACHINE, "HKLM (32-bit)", View::for_32, kWindows, "AppInit_DLLs",
       PersistenceKind::injected}};
  for (const auto& place : places) {
    const RegistryKey key(place.root, place.path, place.view);
    note_unreadable(key, fmt::format("{}\\{}", place.root_name, place.path), scan);
    const std::string command = key.text(place.value);
    if (command.empty()) continue;
    scan.found.push_back({place.kind,
                          fmt::format("{}\\{}\\{}", place.root_name, place.path, place.value),
                          expanded(command)});
  }
  constexpr const char* kInEveryProcess =
      "SYSTEM\\CurrentControlSet\\Control\\Session Manager\\AppCertDlls";
  const RegistryKey everywhere(HKEY_LOCAL_MACHINE, kInEveryProcess);
  note_unreadable(everywhere, fmt::format("HKLM\\{}", kInEveryProcess), scan);
  const RegistryTexts libraries = everywhere.texts();
  note_unread(libraries, fmt::format("HKLM\\{}", kInEveryProcess), scan);
  for (const RegistryValue& value : libraries.values) {
    scan.found.push_back({PersistenceKind::injected,
                          fmt::format("HKLM\\{}\\{}", kInEveryProcess, value.name),
                          expanded(value.text)});
  }
}

void read_services(PersistenceScan& scan) {
  const RegistryKey services(HKEY_LOCAL_MACHINE, kServices);
  note_unreadable(services, "the services", scan);
  std::size_t unseen = 0;
  const RegistryNames all = services.subkeys();
  if (all.more) scan.not_seen.push_back("the rest of the services");
  for (const std::string& name : all.names) {
    const RegistryKey service(services.get(), name);
    if (!service) {
      ++unseen;
      continue;
    }
    const RegistryKey parameters(service.get(), "Parameters");
    for (const std::string& command :
         {service.text("ImagePath"), service.text("ServiceDll"), parameters.text("ServiceDll")}) {
      if (!command.empty()) scan.found.push_back({PersistenceKind::service, name, command});
    }
  }
  if (unseen > 0) scan.not_seen.push_back(fmt::format("{} services", unseen));
}

std::string utf8(const fs::path& path) { return platform::to_utf8(path.wstring()); }

/// What a file holds that the system starts, or nothing.
std::optional<std::string> started_by(const fs::path& file, PersistenceKind kind) {
  const auto content = read_small_file(utf8(file), kMaxFileBytesRead);
  if (!content) return std::nullopt;
  std::string text = readable_text(std::as_bytes(std::span(content->data(), content->size())));
  return kind == PersistenceKind::scheduled_task ? expanded(task_command(text)) : text;
}

/// Every file below `folder` (UTF-8).
void read_folder(const std::string& folder, PersistenceKind kind, const std::string& what,
                 PersistenceScan& scan) {
  if (folder.empty()) return;  // there is none
  const FilesBelow below = files_below(platform::to_wide(folder), kMaxFiles);
  std::size_t unread = 0;
  for (const fs::path& file : below.files) {
    if (auto text = started_by(file, kind)) {
      scan.found.push_back({kind, utf8(file), std::move(*text)});
    } else {
      ++unread;
    }
  }
  if (below.more) scan.not_seen.push_back(fmt::format("{} from the {}th on", what, kMaxFiles));
  if (below.closed > 0) {
    scan.not_seen.push_back(fmt::format("{} folders of {}", below.closed, what));
  }
  if (unread > 0) scan.not_seen.push_back(fmt::format("{} of {}", unread, what));
}

/// The name of old programs for it (C:\PROGRA~1\...); empty without one.
std::string short_form(const std::string& path) {
  if (lies_elsewhere(path)) return {};  // it would ask that computer
  std::wstring name(32'768, L'\0');
  const DWORD length = GetShortPathNameW(platform::to_wide(path).c_str(), name.data(),
                                         static_cast<DWORD>(name.size()));
  return length == 0 || length >= name.size() ? std::string()
                                              : platform::to_utf8({name.data(), length});
}

std::string special_folder(int csidl) {
  std::wstring path(MAX_PATH, L'\0');
  if (SHGetFolderPathW(nullptr, csidl, nullptr, SHGFP_TYPE_CURRENT, path.data()) != S_OK) return {};
  path.resize(path.find(L'\0'));
  return platform::to_utf8(path);
}

ImageOptions options_in(const RegistryKey& key, const std::string& where) {
  ImageOptions options;
  options.where = "HKLM\\" + where;
  options.debugger = key.text("Debugger");
  options.exit_is_watched = (key.number("GlobalFlag") & kSilentExit) != 0;
  return options;
}

/// Those for all programs of this name, and, below them, those for single files (UseFilter).
std::vector<ImageOptions> image_options(const std::string& name, View view, PersistenceScan& scan) {
  const std::string where = fmt::format("{}\\{}", kImageOptions, name);
  const RegistryKey key(HKEY_LOCAL_MACHINE, where, view);
  note_unreadable(key, "HKLM\\" + where, scan);
  if (!key) return {};
  std::vector<ImageOptions> all{options_in(key, where)};
  if (key.number("UseFilter") == 0) return all;
  const RegistryNames filters = key.subkeys();
  if (filters.more) scan.not_seen.push_back("the rest of HKLM\\" + where);
  for (const std::string& below : filters.names) {
    const std::string filter_where = fmt::format("{}\\{}", where, below);
    const RegistryKey filter(key.get(), below, view);
    if (!filter) scan.not_seen.push_back("HKLM\\" + filter_where);
    const std::string file = filter.text("FilterFullPath");
    ImageOptions options = options_in(filter, filter_where);
    options.only_for = is_absolute(file) ? full_path(file) : file;
    all.push_back(std::move(options));
  }
  return all;
}

void read_hijacks(const std::string& path, PersistenceScan& scan) {
  const std::string name = file_name_of(path);
  for (const View view : {View::for_64, View::for_32}) {
    const std::string exits = fmt::format("{}\\{}", kSilentExits, name);
    const RegistryKey key(HKEY_LOCAL_MACHINE, exits, view);
    const std::vector<Persistence> found =
        replaced_by(image_options(name, view, scan), path,
                    {PersistenceKind::image_hijack, fmt::format("HKLM\\{}\\MonitorProcess", exits),
                     key.text("MonitorProcess")});
    scan.found.insert(scan.found.end(), found.begin(), found.end());
    if (!found.empty()) break;
  }
}

}  // namespace

PersistenceScan everything_started() {
  PersistenceScan scan;
  read_run_keys(scan);
  read_single_values(scan);
  read_services(scan);
  read_folder(special_folder(CSIDL_STARTUP), PersistenceKind::startup_folder,
              "the user's startup folder", scan);
  read_folder(special_folder(CSIDL_COMMON_STARTUP), PersistenceKind::startup_folder,
              "the common startup folder", scan);
  read_folder(special_folder(CSIDL_SYSTEM) + "\\Tasks", PersistenceKind::scheduled_task,
              "the scheduled tasks", scan);
  return scan;
}

PersistenceScan persistence_of(const PersistenceScan& all, const std::string& path) {
  PersistenceScan own;
  own.not_seen = all.not_seen;
  const std::string shorter = short_form(path);
  for (const Persistence& each : all.found) {
    if (leads_to(each.command, path) || leads_to(each.command, shorter)) own.found.push_back(each);
  }
  read_hijacks(path, own);
  return own;
}

}  // namespace asiodrv::trust
