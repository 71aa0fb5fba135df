// What is inside a process, whom it talks to, and how busy it is.
#include <fmt/format.h>

#include "trust/judge_parts.hpp"
#include "trust/place.hpp"
#include "trust/shown_text.hpp"
#include "trust/signature_codes.hpp"

namespace asiodrv::trust {
namespace {

constexpr double kIdlePercent = 1.0;  // of one processor; our own service uses none
constexpr double kBusyPercent = 25.0;

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
                             shown(process.modules.why_not())),
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
                             unknown, process.modules->size(), shown(example), shown(why)),
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
    findings.add(Severity::unknown, "connections_unknown",
                 fmt::format("The process's connections are not known: {}.",
                             shown(process.connections.why_not())),
                 "It could be talking to somebody.", "Run the command as administrator.");
    return;
  }
  if (process.connections->empty()) {
    findings.add(Severity::good, "no_connections",
                 "The process has no network connection and waits for none.");
    return;
  }
  const Connection& first = process.connections->front();
  const std::size_t count = process.connections->size();
  const std::string how_many = count == 1
                                   ? "one network connection:"
                                   : fmt::format("{} network connections, the first:", count);
  const bool ours = claims_to_be_ours(facts);
  findings.add(
      ours ? Severity::dangerous : Severity::suspicious, "network_use",
      fmt::format("The process has {} {} {}{}{}.", how_many, shown(first.protocol),
                  shown(first.local), first.remote.empty() ? "" : " to ", shown(first.remote)),
      ours ? "This product never opens one."
           : "An audio driver needs none; the program around it may look for updates or licences.",
      ours ? "End the process, keep its file for the vendor, and install the driver again."
           : "Ask the vendor what the connection is for, or block it in the firewall.");
}

void judge_processor(const ProcessFacts& process, Findings& findings) {
  if (!process.processor) {
    findings.add(Severity::unknown, "processor_unknown",
                 fmt::format("How busy the process is could not be measured: {}.",
                             shown(process.processor.why_not())),
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

void judge_process(const Facts& facts, const ProcessFacts& process, Findings& findings) {
  judge_modules(facts, process, findings);
  judge_connections(facts, process, findings);
  judge_processor(process, findings);
}

}  // namespace asiodrv::trust
