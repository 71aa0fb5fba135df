#include "cli/service_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "platform/platform.hpp"
#include "service/manager/names.hpp"

namespace asiodrv::cli {
namespace {

using nlohmann::json;
using service::manager::Installation;
using service::manager::Installed;
using service::manager::RunState;
using service::manager::Sentences;
using service::manager::ServiceEntry;
using service::manager::StartMode;

constexpr const char* kModesHelp =
    "demand   programs that use the driver start it (the usual choice)\n"
    "logon    it starts with every user who signs in\n"
    "machine  it starts with the machine, without a user, under LocalService; Windows gives such\n"
    "         services no microphone\n"
    "off      nobody starts it; programs are told that no driver is present";

struct VerbHelp {
  ServiceVerb verb;
  const char* name;
  const char* help;
};
constexpr VerbHelp kVerbs[] = {
    {ServiceVerb::install, "install",
     "Registers this program with Windows as a service, or brings the registration up to date"},
    {ServiceVerb::remove, "remove", "Stops the service and removes all that was registered"},
    {ServiceVerb::start, "start", "Starts the service"},
    {ServiceVerb::stop, "stop",
     "Stops the service and waits until its process has gone; programs hear silence"},
    {ServiceVerb::restart, "restart", "Stops and starts it"},
    {ServiceVerb::status, "status", "What is registered, and whether it runs"},
    {ServiceVerb::set_start, "set-start", "Changes who starts the service"}};

std::string check_mode(const std::string& name) {
  if (service::manager::parse_mode(name)) return {};
  return "A start mode is one of demand, logon, machine and off.";
}

const char* state_text(RunState state) noexcept {
  switch (state) {
    case RunState::stopped: return "stopped";
    case RunState::start_pending: return "starting";
    case RunState::stop_pending: return "stopping";
    case RunState::running: return "running";
  }
  return "unknown";
}

json json_of(const Installed& found) {
  json services = json::array();
  for (const ServiceEntry& each : found.services) {
    services.push_back({{"name", each.name},
                        {"state", state_text(each.state.state)},
                        {"process_id", each.state.process_id}});
  }
  return {{"installed", found.registered},
          {"name", service::manager::service_name()},
          {"display_name", service::manager::display_name()},
          {"start", found.registered ? json(service::manager::mode_name(found.mode)) : json()},
          {"per_user", found.per_user},
          {"command", found.command},
          {"services", std::move(services)}};
}

std::string text_of(const Installed& found) {
  if (!found.registered) {
    return "The service is not registered with Windows. Programs that use the driver start it by "
           "themselves; \"asio-driver service install\" registers it.\n";
  }
  std::string text = fmt::format(
      "{}\n  start    {}\n  kind     {}\n  program  {}\n", service::manager::service_name(),
      service::manager::mode_name(found.mode),
      found.per_user ? "one service for each user, made at sign-in" : "one service for the machine",
      found.command);
  for (const ServiceEntry& each : found.services) {
    text += fmt::format("  {}  {}", each.name, state_text(each.state.state));
    if (each.state.process_id != 0) text += fmt::format(", process {}", each.state.process_id);
    text += '\n';
  }
  if (found.services.empty()) text += "  no user has one yet: Windows makes them at sign-in\n";
  return text;
}

ServiceAnswer failure(const Error& error) {
  const bool denied = error.code == ErrorCode::access_denied;
  return {denied ? kNotElevated : kFailed, "", error.message + "\n"};
}

ServiceAnswer answer(const Result<Sentences>& said) {
  if (!said) return failure(said.error());
  ServiceAnswer done;
  for (const std::string& sentence : *said) done.out += sentence + "\n";
  return done;
}

}  // namespace

void add_service_command(CLI::App& app, ServiceArguments& arguments) {
  CLI::App* const command = app.add_subcommand(
      "service", "The service as Windows knows it: registered, started, removed");
  command->footer(
      "Start modes:\n" + std::string(kModesHelp) +
      "\n\nAll but \"status\" and \"start\" need a terminal that was opened with \"Run as "
      "administrator\";\nwithout, they end with exit code 4 and change nothing.\n\n"
      "Examples:\n"
      "  asio-driver service install                registers it, started on demand\n"
      "  asio-driver service set-start logon        from the next sign-in on\n"
      "  asio-driver service status --json");
  command->require_subcommand(1);
  arguments.command = command;
  for (const VerbHelp& each : kVerbs) {
    CLI::App* const verb = command->add_subcommand(each.name, each.help);
    arguments.verbs[static_cast<std::size_t>(each.verb)] = verb;
    if (each.verb == ServiceVerb::install || each.verb == ServiceVerb::set_start) {
      verb->footer("Start modes:\n" + std::string(kModesHelp));
    }
  }
  const auto verb = [&](ServiceVerb which) {
    return arguments.verbs[static_cast<std::size_t>(which)];
  };
  verb(ServiceVerb::install)
      ->add_option("--start", arguments.mode, "Who starts it. Default: demand")
      ->check(check_mode)
      ->type_name("MODE");
  verb(ServiceVerb::set_start)
      ->add_option("mode", arguments.mode, "Who starts it")
      ->required()
      ->check(check_mode)
      ->type_name("MODE");
  verb(ServiceVerb::status)->add_flag("--json", arguments.json, "For programs: one JSON document");
}

std::optional<ServiceOptions> service_options(const ServiceArguments& arguments) {
  if (arguments.command == nullptr || !arguments.command->parsed()) return std::nullopt;
  ServiceOptions options;
  options.mode = service::manager::parse_mode(arguments.mode).value_or(StartMode::demand);
  options.json = arguments.json;
  for (const VerbHelp& each : kVerbs) {
    if (arguments.verbs[static_cast<std::size_t>(each.verb)]->parsed()) options.verb = each.verb;
  }
  return options;
}

ServiceAnswer answer_service_command(const ServiceOptions& options, Installation& installation) {
  switch (options.verb) {
    case ServiceVerb::install: return answer(installation.install(options.mode));
    case ServiceVerb::remove: return answer(installation.remove());
    case ServiceVerb::start: return answer(installation.start());
    case ServiceVerb::stop: return answer(installation.stop());
    case ServiceVerb::restart: return answer(installation.restart());
    case ServiceVerb::set_start: return answer(installation.set_start(options.mode));
    case ServiceVerb::status: break;
  }
  const auto found = installation.status();
  if (!found) return failure(found.error());
  return {kDone, options.json ? json_of(*found).dump(2) + "\n" : text_of(*found), ""};
}

int run_service_command(const ServiceOptions& options) {
  const auto control = service::manager::make_service_control();
  if (control == nullptr) {
    print_error(
        "This system has no Windows service manager. Programs start the service by themselves; "
        "\"asio-driver run\" starts it by hand.\n");
    return kFailed;
  }
  const auto clock = platform::make_clock();
  Installation installation(*control, *clock, platform::program_path());
  const ServiceAnswer done = answer_service_command(options, installation);
  print(done.out);
  print_error(done.error);
  return done.exit_code;
}

}  // namespace asiodrv::cli
