// Runs the cases, each in a process of its own unless told otherwise, so that a crash or a hang
// costs one case and not the run.
#include <fmt/format.h>

#include <algorithm>

#include "host/torture/case.hpp"
#include "platform/platform.hpp"

namespace asiodrv::host {
namespace {

constexpr int kExitSkipped = 77;
constexpr int kExitDisturbed = 75;  ///< failed, and may succeed another time
/// How often a case is tried that fails while the machine stands still.
constexpr int kAttempts = 5;
constexpr const char* kMark = "RESULT ";

std::vector<const Case*> all_cases() {
  std::vector<const Case*> cases;
  for (const auto list : {argument_cases(), state_cases(), protocol_cases(), callback_cases(),
                          lifetime_cases(), loopback_cases(), process_cases()}) {
    for (const Case& one : list) cases.push_back(&one);
  }
  return cases;
}

const char* outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::pass: return "pass";
    case Outcome::fail: return "fail";
    case Outcome::skipped: return "skipped";
  }
  return "fail";
}

/// The arguments with which a child runs `one` under the same options.
std::vector<std::string> child_arguments(const CaseContext& context, const Case& one) {
  const Options& options = context.options;
  std::vector<std::string> arguments{
      "torture", "--child", one.name, "--driver",
      context.entry.clsid.empty() ? context.entry.path : context.entry.clsid};
  if (options.lenient) arguments.emplace_back("--lenient");
  if (context.loopback) arguments.emplace_back("--loopback");
  if (options.with_panel) arguments.emplace_back("--with-panel");
  const auto add = [&](const char* name, const std::string& value) {
    arguments.emplace_back(name);
    arguments.push_back(value);
  };
  if (options.frames > 0) add("--frames", std::to_string(options.frames));
  add("--kill-self-after", fmt::format("{}", options.kill_self_after));
  if (options.service_pid != 0) add("--service-pid", std::to_string(options.service_pid));
  if (!options.kill_command.empty()) add("--kill-command", options.kill_command);
  return arguments;
}

/// "RESULT pass reason", the last such line of the child.
std::optional<Verdict> parse_verdict(const std::string& output) {
  const std::size_t at = output.rfind(kMark);
  if (at == std::string::npos) return std::nullopt;
  std::string line = output.substr(at + std::string_view(kMark).size());
  line.erase(std::min(line.find_first_of("\r\n"), line.size()));
  const std::string word = line.substr(0, line.find(' '));
  const std::string reason = line.size() > word.size() ? line.substr(word.size() + 1) : "";
  for (const Outcome outcome : {Outcome::pass, Outcome::fail, Outcome::skipped}) {
    if (word == outcome_name(outcome)) return Verdict{outcome, reason};
  }
  return std::nullopt;
}

Verdict run_guarded(const CaseContext& context, const Case& one) {
  auto child = start_child(platform::program_path(), child_arguments(context, one));
  if (!child) return failed_case(child.error().message);
  if (!(*child)->wait(std::chrono::seconds{one.limit_seconds})) {
    (*child)->kill();
    return failed_case(fmt::format("hung for {} s", one.limit_seconds));
  }
  if (const std::string crash = (*child)->crash(); !crash.empty()) {
    const auto verdict = parse_verdict((*child)->output());
    return failed_case(fmt::format("crashed{}: {}", verdict ? " after the case" : "", crash));
  }
  if (auto verdict = parse_verdict((*child)->output())) {
    const bool agrees = (verdict->outcome == Outcome::pass) == ((*child)->exit_code() == 0);
    verdict->disturbed = (*child)->exit_code() == kExitDisturbed;
    if (agrees) return *verdict;
  }
  return failed_case(fmt::format("ended with exit code {} and no word", (*child)->exit_code()));
}

int run_child(Command& command, const CaseContext& context, const Case& one) {
  const Verdict verdict = one.run(context);
  (void)command;
  fmt::print("{}{} {}\n", kMark, outcome_name(verdict.outcome), verdict.reason);
  std::fflush(stdout);
  switch (verdict.outcome) {
    case Outcome::pass: return kExitOk;
    case Outcome::fail: return verdict.disturbed ? kExitDisturbed : kExitFailed;
    case Outcome::skipped: return kExitSkipped;
  }
  return kExitFailed;
}

