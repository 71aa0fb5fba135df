#include "host/commands.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace asiodrv::host {

std::optional<Driver> open_driver(Command& command, int& exit_code) {
  const Result<DriverEntry> entry = choose_driver(installed_drivers(), command.options.driver);
  if (!entry) {
    command.output.error(entry.error().message);
    exit_code = kExitNoDriver;
    return std::nullopt;
  }
  Result<Driver> driver = Driver::open(command.world, *entry);
  if (!driver) {
    command.output.error(driver.error().message);
    exit_code = exit_code_for(driver.error());
    return std::nullopt;
  }
  return std::move(*driver);
}

StreamRequest stream_request(const Options& options, Driver& driver, std::int32_t default_inputs,
                             std::int32_t default_outputs) {
  StreamRequest request;
  std::int32_t inputs = 0;
  std::int32_t outputs = 0;
  driver->getChannels(&inputs, &outputs);  // Stream::open reports a failure of it
  request.inputs = options.inputs;
  request.outputs = options.outputs;
  if (request.inputs.empty()) {
    for (std::int32_t i = 0; i < std::min(inputs, default_inputs); ++i) request.inputs.push_back(i);
  }
  if (request.outputs.empty()) {
    for (std::int32_t i = 0; i < std::min(outputs, default_outputs); ++i) {
      request.outputs.push_back(i);
    }
  }
  request.frames = options.frames;
  request.rate = options.rate;
  request.time_info = !options.plain;
  if (options.output_ready == "always") request.output_ready = OutputReadyUse::always;
  if (options.output_ready == "never") request.output_ready = OutputReadyUse::never;
  if (options.output_ready == "once") request.output_ready = OutputReadyUse::once;
  if (options.output_ready == "other-thread") request.output_ready = OutputReadyUse::other_thread;
  return request;
}

int failed(Command& command, const Error& error) {
  command.output.error(error.message);
  return kExitFailed;
}

int run_list(Command& command) {
  const std::vector<DriverEntry> drivers = installed_drivers();
  Json json = Json::array();
  for (const DriverEntry& entry : drivers) {
    json.push_back({{"name", entry.name},
                    {"clsid", entry.clsid},
                    {"description", entry.description},
                    {"path", entry.path},
                    {"exists", entry.exists}});
    command.output.line(entry.name);
    if (entry.description != entry.name) {
      command.output.line(fmt::format("  description  {}", entry.description));
    }
    if (!entry.clsid.empty()) command.output.line(fmt::format("  CLSID        {}", entry.clsid));
    command.output.line(fmt::format("  module       {}{}",
                                    entry.path.empty() ? "not registered" : entry.path,
                                    entry.exists ? "" : "  (MISSING: reinstall this driver)"));
  }
  if (drivers.empty()) {
    command.output.line("No ASIO driver is installed for programs of this bitness.");
  }
  return command.output.json({{"drivers", json}}) ? kExitOk : kExitFailed;
}

}  // namespace asiodrv::host
