// What stands between a host's driver front and the world: it forwards everything, notes what the
// service granted, and can tear the wire.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/ports/shared_region.hpp"
#include "core/ports/transport.hpp"
#include "ipc/client/service_link.hpp"
#include "ipc/memory_transport.hpp"

namespace asiodrv::simulation {

/// What one host's links were told last.
struct LinkRecord {
  std::uint32_t session = 0;  ///< 0: none
  std::function<void(std::uint32_t)> on_session = [](std::uint32_t) {};
  std::function<void()> on_lost = [] {};  ///< of a session: nobody talks about it any more
};

class LinkSpy final : public ipc::ServiceLink {
 public:
  LinkSpy(std::unique_ptr<ipc::ServiceLink> inner, LinkRecord& record)
      : inner_(std::move(inner)), record_(record) {}

  Result<wire::DriverDescription> connect(bool may_start, Instant deadline) override {
    forget_session();
    return inner_->connect(may_start, deadline);
  }
  Result<wire::SessionGrant> create_session(const wire::SessionRequest& request,
                                            Instant deadline) override {
    auto grant = inner_->create_session(request, deadline);
    if (grant) {
      record_.session = grant->session_id;
      record_.on_session(grant->session_id);
    }
    return grant;
  }
  Result<> start_session(Instant deadline) override { return inner_->start_session(deadline); }
  Result<> stop_session(Instant deadline) override { return inner_->stop_session(deadline); }
  Result<> dispose_session(Instant deadline) override { return inner_->dispose_session(deadline); }
  Result<> set_rate(SampleRate rate, Instant deadline) override {
    return inner_->set_rate(rate, deadline);
  }
  Result<> select_clock(std::uint32_t index, Instant deadline) override {
    return inner_->select_clock(index, deadline);
  }
  void disconnect() noexcept override {
    forget_session();
    inner_->disconnect();
  }
  Result<wire::HostEvent> next_event(Instant deadline) override {
    return inner_->next_event(deadline);
  }
  void wake_events() noexcept override { inner_->wake_events(); }

 private:
  void forget_session() noexcept {
    if (std::exchange(record_.session, 0U) != 0) record_.on_lost();
  }

  const std::unique_ptr<ipc::ServiceLink> inner_;
  LinkRecord& record_;
};

/// The transport of one process, whose wires can be cut.
class Wire final : public ports::Transport {
 public:
  Wire(ipc::MemoryTransport& inner, std::uint32_t process_id)
      : inner_(inner), process_id_(process_id) {}

  Result<std::unique_ptr<ports::Listener>> listen() override { return inner_.listen(); }
  Result<std::unique_ptr<ports::Connection>> connect(Instant deadline) override;

  void cut();
  bool refuses = false;    ///< nobody can be reached: the process is dead
  bool tear_next = false;  ///< the next message is cut in the middle
  std::uint64_t torn = 0;

 private:
  class Cable;
  ipc::MemoryTransport& inner_;
  const std::uint32_t process_id_;
  std::vector<Cable*> cables_;
};

/// Remembers which sections a host maps, for those that scribble over their own.
class RegionsSpy final : public ports::SharedRegions {
 public:
  explicit RegionsSpy(ports::SharedRegions& inner) : inner_(inner) {}
  Result<std::unique_ptr<ports::SharedRegion>> create(std::size_t bytes) override {
    return inner_.create(bytes);
  }
  Result<std::unique_ptr<ports::SharedRegion>> open(const std::string& token,
                                                    std::size_t bytes) override {
    newest = token;
    newest_bytes = bytes;
    return inner_.open(token, bytes);
  }
  [[nodiscard]] Result<std::unique_ptr<ports::SharedRegion>> open_newest() {
    return inner_.open(newest, newest_bytes);
  }
  std::string newest;
  std::size_t newest_bytes = 0;

 private:
  ports::SharedRegions& inner_;
};

}  // namespace asiodrv::simulation
