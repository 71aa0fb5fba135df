// What the service does for its clients: who is connected, who has buffers, and the policy between
// them. One rate and one period at a time: a program that is alone gets what it asks for, one that
// is not alone has to agree with the others.
//
// Methods besides those of core/wire/control.hpp, for the command line and scripts:
//
//   method           params                result
//   status           {}                    service, device, clients: see reports.hpp
//   flight.sessions  {}                    {"sessions": [...]}, the last 64 runs; start_period is
//                                          null until the run's first cycle
//   flight.xruns     {"from": n}           {"xruns": [...], "first", "next", "written"}
//   flight.records   {"from": n}           {"records": [...], "first", "next", "written"}
//   devices.list     {}                    {"devices": [...]}
//   config.get       {}                    {"path", "loaded", "error", "values"}
//   config.reload    {}                    as config.get; refused while buffers exist
//   shutdown         {}                    {}; the service leaves after the answer
//
// Flight entries are numbered from 0 since the service began; a page ends at "next", and the
// entries are all read when "next" is "written".
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/ports/clock.hpp"
#include "core/ports/shared_region.hpp"
#include "core/ports/thread.hpp"
#include "core/wire/control.hpp"
#include "ipc/server/control_server.hpp"
#include "service/config.hpp"
#include "service/engine_host.hpp"
#include "service/log.hpp"
#include "service/session.hpp"
#include "service/session_history.hpp"
#include "service/xrun_watch.hpp"

namespace asiodrv::service {

/// A configuration as it was found, or why it was not.
struct LoadedConfig {
  Config config;     ///< defaults, when the file is missing or wrong
  std::string path;  ///< UTF-8
  bool loaded = false;
  std::string error;  ///< empty when there is none
};

/// Makes the audio device that a configuration asks for. Errors: sentences for its user.
using DeviceFactory = std::function<Result<std::unique_ptr<ports::Device>>(const Config&)>;

struct DriverServicePorts {
  ports::Clock& clock;
  ports::Threads& threads;
  ports::SharedRegions& regions;
  DeviceFactory make_device;
  std::function<std::shared_ptr<void>()> hold_boost = [] { return nullptr; };
  Log log = [](LogLevel, const std::string&) {};
  std::uint32_t process_id = 0;
  /// The user asked the service to leave. Control thread, inside a request: must not wait.
  std::function<void()> leave = [] {};
  /// The last driver has disconnected. Control thread; must not wait.
  std::function<void()> on_idle = [] {};
  /// Reads the configuration anew.
  std::function<LoadedConfig()> reload = nullptr;
};

/// Control threads, one call at a time: the control server serialises.
class DriverService final : public ipc::ControlHandler {
 public:
  /// `device` was made from `config`.
  DriverService(DriverServicePorts ports, LoadedConfig config,
                std::unique_ptr<ports::Device> device);
  ~DriverService() override;

  /// Where notifications go; set before the first client, and outliving the last.
  using Notify = std::function<void(ipc::ConnectionId, std::string_view, const nlohmann::json&)>;
  void set_notify(Notify notify) { notify_ = std::move(notify); }

  void on_connect(ipc::ConnectionId connection, const ports::PeerIdentity& peer) override;
  [[nodiscard]] Result<nlohmann::json> on_request(ipc::ConnectionId connection,
                                                  const std::string& method,
                                                  const nlohmann::json& params) override;
  void on_disconnect(ipc::ConnectionId connection) override;

  /// The service is about to end: clients that go from now on did not leave by themselves.
  void begin_leaving() noexcept { leaving_ = true; }

  /// Since when no driver is connected; nothing while one is. Who only asks, like the command line,
  /// does not count: looking at an agent must not keep it.
  [[nodiscard]] std::optional<Instant> idle_since() const;

  /// What has to be done now and then: a lost device looked for, xruns logged. Returns after how
  /// long it wants to be called again; attention() signals that it must be earlier.
  nanoseconds chores();
  [[nodiscard]] ports::Signal& attention() noexcept { return *attention_; }

 private:
  struct Client {
    ipc::ConnectionId connection = 0;
    ports::PeerIdentity peer;
    std::optional<wire::HelloRequest> hello;
    std::unique_ptr<Session> session;
    bool running = false;

    [[nodiscard]] std::uint32_t process_id() const noexcept;
    [[nodiscard]] const std::string& program() const noexcept;
  };
  using Method = Result<nlohmann::json> (DriverService::*)(Client&, const nlohmann::json&);
  struct MethodEntry;
  static const MethodEntry kMethods[];

  Result<nlohmann::json> hello(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> create_session(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> start_session(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> stop_session(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> dispose_session(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> set_rate(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> select_clock(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> status(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> flight_sessions(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> flight_xruns(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> flight_records(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> list_devices(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> get_config(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> reload_config(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> shutdown(Client& client, const nlohmann::json& params);

  void make_host(std::unique_ptr<ports::Device> device);
  [[nodiscard]] wire::DriverDescription describe(const Client& client) const;
  [[nodiscard]] Frames smallest_buffer() const;
  [[nodiscard]] Frames largest_buffer() const;
  [[nodiscard]] Result<> judge_request(const Client& client,
                                       const wire::SessionRequest& request) const;
  [[nodiscard]] wire::SessionGrant grant(const Session& session) const;
  [[nodiscard]] const Client* other_session(const Client& client, bool running) const;
  [[nodiscard]] bool any_session() const;
  [[nodiscard]] bool any_driver() const;
  void begin_run(const Client& client, std::uint64_t after);
  void end_run(const Client& client);
  void restart_runs(std::uint64_t after);
  void note_starts();
  void stop_client(Client& client);
  void drop_session(Client& client);
  [[nodiscard]] Result<> move_device(SampleRate rate);
  void notify(const Client& client, const wire::HostEvent& event);
  void device_was_lost();
  void look_for_device();

  DriverServicePorts ports_;
  LoadedConfig config_;
  Notify notify_ = [](ipc::ConnectionId, std::string_view, const nlohmann::json&) {};
  const Instant began_;
  Instant idle_since_;  // while no client has said hello
  std::unique_ptr<ports::Signal> attention_;
  std::unique_ptr<EngineHost> host_;
  SampleRate rate_{};  // in use, or for the next that opens the device
  std::map<ipc::ConnectionId, Client> clients_;
  std::uint32_t next_session_ = 1;
  SessionHistory history_;
  XrunWatch xruns_;
  bool leaving_ = false;
  bool loss_told_ = false;  // clients know that the device is lost
  Instant look_again_{};    // for the lost device
};

}  // namespace asiodrv::service