bool is_our_driver(const DriverEntry& entry) { return entry.name == kPreferredDriver; }

Result<std::vector<const Case*>> chosen_cases(const Options& options) {
  const std::vector<const Case*> all = all_cases();
  if (options.only.empty()) return all;
  std::vector<const Case*> chosen;
  for (const std::string& name : options.only) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Case* one) { return name == one->name; });
    if (found == all.end()) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("There is no case '{}'; --list shows them.", name));
    }
    chosen.push_back(*found);
  }
  return chosen;
}

int list_cases(Command& command, const std::vector<const Case*>& cases) {
  Json json = Json::array();
  for (const Case* one : cases) {
    command.output.line(fmt::format("{:<26} {}", one->name, one->what));
    json.push_back({{"name", one->name}, {"what", one->what}});
  }
  return command.output.json({{"cases", json}}) ? kExitOk : kExitFailed;
}

/// Runs a case, and again while it fails and a bare timer beside it was late too.
/// out: `attempts`, how often it was run.
Verdict run_patiently(Command& command, const CaseContext& context, const Case& one,
                      int& attempts) {
  for (attempts = 1;; ++attempts) {
    Verdict verdict = command.options.no_guard ? one.run(context) : run_guarded(context, one);
    if (verdict.outcome != Outcome::fail || !verdict.disturbed) return verdict;
    if (attempts == kAttempts) {
      verdict.reason += fmt::format(" (in the last of {} attempts)", attempts);
      return verdict;
    }
    command.output.progress(fmt::format("{}: {}; again ...", one.name, verdict.reason));
  }
}

int run_all(Command& command, const CaseContext& context, const std::vector<const Case*>& cases) {
  Json results = Json::array();
  int counts[3] = {};
  for (const Case* one : cases) {
    command.output.progress(fmt::format("{} ...", one->name));
    const Instant begin = command.world.clock.now();
    int attempts = 0;
    const Verdict verdict = run_patiently(command, context, *one, attempts);
    const nanoseconds took = command.world.clock.now() - begin;
    const double seconds = static_cast<double>(took.count() / 1'000'000) / 1000.0;
    command.output.end_progress();
    ++counts[static_cast<int>(verdict.outcome)];
    command.output.line(fmt::format(
        "{:<26} {:<5} {}{}", one->name, verdict.outcome == Outcome::pass ? "pass" : "",
        verdict.outcome == Outcome::fail ? "FAIL: "
                                         : (verdict.outcome == Outcome::skipped ? "skipped: " : ""),
        verdict.reason));
    results.push_back({{"name", one->name},
                       {"result", outcome_name(verdict.outcome)},
                       {"reason", verdict.reason},
                       {"attempts", attempts},
                       {"seconds", seconds}});
  }
  command.output.line(
      fmt::format("{} passed, {} FAILED, {} skipped", counts[0], counts[1], counts[2]));
  const bool reported = command.output.json({{"driver", context.entry.name},
                                             {"process_id", platform::process_id()},
                                             {"passed", counts[0]},
                                             {"failed", counts[1]},
                                             {"skipped", counts[2]},
                                             {"cases", results}});
  return counts[1] == 0 && reported ? kExitOk : kExitFailed;
}

}  // namespace

int run_torture(Command& command) {
  const Options& options = command.options;
  const auto cases = chosen_cases(options);
  if (!cases) {
    command.output.error(cases.error().message);
    return kExitUsage;
  }
  if (options.list_cases) return list_cases(command, *cases);
  const Result<DriverEntry> entry = choose_driver(installed_drivers(), options.driver);
  if (!entry) {
    command.output.error(entry.error().message);
    return kExitNoDriver;
  }
  const CaseContext context{command.world, options, *entry,
                            options.loopback || is_our_driver(*entry)};
  if (!options.child_case.empty()) {
    for (const Case* one : all_cases()) {
      if (options.child_case == one->name) return run_child(command, context, *one);
    }
    return kExitUsage;
  }
  return run_all(command, context, *cases);
}

}  // namespace asiodrv::host
