// Whether programs find the driver and can load it, for both kinds of programs.
#include <fmt/format.h>

#include "doctor/diagnose.hpp"
#include "doctor/identity.hpp"
#include "doctor/installed_files.hpp"

namespace asiodrv::doctor {
namespace {

bool absolute(const std::string& path) {
  return (path.size() > 3 && path[1] == ':' && (path[2] == '\\' || path[2] == '/')) ||
         path.starts_with("\\\\");
}

}  // namespace

void Judge::registration() {
  const auto& [wide, narrow] = facts_.registration;
  if (!decided(wide.listed, "Whether the driver is registered")) return;
  registration_of(wide, 64);
  // Nobody misses what was never installed: 32-bit programs are asked about when their driver is
  // here, or was registered once.
  if (!decided(narrow.listed, "Whether the driver is registered for 32-bit programs")) return;
  const bool listed = narrow.listed.is(true) || narrow.other_name.is_not("");
  if (listed) {
    registration_of(narrow, 32);
  } else if (narrow.file_in_folder.is(true)) {
    find_for(32, "not_registered_32",
             "The driver for 32-bit programs is installed and not registered.");
  }
}

void Judge::registration_of(const Registration& view, unsigned bits) {
  if (view.listed.is(false)) {
    if (view.other_name.is_not("")) {
      find_for(bits, "wrong_name",
               fmt::format("{}-bit programs list it as '{}' instead of '{}'.", bits,
                           *view.other_name, driver_name()));
    } else {
      find_for(
          bits, "not_registered",
          fmt::format("{}-bit programs have no driver of the name '{}'.", bits, driver_name()));
      return;
    }
  } else if (view.listed_class.known() && !same_text(*view.listed_class, driver_class())) {
    find_for(bits, "name_taken",
             view.listed_class->empty()
                 ? fmt::format("The entry of '{}' for {}-bit programs names no class.",
                               driver_name(), bits)
                 : fmt::format("'{}' for {}-bit programs leads to the class {}, which is not ours.",
                               driver_name(), bits, *view.listed_class));
    return;
  }
  if (view.user_path.is_not("")) {
    find_for(bits, "user_override",
             fmt::format("{}-bit programs of this user load {}.", bits, *view.user_path));
    if (bits == 32) {  // the registry editor shows it elsewhere, under a name that is reserved
      diagnosis_.findings.back().fix =
          fmt::format("Run: reg delete \"HKEY_CURRENT_USER\\Software\\Classes\\CLSID\\{}\" /reg:32",
                      driver_class());
    }
  }
  file_of(view, bits);
}

void Judge::file_of(const Registration& view, unsigned bits) {
  if (!decided(view.path, "Which file is registered")) return;
  const std::string& path = *view.path;
  if (path.empty()) {
    find_for(bits, "class_missing",
             fmt::format("The class {} has no file for {}-bit programs.", driver_class(), bits));
    return;
  }
  if (!absolute(path)) {
    find_for(bits, "path_not_absolute",
             fmt::format("'{}': which file that is depends on the program.", path));
    return;
  }
  if (!decided(view.file_exists, "Whether the registered file exists")) return;
  if (view.file_exists.is(false)) {
    find_for(bits, "file_missing", fmt::format("{}-bit programs would load {}.", bits, path));
    return;
  }
  if (!decided(view.machine, "Whether the registered file fits")) return;
  const char* const wanted = bits == 64 ? "x64" : "x86";
  if (view.machine.is_not(wanted)) {
    find_for(bits, "wrong_bitness",
             view.machine->empty() ? fmt::format("{} is no program file at all.", path)
                                   : fmt::format("{} is for {}, and {}-bit programs need {}.", path,
                                                 *view.machine, bits, wanted));
    return;
  }
  if (view.in_our_folder.is(false) && view.file_in_folder.is(true)) {
    find_for(bits, "conflicting_copy",
             fmt::format("{}-bit programs load {}; this program is {}.", bits, path,
                         facts_.program_path));
  }
  load_of(view, bits);
  versions_of(view, bits);
}

void Judge::load_of(const Registration& view, unsigned bits) {
  const std::string about = fmt::format("Whether the {}-bit driver loads", bits);
  if (!decided(view.load, about.c_str())) return;
  const std::string seen = fmt::format("{}: {}.", *view.path, view.load->detail);
  if (view.load->end == "hung") find_for(bits, "driver_hangs", seen);
  if (view.load->end == "crashed") find_for(bits, "driver_crashes", seen);
  if (view.load->end == "refused") find_for(bits, "driver_refused", seen);
}

void Judge::versions_of(const Registration& view, unsigned bits) {
  if (view.version.known() && !view.version->empty() && *view.version != facts_.program_version) {
    find_for(bits, "driver_version",
             fmt::format("{}-bit programs load version {}, this program is {}.", bits,
                         *view.version, facts_.program_version));
  }
}

}  // namespace asiodrv::doctor
