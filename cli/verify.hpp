// asio-driver verify: tells a genuine ASIO driver from something that pretends to be one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/commands.hpp"

namespace CLI {
class App;
}

namespace asiodrv::cli {

// Besides kDone (genuine), kFailed and kWrongUsage.
inline constexpr int kSuspicious = 10;
inline constexpr int kDangerous = 11;
inline constexpr int kUndecided = 12;

struct VerifyOptions {
  std::vector<std::string> subjects;  ///< files, or ids of processes
  bool all = false;
  std::string facts_path;           ///< judge what another machine recorded
  std::string release_hashes_path;  ///< a list as sha256sum writes it
  std::vector<std::string> signers;
  double seconds = 1.0;  ///< how long a process is watched
  bool details = false;
};

/// Adds the command with all its options.
CLI::App* add_verify_command(CLI::App& app, VerifyOptions& verify, ClientOptions& client);

/// What is wrong with options that are right one by one; empty: nothing.
[[nodiscard]] std::string wrong_usage(const VerifyOptions& verify);

/// True for what names a process: digits, and nothing else.
[[nodiscard]] bool is_process_id(const std::string& subject);

int run_verify(const ClientOptions& options, const VerifyOptions& verify);

}  // namespace asiodrv::cli
