// The arguments of "config" and the commands below it.
#pragma once

#include <string>

#include "cli/config_commands.hpp"

namespace CLI {
class App;
}

namespace asiodrv::cli {

struct Actions;

/// What they can set. Its address must not change once the commands were added.
struct ConfigArguments {
  ConfigOptions options;
  bool reload = false;
  bool verb_given = false;  ///< else "config" stands alone, or with --reload
  CLI::App* command = nullptr;
};

/// `arguments.options.config_path` is the default of --config.
void add_config_commands(CLI::App& app, ConfigArguments& arguments, ClientOptions& client);

/// Runs what was given. `wrong` gets what is wrong with the arguments, and nothing runs then.
[[nodiscard]] int run_config_command(const ConfigArguments& arguments, const ClientOptions& client,
                                     const Actions& actions, std::string& wrong);

}  // namespace asiodrv::cli
