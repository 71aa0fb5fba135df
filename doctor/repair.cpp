#include "doctor/repair.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "ipc/client/control_client.hpp"
#include "platform/platform.hpp"
#include "service/json_file.hpp"
#include "service/paths.hpp"

namespace asiodrv::doctor {
namespace {

namespace fs = std::filesystem;

constexpr nanoseconds kRepairLimit = std::chrono::seconds{5};
constexpr int kMostAside = 1000;

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

Repair register_anew(const Finding& finding, const Facts& facts) {
  Repair repair{std::string(finding.cause->id), true, {}};
  for (std::size_t view = 0; view < facts.registration.size(); ++view) {
    const Registration& each = facts.registration[view];
    const bool wanted = view == 0 || each.file_in_folder.is(true);
    if (!wanted) continue;
    const auto registered = register_driver(facts.program_path, bits_of(view));
    repair.done = repair.done && registered.has_value();
    repair.said += (repair.said.empty() ? "" : " ") +
                   (registered ? fmt::format("The driver was registered anew for {}-bit programs.",
                                             bits_of(view))
                               : registered.error().message);
  }
  return repair;
}

Repair from(const Finding& finding, const Result<>& done, std::string said) {
  return {std::string(finding.cause->id), done.has_value(),
          done ? std::move(said) : done.error().message};
}

Repair mend_configuration(const Finding& finding, const Facts& facts,
                          const GatherOptions& options) {
  const auto aside = put_configuration_aside(facts.configuration.path);
  if (!aside) return {std::string(finding.cause->id), false, aside.error().message};
  std::string said =
      aside->empty()
          ? "An empty configuration was made."
          : fmt::format("The configuration is now {}, and an empty one is in its place.", *aside);
  if (facts.service.reach.is("answers")) {
    const auto read = call_service(options.instance, "config.reload");
    said += read ? " The service has read it." : " The service reads it at its next start.";
  }
  return {std::string(finding.cause->id), true, std::move(said)};
}

}  // namespace

Result<std::string> put_configuration_aside(const std::string& path) {
  if (path.empty()) {
    return fail(ErrorCode::not_found,
                "The system names no folder of this user, so there is no configuration to mend.");
  }
  std::error_code problem;
  for (int number = 1; number <= kMostAside; ++number) {
    const std::string aside = fmt::format("{}.broken-{}", path, number);
    if (fs::exists(service::path_of(aside), problem) || problem) continue;
    const bool there = fs::exists(service::path_of(path), problem);
    if (there) {
      fs::rename(service::path_of(path), service::path_of(aside), problem);
      if (problem) {
        return fail(ErrorCode::access_denied,
                    fmt::format("{} cannot be renamed: {}. Mend the line that is named by hand.",
                                path, problem.message()));
      }
    }
    std::string text = "# All values are the defaults.\n";
    if (there) {
      text += fmt::format("# What was here before, and could not be used: {}\n",
                          service::file_name(aside));
    }
    if (auto written = service::write_whole_file(path, text); !written) {
      return tl::unexpected<Error>(std::move(written.error()));
    }
    return there ? aside : std::string();
  }
  return fail(ErrorCode::limit_reached,
              fmt::format("There are {} files beside {} that were put aside. Delete old ones.",
                          kMostAside, path));
}

std::vector<Repair> repair(const Diagnosis& diagnosis, const Facts& facts,
                           const GatherOptions& options) {
  std::vector<Repair> repairs;
  bool registered = false;
  for (const Finding& finding : diagnosis.findings) {
    const std::string_view id = finding.cause->id;
    if (asks_for_registration(finding)) {
      if (!registered) repairs.push_back(register_anew(finding, facts));
      registered = true;
    } else if (id == "service_version") {
      repairs.push_back(from(finding, call_service(options.instance, "shutdown"),
                             "The service was asked to leave; programs start the new one."));
    } else if (id == "configuration_broken") {
      repairs.push_back(mend_configuration(finding, facts, options));
    } else if (id == "configuration_old") {
      repairs.push_back(from(finding, call_service(options.instance, "config.reload"),
                             "The service has read the configuration anew."));
    }
  }
  return repairs;
}

}  // namespace asiodrv::doctor
