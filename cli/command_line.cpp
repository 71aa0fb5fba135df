#include "cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/client_command.hpp"
#include "cli/config_arguments.hpp"
#include "cli/console.hpp"
#include "cli/routing_arguments.hpp"
#include "cli/run_command.hpp"
#include "cli/verify.hpp"
#include "service/paths.hpp"
#include "service/version.hpp"

namespace asiodrv::cli {
namespace {

constexpr const char* kDescription =
    "asio-driver: several programs share one audio interface through ASIO.\n"
    "\n"
    "Music programs start the service by themselves when they open the driver, and it\n"
    "leaves when nobody needs it. These commands look at it, and run it by hand.";

constexpr const char* kFooter =
    "Examples:\n"
    "  asio-driver status                    who is connected, and how well it runs\n"
    "  asio-driver clients                   formats and latencies of all programs\n"
    "  asio-driver meters                    how loud every channel is\n"
    "  asio-driver virtual add Talk          a cable that every program sees\n"
    "  asio-driver route add in:1 Talk:1     sound from an input into the cable\n"
    "  asio-driver flight                    which sounds were damaged, and by whom\n"
    "  asio-driver flight --json --records 1000 > flight.json\n"
    "  asio-driver devices --period 32       a shorter delay, while programs play\n"
    "  asio-driver calibrate --output out:1 --input in:1    measures a cable between the two\n"
    "  asio-driver config                    the settings in force, and where they are kept\n"
    "  asio-driver config set driver.preferred_frames 128    changes one; \"config list\": all\n"
    "  asio-driver run --config studio.toml  the service in this terminal, with its messages\n"
    "  asio-driver verify --all              is every registered ASIO driver genuine?\n"
    "  asio-driver stop                      ends it; programs hear silence and start it again\n"
    "  asio-driver service install           registers it with Windows\n"
    "  asio-driver doctor                    why there is no sound, and what to do about it\n"
    "\n"
    "Exit codes:\n"
    "  0  done        1  the operation failed; the reason is on the error stream\n"
    "  2  wrong usage 3  the service is not running\n"
    "  4  this needs an administrator            verify and doctor have more, see their help\n"
    "\n"
    "\"asio-driver COMMAND --help\" explains one command.";

/// Everything that arguments can set.
struct Parsed {
  service::RunOptions run;
  ClientOptions client;
  std::uint32_t records = 0;
  std::uint32_t idle_seconds = 0;
  ConfigArguments config;
  DeviceOptions device;
  RoutingArguments routing;
  CalibrateOptions calibrate;
  ServiceArguments service;
  DoctorOptions doctor;
  VerifyOptions verify;
};

CLI::App* add_run_command(CLI::App& app, Parsed& parsed) {
  CLI::App* const run = app.add_subcommand("run", "Runs the service until Ctrl+C or \"stop\"");
  run->add_flag("--agent", parsed.run.agent,
                "As music programs start it: messages go to a file, and it leaves when idle");
  run->add_flag("--service", parsed.run.as_service,
                "As Windows starts it (\"asio-driver service install\"). By hand: as without");
  run->add_option("--reason", parsed.run.reason,
                  "With --agent: why a program started it; a line for the log")
      ->type_name("TEXT");
  add_instance(run, parsed.run.instance);
  run->add_option("--config", parsed.run.config_path,
                  "A file in place of the machine's and the user's. Default: $ASIODRV_CONFIG")
      ->type_name("FILE");
  run->add_option("--idle-seconds", parsed.idle_seconds,
                  "Leave when nobody was connected for so long. Default for agents: the "
                  "configuration's, 10")
      ->check(CLI::Range(0U, 86'400U))
      ->type_name("N");
  return run;
}

int usage_error(const std::string& message) {
  print_error(message + "\nRun \"asio-driver --help\" to see what there is.\n");
  return kWrongUsage;
}

}  // namespace

int run_command_line(std::vector<std::string> arguments) {
  const Actions actions{.run = run_command,
                        .status = show_status,
                        .flight = show_flight,
                        .devices = show_devices,
                        .config = show_config,
                        .stop = stop_service,
                        .route = run_route,
                        .virtual_cables = run_virtual,
                        .clients = show_clients,
                        .meters = show_meters,
                        .calibrate = run_calibrate,
                        .edit_config = run_config,
                        .rollback = run_rollback,
                        .service = run_service_command,
                        .doctor = run_doctor,
                        .verify = run_verify};
  return run_command_line(std::move(arguments), actions);
}

int run_command_line(std::vector<std::string> arguments, const Actions& actions) {
  // An agent has nobody to talk to, and must not hold on to a terminal that others own. A service
  // must speak to its manager before it touches anything.
  const auto given = [&arguments](const char* flag) {
    return std::find(arguments.begin(), arguments.end(), flag) != arguments.end();
  };
  if (!given("--agent") && !given("--service")) attach_console();
  Parsed parsed;
  parsed.run.instance = parsed.client.instance = service::environment("ASIODRV_INSTANCE");
  parsed.run.config_path = service::environment("ASIODRV_CONFIG");
  parsed.config.options.config_path = parsed.doctor.config = parsed.run.config_path;
  if (const auto wrong = check_instance(parsed.run.instance); !wrong.empty()) {
    return usage_error("ASIODRV_INSTANCE: " + wrong);
  }

  CLI::App app(kDescription, "asio-driver");
  app.footer(kFooter);
  app.set_version_flag("--version", std::string("asio-driver ") + service::kVersion);
  app.require_subcommand(1);
  CLI::App* const run = add_run_command(app, parsed);
  CLI::App* const status =
      add_client_command(app, "status", "Who is connected, and how well it runs", parsed.client);
  CLI::App* const flight = add_client_command(
      app, "flight", "The flight recorder: which sounds were damaged, when, why, and by whom",
      parsed.client);
  flight->add_option("--records", parsed.records, "Also the newest N cycles, each with its times")
      ->check(CLI::Range(0U, 16'384U))
      ->type_name("N");
  CLI::App* const devices =
      add_client_command(app, "devices", "The audio interfaces", parsed.client);
  devices
      ->add_option("--rate", parsed.device.rate_hz,
                   "Moves the device to this many frames per second, under running programs: they "
                   "keep what they have and are told their new latency")
      ->check(CLI::Range(1U, 10'000'000U))
      ->type_name("HZ");
  devices
      ->add_option("--period", parsed.device.period_frames,
                   "Likewise the frames per period, one of those that the table shows")
      ->check(CLI::Range(1U, 1'000'000U))
      ->type_name("FRAMES");
  devices
      ->add_option("--clock", parsed.device.clock,
                   "The clock source that paces the device from now on, by its name in the table")
      ->type_name("NAME");
  devices
      ->add_option("--external-clock", parsed.device.external_clock,
                   "What arrives at the external clock input of the simulated device, 0: nothing "
                   "any more. For trying out what programs do then")
      ->check(CLI::Range(0U, 10'000'000U))
      ->type_name("HZ");
  CLI::App* const stop = add_client_command(app, "stop", "Ends the service", parsed.client);
  add_config_commands(app, parsed.config, parsed.client);
  add_routing_commands(app, parsed.routing, parsed.client);
  CLI::App* const calibrate = add_calibrate_command(app, parsed.calibrate, parsed.client);
  add_service_command(app, parsed.service);
  CLI::App* const doctor = add_doctor_command(app, parsed.doctor, parsed.client);
  CLI::App* const rollback =
      app.add_subcommand("rollback", "Returns to the version that was installed before this one");
  CLI::App* const verify = add_verify_command(app, parsed.verify, parsed.client);

  std::reverse(arguments.begin(), arguments.end());  // what CLI11 expects
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) return usage_error(error.what());
    std::ostringstream help, unused;
    app.exit(error, help, unused);
    print(help.str());
    return kDone;
  }
  if (run->count("--idle-seconds") > 0) parsed.run.idle_seconds = parsed.idle_seconds;
  try {
    if (run->parsed()) return actions.run(parsed.run);
    if (status->parsed()) return actions.status(parsed.client);
    if (flight->parsed()) return actions.flight(parsed.client, parsed.records);
    if (devices->parsed()) return actions.devices(parsed.client, parsed.device);
    if (stop->parsed()) return actions.stop(parsed.client);
    if (rollback->parsed()) return actions.rollback();
    if (const auto service = service_options(parsed.service)) return actions.service(*service);
    if (calibrate->parsed()) {
      const std::string mistake = wrong_usage(parsed.calibrate);
      return mistake.empty() ? actions.calibrate(parsed.client, parsed.calibrate)
                             : usage_error(mistake);
    }
    if (doctor->parsed()) {
      const std::string mistake = wrong_usage(parsed.doctor);
      return mistake.empty() ? actions.doctor(parsed.client, parsed.doctor) : usage_error(mistake);
    }
    if (verify->parsed()) {
      const std::string mistake = wrong_usage(parsed.verify);
      return mistake.empty() ? actions.verify(parsed.client, parsed.verify) : usage_error(mistake);
    }
    std::string wrong;
    if (parsed.config.command->parsed()) {
      const int code = run_config_command(parsed.config, parsed.client, actions, wrong);
      return wrong.empty() ? code : usage_error(wrong);
    }
    if (const auto code = run_routing_command(parsed.routing, parsed.client, actions, wrong)) {
      return wrong.empty() ? *code : usage_error(wrong);
    }
  } catch (const nlohmann::json::exception& error) {
    print_error(std::string("The service gave an answer that this version does not understand: it "
                            "may be of another version. \"asio-driver stop\" ends it. (") +
                error.what() + ")\n");
    return kFailed;
  } catch (const std::exception& error) {  // memory
    print_error(std::string("asio-driver failed: ") + error.what() + "\n");
    return kFailed;
  }
  return usage_error("A command is missing.");
}

}  // namespace asiodrv::cli
