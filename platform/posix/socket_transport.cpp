// The control stream over a Unix socket. Both ends ask the kernel who the other one is before a
// byte is read or written; a socket of another user is refused.
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>

#include "core/ports/transport.hpp"
#include "platform/monotonic.hpp"
#include "platform/platform.hpp"
#include "platform/posix/endpoint.hpp"
#include "platform/posix/unique_fd.hpp"

namespace asiodrv::platform {
namespace {

tl::unexpected<Error> system_failure(const std::string& what, int error) {
  return fail(error == EACCES || error == EPERM ? ErrorCode::access_denied : ErrorCode::internal,
              what + ": " + std::strerror(error) + ".");
}

/// Waits until one of `watched` has something; false when `deadline` passed.
bool wait_ready(std::span<pollfd> watched, Instant deadline) noexcept {
  for (;;) {
    // Slices keep the conversion in range for deadlines that mean "never".
    const nanoseconds left = std::min(time_left(deadline), nanoseconds{3'600'000'000'000});
    const timespec timeout{static_cast<time_t>(left.count() / 1'000'000'000),
                           static_cast<long>(left.count() % 1'000'000'000)};
    const int ready = ppoll(watched.data(), watched.size(), &timeout, nullptr);
    if (ready > 0) return true;
    if (time_left(deadline) == nanoseconds{0}) return false;
  }
}

/// Who holds the other end, from the kernel. A server's identity is that of the process that
/// called listen.
ports::PeerIdentity identify(int socket) {
  ports::PeerIdentity peer;
  ucred credentials{};
  socklen_t length = sizeof(credentials);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return peer;
  peer.process_id = static_cast<std::uint32_t>(credentials.pid);
  peer.same_user = credentials.uid == geteuid();
  char path[PATH_MAX];
  const std::string link = "/proc/" + std::to_string(credentials.pid) + "/exe";
  const ssize_t size = readlink(link.c_str(), path, sizeof(path));
  if (size > 0) peer.image_path.assign(path, static_cast<std::size_t>(size));
  return peer;
}

class SocketConnection final : public ports::Connection {
 public:
  SocketConnection(UniqueFd socket, ports::PeerIdentity peer) noexcept
      : socket_(std::move(socket)), peer_(std::move(peer)) {}

  Result<> send(std::span<const std::byte> bytes, Instant deadline) override {
    while (!bytes.empty()) {
      if (down_.load(std::memory_order_acquire)) return gone();
      const ssize_t sent =
          ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(sent));
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        pollfd watched{socket_.get(), POLLOUT, 0};
        if (!wait_ready({&watched, 1}, deadline)) {
          shutdown();  // half a message is on its way: nothing sensible can follow it
          return fail(ErrorCode::timed_out, "The peer did not take the message in time.");
        }
      } else if (errno != EINTR) {
        return gone();
      }
    }
    return {};
  }

  Result<std::size_t> receive(std::span<std::byte> into, Instant deadline) override {
    if (into.empty()) return fail(ErrorCode::invalid_argument, "There is no room to receive into.");
    for (;;) {
      if (down_.load(std::memory_order_acquire)) return gone();
      const ssize_t received = recv(socket_.get(), into.data(), into.size(), MSG_DONTWAIT);
      if (received > 0) return static_cast<std::size_t>(received);
      if (received == 0) return gone();
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        pollfd watched{socket_.get(), POLLIN, 0};
        if (!wait_ready({&watched, 1}, deadline)) {
          return fail(ErrorCode::timed_out, "The peer sent nothing in time.");
        }
      } else if (errno != EINTR) {
        return gone();
      }
    }
  }

  void shutdown() noexcept override {
    down_.store(true, std::memory_order_release);
    ::shutdown(socket_.get(), SHUT_RDWR);  // wakes both directions, here and at the peer
  }

  [[nodiscard]] const ports::PeerIdentity& peer() const noexcept override { return peer_; }

 private:
  static tl::unexpected<Error> gone() {
    return fail(ErrorCode::disconnected, "The connection has ended.");
  }

  UniqueFd socket_;
  ports::PeerIdentity peer_;
  std::atomic<bool> down_{false};
};

class SocketListener final : public ports::Listener {
 public:
  SocketListener(UniqueFd socket, UniqueFd lock, UniqueFd stop, Endpoint endpoint) noexcept
      : lock_(std::move(lock)),
        socket_(std::move(socket)),
        stop_(std::move(stop)),
        endpoint_(std::move(endpoint)) {}
  ~SocketListener() override {
    // While the lock is still held: neither can be a successor's.
    unlink(endpoint_.socket_path.c_str());
    unlink(endpoint_.lock_path.c_str());
  }

