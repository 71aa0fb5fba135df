// asio-driver run: in a terminal, as an agent, or led by the system's service manager.
#pragma once

#include "service/manager/service_process.hpp"
#include "service/run_service.hpp"

namespace asiodrv::cli {

/// What running is made of, replaceable by tests.
struct RunParts {
  service::manager::ServiceConnection* manager = nullptr;  ///< null: there is none
  int (*run)(const service::RunOptions&) = nullptr;
  void (*show_terminal)() = nullptr;  ///< connects the standard streams
  service::manager::EventSink (*make_events)() = nullptr;
};

/// With `options.as_service`, the service manager is spoken to before anything else is touched: no
/// file, no registry, no device. A program that it did not start runs in the terminal. Returns the
/// exit code.
int run_with(const RunParts& parts, service::RunOptions options);

/// With the system's own parts.
int run_command(const service::RunOptions& options);

}  // namespace asiodrv::cli
