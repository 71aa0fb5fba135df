// asio-driver rollback: back to the version before, by the installation's own setup program.
//
// The uninstaller knows how to exchange versions (installer/transaction.nsh). It cannot replace its
// own file while it runs, so a copy beside it does the work.
#pragma once

#include <chrono>
#include <string>

#include "core/base/result.hpp"

namespace asiodrv::cli {

/// What a rollback asks of the machine; replaced by tests. Paths are UTF-8.
class SetupSystem {
 public:
  virtual ~SetupSystem() = default;

  /// The folder of this program, with its last separator.
  [[nodiscard]] virtual std::string folder() = 0;
  /// The beginning of a file, at most 64 KB. Errors: not_found.
  [[nodiscard]] virtual Result<std::string> read(const std::string& path) = 0;
  /// Errors: access_denied without administrator rights.
  [[nodiscard]] virtual Result<> copy(const std::string& from, const std::string& to) = 0;
  virtual void remove(const std::string& path) noexcept = 0;
  /// Runs `program` with `arguments` as they are, without quoting, and waits for its exit code.
  /// Errors: access_denied without administrator rights, timed_out (it goes on), unsupported on
  /// systems without an installer.
  [[nodiscard]] virtual Result<int> run(const std::string& program, const std::string& arguments,
                                        std::chrono::milliseconds limit) = 0;
};

/// The version in a "previous.ini", empty when there is none. Bounded; any bytes will do.
[[nodiscard]] std::string previous_version(const std::string& ini);

/// Prints what happened. Exit codes: kDone, kFailed, kNotElevated.
int run_rollback(SetupSystem& system);
int run_rollback();

}  // namespace asiodrv::cli
