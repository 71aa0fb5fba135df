// A Transport within one process, for tests and the simulation: two bounded queues per connection,
// with the manners of a Unix socket. A client that connects is known to the server at once; bytes
// sent before a shutdown still arrive; a full queue makes the sender wait.
#pragma once

#include <memory>

#include "core/ports/clock.hpp"
#include "core/ports/thread.hpp"
#include "core/ports/transport.hpp"

namespace asiodrv::ipc {

class MemoryTransport final : public ports::Transport {
 public:
  static constexpr std::size_t kPipeBytes = 64 * 1024;  ///< per direction, before a sender waits
  static constexpr std::size_t kBacklog = 256;          ///< connected and not yet accepted

  /// `clock` and `threads` must outlive every connection.
  MemoryTransport(ports::Clock& clock, ports::Threads& threads);
  ~MemoryTransport() override;

  [[nodiscard]] Result<std::unique_ptr<ports::Listener>> listen() override;
  [[nodiscard]] Result<std::unique_ptr<ports::Connection>> connect(Instant deadline) override;

  /// What the server is told about clients that connect from now on. By default a process of the
  /// same user with number 1.
  void set_client_identity(const ports::PeerIdentity& identity);

 private:
  class Pipe;
  class End;
  class Door;
  struct Endpoint;
  std::shared_ptr<Endpoint> endpoint_;
};

}  // namespace asiodrv::ipc
