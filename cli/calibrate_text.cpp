// The arguments of asio-driver calibrate, and its tables.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/calibrate.hpp"
#include "cli/client_command.hpp"
#include "cli/json_text.hpp"
#include "cli/tables.hpp"

namespace asiodrv::cli {
namespace {

using nlohmann::json;

constexpr const char* kCalibrateFooter =
    "Connect an output with an input by a cable, and name both. What is measured is kept for this\n"
    "device at this rate and period, and programs are told the right latency from then on.\n"
    "Programs may go on playing on other channels; without any, every rate and size can be "
    "measured.\n"
    "\n"
    "Examples:\n"
    "  asio-driver calibrate --output out:1 --input in:1\n"
    "  asio-driver calibrate --output out:1 --input in:1 --rate 96000 --period 128\n"
    "  asio-driver calibrate --output out:1 --input in:1 --all-sizes\n"
    "  asio-driver calibrate --list\n"
    "  asio-driver calibrate --forget --period 128";

std::string milliseconds(const json& entry) {
  const double rate = number(at(entry, "rate_hz"));
  if (!at(entry, "measured_frames").is_number() || rate <= 0) return "-";
  return fmt::format("{:.2f}", number(at(entry, "measured_frames")) * 1000 / rate);
}

std::string plural(std::size_t count) { return count == 1 ? "" : "s"; }

}  // namespace

CLI::App* add_calibrate_command(CLI::App& app, CalibrateOptions& calibrate, ClientOptions& client) {
  CLI::App* const command = add_client_command(
      app, "calibrate", "Measures a cable from an output to an input, and corrects latencies by it",
      client, kCalibrateFooter);
  command->add_option("--output", calibrate.output, "Where the cable begins: out:1, ...")
      ->type_name("PORT");
  command->add_option("--input", calibrate.input, "Where it ends: in:1, ...")->type_name("PORT");
  command->add_option("--rate", calibrate.rate_hz, "Frames per second. Default: as the device runs")
      ->check(CLI::Range(1U, 10'000'000U))
      ->type_name("HZ");
  CLI::Option* const period = command
                                  ->add_option("--period", calibrate.period_frames,
                                               "Frames per period. Default: as the device runs")
                                  ->check(CLI::Range(1U, 1'000'000U))
                                  ->type_name("FRAMES");
  CLI::Option* const all = command->add_flag(
      "--all-sizes", calibrate.all_sizes,
      "At every period on offer, in turn; at each twice as long as the last where there are many");
  CLI::Option* const forget = command->add_flag(
      "--forget", calibrate.forget,
      "Forgets what was measured of the device in use, or only --rate and --period of it");
  CLI::Option* const list =
      command->add_flag("--list", calibrate.list, "What was measured, of all devices");
  all->excludes(period);
  forget->excludes(all);
  list->excludes(all)->excludes(forget);
  return command;
}

std::string progress_text(const std::string& where, double part) {
  constexpr std::size_t kWidth = 30;
  const auto done = static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * kWidth);
  return fmt::format("\r  {}  [{}{}]", where, std::string(done, '#'),
                     std::string(kWidth - done, '.'));
}

std::string calibrations_text(const json& document) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> inverted;
  std::string device;
  for (const json& each : at(document, "calibrations")) {
    if (device.empty() && at(each, "name").is_string()) {
      const std::string mode = cell(each, "mode");
      const std::string name = cell(each, "name");
      device = mode.empty() ? fmt::format("{}:\n", name) : fmt::format("{} ({}):\n", name, mode);
    }
    rows.push_back({cell(each, "rate_hz"), cell(each, "period_frames"),
                    fmt::format("{:.2f}", number(at(each, "measured_frames"))), milliseconds(each),
                    cell(each, "before_frames"), cell(each, "after_frames"),
                    fmt::format("{:+.2f}", number(at(each, "correction_frames"))),
                    cell(each, "level_db")});
    if (yes(at(each, "inverted"))) inverted.push_back(cell(each, "input"));
  }
  std::string text = device + table({"Hz", "period", "measured", "ms", "reported before",
                                     "reported now", "correction", "level dB"},
                                    rows);
  if (!inverted.empty()) {
    text += fmt::format("\nThe polarity is reversed on the way to {}.\n", inverted.front());
  }
  const std::size_t failures = at(document, "failures").size();
  if (failures > 0) {
    text += fmt::format("\n{} size{} could not be measured; the reasons are above.\n", failures,
                        plural(failures));
  }
  return text;
}

std::string corrections_text(const json& document) {
  const json& corrections = at(document, "corrections");
  if (!corrections.is_array() || corrections.empty()) return "Nothing was calibrated yet.\n";
  std::vector<std::vector<std::string>> rows;
  for (const json& each : corrections) {
    const std::string mode = cell(each, "mode");
    rows.push_back({cell(each, "name"), mode.empty() ? "-" : mode, cell(each, "rate_hz"),
                    cell(each, "period_frames"),
                    fmt::format("{:+.2f}", number(at(each, "correction_frames"))),
                    cell(each, "in_use")});
  }
  return table({"device", "mode", "Hz", "period", "correction", "in use"}, rows);
}

}  // namespace asiodrv::cli
