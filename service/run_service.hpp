// The service as a program: everything put together, from start to end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace asiodrv::service {

struct RunOptions {
  bool agent = false;       ///< started by a driver: logs to a file, leaves when idle
  std::string instance;     ///< ASCII, tells installations and tests apart
  std::string config_path;  ///< UTF-8; empty: machine's and user's files, which may be missing
  std::optional<std::uint32_t> idle_seconds;  ///< over the configuration; also in the foreground
};

/// Runs until it is asked to stop or, as an agent, nobody needs it. Blocks. Returns the exit code:
///   0  it ran, or an agent found that another service does already
///   1  it could not run; the reason is on the standard error stream, or an agent's in its log
/// A wrong configuration keeps a service in a terminal from starting. An agent leaves out the files
/// that are wrong (config_layers.hpp), or all when their device cannot be made, and shows the error
/// in "asio-driver config": a host must get its driver.
int run_service(const RunOptions& options);

}  // namespace asiodrv::service
