// Connections, dispatch, hello, and what is done now and then. Sessions and the rate are in
// driver_sessions.cpp, the device's coming and going in driver_device.cpp, the reports in
// driver_reports.cpp, routes and cables in driver_routing.cpp.
#include "service/driver_service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/ports/periods.hpp"
#include "core/wire/member_reader.hpp"
#include "service/buffer_policy.hpp"
#include "service/version.hpp"

namespace asiodrv::service {
namespace {

using ipc::ConnectionId;
using nlohmann::json;
using wire::HostEvent;
using wire::HostEventKind;

constexpr nanoseconds kClockInterval = std::chrono::milliseconds{100};  // while it is not its own
constexpr nanoseconds kWatchInterval = std::chrono::seconds{1};
constexpr nanoseconds kNothingToDo = std::chrono::hours{1};
/// On offer on every device: the resampler brings them to a rate that the device has.
constexpr SampleRate kAdaptedRates[] = {{44'100}, {48'000},  {88'200},
                                        {96'000}, {176'400}, {192'000}};

/// A name that a peer gave, fit for a terminal and a log: no control characters.
std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return text;
}

}  // namespace

struct DriverService::MethodEntry {
  std::string_view name;
  bool needs_hello;
  Method call;
};

const DriverService::MethodEntry DriverService::kMethods[] = {
    {"hello", false, &DriverService::hello},
    {"session.create", true, &DriverService::create_session},
    {"session.start", true, &DriverService::start_session},
    {"session.stop", true, &DriverService::stop_session},
    {"session.dispose", true, &DriverService::dispose_session},
    {"rate.set", true, &DriverService::set_rate},
    {"clock.select", true, &DriverService::select_clock},
    {"status", false, &DriverService::status},
    {"flight.sessions", false, &DriverService::flight_sessions},
    {"flight.xruns", false, &DriverService::flight_xruns},
    {"flight.records", false, &DriverService::flight_records},
    {"flight.parts", false, &DriverService::flight_parts},
    {"devices.list", false, &DriverService::list_devices},
    {"config.get", false, &DriverService::get_config},
    {"config.reload", false, &DriverService::reload_config},
    {"monitor.set", true, &DriverService::set_monitor},
    {"gain.set", true, &DriverService::set_gain},
    {"levels.get", true, &DriverService::get_levels},
    {"device.set", false, &DriverService::set_device_format},
    {"device.clock", false, &DriverService::set_device_clock},
    {"clock.feed", false, &DriverService::feed_clock},
    {"calibrate.start", false, &DriverService::start_calibration},
    {"calibrate.result", false, &DriverService::calibration_result},
    {"calibrate.list", false, &DriverService::list_calibrations},
    {"calibrate.forget", false, &DriverService::forget_calibrations},
    {"shutdown", false, &DriverService::shutdown},
    {"routes.list", false, &DriverService::list_routes},
    {"routes.set", false, &DriverService::set_routes},
    {"routes.remove", false, &DriverService::remove_routes},
    {"routes.clear", false, &DriverService::clear_routes},
    {"snapshots.list", false, &DriverService::list_snapshots},
    {"snapshots.save", false, &DriverService::save_snapshot},
    {"snapshots.recall", false, &DriverService::recall_snapshot},
    {"snapshots.delete", false, &DriverService::delete_snapshot},
    {"cables.list", false, &DriverService::list_cables},
    {"cables.create", false, &DriverService::create_cable},
    {"cables.remove", false, &DriverService::remove_cable},
    {"meters.get", false, &DriverService::get_meters},
};

std::uint32_t DriverService::Client::process_id() const noexcept {
  if (peer.process_id != 0) return peer.process_id;  // the system's word over the client's
  return hello ? hello->process_id : 0;
}

const std::string& DriverService::Client::program() const noexcept {
  static const std::string unnamed = "(unnamed)";
  return hello && !hello->program.empty() ? hello->program : unnamed;
}

DriverService::DriverService(DriverServicePorts ports, LoadedConfig config,
                             std::unique_ptr<ports::Device> device)
    : ports_(std::move(ports)),
      config_(std::move(config)),
      began_(ports_.clock.now()),
      idle_since_(began_),
      attention_(ports_.threads.make_signal()),
      xruns_(ports_.log) {
  use_host(make_host(std::move(device), config_.config));
  load_routing();
  load_calibrations();
}

DriverService::~DriverService() {
  calibration_.reset();
  for (auto& [connection, client] : clients_) drop_session(client);
}

std::unique_ptr<EngineHost> DriverService::make_host(std::unique_ptr<ports::Device> device,
                                                     const Config& config) {
  engine::EngineOptions options;
  options.deadline_fraction = config.deadline_fraction;
  options.spin = std::chrono::microseconds{config.spin_us};
  return std::make_unique<EngineHost>(
      EngineHostPorts{ports_.clock, ports_.threads, ports_.hold_boost,
                      [this] { attention_->signal(); }},
      std::move(device), options);
}

/// The engine of the one before has no clients, and its device is closed.
void DriverService::use_host(std::unique_ptr<EngineHost> host) {
  host_ = std::move(host);
  const ports::DeviceInfo& info = host_->info();
  rate_ = info.default_rate;
  clock_lost_ = false;
  lost_at_.reset();
  known_device_ = {};
  note_device();
  graph_.reset();  // a new engine has been told nothing
  refresh_graph();
  history_ = {};  // a new engine counts its periods from 0 again
  xruns_.begin(host_->flight());
}

// --- connections ---------------------------------------------------------------------------------

void DriverService::on_connect(ConnectionId connection, const ports::PeerIdentity& peer) {
  Client client;
  client.connection = connection;
  client.peer = peer;
  clients_.emplace(connection, std::move(client));
}

Result<json> DriverService::on_request(ConnectionId connection, const std::string& method,
                                       const json& params) {
  const auto client = clients_.find(connection);
  if (client == clients_.end()) return fail(ErrorCode::internal, "Unknown connection.");
  for (const MethodEntry& entry : kMethods) {
    if (entry.name != method) continue;
    if (entry.needs_hello && !client->second.hello) {
      return fail(ErrorCode::invalid_state, fmt::format("{} needs a hello before it.", method));
    }
    try {
      return (this->*entry.call)(client->second, params);
    } catch (...) {  // no memory: what it has left half done, the chores finish
      attention_->signal();
      throw;
    }
  }
  return fail(ErrorCode::unsupported, fmt::format("There is no method \"{}\".", printable(method)));
}

void DriverService::on_disconnect(ConnectionId connection) {
  try {
    forget(connection);
  } catch (const std::exception&) {  // no memory: the chores do it as soon as there is some
    const auto found = clients_.find(connection);
    if (found != clients_.end()) found->second.gone = true;
    attention_->signal();
  }
}

void DriverService::forget(ConnectionId connection) {
  const auto found = clients_.find(connection);
  if (found == clients_.end()) return;
  Client& client = found->second;
  if (client.running && !leaving_ && !client.gone) {
    ports_.log(LogLevel::warning, fmt::format("{} (process {}) left while it was streaming.",
                                              client.program(), client.process_id()));
  }
  drop_session(client);
  if (calibration_ && calibrating_ == connection) end_calibration();
  const bool was_driver = client.hello.has_value();
  clients_.erase(found);
  if (was_driver && !any_driver()) {
    idle_since_ = ports_.clock.now();
    ports_.on_idle();
  }
  refresh_graph();  // its monitors and gains are gone with it
}

/// What there was no memory for when it was to be done. False: there is still none.
bool DriverService::finish_leaving() {
  try {
    for (;;) {
      const auto gone = std::find_if(clients_.begin(), clients_.end(),
                                     [](const auto& each) { return each.second.gone; });
      if (gone == clients_.end()) break;
      forget(gone->first);
    }
    if (host_->is_open()) release_unused();
  } catch (const std::exception&) {
    return false;
  }
  return true;
}

bool DriverService::any_driver() const {
  return std::any_of(clients_.begin(), clients_.end(),
                     [](const auto& each) { return each.second.hello.has_value(); });
}

std::optional<Instant> DriverService::idle_since() const {
  if (any_driver() || calibration_) return std::nullopt;
  return idle_since_;
}

Result<json> DriverService::hello(Client& client, const json& params) {
  if (client.hello)
    return fail(ErrorCode::invalid_state, "This connection has said hello already.");
  // Only the version is read first: what else a hello holds may differ in other versions.
  wire::MemberReader reader(params, "hello");
  const std::uint32_t protocol = reader.number("protocol", 0, wire::kAnyNumber);
  if (reader.good() && protocol != wire::kProtocolVersion) {
    return fail(ErrorCode::version_mismatch,
                fmt::format("The running asio-driver service {} speaks version {} of its protocol, "
                            "this program's driver version {}. Install one version of both and "
                            "restart the service with \"asio-driver stop\".",
                            kVersion, wire::kProtocolVersion, protocol));
  }
  auto request = wire::parse_hello_request(params);
  if (!request) return refusal(request.error());
  request->program = printable(std::move(request->program));
  client.hello = std::move(*request);
  // Asking the system takes longer than a host that lists its drivers should wait.
  look_at_device_ = true;
  attention_->signal();
  watch_clock();
  return wire::to_json(describe(client));
}

/// What programs can run at: the device's rates, and where they may be adapted the usual ones.
std::vector<SampleRate> DriverService::offered_rates() const {
  std::vector<SampleRate> rates = host_->info().rates;
  if (config_.config.formats == Formats::refuse) return rates;
  rates.insert(rates.end(), std::begin(kAdaptedRates), std::end(kAdaptedRates));
  std::sort(rates.begin(), rates.end());
  rates.erase(std::unique(rates.begin(), rates.end()), rates.end());
  return rates;
}

wire::BufferSizes DriverService::offered_sizes(SampleRate rate) const {
  return buffer_sizes(config_.config, ports::periods_at(host_->info(), rate));
}

wire::DriverDescription DriverService::describe(const Client& client) const {
  const ports::DeviceInfo& info = host_->info();
  wire::DriverDescription description;
  description.service_version = kVersion;
  description.device_name = info.name;
  description.input_names = info.input_names;
  description.output_names = info.output_names;
  for (auto& name : studio_.cable_channel_names(Role::sink)) {
    description.input_names.push_back(std::move(name));
  }
  for (auto& name : studio_.cable_channel_names(Role::source)) {
    description.output_names.push_back(std::move(name));
  }
  description.sample_type = config_.config.sample_type;
  description.rates = offered_rates();
  description.rate = clock_lost_ && rate_of(client) == rate_ ? SampleRate{} : rate_of(client);
  for (const SampleRate rate : description.rates) {
    description.buffer_sizes.push_back(offered_sizes(rate));
  }
  description.clock_sources = clock_sources();
  description.device_input_latency = device_latency().input;
  description.device_output_latency = device_latency().output;
  description.deferred = is_deferred(config_.config, client.program());
  description.managed = ports_.managed;
  return description;
}

Result<json> DriverService::shutdown(Client& client, const json&) {
  ports_.log(LogLevel::info,
             fmt::format("Process {} asked the service to leave.", client.process_id()));
  ports_.leave();
  return json::object();
}

// --- chores --------------------------------------------------------------------------------------

void DriverService::notify(const Client& client, const HostEvent& event) {
  notify_(client.connection, "event", wire::to_json(event));
}

nanoseconds DriverService::chores() {
  if (!finish_leaving()) return kLookInterval;
  if (!host_->is_lost()) loss_told_ = false;  // whoever brought it back
  if (host_->is_lost() && !loss_told_) device_was_lost();
  if (device_is_away() && ports_.clock.now() >= look_again_) look_for_device();
  if (std::exchange(look_at_device_, false) || (!host_->info().present && any_driver())) {
    refresh_device();
  }
  watch_clock();
  watch_parts();
  watch_latency();
  watch_calibration();
  xruns_.report(host_->flight(), history_, ports_.clock.now());
  const bool absent = !host_->info().present && any_driver();
  if (device_is_away() || absent) return kLookInterval;
  if (has_foreign_clock() && any_driver()) return kClockInterval;
  const bool watch = host_->is_running() || xruns_.pending(host_->flight());
  return watch ? kWatchInterval : kNothingToDo;
}

}  // namespace asiodrv::service
