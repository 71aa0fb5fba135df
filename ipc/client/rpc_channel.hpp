// One JSON-RPC conversation over a Connection: calls are matched with their answers by id, and a
// small thread receives, so that notifications come while nobody calls.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/base/result.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/thread.hpp"
#include "core/ports/transport.hpp"
#include "core/wire/message.hpp"

namespace asiodrv::ipc {

class RpcChannel {
 public:
  /// Both run on the receiving thread, which outlives the channel when it cannot be joined: they
  /// must own what they touch, and not call back into the channel.
  struct Listener {
    std::function<void(const wire::Notification&)> notified;
    std::function<void()> closed;  ///< once, when the stream has ended for whatever reason
  };

  /// Starts the conversation. Errors: those of Threads::start.
  [[nodiscard]] static Result<std::unique_ptr<RpcChannel>> open(
      ports::Clock& clock, ports::Threads& threads, std::unique_ptr<ports::Connection> connection,
      Listener listener);

  /// Closes, and waits for the receiving thread (2 s at most).
  ~RpcChannel();
  RpcChannel(const RpcChannel&) = delete;
  RpcChannel& operator=(const RpcChannel&) = delete;

  /// Sends one request and waits for its answer. Any thread, also several at once.
  /// Errors: disconnected, timed_out (a late answer is dropped), malformed (the peer spoke
  /// nonsense; the channel is closed), and what the service itself answered.
  [[nodiscard]] Result<nlohmann::json> call(std::string_view method, const nlohmann::json& params,
                                            Instant deadline);

  /// Ends the stream; pending and later calls return `disconnected`. Any thread.
  void close() noexcept;

 private:
  struct State;
  explicit RpcChannel(std::shared_ptr<State> state) noexcept;

  std::shared_ptr<State> state_;
  std::unique_ptr<ports::Thread> receiver_;  // null until it has started
};

}  // namespace asiodrv::ipc
