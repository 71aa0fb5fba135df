// What the service does for its clients: who is connected, who has buffers, and the policy between
// them. The device has one rate and one period at a time: it moves to what a program that is alone
// asks for; one that is not alone keeps its own rate and size through an adapter of its own (or has
// to agree with the others: [driver] formats).
//
// Methods besides those of core/wire/control.hpp, for the command line and scripts:
//
//   method           params                result
//   status           {}                    service, device, clients: see
//                                          driver_reports.cpp
//   flight.sessions  {}                    {"sessions": [...]}, the last 64 runs; start_period is
//                                          null until the run's first cycle
//   flight.xruns     {"from": n}           {"xruns": [...], "first", "next", "written"}
//   flight.records   {"from": n}           {"records": [...], "first", "next", "written"}
//   flight.parts     {"from": n}           {"parts": [...], "first", "next", "written"}: what
//                                          happened to the devices that are parts of a combined one
//   devices.list     {}                    {"devices": [the one in use], "available": [...]}; see
//                                          device_list.hpp
//   config.get       {}                    {"path", "loaded", "error", "values"}
//   config.reload    {}                    as config.get; programs that play keep their buffers and
//                                          are asked to make new ones
//   device.set       {"rate_hz", "frames"} either or both; moves the device under all programs,
//                                          which keep their own rate and size; a closed one keeps
//                                          the rate alone; answers {"rate_hz", "frames"} as they
//                                          are then
//   device.clock     {"name"}              {}; the clock source that paces the device from now on
//   clock.feed       {"rate_hz"}           {}; what arrives at the external clock input of the
//                                          simulated device, 0: nothing any more
//   calibrate.start  {"input", "output",   {"rate_hz", "period_frames"}; plays through a cable from
//                     "rate_hz"?,          "out:1" to "in:1" for two seconds or so. One at a time;
//                     "frames"?}           ends with its connection, and when a program needs the
//                                          device at another format
//   calibrate.result {}                    {"state": "running", "progress"}: ask again in 100 ms;
//                                          or "done", and what driver_calibration.cpp says; or an
//                                          error
//   calibrate.list   {"rate_hz"?, "from"}  {"corrections": [...], "next", "total",
//                                          "periods_frames": [...], ...}; the periods that can be
//                                          measured at that rate
//   calibrate.forget {"rate_hz"?,          {"forgotten"}; of the device in use
//                     "frames"?}
//   shutdown         {}                    {}; the service leaves after the answer
//
// What is connected with what. Ports are texts as in studio.hpp ("in:1", "daw.exe/out:2"), gains
// decibels or null for silence. Each change holds for running sound at once, is kept for the next
// service, and is all or nothing; its answer has a "warning" when it could not be kept.
//
//   method            params                           result
//   routes.list       {"from": n}                      {"routes": [{from, to, gain_db, mute, solo,
//                                                      invert, state, reason?}], "next", "total"};
//                                                      state: active, muted, silenced or rests
//   routes.set        {"routes": [{from, to,           {"changed"}; what is left out stays, or is
//                     gain_db?, mute?, solo?,          a new route's default: 0 dB, all off
//                     invert?}]}
//   routes.remove     {"routes": [{from, to}]}         {"removed"}
//   routes.clear      {}                               {"removed"}
//   snapshots.list    {}                               {"snapshots": [{name, routes, device}]}
//   snapshots.save    {"name"}                         {"routes": how many}; replaces its namesake
//   snapshots.recall  {"name"}                         {"routes": how many}
//   snapshots.delete  {"name"}                         {}
//   cables.list       {}                               {"cables": [{name, channels, first_input,
//                                                      first_output, used_by}]}; as ASIO counts + 1
//   cables.create     {"name", "channels"}             {"channels"}; programs get a reset request
//   cables.remove     {"name"}                         {"removed_routes"}; the same
//   meters.get        {"from": n}                      {"meters": [{port, name, peak_db, rms_db,
//                                                      session?}], "next", "total"}; null: silence,
//                                                      or not measured. The engine measures for 2 s
//                                                      after a call, so the first is of no use.
//
// "from" is 0 unless given; all is read when "next" is "total".
//
// Flight entries are numbered from 0 since the service began; a page ends at "next", and the
// entries are all read when "next" is "written".
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/clock.hpp"
#include "core/ports/shared_region.hpp"
#include "core/ports/thread.hpp"
#include "core/wire/control.hpp"
#include "ipc/server/control_server.hpp"
#include "service/calibration.hpp"
#include "service/config.hpp"
#include "service/config_layers.hpp"
#include "service/corrections.hpp"
#include "service/engine_host.hpp"
#include "service/host_mixer.hpp"
#include "service/log.hpp"
#include "service/session.hpp"
#include "service/session_history.hpp"
#include "service/studio.hpp"
#include "service/xrun_watch.hpp"

