// Any control method of a running service, as the command line uses them.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "core/base/result.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/thread.hpp"
#include "core/ports/transport.hpp"

namespace asiodrv::ipc {

class RpcChannel;

/// One thread. Starts nothing: when no service runs, connect says so.
class ControlClient {
 public:
  /// The ports must outlive it.
  ControlClient(ports::Clock& clock, ports::Threads& threads, ports::Transport& transport);
  ~ControlClient();

  /// Errors: service_absent, access_denied, timed_out.
  [[nodiscard]] Result<> connect(Instant deadline);

  /// Errors: disconnected (also before connect), timed_out, malformed, and the service's own.
  [[nodiscard]] Result<nlohmann::json> call(std::string_view method, const nlohmann::json& params,
                                            Instant deadline);

 private:
  ports::Clock& clock_;
  ports::Threads& threads_;
  ports::Transport& transport_;
  std::unique_ptr<RpcChannel> channel_;
};

}  // namespace asiodrv::ipc
