#include "doctor/repair.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "doctor/identity.hpp"
#include "doctor/installed_files.hpp"
#include "doctor/mend_configuration.hpp"
#include "ipc/client/control_client.hpp"
#include "platform/platform.hpp"
#include "service/config_layers.hpp"

namespace asiodrv::doctor {
namespace {

constexpr nanoseconds kRepairLimit = std::chrono::seconds{5};
constexpr nanoseconds kLeavePause = std::chrono::milliseconds{20};

Result<> call_service(const std::string& instance, const char* method) {
  const auto clock = platform::make_clock();
  const auto threads = platform::make_threads();
  const auto transport = platform::make_transport(instance);
  ipc::ControlClient client(*clock, *threads, *transport);
  if (auto connected = client.connect(clock->now() + kRepairLimit); !connected) return connected;
  const auto answer = client.call(method, nlohmann::json::object(), clock->now() + kRepairLimit);
  if (!answer) return tl::unexpected<Error>(answer.error());
  return {};
}

/// Causes that registering anew ends, for programs of which kind.
bool asks_for_registration(const Finding& finding) {
  constexpr const char* kRegistering[] = {"not_registered",   "name_taken",    "class_missing",
                                          "file_missing",     "wrong_bitness", "path_not_absolute",
                                          "conflicting_copy", "wrong_name",    "driver_version",
                                          "not_registered_32"};
  return std::any_of(std::begin(kRegistering), std::end(kRegistering),
                     [&](const char* each) { return finding.cause->id == each; });
}

/// Only for the programs that something was found about.
Repair register_anew(const Finding& first, const Diagnosis& diagnosis, const Facts& facts) {
  Repair repair{std::string(first.cause->id), true, {}};
  for (std::size_t view = 0; view < facts.registration.size(); ++view) {
    const unsigned bits = bits_of(view);
    const Registration& each = facts.registration[view];
    const bool wanted = std::any_of(
        diagnosis.findings.begin(), diagnosis.findings.end(), [&](const Finding& finding) {
          if (!asks_for_registration(finding)) return false;
          return finding.bits == bits || (finding.bits == 0 && bits == 64);
        });
    if (!wanted) continue;
    const auto registered = register_driver(facts.program_path, bits);
    repair.done = repair.done && registered.has_value();
    std::string said = registered.has_value() ? std::string() : registered.error().message;
    if (registered) {
      said = fmt::format("The driver was registered anew for {}-bit programs.", bits);
      const std::string before = each.listed_class.value_or("");
      if (!before.empty() && !same_text(before, driver_class())) {
        said += fmt::format(" The entry led to the class {} before.", before);
      }
    }
    repair.said += (repair.said.empty() ? "" : " ") + said;
  }
  return repair;
}

Repair from(const Finding& finding, const Result<>& done, std::string said) {
  return {std::string(finding.cause->id), done.has_value(),
          done ? std::move(said) : done.error().message};
}

/// Asks it to leave, and waits until it has: what is looked at next is the new one, or none.
Repair end_service(const Finding& finding, const std::string& instance) {
  const auto asked = call_service(instance, "shutdown");
  // One that hangs up instead of answering is leaving too.
  if (!asked && asked.error().code != ErrorCode::disconnected) return from(finding, asked, "");
  const auto clock = platform::make_clock();
  const auto transport = platform::make_transport(instance);
  const Instant limit = clock->now() + kRepairLimit;
  bool gone = false;
  while (!gone && clock->now() < limit) {
    const auto found = transport->connect(limit);
    gone = !found && found.error().code == ErrorCode::service_absent;
    if (!gone) clock->sleep_until(clock->now() + kLeavePause);
  }
  return service_asked_to_leave(finding, gone);
}

/// Whether this command's rights may be used on the file. A running service names its own file, and
/// a program without an administrator's rights could pass for that service.
bool may_mend(const Facts& facts, const GatherOptions& options) {
  if (!facts.system.elevated.is(true)) return true;
  const std::string& path = facts.configuration.path;
  const service::ConfigPlaces places = service::config_places(options.config_path);
  return path == places.vendor || path == places.machine || (places.named && path == places.top);
}

Repair mend(const Finding& finding, const Facts& facts, const GatherOptions& options) {
  const std::string& path = facts.configuration.path;
  if (!may_mend(facts, options)) {
    return {std::string(finding.cause->id), false,
            fmt::format("{} is a user's own: run \"asio-driver doctor --fix\" once more, without "
                        "administrator rights, to mend it.",
                        path)};
  }
  const auto mended = mend_configuration(path);
  if (!mended) return from(finding, refusal(mended), "");
  std::string said = "An empty configuration was made.";
  if (!mended->aside.empty()) {
    said = fmt::format("The configuration is now {}, and {} is in its place.", mended->aside,
                       mended->kept_the_rest ? "what was right of it" : "an empty one");
  }
  if (facts.service.reach.is("answers")) {
    const auto read = call_service(options.instance, "config.reload");
    said += read ? " The service has read it."
                 : " The service has not read it yet: " + read.error().message;
  }
  return {std::string(finding.cause->id), true, std::move(said)};
}

}  // namespace

Repair service_asked_to_leave(const Finding& finding, bool gone) {
  return {std::string(finding.cause->id), gone,
          gone ? "The service has left; programs start the new one."
               : "The service was asked to leave, and one still answers: a program may have "
                 "started it again. If it is still found, close the music programs and run "
                 "\"asio-driver doctor --fix\" once more."};
}

std::vector<Repair> repair(const Diagnosis& diagnosis, const Facts& facts,
                           const GatherOptions& options) {
  std::vector<Repair> repairs;
  bool registered = false;
  for (const Finding& finding : diagnosis.findings) {
    const std::string_view id = finding.cause->id;
    if (asks_for_registration(finding)) {
      if (!registered) repairs.push_back(register_anew(finding, diagnosis, facts));
      registered = true;
    } else if (id == "service_version") {
      repairs.push_back(end_service(finding, options.instance));
    } else if (id == "configuration_broken") {
      repairs.push_back(mend(finding, facts, options));
    } else if (id == "configuration_old") {
      repairs.push_back(from(finding, call_service(options.instance, "config.reload"),
                             "The service has read the configuration anew."));
    }
  }
  return repairs;
}

}  // namespace asiodrv::doctor