namespace asiodrv::service {

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
  /// Where cables, routes and snapshots are kept, UTF-8; empty: nowhere.
  std::string routing_path{};
  /// All devices that could be chosen (see service/device_list.hpp).
  std::function<nlohmann::json(const Config&)> list_devices = nullptr;
  /// Likewise calibrations.
  std::string calibration_path{};
  /// The system's service manager leads this service.
  bool managed = false;
  /// The device was lost under programs; a sentence says which. Control thread; must not wait.
  std::function<void(const std::string&)> on_device_lost = [](const std::string&) {};
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
  /// The configuration in force.
  [[nodiscard]] const Config& config() const noexcept { return config_.config; }

  /// The machine is about to sleep: lets go of the device, under programs that play too. It comes
  /// back with resume(), with a program that starts to play, or after 10 s of wakefulness without
  /// a word. Both like a handler's call: serialised.
  void suspend();
  void resume();
  /// The session's devices may be others now.
  void look_at_device();

  /// What has to be done now and then: a lost device looked for, xruns logged. Returns after how
  /// long it wants to be called again; attention() signals that it must be earlier.
  nanoseconds chores();
  [[nodiscard]] ports::Signal& attention() noexcept { return *attention_; }

  /// What the engine has recorded; another one after config.reload. Control thread.
  [[nodiscard]] const engine::FlightRecorder& flight() const noexcept { return host_->flight(); }

 private:
  /// How often what is not there is looked for.
  static constexpr nanoseconds kLookInterval = std::chrono::milliseconds{500};

