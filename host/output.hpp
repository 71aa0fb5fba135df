// How results reach people and programs.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/base/result.hpp"
#include "host/measurement.hpp"

namespace asiodrv::host {

using Json = nlohmann::ordered_json;

/// What the process returns. Documented in --help.
enum ExitCode : int { kExitOk = 0, kExitFailed = 1, kExitUsage = 2, kExitNoDriver = 3 };

struct OutputOptions {
  std::optional<std::string> json;  ///< set: write JSON there; "" or "-" is standard output
  bool quiet = false;               ///< no tables
  bool progress = false;            ///< a progress line even when standard error is no terminal
};

/// Writes results of one command. Control thread.
class Output {
 public:
  explicit Output(OutputOptions options);

  /// True when tables for people go to standard output.
  [[nodiscard]] bool speaks() const noexcept;

  /// A line of a table; nothing when quiet or when JSON has standard output.
  void line(const std::string& text) const;

  /// Overwrites the progress line on standard error; at most ten times a second.
  void progress(const std::string& text);
  /// Removes it.
  void end_progress();

  /// A sentence on standard error.
  void error(const std::string& message);

  /// Writes `document` where JSON was asked for; true on success.
  [[nodiscard]] bool json(const Json& document);

 private:
  OutputOptions options_;
  bool shows_progress_;
  std::size_t progress_width_ = 0;
  std::int64_t last_progress_ms_ = 0;
};

/// The exit code for a failed operation.
[[nodiscard]] int exit_code_for(const Error& error) noexcept;

[[nodiscard]] Json to_json(const Measurement& measurement);
void print(const Output& output, const Measurement& measurement);

}  // namespace asiodrv::host
