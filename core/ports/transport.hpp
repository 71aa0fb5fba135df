// A local byte stream between the service and one client: a named pipe on Windows, a Unix socket
// on Linux, a queue in the simulation. Framing and meaning live in core/wire and ipc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/base/result.hpp"
#include "core/base/units.hpp"

namespace asiodrv::ports {

/// What the system (never the peer itself) says about who is at the other end.
struct PeerIdentity {
  std::uint32_t process_id = 0;  ///< evidence for people; ids are reused, never a proof
  bool same_user = false;        ///< owned by the user that runs this process
  std::string image_path;        ///< UTF-8, empty when the system would not say
};

class Connection {
 public:
  virtual ~Connection() = default;

  /// Sends all of `bytes` or fails. Errors: disconnected, timed_out (the stream is then unusable).
  /// One sending thread at a time. Blocks until `deadline` at most.
  [[nodiscard]] virtual Result<> send(std::span<const std::byte> bytes, Instant deadline) = 0;

  /// Receives between 1 and `into.size()` bytes. Errors: disconnected, timed_out (nothing lost,
  /// call again). One receiving thread at a time. Blocks until `deadline` at most.
  [[nodiscard]] virtual Result<std::size_t> receive(std::span<std::byte> into,
                                                    Instant deadline) = 0;

  /// Ends the stream: pending and later calls on either side give `disconnected`. Any thread.
  virtual void shutdown() noexcept = 0;

  [[nodiscard]] virtual const PeerIdentity& peer() const noexcept = 0;
};

class Listener {
 public:
  virtual ~Listener() = default;

  /// Waits for the next client, whoever it is: look at peer().same_user before a byte of it is
  /// read, and say that it was there. Errors: disconnected (after shutdown), timed_out, internal.
  [[nodiscard]] virtual Result<std::unique_ptr<Connection>> accept(Instant deadline) = 0;

  /// Makes accept return `disconnected`, now and later. Any thread.
  virtual void shutdown() noexcept = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;

  /// Claims the endpoint of this user and session. Errors: already_exists (another service holds
  /// it; a stale endpoint of a dead one is replaced), access_denied, internal.
  [[nodiscard]] virtual Result<std::unique_ptr<Listener>> listen() = 0;

  /// Connects and checks that the server belongs to this user before one byte is sent.
  /// Errors: service_absent (nobody listens), access_denied (somebody else's server), timed_out.
  [[nodiscard]] virtual Result<std::unique_ptr<Connection>> connect(Instant deadline) = 0;
};

}  // namespace asiodrv::ports