  Result<std::unique_ptr<ports::Connection>> accept(Instant deadline) override {
    for (;;) {
      pollfd watched[]{{stop_.get(), POLLIN, 0}, {socket_.get(), POLLIN, 0}};
      const bool ready = wait_ready(watched, deadline);
      if (watched[0].revents != 0) {
        return fail(ErrorCode::disconnected, "The endpoint was shut down.");
      }
      if (!ready) return fail(ErrorCode::timed_out, "No client came in time.");
      UniqueFd client(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (client) {
        ports::PeerIdentity peer = identify(client.get());
        return std::make_unique<SocketConnection>(std::move(client), std::move(peer));
      }
      // A client that left again is no reason to fail; too many open descriptors is.
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM ||
          errno == EINVAL || errno == EBADF) {
        return system_failure("The next client could not be accepted", errno);
      }
    }
  }

  void shutdown() noexcept override {
    const std::uint64_t one = 1;
    // Never read back, so accept finds it now and later. Can only fail when it is already set.
    [[maybe_unused]] const ssize_t written = write(stop_.get(), &one, sizeof(one));
  }

 private:
  UniqueFd lock_;  // declared first: released last
  UniqueFd socket_;
  UniqueFd stop_;
  Endpoint endpoint_;
};

/// True when `path` still names the file behind `descriptor`.
bool is_same_file(const UniqueFd& descriptor, const std::string& path) noexcept {
  struct stat ours {};
  struct stat there {};
  return fstat(descriptor.get(), &ours) == 0 && lstat(path.c_str(), &there) == 0 &&
         ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/// The lock, not the socket, says who serves: it ends with its process, whatever happens, so the
/// socket of a dead service can be replaced by exactly one successor. Errors: already_exists,
/// access_denied, internal.
Result<UniqueFd> take_lock(const std::string& path) {
  for (;;) {
    UniqueFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock) return system_failure("The service lock " + path + " is not usable", errno);
    if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return system_failure("The service lock failed", errno);
      return fail(ErrorCode::already_exists, "Another service of this user already runs.");
    }
    // Its last holder may have removed the file between the two steps: then this lock is nobody's.
    if (is_same_file(lock, path)) return lock;
  }
}

sockaddr_un address_of(const std::string& path) noexcept {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return address;
}

class SocketTransport final : public ports::Transport {
 public:
  explicit SocketTransport(std::string instance) noexcept : instance_(std::move(instance)) {}

  Result<std::unique_ptr<ports::Listener>> listen() override {
    const auto endpoint = find_endpoint(instance_, true);
    if (!endpoint) return tl::unexpected(endpoint.error());

    auto lock = take_lock(endpoint->lock_path);
    if (!lock) return tl::unexpected(lock.error());
    unlink(endpoint->socket_path.c_str());

    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    UniqueFd stop(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!socket || !stop) return system_failure("The socket could not be made", errno);
    const sockaddr_un address = address_of(endpoint->socket_path);
    // Nobody can connect before listen, so the mode is in place in time.
    if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        chmod(endpoint->socket_path.c_str(), S_IRUSR | S_IWUSR) != 0 ||
        ::listen(socket.get(), SOMAXCONN) != 0) {
      return system_failure("The socket " + endpoint->socket_path + " could not be opened", errno);
    }
    return std::make_unique<SocketListener>(std::move(socket), std::move(*lock), std::move(stop),
                                            *endpoint);
  }

  Result<std::unique_ptr<ports::Connection>> connect(Instant deadline) override {
    const auto endpoint = find_endpoint(instance_, false);
    if (!endpoint) {
      if (endpoint.error().code == ErrorCode::not_found) return absent();
      return tl::unexpected(endpoint.error());
    }
    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) return system_failure("The socket could not be made", errno);
    const sockaddr_un address = address_of(endpoint->socket_path);
    while (!try_connect(socket.get(), address, deadline)) {
      if (errno == ENOENT || errno == ECONNREFUSED) return absent();
      if (errno != EINTR && errno != EAGAIN) {
        return system_failure("The service's socket " + endpoint->socket_path + " refuses", errno);
      }
      if (time_left(deadline) == nanoseconds{0}) {
        return fail(ErrorCode::timed_out, "The service is too busy to answer.");
      }
    }
    ports::PeerIdentity peer = identify(socket.get());
    if (!peer.same_user) {
      return fail(ErrorCode::access_denied, "The socket " + endpoint->socket_path +
                                                " is served by another user; nothing was sent.");
    }
    return std::make_unique<SocketConnection>(std::move(socket), std::move(peer));
  }

 private:
  /// One attempt; waits for room in the listener's queue until `deadline` at most. Sets errno.
  static bool try_connect(int socket, const sockaddr_un& address, Instant deadline) noexcept {
    const auto left = std::clamp<std::int64_t>(time_left(deadline).count() / 1000, 1, 10'000'000);
    const timeval bound{static_cast<time_t>(left / 1'000'000),
                        static_cast<suseconds_t>(left % 1'000'000)};
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof(bound));
    return ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }

  static tl::unexpected<Error> absent() {
    return fail(ErrorCode::service_absent, "The service does not run.");
  }

  std::string instance_;
};

}  // namespace

std::unique_ptr<ports::Transport> make_transport(const std::string& instance) {
  return std::make_unique<SocketTransport>(instance);
}

}  // namespace asiodrv::platform
