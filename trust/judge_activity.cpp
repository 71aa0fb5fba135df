// How the system comes to load the file, and what else starts it.
#include <fmt/format.h>

#include "trust/judge_parts.hpp"
#include "trust/place.hpp"
#include "trust/shown_text.hpp"

namespace asiodrv::trust {
namespace {

constexpr const char* kOnWindows = "Run \"asio-driver verify\" on the Windows machine itself.";

/// The registry editor shows the classes of 32-bit programs under a name that is reserved.
std::string delete_own_class(const Registration& each) {
  return fmt::format(
      "Delete HKEY_CURRENT_USER\\Software\\Classes\\CLSID\\{}{} if you did not make it.",
      shown(each.clsid), each.view_32 ? " of 32-bit programs (\"reg delete\" with /reg:32)" : "");
}

void judge_registration(const Facts& facts, const Registration& each, Findings& findings) {
  if (each.per_user) {
    findings.add(
        Severity::dangerous, "class_overridden",
        fmt::format("The user's own registry leads the driver \"{}\" to another file ({}).",
                    shown(each.name), shown(each.path)),
        "It takes no rights to do that, and music programs load the file without a word.",
        delete_own_class(each));
    if (!same_path(each.path, facts.file.path)) return;  // the rest is about this file
  }
  if (!each.path.empty() && !is_absolute(each.path)) {
    findings.add(Severity::suspicious, "relative_path",
                 fmt::format("\"{}\" is registered without a folder ({}).", shown(each.name),
                             shown(each.path)),
                 "Whoever puts a file of this name into a music program's folder is loaded.",
                 "Install the driver again; if it stays so, tell the vendor.");
  }
  if (!facts.file.structure) return;
  const PeFile& pe = *facts.file.structure;
  if (pe.is_library && !pe.exports_com_server && pe.tables_damaged) {
    findings.add(Severity::unknown, "perhaps_no_driver",
                 fmt::format("\"{}\" is registered as a driver, and whether the file is one cannot "
                             "be read from it.",
                             shown(each.name)),
                 "Its list of functions is damaged, or hidden by a tool that packs programs.",
                 "Ask the vendor whether the file is packed, and compare its SHA-256.");
  } else if (!pe.is_library || !pe.exports_com_server) {
    findings.add(
        Severity::suspicious, "not_a_driver",
        fmt::format("\"{}\" is registered as a driver, and the file is none: {}.", shown(each.name),
                    pe.is_library ? "it offers no COM server" : "it is no library"),
        "A music program that opens it loads something else.",
        "Install the driver again from the vendor's site.");
  }
  if (pe.is_64 == each.view_32) {
    findings.add(Severity::note, "wrong_bitness",
                 fmt::format("\"{}\" is registered for {}-bit programs, which cannot load it.",
                             shown(each.name), each.view_32 ? 32 : 64));
  }
}

void judge_duplicate(const Duplicate& duplicate, Findings& findings) {
  const std::string other =
      fmt::format("\"{}\" ({})", shown(duplicate.other.name), shown(duplicate.other.path));
  if (duplicate.same_content.value_or(false)) {
    findings.add(Severity::note, "copy_elsewhere",
                 fmt::format("The same file is registered once more, as {}.", other));
    return;
  }
  switch (duplicate.kind) {
    case DuplicateKind::same_file_name:
      findings.add(Severity::suspicious, "same_name_elsewhere",
                   fmt::format("Another driver has a file of the same name: {}.", other),
                   "One of the two may pass for the other.",
                   "Keep the one from the vendor's installer and uninstall the other.");
      return;
    case DuplicateKind::similar_name:
      findings.add(Severity::suspicious, "look_alike_name",
                   fmt::format("Another driver's name looks the same: {}.", other),
                   "In a music program's list nobody can tell the two apart.",
                   "Judge both, and uninstall the one that is not the vendor's.");
      return;
    case DuplicateKind::same_class_other_file:
      findings.add(Severity::suspicious, "same_class_elsewhere",
                   fmt::format("Another file is registered as the same driver: {}.", other),
                   "Which of the two is loaded depends on who asks.",
                   "Install the driver again, so that one file is left.");
      return;
  }
}

const char* persistence_text(PersistenceKind kind) {
  switch (kind) {
    case PersistenceKind::run_key: return "It is started at every sign-in by";
    case PersistenceKind::startup_folder: return "It is started at every sign-in from";
    case PersistenceKind::service: return "It runs as the service";
    case PersistenceKind::scheduled_task: return "It is started by the task";
    case PersistenceKind::image_hijack: return "Something else is started in its place by";
    case PersistenceKind::injected: return "It is loaded into other programs by";
  }
  return "";
}

}  // namespace

void judge_registrations(const Facts& facts, Findings& findings) {
  if (!facts.registrations) {
    findings.add(Severity::unknown, "registrations_unknown",
                 fmt::format("Which drivers are registered is not known: {}.",
                             shown(facts.registrations.why_not())),
                 "A second registration could lead music programs elsewhere.", kOnWindows);
  } else {
    for (const Registration& each : *facts.registrations) {
      judge_registration(facts, each, findings);
    }
  }
  if (!facts.duplicates) {
    findings.add(Severity::unknown, "duplicates_unknown",
                 fmt::format("Whether another driver has the same name is not known: {}.",
                             shown(facts.duplicates.why_not())),
                 "One could pass for the other.", kOnWindows);
    return;
  }
  for (const Duplicate& each : *facts.duplicates) judge_duplicate(each, findings);
}

void judge_persistence(const Facts& facts, Findings& findings) {
  if (!facts.persistence) {
    findings.add(Severity::unknown, "persistence_unknown",
                 fmt::format("What else starts the file is not known: {}.",
                             shown(facts.persistence.why_not())),
                 "Drivers are loaded by music programs; they need nobody else to start them.",
                 kOnWindows);
    return;
  }
  for (const std::string& each : facts.persistence->not_seen) {
    findings.add(Severity::note, "not_seen",
                 fmt::format("Not seen by this account: {}.", shown(each)));
  }
  const bool program = facts.file.structure && !facts.file.structure->is_library;
  for (const Persistence& each : facts.persistence->found) {
    const std::string what = fmt::format("{} {}: {}", persistence_text(each.kind),
                                         shown(each.where), shown(each.command, 120));
    if (each.kind == PersistenceKind::image_hijack) {
      findings.add(Severity::dangerous, "replaced_at_start", what,
                   "Whoever starts the program gets another one.",
                   "Delete the value named here if you do not debug this program yourself.");
    } else if (each.kind == PersistenceKind::service && program) {
      findings.add(Severity::note, "runs_as_service", what);
    } else {
      findings.add(Severity::suspicious, "other_persistence", what,
                   "Drivers are loaded by music programs; they need nobody else to start them.",
                   "Ask the vendor what it is for, or switch it off in the Task Manager's list of "
                   "startup programs, the services or the Task Scheduler.");
    }
  }
}

}  // namespace asiodrv::trust
