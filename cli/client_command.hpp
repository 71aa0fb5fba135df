// Commands that ask a running service, and what all of them take.
#pragma once

#include <string>

#include "cli/commands.hpp"

namespace CLI {
class App;
}

namespace asiodrv::cli {

/// What is wrong with the name of an instance, which becomes a part of pipe and socket names; empty
/// when nothing is.
[[nodiscard]] std::string check_instance(const std::string& name);

/// Adds --instance.
void add_instance(CLI::App* command, std::string& target);
/// Adds --json and --instance.
void add_client_options(CLI::App* command, ClientOptions& client);

/// A command with both, and `footer` below its help; without one it has its parent's.
CLI::App* add_client_command(CLI::App& parent, const char* name, const char* help,
                             ClientOptions& client, const char* footer = nullptr);
/// The same, with commands of its own that may follow it.
CLI::App* add_command_group(CLI::App& parent, const char* name, const char* help,
                            ClientOptions& client, const char* footer);

}  // namespace asiodrv::cli
