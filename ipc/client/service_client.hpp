// ServiceLink over a Transport: what the driver DLL uses to talk to the service.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "core/ports/clock.hpp"
#include "core/ports/mutex.hpp"
#include "core/ports/thread.hpp"
#include "core/ports/transport.hpp"
#include "ipc/client/service_link.hpp"
#include "ipc/client/service_start.hpp"

namespace asiodrv::ipc {

class EventQueue;
class RpcChannel;

struct ServiceClientOptions {
  std::string program;  ///< file name of this process, for people
  std::uint32_t process_id = 0;
  std::uint32_t bits = 8 * sizeof(void*);
  /// Starts the service without waiting for it. Empty: this client can start nothing. The errors
  /// service_absent and access_denied say all and are passed on as they are, every other one is
  /// service_absent with words around it.
  std::function<Result<>(Need)> start_service;
  /// A service has answered. May be empty.
  std::function<void()> reached{};
};

/// The ports must outlive it. Thread rules and errors are those of ServiceLink; in addition the
/// calls may come from several threads.
class ServiceClient final : public ServiceLink {
 public:
  ServiceClient(ports::Clock& clock, ports::Threads& threads, ports::Transport& transport,
                ServiceClientOptions options);
  /// Disconnects. Blocks for 2 s at most.
  ~ServiceClient() override;

  void prepare_connect() noexcept override;
  /// While nobody listens, or a service that is just leaving hangs up, it tries again until
  /// `deadline`, with pauses of 10 ms growing to 100 ms. A service that does not come up is started
  /// once more each second: the first one may have met the leaving one's endpoint.
  [[nodiscard]] Result<wire::DriverDescription> connect(bool may_start, Instant deadline) override;
  [[nodiscard]] Result<wire::SessionGrant> create_session(const wire::SessionRequest& request,
                                                          Instant deadline) override;
  [[nodiscard]] Result<> start_session(Instant deadline) override;
  [[nodiscard]] Result<> stop_session(Instant deadline) override;
  [[nodiscard]] Result<> dispose_session(Instant deadline) override;
  [[nodiscard]] Result<> set_rate(SampleRate rate, Instant deadline) override;
  [[nodiscard]] Result<> select_clock(std::uint32_t index, Instant deadline) override;
  [[nodiscard]] Result<> set_monitor(const wire::MonitorRequest&, Instant deadline) override;
  [[nodiscard]] Result<> set_gain(const wire::GainRequest&, Instant deadline) override;
  [[nodiscard]] Result<wire::ChannelLevels> levels(Instant deadline) override;
  void disconnect() noexcept override;
  [[nodiscard]] Result<wire::HostEvent> next_event(Instant deadline) override;
  void wake_events() noexcept override;

 private:
  [[nodiscard]] Result<wire::DriverDescription> try_connect(Instant deadline);
  [[nodiscard]] Result<> start_service();
  [[nodiscard]] Result<nlohmann::json> call(std::string_view method, const nlohmann::json& params,
                                            Instant deadline);
  [[nodiscard]] Result<> command(std::string_view method, const nlohmann::json& params,
                                 Instant deadline);
  /// False when disconnect() came first; the channel is closed then.
  [[nodiscard]] bool adopt(const std::shared_ptr<RpcChannel>& channel);
  [[nodiscard]] bool cancelled() noexcept;

  ports::Clock& clock_;
  ports::Threads& threads_;
  ports::Transport& transport_;
  const ServiceClientOptions options_;
  const std::shared_ptr<EventQueue> events_;     // shared with the receiving thread
  const std::unique_ptr<ports::Signal> cancel_;  // ends a pause of connect()

  ports::Mutex mutex_;  // guards what follows
  std::shared_ptr<RpcChannel> channel_;
  bool cancelled_ = false;
  bool prepared_ = false;     // for connect(): cancelled_ is about this one already
  bool was_managed_ = false;  // the service that answered last was the system's
};

}  // namespace asiodrv::ipc
