// The subcommands. Each returns the exit code of the process (see ExitCode).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/output.hpp"
#include "host/system.hpp"

namespace asiodrv::host {

/// What the command line said; a field is meaningful for the commands that document it.
struct Options {
  std::string driver;
  std::int32_t frames = 0;           ///< 0: preferred
  double rate = 0;                   ///< 0: the file's, or as it is
  std::vector<std::int32_t> inputs;  ///< empty: the first ones
  std::vector<std::int32_t> outputs;
  double seconds = 0;  ///< 0: the command's own default
  double delay = 0;    ///< play, record: seconds with buffers before the first start
  std::string file;
  bool any_rate = false;
  bool loop = false;
  bool light = false;
  bool mute = false;
  bool no_floor = false;
  bool plain = false;  ///< refuse the callback with time info
  bool announce = false;
  std::uint32_t sine_hz = 0;  ///< measure; 0: noise
  std::string output_ready = "probe";
  std::string like = "all";
  bool initialise = false;  ///< load

  // torture
  std::vector<std::string> only;
  bool list_cases = false;
  bool lenient = false;
  bool loopback = false;
  bool with_panel = false;
  bool no_guard = false;
  std::string child_case;
  double kill_self_after = 1.0;
  std::uint32_t service_pid = 0;
  std::string kill_command;

  OutputOptions output;
};

struct Command {
  World& world;
  Output& output;
  const Options& options;
};

int run_list(Command& command);
int run_load(Command& command);
int run_probe(Command& command);
int run_play(Command& command);
int run_record(Command& command);
int run_measure(Command& command);
int run_duplex(Command& command);
int run_torture(Command& command);

/// The driver that `--driver` means, loaded and initialised; prints why not. `exit_code` is set on
/// failure.
[[nodiscard]] std::optional<Driver> open_driver(Command& command, int& exit_code);

/// The channels and format that the options ask for. Channels that were not chosen become the first
/// `default_inputs` and `default_outputs` that the driver has.
[[nodiscard]] StreamRequest stream_request(const Options& options, Driver& driver,
                                           std::int32_t default_inputs,
                                           std::int32_t default_outputs);

/// Prints the sentence; gives kExitFailed.
int failed(Command& command, const Error& error);

}  // namespace asiodrv::host
