#include "ipc/memory_transport.hpp"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "core/ports/mutex.hpp"

namespace asiodrv::ipc {

using ports::MutexLock;

/// One direction of a connection: one sending and one receiving thread.
class MemoryTransport::Pipe {
 public:
  explicit Pipe(ports::Threads& threads)
      : readable_(threads.make_signal()), writable_(threads.make_signal()) {}

  Result<> send(std::span<const std::byte> bytes, Instant deadline) {
    while (!bytes.empty()) {
      {
        const MutexLock lock(mutex_);
        if (closed_) return gone();
        const std::size_t room = std::min(kPipeBytes - bytes_.size(), bytes.size());
        bytes_.insert(bytes_.end(), bytes.begin(),
                      bytes.begin() + static_cast<std::ptrdiff_t>(room));
        bytes = bytes.subspan(room);
        if (room > 0) readable_->signal();
      }
      if (bytes.empty()) break;
      if (!writable_->wait(deadline)) {
        return fail(ErrorCode::timed_out, "The peer does not read what it is sent.");
      }
    }
    return {};
  }

  Result<std::size_t> receive(std::span<std::byte> into, Instant deadline) {
    for (;;) {
      {
        const MutexLock lock(mutex_);
        const std::size_t count = std::min(into.size(), bytes_.size());
        if (count > 0) {
          const auto end = bytes_.begin() + static_cast<std::ptrdiff_t>(count);
          std::copy(bytes_.begin(), end, into.begin());
          bytes_.erase(bytes_.begin(), end);
          writable_->signal();
          return count;
        }
        if (closed_) return gone();
      }
      if (!readable_->wait(deadline)) return fail(ErrorCode::timed_out, "Nothing arrived.");
    }
  }

  /// `forget`: what is still inside is lost, because its reader left.
  void close(bool forget) {
    const MutexLock lock(mutex_);
    closed_ = true;
    if (forget) bytes_.clear();
    readable_->signal();
    writable_->signal();
  }

 private:
  static tl::unexpected<Error> gone() {
    return fail(ErrorCode::disconnected, "The connection has ended.");
  }

  ports::Mutex mutex_;
  std::deque<std::byte> bytes_;
  bool closed_ = false;
  std::unique_ptr<ports::Signal> readable_, writable_;
};

/// One end of a connection.
class MemoryTransport::End final : public ports::Connection {
 public:
  End(std::shared_ptr<Pipe> out, std::shared_ptr<Pipe> in, ports::PeerIdentity peer)
      : out_(std::move(out)), in_(std::move(in)), peer_(std::move(peer)) {}
  ~End() override { shut(); }

  Result<> send(std::span<const std::byte> bytes, Instant deadline) override {
    return out_->send(bytes, deadline);
  }
  Result<std::size_t> receive(std::span<std::byte> into, Instant deadline) override {
    return in_->receive(into, deadline);
  }
  void shutdown() noexcept override { shut(); }
  const ports::PeerIdentity& peer() const noexcept override { return peer_; }

 private:
  void shut() noexcept {
    out_->close(false);
    in_->close(true);
  }

  std::shared_ptr<Pipe> out_, in_;
  const ports::PeerIdentity peer_;
};

struct MemoryTransport::Endpoint {
  Endpoint(ports::Clock& clock_in, ports::Threads& threads_in)
      : clock(clock_in), threads(threads_in) {}

  ports::Clock& clock;
  ports::Threads& threads;
  ports::Mutex mutex;
  ports::PeerIdentity client{1, true, "/usr/bin/client"};
  Door* door = nullptr;  // of the current listener
};

/// The listener: holds the endpoint until it is destroyed.
class MemoryTransport::Door final : public ports::Listener {
 public:
  explicit Door(std::shared_ptr<Endpoint> endpoint)
      : endpoint_(std::move(endpoint)), arrived_(endpoint_->threads.make_signal()) {}
  ~Door() override {
    if (!claimed_) return;
    const MutexLock lock(endpoint_->mutex);
    endpoint_->door = nullptr;
  }

  void claimed() noexcept { claimed_ = true; }

  Result<std::unique_ptr<ports::Connection>> accept(Instant deadline) override {
    for (;;) {
      {
        const MutexLock lock(endpoint_->mutex);
        if (closed_) return fail(ErrorCode::disconnected, "The endpoint is closed.");
        if (!waiting_.empty()) {
          auto connection = std::move(waiting_.front());
          waiting_.pop_front();
          if (!waiting_.empty()) arrived_->signal();
          return connection;
        }
      }
      if (!arrived_->wait(deadline)) return fail(ErrorCode::timed_out, "Nobody connected.");
    }
  }

  void shutdown() noexcept override {
    const MutexLock lock(endpoint_->mutex);
    closed_ = true;
    waiting_.clear();  // those clients find themselves disconnected
    arrived_->signal();
  }

  /// The endpoint's mutex is held.
  bool admit(std::unique_ptr<ports::Connection> connection) {
    if (closed_ || waiting_.size() >= kBacklog) return false;
    waiting_.push_back(std::move(connection));
    arrived_->signal();
    return true;
  }

 private:
  std::shared_ptr<Endpoint> endpoint_;
  std::unique_ptr<ports::Signal> arrived_;
  std::deque<std::unique_ptr<ports::Connection>> waiting_;
  bool claimed_ = false;
  bool closed_ = false;
};

MemoryTransport::MemoryTransport(ports::Clock& clock, ports::Threads& threads)
    : endpoint_(std::make_shared<Endpoint>(clock, threads)) {}

MemoryTransport::~MemoryTransport() = default;

Result<std::unique_ptr<ports::Listener>> MemoryTransport::listen() {
  auto door = std::make_unique<Door>(endpoint_);
  const MutexLock lock(endpoint_->mutex);
  if (endpoint_->door != nullptr) {
    return fail(ErrorCode::already_exists, "Another service holds the endpoint.");
  }
  endpoint_->door = door.get();
  door->claimed();
  return std::unique_ptr<ports::Listener>(std::move(door));
}

Result<std::unique_ptr<ports::Connection>> MemoryTransport::connect(Instant /*deadline*/) {
  auto to_server = std::make_shared<Pipe>(endpoint_->threads);
  auto to_client = std::make_shared<Pipe>(endpoint_->threads);
  const MutexLock lock(endpoint_->mutex);
  auto server = std::make_unique<End>(to_client, to_server, endpoint_->client);
  if (endpoint_->door == nullptr || !endpoint_->door->admit(std::move(server))) {
    return fail(ErrorCode::service_absent, "Nobody listens.");
  }
  return std::unique_ptr<ports::Connection>(std::make_unique<End>(
      to_server, to_client, ports::PeerIdentity{2, true, "/usr/bin/service"}));
}

void MemoryTransport::set_client_identity(const ports::PeerIdentity& identity) {
  const MutexLock lock(endpoint_->mutex);
  endpoint_->client = identity;
}

}  // namespace asiodrv::ipc
