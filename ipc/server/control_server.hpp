// The service's control endpoint: accepts local clients, checks who they are, cuts their stream
// into requests and passes those to a ControlHandler. What a client sends is hostile input; a
// client that is silent, slow, broken or one too many is told so where possible, and costs nobody
// else anything.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/mutex.hpp"
#include "core/ports/thread.hpp"
#include "core/ports/transport.hpp"

namespace asiodrv::ipc {

/// Names one connection; never reused within a service's life.
using ConnectionId = std::uint64_t;

/// What the service does with requests. The server calls it from one thread per connection, but
/// never from two at once: the calls of all connections are serialised by the server.
class ControlHandler {
 public:
  virtual ~ControlHandler() = default;

  /// A client of this user has connected and said nothing yet.
  virtual void on_connect(ConnectionId connection, const ports::PeerIdentity& peer) = 0;

  /// One request; the result or the error becomes the answer. May block for 3 s (devices open).
  [[nodiscard]] virtual Result<nlohmann::json> on_request(ConnectionId connection,
                                                          const std::string& method,
                                                          const nlohmann::json& params) = 0;

  /// The connection has ended, for whatever reason. The last call about it.
  virtual void on_disconnect(ConnectionId connection) = 0;
};

struct ControlServerOptions {
  std::uint32_t max_connections = 64;
  nanoseconds first_message = std::chrono::seconds{5};  ///< from connecting to a whole message
  nanoseconds whole_message = std::chrono::seconds{5};  ///< from its first byte to its last
  nanoseconds send = std::chrono::milliseconds{200};    ///< for a client that does not read
  /// One line about a client that was turned away or hung up on. Any thread.
  std::function<void(const std::string&)> log = [](const std::string&) {};
  /// The same for clients of other users, besides `log`. At most one line in `foreign_pause`, for
  /// such a client can come again as often as it likes.
  std::function<void(const std::string&)> log_foreign = [](const std::string&) {};
  nanoseconds foreign_pause = std::chrono::seconds{10};
};

class ControlServer {
 public:
  /// The ports and the handler must outlive it.
  ControlServer(ports::Clock& clock, ports::Threads& threads, ControlHandler& handler,
                ControlServerOptions options = {});
  /// Stops within 2 s.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  /// Serves `listener` from now on. Once. Errors: those of Threads::start.
  [[nodiscard]] Result<> start(std::unique_ptr<ports::Listener> listener);

  /// Accepts nobody any more, lets requests under way be answered, then ends every connection;
  /// on_disconnect has run for each when it returns. `deadline` bounds the whole. Idempotent.
  /// Not from a handler.
  void stop(Instant deadline);

  /// Sends a notification; a client that does not take it is hung up on. Unknown ids are ignored
  /// (it may just have left). Any thread, handlers too.
  void notify(ConnectionId connection, std::string_view method, const nlohmann::json& params);

  /// Runs `work` serialised with the handler's calls. Any thread but the handler itself.
  void run_serialised(const std::function<void()>& work);

  [[nodiscard]] std::uint32_t connections() const;

 private:
  struct Peer;
  struct Refused;

  void accept_loop();
  [[nodiscard]] bool accept_one();
  [[nodiscard]] bool threads_to_join() const;
  void admit(std::unique_ptr<ports::Connection> connection);
  void refuse(std::unique_ptr<ports::Connection> connection);
  void note_foreign(const ports::PeerIdentity& peer);
  void reap(bool everyone, Instant deadline);
  void serve(Peer& peer);
  void converse(Peer& peer);
  [[nodiscard]] bool take(Peer& peer, std::string_view text);
  [[nodiscard]] Result<nlohmann::json> dispatch(Peer& peer, const std::string& method,
                                                const nlohmann::json& params);
  bool send(Peer& peer, std::string_view text);

  ports::Clock& clock_;
  ports::Threads& threads_;
  ControlHandler& handler_;
  const ControlServerOptions options_;
  std::unique_ptr<ports::Listener> listener_;
  std::unique_ptr<ports::Thread> acceptor_;
  std::unique_ptr<ports::Signal> settled_;  // a request was answered or a connection ended
  std::atomic<bool> stopping_{false};

  ports::Mutex handling_;       // serialises the handler
  mutable ports::Mutex mutex_;  // guards what follows
  std::vector<std::shared_ptr<Peer>> peers_;
  ConnectionId next_id_ = 1;
  std::uint32_t live_ = 0;  // peers whose thread still serves

  std::vector<Refused> refused_;      // acceptor only
  Instant foreign_quiet_until_{};     // acceptor only
  std::uint64_t foreign_unsaid_ = 0;  // acceptor only
};

}  // namespace asiodrv::ipc
