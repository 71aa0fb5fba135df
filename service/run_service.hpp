// The service as a program: everything put together, from start to end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "service/manager/event_log.hpp"
#include "service/manager/orders.hpp"

namespace asiodrv::service {

struct RunOptions {
  bool agent = false;       ///< started by a driver: logs to a file, leaves when idle
  std::string instance;     ///< ASCII, tells installations and tests apart
  std::string config_path;  ///< UTF-8; empty: machine's and user's files, which may be missing
  std::optional<std::uint32_t> idle_seconds;  ///< over the configuration; also in the foreground
  /// Led by the system's service manager: logs to a file and never leaves by itself. While somebody
  /// else serves this session, an agent for instance, it waits until that one has left.
  bool as_service = false;
  std::string reason;  ///< why a program started an agent: a word for its log; may be empty
  /// What the system tells the service; may be null.
  std::shared_ptr<manager::Orders> orders{};
  /// Where administrators look; may be empty.
  manager::EventSink events{};
};

/// Runs until it is asked to stop or, as an agent, nobody needs it. Blocks. Returns the exit code:
///   0  it ran, or an agent found that another service does already
///   1  it could not run; the reason is on the standard error stream, or in the log of an agent or
///      of the system's service
/// A wrong configuration keeps a service in a terminal from starting. The others leave out the
/// files that are wrong (config_layers.hpp), or all when their device cannot be made, and show the
/// error in "asio-driver config": a host must get its driver.
int run_service(const RunOptions& options);

}  // namespace asiodrv::service
