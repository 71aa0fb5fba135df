// asio-driver service ...: the service as Windows knows it, registered, started and removed.
#pragma once

#include <optional>
#include <string>

#include "core/base/result.hpp"
#include "service/manager/installation.hpp"

namespace CLI {
class App;
}

namespace asiodrv::cli {

enum class ServiceVerb { install, remove, start, stop, restart, status, set_start };

struct ServiceOptions {
  ServiceVerb verb = ServiceVerb::status;
  service::manager::StartMode mode = service::manager::StartMode::demand;
  bool json = false;
};

/// What the arguments of "service" have set; `parsed` says whether it was called at all.
struct ServiceArguments {
  CLI::App* command = nullptr;
  CLI::App* verbs[7] = {};
  std::string mode = "demand";
  bool json = false;
};
void add_service_command(CLI::App& app, ServiceArguments& arguments);
/// Nothing when another command was called.
[[nodiscard]] std::optional<ServiceOptions> service_options(const ServiceArguments& arguments);

/// Does what was asked and prints it. Exit codes: kDone, kFailed, kNotElevated.
int run_service_command(const ServiceOptions& options);

/// The parts of it that a test can look at.
struct ServiceAnswer {
  int exit_code = 0;
  std::string out;
  std::string error;
};
[[nodiscard]] ServiceAnswer answer_service_command(const ServiceOptions& options,
                                                   service::manager::Installation& installation);

}  // namespace asiodrv::cli
