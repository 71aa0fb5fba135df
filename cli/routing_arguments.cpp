#include "cli/routing_arguments.hpp"

#include <CLI/CLI.hpp>

#include "cli/client_command.hpp"
#include "cli/command_line.hpp"

namespace asiodrv::cli {
namespace {

constexpr const char* kRouteFooter =
    "Ports, counted from 1:\n"
    "  in:3            the device's third input           out:1           its first output\n"
    "  daw.exe/out:2   a program's second ASIO output     daw.exe/in:2    its second input\n"
    "  Talk:1          a virtual cable's first channel, as FROM and as TO\n"
    "A program's channels are the device's first and then those of the cables. \"in:1-8\" stands\n"
    "for eight ports; ranges are connected pairwise. A route between a program's channel and the\n"
    "channel that it stands for changes the straight connection that is there anyway.\n"
    "\n"
    "Examples:\n"
    "  asio-driver route                                     all routes, and how they fare\n"
    "  asio-driver route add in:1-2 Talk:1-2 --gain -6       the microphones into a cable\n"
    "  asio-driver route add daw.exe/out:1 chat.exe/in:1     one program hears another\n"
    "  asio-driver route set daw.exe/out:1 out:1 --mute      its first output is not heard\n"
    "  asio-driver route set in:1 Talk:1 --gain -inf         silence, everything else stays\n"
    "  asio-driver route remove in:1-2 Talk:1-2\n"
    "  asio-driver route save Show                           then: recall Show, forget Show";

constexpr const char* kVirtualFooter =
    "Every ASIO program sees a cable's channels behind the device's own, as inputs and as "
    "outputs.\n"
    "What goes into a cable comes out one buffer later.\n"
    "\n"
    "Examples:\n"
    "  asio-driver virtual add Talk --channels 2    inputs and outputs \"Talk 1\" and \"Talk 2\"\n"
    "  asio-driver virtual                          all cables, and who uses them\n"
    "  asio-driver virtual remove Talk";

constexpr const char* kMetersFooter =
    "A terminal shows the meters until Ctrl+C; into a file or a pipe goes one table.\n"
    "\n"
    "Examples:\n"
    "  asio-driver meters\n"
    "  asio-driver meters --once --ascii\n"
    "  asio-driver meters --json";

constexpr const char* kClientsFooter =
    "Examples:\n"
    "  asio-driver clients\n"
    "  asio-driver clients --json";

void add_ends(CLI::App* command, RoutingArguments& arguments) {
  command->add_option("FROM", arguments.from, "Where the sound comes from: in:1, in:1-8, ...")
      ->required()
      ->type_name("");
  command->add_option("TO", arguments.to, "Where it goes: out:1, daw.exe/in:1, ...")
      ->required()
      ->type_name("");
}

void add_switch(CLI::App* command, const std::string& name, const char* help, bool& on, bool& off) {
  CLI::Option* const yes = command->add_flag("--" + name, on, help);
  command->add_flag("--no-" + name, off, "Takes it back")->excludes(yes);
}

void add_settings(CLI::App* command, RoutingArguments& arguments) {
  command->add_option("--gain", arguments.gain, "Decibels up to +24, or -inf")->type_name("DB");
  add_switch(command, "mute", "Silence; the gain is remembered", arguments.mute, arguments.no_mute);
  add_switch(command, "solo", "Nothing else sounds at TO", arguments.solo, arguments.no_solo);
  add_switch(command, "invert", "Reverses the polarity", arguments.invert, arguments.no_invert);
}

void add_route_command(CLI::App& app, RoutingArguments& arguments, ClientOptions& client) {
  CLI::App* const route = add_command_group(
      app, "route", "The ways of sound between device, programs and cables", client, kRouteFooter);
  arguments.route_command = route;
  const auto add = [&](const char* name, const char* help, RouteVerb verb) {
    CLI::App* const command = add_client_command(*route, name, help, client, kRouteFooter);
    command->callback([&arguments, verb] { arguments.route.verb = verb; });
    return command;
  };
  add("list", "All routes, and how they fare", RouteVerb::list);
  for (CLI::App* const command :
       {add("add", "Connects two ports; what is not given is its default", RouteVerb::add),
        add("set", "Changes a route; what is not given stays", RouteVerb::set)}) {
    add_ends(command, arguments);
    add_settings(command, arguments);
  }
  add_ends(add("remove", "Takes a route away", RouteVerb::remove), arguments);
  add("clear", "Takes all routes away", RouteVerb::clear);
  add("snapshots", "The saved routes", RouteVerb::snapshots);
  for (CLI::App* const command :
       {add("save", "Saves all routes under a name", RouteVerb::save),
        add("recall", "Replaces all routes by the saved ones", RouteVerb::recall),
        add("forget", "Deletes what was saved", RouteVerb::forget)}) {
    command->add_option("NAME", arguments.route.name, "Of the snapshot")->required()->type_name("");
  }
}

void add_virtual_command(CLI::App& app, RoutingArguments& arguments, ClientOptions& client) {
  CLI::App* const cables =
      add_command_group(app, "virtual", "The virtual cables", client, kVirtualFooter);
  arguments.virtual_command = cables;
  const auto add = [&](const char* name, const char* help, CableVerb verb) {
    CLI::App* const command = add_client_command(*cables, name, help, client, kVirtualFooter);
    command->callback([&arguments, verb] { arguments.cable.verb = verb; });
    if (verb != CableVerb::list) {
      command->add_option("NAME", arguments.cable.name, "Of the cable: 1 to 24 bytes")
          ->required()
          ->type_name("");
    }
    return command;
  };
  add("list", "All cables, and who uses them", CableVerb::list);
  add("add", "Makes a cable behind those that are there", CableVerb::add)
      ->add_option("--channels", arguments.cable.channels, "1 to 128. Default: 2")
      ->type_name("N");
  add("remove", "Takes a cable and its routes away", CableVerb::remove);
}

/// A switch that was given one way or the other.
std::optional<bool> given(bool on, bool off) {
  return on || off ? std::optional<bool>(on) : std::nullopt;
}

Result<> finish_route(RoutingArguments& arguments) {
  RouteOptions& route = arguments.route;
  const bool ends = route.verb == RouteVerb::add || route.verb == RouteVerb::set ||
                    route.verb == RouteVerb::remove;
  if (!ends) return {};
  auto pairs = pair_ports(arguments.from, arguments.to);
  if (!pairs) return tl::unexpected<Error>(pairs.error());
  route.pairs = std::move(*pairs);
  if (!arguments.gain.empty()) {
    const auto gain = parse_gain(arguments.gain);
    if (!gain) return tl::unexpected<Error>(gain.error());
    route.gain_db = *gain;
  }
  route.mute = given(arguments.mute, arguments.no_mute);
  route.solo = given(arguments.solo, arguments.no_solo);
  route.invert = given(arguments.invert, arguments.no_invert);
  return {};
}

}  // namespace

void add_routing_commands(CLI::App& app, RoutingArguments& arguments, ClientOptions& client) {
  add_route_command(app, arguments, client);
  add_virtual_command(app, arguments, client);
  arguments.clients_command = add_client_command(
      app, "clients", "Who is connected: formats, latencies, lateness", client, kClientsFooter);
  CLI::App* const meters =
      add_client_command(app, "meters", "How loud every channel is", client, kMetersFooter);
  arguments.meters_command = meters;
  meters->add_flag("--once", arguments.meters.once, "One table, also on a terminal");
  meters->add_flag("--ascii", arguments.meters.ascii, "Bars of plain characters");
  meters->add_option("--seconds", arguments.seconds, "End after so long")
      ->check(CLI::Range(0.0, 86'400.0))
      ->type_name("N");
}

std::optional<int> run_routing_command(RoutingArguments& arguments, const ClientOptions& client,
                                       const Actions& actions, std::string& wrong) {
  if (arguments.route_command->parsed()) {
    if (auto finished = finish_route(arguments); !finished) {
      wrong = finished.error().message;
      return kWrongUsage;
    }
    return actions.route(client, arguments.route);
  }
  if (arguments.virtual_command->parsed()) return actions.virtual_cables(client, arguments.cable);
  if (arguments.clients_command->parsed()) return actions.clients(client);
  if (arguments.meters_command->parsed()) {
    if (arguments.meters_command->count("--seconds") > 0) {
      arguments.meters.seconds = arguments.seconds;
    }
    return actions.meters(client, arguments.meters);
  }
  return std::nullopt;
}

}  // namespace asiodrv::cli