  struct Client {
    ipc::ConnectionId connection = 0;
    ports::PeerIdentity peer;
    std::optional<wire::HelloRequest> hello;
    std::unique_ptr<Session> session;
    bool running = false;
    bool waiting = false;  ///< its buffers wait for a lost device; the engine does not know them
    bool gone = false;     ///< its connection has ended, and there was no memory to forget it
    SampleRate rate{};     ///< that it asked for; 0: that of the device
    HostMixer mixer;       ///< what it has set through future()
    ports::DeviceLatency told_latency{};  ///< the device's, as its program was told last

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
  Result<nlohmann::json> status(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> flight_sessions(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> flight_xruns(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> flight_records(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> flight_parts(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> list_devices(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> get_config(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> reload_config(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> set_monitor(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> set_gain(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> get_levels(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> set_device_format(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> shutdown(Client& client, const nlohmann::json& params);

  // driver_clock.cpp
  Result<nlohmann::json> select_clock(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> set_device_clock(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> feed_clock(Client& client, const nlohmann::json& params);
  [[nodiscard]] bool has_foreign_clock() const;
  [[nodiscard]] std::vector<wire::ClockSourceInfo> clock_sources() const;
  [[nodiscard]] Result<> change_clock(std::uint32_t source, const Client* by);
  void watch_clock();
  void follow_clock(SampleRate rate);
  void tell_rate(const Client& client, SampleRate rate);

  // driver_routing.cpp
  Result<nlohmann::json> list_routes(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> set_routes(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> remove_routes(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> clear_routes(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> list_snapshots(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> save_snapshot(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> recall_snapshot(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> delete_snapshot(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> list_cables(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> create_cable(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> remove_cable(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> get_meters(Client& client, const nlohmann::json& params);
  [[nodiscard]] std::vector<SessionPorts> session_ports() const;
  [[nodiscard]] Result<> tell_graph(const Studio& studio);
  void refresh_graph();
  [[nodiscard]] Result<nlohmann::json> adopt(Studio next, nlohmann::json answer);
  [[nodiscard]] Result<> keep_studio();
  void load_routing();
  void tell_new_channels();

  // driver_calibration.cpp
  Result<nlohmann::json> start_calibration(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> calibration_result(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> list_calibrations(Client& client, const nlohmann::json& params);
  Result<nlohmann::json> forget_calibrations(Client& client, const nlohmann::json& params);
  [[nodiscard]] Result<std::uint32_t> device_channel(const std::string& text, Role role) const;
  [[nodiscard]] Result<ports::DeviceFormat> judge_calibration(SampleRate rate, Frames period) const;
  [[nodiscard]] Result<nlohmann::json> adopt_calibration();
  void end_calibration();
  void watch_calibration();
  void load_calibrations();
  [[nodiscard]] Result<> keep_calibrations();
  [[nodiscard]] CorrectionKey correction_key(const ports::DeviceFormat& format) const;
  [[nodiscard]] ports::DeviceLatency device_latency() const;
  void tell_corrected(const ports::DeviceLatency& before);

  [[nodiscard]] std::unique_ptr<EngineHost> make_host(std::unique_ptr<ports::Device> device,
                                                      const Config& config);
  void use_host(std::unique_ptr<EngineHost> host);
  [[nodiscard]] Result<> change_device(std::unique_ptr<ports::Device> device);  // driver_reload.cpp
  [[nodiscard]] wire::DriverDescription describe(const Client& client) const;
  [[nodiscard]] std::vector<SampleRate> offered_rates() const;
  [[nodiscard]] wire::BufferSizes offered_sizes(SampleRate rate) const;
  [[nodiscard]] Result<> judge_request(const Client& client,
                                       const wire::SessionRequest& request) const;
  [[nodiscard]] Partners partners(const wire::SessionRequest& request) const;
  [[nodiscard]] wire::SessionGrant grant(const Client& client) const;
  [[nodiscard]] const Client* other_session(const Client& client, bool running) const;
  [[nodiscard]] bool any_session() const;
  [[nodiscard]] bool any_driver() const;
  void begin_run(const Client& client, std::uint64_t after);
  void end_run(const Client& client);
  void restart_runs(std::uint64_t after);
  void note_starts();
  void stop_client(Client& client);
  void drop_session(Client& client);
  void release_unused();
  void forget(ipc::ConnectionId connection);
  [[nodiscard]] bool finish_leaving();
  [[nodiscard]] SampleRate rate_of(const Client& client) const noexcept;
  [[nodiscard]] bool has_rate(SampleRate rate) const;
  [[nodiscard]] bool offers_rate(SampleRate rate) const;
  [[nodiscard]] Result<> move_device(const ports::DeviceFormat& format, const Client* mover);
  [[nodiscard]] Result<> follow_client(Client& client);
  [[nodiscard]] Result<> join(Client& client);
  [[nodiscard]] Result<> change_rate(Client& client, SampleRate rate, bool with_device);
  [[nodiscard]] ports::DeviceFormat at_rate(SampleRate rate) const;
  void tell_latency(Client& client);
  [[nodiscard]] HostMixer::Channels mixer_channels() const;
  Result<nlohmann::json> adopt_mixer(Client& client, HostMixer next);
  void add_host_mixers(engine::GraphSpec& graph, const Studio& studio) const;
  void notify(const Client& client, const wire::HostEvent& event);

  // driver_device.cpp
  void refresh_device();
  [[nodiscard]] Result<> prepare_device(const ports::DeviceFormat& format);
  void note_device();
  [[nodiscard]] bool device_is_away() const;
  void device_was_lost();
  [[nodiscard]] nanoseconds pause_after_loss();
  void look_for_device();
  void admit_waiting();
  void set_aside(Client& client);
  void watch_parts();
  void watch_latency();

  DriverServicePorts ports_;
  LoadedConfig config_;
  Notify notify_ = [](ipc::ConnectionId, std::string_view, const nlohmann::json&) {};
  const Instant began_;
  Instant idle_since_;  // while no client has said hello
  std::unique_ptr<ports::Signal> attention_;
  std::unique_ptr<EngineHost> host_;
  ports::DeviceInfo known_device_;  // as programs were told last
  SampleRate rate_{};               // in use, or for the next that opens the device
  bool clock_lost_ = false;  // the source that the device follows is silent, and programs know it
  std::map<ipc::ConnectionId, Client> clients_;
  std::uint32_t next_session_ = 1;
  Studio studio_;
  std::optional<engine::GraphSpec> graph_;  // as the engine was told last
  bool keeps_studio_ = true;
  Corrections corrections_;
  bool keeps_corrections_ = true;
  std::unique_ptr<Calibration> calibration_;  // while one is under way
  ipc::ConnectionId calibrating_ = 0;         // whose it is
  SessionHistory history_;
  std::deque<ports::DevicePartEvent> part_events_;  // the newest
  std::uint64_t part_events_seen_ = 0;
  XrunWatch xruns_;
  bool leaving_ = false;
  bool look_at_device_ = false;        // a program has come since it was looked at
  bool loss_told_ = false;             // clients know that the device is lost
  bool left_playing_ = false;          // it was lost under programs, and has not been back since
  Instant look_again_{};               // for the lost device
  std::optional<Instant> lost_at_;     // the last time that it was told
  std::uint32_t losses_in_a_row_ = 0;  // the last ones, but for the first, that came soon after
  std::string look_error_;             // why it did not come back last time
};

}  // namespace asiodrv::service
