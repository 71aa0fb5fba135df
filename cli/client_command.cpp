#include "cli/client_command.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace asiodrv::cli {

std::string check_instance(const std::string& name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
  if (plain && name.size() <= 32) return {};
  return "An instance is named by at most 32 letters, digits, '-' and '_'.";
}

void add_instance(CLI::App* command, std::string& target) {
  command
      ->add_option("--instance", target,
                   "Which service, when several are installed or tested "
                   "side by side. Default: $ASIODRV_INSTANCE")
      ->check(check_instance)
      ->type_name("NAME");
}

void add_client_options(CLI::App* command, ClientOptions& client) {
  command->add_flag("--json", client.json, "For programs: one JSON document");
  add_instance(command, client.instance);
}

CLI::App* add_client_command(CLI::App& parent, const char* name, const char* help,
                             ClientOptions& client, const char* footer) {
  CLI::App* const command = parent.add_subcommand(name, help);
  if (footer != nullptr) command->footer(footer);
  add_client_options(command, client);
  return command;
}

CLI::App* add_command_group(CLI::App& parent, const char* name, const char* help,
                            ClientOptions& client, const char* footer) {
  CLI::App* const group = add_client_command(parent, name, help, client, footer);
  group->require_subcommand(0, 1);
  return group;
}

}  // namespace asiodrv::cli
