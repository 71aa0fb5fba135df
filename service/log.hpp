// Where the service says what happened. Never called by the engine thread.
#pragma once

#include <functional>
#include <string>

#include "core/base/result.hpp"

namespace asiodrv::service {

enum class LogLevel { info, warning, error };

/// Writes one line. Any thread but the engine's; may block on the disk.
using Log = std::function<void(LogLevel, const std::string&)>;

/// To the standard error stream, for a service in a terminal.
[[nodiscard]] Log make_terminal_log();

/// To `path` (UTF-8), at most 1 MiB; the two files before it are kept. Makes missing folders.
/// Errors: access_denied.
[[nodiscard]] Result<Log> make_file_log(const std::string& path);

}  // namespace asiodrv::service
