// asio-driver doctor: why there is no sound.
#pragma once

#include <cstdint>
#include <string>

#include "cli/commands.hpp"

namespace CLI {
class App;
}

namespace asiodrv::cli {

/// Something was found (docs/exit-codes.md).
inline constexpr int kFound = 20;

struct DoctorOptions {
  bool fix = false;     ///< repair what is ours
  bool probe = false;   ///< also what may disturb others
  bool causes = false;  ///< list what can be found, look at nothing
  std::string bundle;   ///< a zip file to write
  std::string facts;    ///< judge this file instead of this machine
  std::string config;   ///< the configuration file
  std::uint32_t probe_seconds = 10;
  std::string probe_child;  ///< hidden: the CLSID that this process shall load
  bool probe_init = false;  ///< hidden: and initialise
};

/// Adds the command with all its options.
CLI::App* add_doctor_command(CLI::App& app, DoctorOptions& doctor, ClientOptions& client);

/// What is wrong with options that are right one by one; empty: nothing.
[[nodiscard]] std::string wrong_usage(const DoctorOptions& doctor);

/// kDone: nothing is wrong; kFailed: it could not look; kFound.
int run_doctor(const ClientOptions& options, const DoctorOptions& doctor);

}  // namespace asiodrv::cli
