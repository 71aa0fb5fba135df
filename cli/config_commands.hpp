// The commands that read, change and judge the configuration files. They need no service; one that
// runs is told to read its files anew after a change.
#pragma once

#include <string>

#include "cli/commands.hpp"

namespace asiodrv::cli {

enum class ConfigVerb { get, set, unset, list, reset, validate };

struct ConfigOptions {
  ConfigVerb verb = ConfigVerb::list;
  std::string key;    ///< of get, set, unset: "driver.sample_type"
  std::string value;  ///< of set, as it was typed
  /// Of validate: judged in place of config_path. Empty: all files as they are.
  std::string file;
  std::string config_path;  ///< UTF-8; empty: the machine's and the user's files
};

/// Exit codes: kDone; kWrongUsage (no such key, a value that is not accepted); kFailed (a file is
/// wrong or cannot be changed, or the running service refused the new value: then the file is as it
/// was before).
int run_config(const ClientOptions& options, const ConfigOptions& config);

}  // namespace asiodrv::cli
