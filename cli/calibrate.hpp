// asio-driver calibrate: measures a cable from an output to an input, at one size or at all.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/commands.hpp"

namespace CLI {
class App;
}

namespace asiodrv::cli {

struct CalibrateOptions {
  std::string input, output;  ///< "in:1", "out:1"
  std::uint32_t rate_hz = 0;  ///< 0: as the device runs
  std::uint32_t period_frames = 0;
  bool all_sizes = false;
  bool forget = false;
  bool list = false;
};

/// Adds the command with all its options.
CLI::App* add_calibrate_command(CLI::App& app, CalibrateOptions& calibrate, ClientOptions& client);

/// What is wrong with options that are right one by one; empty: nothing.
[[nodiscard]] std::string wrong_usage(const CalibrateOptions& calibrate);

int run_calibrate(const ClientOptions& options, const CalibrateOptions& calibrate);

// --- as people read it; pure ---------------------------------------------------------------------

/// A line that overwrites itself; `part` is limited to 0..1, for it is the service that says it.
[[nodiscard]] std::string progress_text(const std::string& where, double part);
/// Of {"calibrations": [...], "failures": [...]}.
[[nodiscard]] std::string calibrations_text(const nlohmann::json& document);
/// Of the answer to calibrate.list.
[[nodiscard]] std::string corrections_text(const nlohmann::json& document);

}  // namespace asiodrv::cli
