// The arguments of the commands about sound's ways.
#pragma once

#include <optional>
#include <string>

#include "cli/routing_commands.hpp"

namespace CLI {
class App;
}

namespace asiodrv::cli {

struct Actions;

/// What they can set, and the commands that stand on the command line. Its address must not change
/// once the commands were added.
struct RoutingArguments {
  RouteOptions route;
  CableOptions cable;
  MeterOptions meters;

  CLI::App* route_command = nullptr;
  CLI::App* virtual_command = nullptr;
  CLI::App* clients_command = nullptr;
  CLI::App* meters_command = nullptr;

  // as they are written; finish() makes sense of them
  std::string from, to, gain;
  bool mute = false, no_mute = false, solo = false, no_solo = false;
  bool invert = false, no_invert = false;
  double seconds = 0.0;
};

void add_routing_commands(CLI::App& app, RoutingArguments& arguments, ClientOptions& client);

/// Runs the command that was given; nothing when it was none of these. `wrong` gets what is wrong
/// with its arguments, and nothing runs then.
[[nodiscard]] std::optional<int> run_routing_command(RoutingArguments& arguments,
                                                     const ClientOptions& client,
                                                     const Actions& actions, std::string& wrong);

}  // namespace asiodrv::cli
