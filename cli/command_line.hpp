// The subcommands of asio-driver, from their arguments to an exit code.
#pragma once

#include <string>
#include <vector>

#include "cli/calibrate.hpp"
#include "cli/commands.hpp"
#include "cli/config_commands.hpp"
#include "cli/doctor.hpp"
#include "cli/rollback.hpp"
#include "cli/routing_commands.hpp"
#include "cli/service_command.hpp"
#include "cli/verify.hpp"
#include "service/run_service.hpp"

namespace asiodrv::cli {

/// What the command line does, replaceable by tests.
struct Actions {
  int (*run)(const service::RunOptions&);
  int (*status)(const ClientOptions&);
  int (*flight)(const ClientOptions&, std::uint32_t records);
  int (*devices)(const ClientOptions&, const DeviceOptions&);
  int (*config)(const ClientOptions&, bool reload);
  int (*stop)(const ClientOptions&);
  int (*route)(const ClientOptions&, const RouteOptions&) = nullptr;
  int (*virtual_cables)(const ClientOptions&, const CableOptions&) = nullptr;
  int (*clients)(const ClientOptions&) = nullptr;
  int (*meters)(const ClientOptions&, const MeterOptions&) = nullptr;
  int (*calibrate)(const ClientOptions&, const CalibrateOptions&) = nullptr;
  int (*edit_config)(const ClientOptions&, const ConfigOptions&) = nullptr;
  int (*rollback)() = run_rollback;
  int (*service)(const ServiceOptions&) = nullptr;
  int (*doctor)(const ClientOptions&, const DoctorOptions&) = nullptr;
  int (*verify)(const ClientOptions&, const VerifyOptions&) = nullptr;
};

/// Arguments without the program's name, UTF-8. Prints help and usage errors itself.
int run_command_line(std::vector<std::string> arguments);
int run_command_line(std::vector<std::string> arguments, const Actions& actions);

}  // namespace asiodrv::cli
