#include "cli/config_arguments.hpp"

#include <CLI/CLI.hpp>

#include "cli/client_command.hpp"
#include "cli/command_line.hpp"

namespace asiodrv::cli {
namespace {

constexpr const char* kConfigFooter =
    "\"config\" alone asks the running service what it uses. The commands below it work on the\n"
    "files, and tell a running service about a change. Files, from below: defaults, vendor.toml\n"
    "beside the program, the machine's config.toml, the user's. --config, or $ASIODRV_CONFIG,\n"
    "names one in place of the last two. \"set\" and \"unset\" change the topmost.\n"
    "\n"
    "Examples:\n"
    "  asio-driver config list                              every key, its value and its meaning\n"
    "  asio-driver config get driver.preferred_frames\n"
    "  asio-driver config set driver.preferred_frames 128\n"
    "  asio-driver config set hosts.deferred \"daw.exe, other.exe\"\n"
    "  asio-driver config set channels.inputs \"3, 4, 1, 2\"\n"
    "  asio-driver config get member.1.output               the first [[member]]; edit them by "
    "hand\n"
    "  asio-driver config unset driver.preferred_frames\n"
    "  asio-driver config validate studio.toml              what is wrong in it, if anything\n"
    "  asio-driver config reset                             puts the user's file aside";

}  // namespace

void add_config_commands(CLI::App& app, ConfigArguments& arguments, ClientOptions& client) {
  CLI::App* const config = add_command_group(
      app, "config", "The settings in force, and how to change them", client, kConfigFooter);
  arguments.command = config;
  config->add_flag("--reload", arguments.reload,
                   "Read the files anew; what is wrong in them is said and changes nothing");
  ConfigOptions& options = arguments.options;
  const auto add = [&](const char* name, const char* help, ConfigVerb verb) {
    CLI::App* const command = add_client_command(*config, name, help, client, kConfigFooter);
    command->callback([&arguments, verb] {
      arguments.options.verb = verb;
      arguments.verb_given = true;
    });
    command
        ->add_option("--config", options.config_path,
                     "A file in place of the machine's and the user's. Default: $ASIODRV_CONFIG")
        ->type_name("FILE");
    return command;
  };
  const auto add_key = [&](CLI::App* command) {
    command->add_option("KEY", options.key, "Such as driver.preferred_frames")
        ->required()
        ->type_name("");
    return command;
  };
  add_key(add("get", "The value of one key, as the files say", ConfigVerb::get));
  add_key(add("set", "Sets a key in the topmost file", ConfigVerb::set))
      ->add_option("VALUE", options.value, "A number, a text, true or false, a list with commas")
      ->required()
      ->type_name("");
  add_key(add("unset", "Takes a key out of the topmost file", ConfigVerb::unset));
  add("list", "Every key: value, where it comes from, default, meaning", ConfigVerb::list);
  add("reset", "Puts the topmost file aside, as FILE.bak-N", ConfigVerb::reset);
  add("validate", "What is wrong in the files; changes nothing", ConfigVerb::validate)
      ->add_option("FILE", options.file, "Judged as if --config named it")
      ->type_name("");
}

int run_config_command(const ConfigArguments& arguments, const ClientOptions& client,
                       const Actions& actions, std::string& wrong) {
  if (!arguments.verb_given) return actions.config(client, arguments.reload);
  if (arguments.reload) {
    wrong = "--reload goes with \"config\" alone.";
    return kWrongUsage;
  }
  return actions.edit_config(client, arguments.options);
}

}  // namespace asiodrv::cli
