// The registry of ASIO drivers in both views: ours and others'. Reads registry and files; loads
// nobody's code but, in a process of its own, that of the driver in our own folder.
#include "doctor/windows/registration_facts.hpp"

#include <windows.h>

#include <algorithm>
#include <array>

#include "doctor/class_server.hpp"
#include "doctor/identity.hpp"
#include "doctor/installed_files.hpp"
#include "doctor/probe.hpp"
#include "doctor/program_file.hpp"
#include "doctor/windows/registry.hpp"
#include "trust/windows/registrations.hpp"

namespace asiodrv::doctor {
namespace {

constexpr const char* kAsio = "SOFTWARE\\ASIO";
constexpr const char* kClasses = "SOFTWARE\\Classes\\CLSID\\";
/// What programs of others may do is what this command may do.
constexpr const char* kNotElevated =
    "nobody else's code gets an administrator's rights; run this without them";

struct FileFacts {
  Known<bool> exists;
  Known<std::string> machine, version;
};

FileFacts look_at(const std::string& path) {
  FileFacts facts;
  auto file = read_program_file(path);
  if (file) {
    facts.exists = true;
    facts.machine = std::move(file->machine);
    facts.version = short_version(file->version);
    return facts;
  }
  const Error& error = file.error();
  facts.exists = error.code == ErrorCode::unsupported ? Known<bool>::unknown(error.message)
                                                      : error.code != ErrorCode::not_found;
  facts.machine = facts.version = Known<std::string>::unknown(error.message);
  return facts;
}

/// Of the user's or of all users' classes, by the root of the registry.
ClassTexts classes_of(HKEY root, View view) {
  return [root, view](const std::string& class_id, const char* key) {
    return RegistryKey(root, kClasses + class_id + "\\" + key, view).text("");
  };
}

/// Where the user's classes are not shown, nobody knows what they put in the driver's place.
bool user_classes_shown(View view) {
  const std::string place = std::string(kClasses) + driver_class();
  return RegistryKey(HKEY_CURRENT_USER, place + "\\InprocServer32", view).decided() &&
         RegistryKey(HKEY_CURRENT_USER, place + "\\TreatAs", view).decided();
}

void read_ours(Registration& facts, View view, const RegistryKey& asio) {
  if (!asio.decided()) {
    facts.listed =
        Known<bool>::unknown("the registry refuses, error " + std::to_string(asio.error()));
    return;
  }
  facts.listed = false;
  facts.other_name = std::string();
  for (const std::string& name : asio.keys()) {
    const RegistryKey entry(HKEY_LOCAL_MACHINE, std::string(kAsio) + "\\" + name, view);
    const std::string listed_class = entry.text("CLSID");
    if (same_text(name, driver_name())) {
      facts.listed = true;
      facts.listed_class = listed_class;
    } else if (same_text(listed_class, driver_class())) {
      facts.other_name = name;
    }
  }
  const RegistryKey server(HKEY_LOCAL_MACHINE,
                           std::string(kClasses) + driver_class() + "\\InprocServer32", view);
  if (!server.decided()) {
    facts.path = Known<std::string>::unknown("the registry refuses, error " +
                                             std::to_string(server.error()));
    return;
  }
  const ClassTexts machine = classes_of(HKEY_LOCAL_MACHINE, view);
  facts.path = trust::server_file(machine_server(driver_class(), machine), view == View::bits32);
  facts.threading_model = server.text("ThreadingModel");
  if (user_classes_shown(view)) {
    facts.user_path = user_server(driver_class(), machine, classes_of(HKEY_CURRENT_USER, view));
  }
}

/// What programs load for a class of others; "" when nothing is registered.
std::string file_of_class(const std::string& driver_class, View view) {
  if (driver_class.empty()) return {};
  const std::string place = kClasses + driver_class + "\\InprocServer32";
  std::string path = RegistryKey(HKEY_LOCAL_MACHINE, place, view).text("");
  if (path.empty()) path = RegistryKey(HKEY_CURRENT_USER, place, view).text("");
  return trust::server_file(path, view == View::bits32);
}

void read_our_file(Registration& facts, std::size_t index, const Facts& all,
                   const GatherOptions& options) {
  const std::string folder = folder_of(all.program_path);
  facts.file_in_folder = !installed_driver(all.program_path, bits_of(index)).empty();
  if (!facts.path.known() || facts.path->empty()) {
    facts.load = Known<ProbeResult>::unknown("no file is registered");
    return;
  }
  FileFacts file = look_at(*facts.path);
  facts.file_exists = file.exists;
  facts.machine = std::move(file.machine);
  facts.version = std::move(file.version);
  facts.in_our_folder = lies_in(*facts.path, folder);
  const bool fits = facts.machine.is(index == 0 ? "x64" : "x86");
  const bool trusted = facts.in_our_folder.is(true) && facts.user_path.is("");
  if (!fits) {
    facts.load = Known<ProbeResult>::unknown(index == 0 ? "the file is no 64-bit program file"
                                                        : "the file is no 32-bit program file");
  } else if (!trusted && !options.probe) {
    facts.load = Known<ProbeResult>::unknown(
        "the file is not in the folder of this program, and is loaded with --probe only");
  } else if (!trusted && all.system.elevated.is(true)) {
    facts.load = Known<ProbeResult>::unknown(kNotElevated);
  } else if (!facts.listed_class.known() || !same_text(*facts.listed_class, driver_class())) {
    facts.load = Known<ProbeResult>::unknown("the class is not the driver's");
  } else {
    facts.load = probe_driver(driver_class(), bits_of(index), false, options.probe_limit);
  }
}

void read_others(Facts& facts, std::size_t index, View view, const RegistryKey& asio,
                 const GatherOptions& options) {
  for (const std::string& name : asio.keys()) {
    const RegistryKey entry(HKEY_LOCAL_MACHINE, std::string(kAsio) + "\\" + name, view);
    OtherDriver other;
    other.name = name;
    other.bits = bits_of(index);
    other.driver_class = entry.text("CLSID");
    if (same_text(name, driver_name()) || same_text(other.driver_class, driver_class())) continue;
    other.path = file_of_class(other.driver_class, view);
    if (other.path.find('\\') == std::string::npos) {
      other.file_exists = Known<bool>::unknown("its registration names no folder");
      other.machine = Known<std::string>::unknown("its registration names no folder");
    } else {
      FileFacts file = look_at(other.path);
      other.file_exists = file.exists;
      other.machine = std::move(file.machine);
    }
    if (!options.probe) {
      other.probe = Known<ProbeResult>::unknown("it is loaded with --probe only");
    } else if (other.file_exists.is(false) || !other.machine.is(index == 0 ? "x64" : "x86")) {
      other.probe = Known<ProbeResult>::unknown(index == 0 ? "it has no file for 64-bit programs"
                                                           : "it has no file for 32-bit programs");
    } else if (facts.system.elevated.is(true)) {
      other.probe = Known<ProbeResult>::unknown(kNotElevated);
    } else {
      other.probe = probe_driver(other.driver_class, other.bits, true, options.probe_limit);
    }
    facts.others.push_back(std::move(other));
  }
}

}  // namespace

void gather_registration(Facts& facts, const GatherOptions& options) {
  constexpr std::array kViews{View::bits64, View::bits32};
  for (std::size_t index = 0; index < kViews.size(); ++index) {
    const RegistryKey asio(HKEY_LOCAL_MACHINE, kAsio, kViews[index]);
    Registration& ours = facts.registration[index];
    read_ours(ours, kViews[index], asio);
    read_our_file(ours, index, facts, options);
    if (asio.decided() && !facts.others_listed.is(false)) facts.others_listed = true;
    read_others(facts, index, kViews[index], asio, options);
  }
}

}  // namespace asiodrv::doctor
