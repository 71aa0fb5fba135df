// How the system comes to load the file, and what a process does.
#include <fmt/format.h>

#include "trust/judge_parts.hpp"
#include "trust/place.hpp"
#include "trust/shown_text.hpp"
#include "trust/signature_codes.hpp"

namespace asiodrv::trust {
namespace {

constexpr double kIdlePercent = 1.0;  // of one processor; our own service uses none
constexpr double kBusyPercent = 25.0;

constexpr const char* kOnWindows = "Run \"asio-driver verify\" on the Windows machine itself.";

void judge_registration(const Facts& facts, const Registration& each, Findings& findings) {
  if (each.per_user) {
    findings.add(
        Severity::dangerous, "class_overridden",
        fmt::format("The user's own registry leads the driver \"{}\" to another file ({}).",
                    shown(each.name), shown(each.path)),
        "It takes no rights to do that, and music programs load the file without a word.",
        fmt::format("Delete HKEY_CURRENT_USER\\Software\\Classes\\CLSID\\{} if you did not "
                    "make it.",
                    shown(each.clsid)));
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
  if (!pe.is_library || (!pe.exports_com_server && !pe.tables_damaged)) {
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
  }
  return "";
}

void judge_module(const Module& module, const std::string& own_path, Findings& findings) {
  if (same_path(module.path, own_path)) return;  // judged as the file itself
  const bool open = module.place == PlaceKind::temporary || module.place == PlaceKind::downloads ||
                    module.place == PlaceKind::public_files;
  if (!module.signature_code) return;  // counted by the caller
  switch (meaning_of(*module.signature_code)) {
    case SignatureMeaning::valid: return;
    case SignatureMeaning::modified:
    case SignatureMeaning::withdrawn:
    case SignatureMeaning::distrusted:
      findings.add(Severity::dangerous, "bad_module",
                   fmt::format("A library inside the process is not what was signed: {} ({}).",
                               shown(module.path), code_text(*module.signature_code)),
                   "It can do whatever the process can.",
                   "End the process. Find out which program the library belongs to and remove it.");
      return;
    case SignatureMeaning::none:
    case SignatureMeaning::signer_unknown:
    case SignatureMeaning::expired:
    case SignatureMeaning::wrong_usage:
    case SignatureMeaning::policy:
    case SignatureMeaning::not_signable:
    case SignatureMeaning::undecided:
      findings.add(open ? Severity::dangerous : Severity::suspicious, "unsigned_module",
                   fmt::format("A library that nobody vouches for is inside the process: {}.",
                               shown(module.path)),
                   "It can do whatever the process can; overlays, recorders and harmful programs "
                   "get in that way.",
                   "Find out which program the library belongs to. If you do not know it, end the "
                   "process and remove that program.");
      return;
  }
}

void judge_modules(const Facts& facts, const ProcessFacts& process, Findings& findings) {
  if (!process.modules) {
    findings.add(Severity::unknown, "modules_unknown",
                 fmt::format("The libraries inside the process are not known: {}.",
                             process.modules.why_not()),
                 "Something could have been put into it.",
                 "Run the command as the same user as the process, or as administrator.");
    return;
  }
  std::size_t unknown = 0;
  std::string example, why;
  for (const Module& module : *process.modules) {
    judge_module(module, facts.file.path, findings);
    if (module.signature_code) continue;
    if (unknown++ == 0) {
      example = module.path;
      why = module.signature_code.why_not();
    }
  }
  if (unknown > 0) {
    findings.add(Severity::unknown, "module_signatures_unknown",
                 fmt::format("{} of {} libraries inside the process could not be checked: {} ({}).",
                             unknown, process.modules->size(), shown(example), why),
                 "Something could have been put into it.", "Run the command as administrator.");
  }
  if (!findings.has("bad_module") && !findings.has("unsigned_module") && unknown == 0) {
    findings.add(
        Severity::good, "modules_signed",
        fmt::format("All {} libraries inside the process are signed.", process.modules->size()));
  }
}

void judge_connections(const Facts& facts, const ProcessFacts& process, Findings& findings) {
  if (!process.connections) {
    findings.add(
        Severity::unknown, "connections_unknown",
        fmt::format("The process's connections are not known: {}.", process.connections.why_not()),
        "It could be talking to somebody.", "Run the command as administrator.");
    return;
  }
  if (process.connections->empty()) {
    findings.add(Severity::good, "no_connections",
                 "The process has no network connection and waits for none.");
    return;
  }
  const Connection& first = process.connections->front();
  const bool ours = claims_to_be_ours(facts);
  findings.add(
      ours ? Severity::dangerous : Severity::suspicious, "network_use",
      fmt::format("The process has {} network connections, the first: {} {}{}{}.",
                  process.connections->size(), first.protocol, first.local,
                  first.remote.empty() ? "" : " to ", first.remote),
      ours ? "This product never opens one."
           : "An audio driver needs none; the program around it may look for updates or licences.",
      ours ? "End the process, keep its file for the vendor, and install the driver again."
           : "Ask the vendor what the connection is for, or block it in the firewall.");
}

void judge_processor(const ProcessFacts& process, Findings& findings) {
  if (!process.processor) {
    findings.add(Severity::unknown, "processor_unknown",
                 fmt::format("How busy the process is could not be measured: {}.",
                             process.processor.why_not()),
                 "It could be working for somebody else.", "Run the command as administrator.");
    return;
  }
  const Processor& used = *process.processor;
  const std::string figure =
      fmt::format("{:.1f} % of one processor over {:.1f} s", used.percent, used.sample_ms / 1000.0);
  if (process.clients.value_or(1) == 0 && used.percent > kIdlePercent) {
    findings.add(Severity::suspicious, "busy_while_idle",
                 fmt::format("No program is connected, and the process uses {}.", figure),
                 "A driver without work sleeps.",
                 "Look again in a minute. If it stays so, stop it and install the driver again.");
  } else if (!process.clients && used.percent > kBusyPercent) {
    findings.add(
        Severity::note, "busy",
        fmt::format("The process uses {}; whether somebody is using it is not known.", figure));
  } else {
    findings.add(Severity::good, "processor", fmt::format("The process uses {}.", figure));
  }
}

}  // namespace

void judge_registrations(const Facts& facts, Findings& findings) {
  if (!facts.registrations) {
    findings.add(Severity::unknown, "registrations_unknown",
                 fmt::format("Which drivers are registered is not known: {}.",
                             facts.registrations.why_not()),
                 "A second registration could lead music programs elsewhere.", kOnWindows);
  } else {
    for (const Registration& each : *facts.registrations) {
      judge_registration(facts, each, findings);
    }
  }
  if (!facts.duplicates) {
    findings.add(Severity::unknown, "duplicates_unknown",
                 fmt::format("Whether another driver has the same name is not known: {}.",
                             facts.duplicates.why_not()),
                 "One could pass for the other.", kOnWindows);
    return;
  }
  for (const Duplicate& each : *facts.duplicates) judge_duplicate(each, findings);
}

void judge_persistence(const Facts& facts, Findings& findings) {
  if (!facts.persistence) {
    findings.add(
        Severity::unknown, "persistence_unknown",
        fmt::format("What else starts the file is not known: {}.", facts.persistence.why_not()),
        "Drivers are loaded by music programs; they need nobody else to start them.", kOnWindows);
    return;
  }
  for (const std::string& each : facts.persistence->not_seen) {
    findings.add(Severity::note, "not_seen", fmt::format("Not seen by this account: {}.", each));
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

void judge_process(const Facts& facts, const ProcessFacts& process, Findings& findings) {
  judge_modules(facts, process, findings);
  judge_connections(facts, process, findings);
  judge_processor(process, findings);
}

}  // namespace asiodrv::trust
