#include "service/run_service.hpp"

#include <fmt/format.h>

#include <atomic>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "core/base/product.hpp"
#include "ipc/server/control_server.hpp"
#include "platform/platform.hpp"
#include "service/backends.hpp"
#include "service/driver_service.hpp"
#include "service/paths.hpp"
#include "service/sound_system.hpp"
#include "service/stop_requests.hpp"
#include "service/version.hpp"

namespace asiodrv::service {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr nanoseconds kServerStopLimit = milliseconds{1500};
constexpr nanoseconds kChoresLimit = seconds{2};
constexpr nanoseconds kChoresAgain = seconds{1};  // when there was no memory for them
constexpr nanoseconds kClaimLimit = seconds{2};
constexpr nanoseconds kClaimPause = milliseconds{20};
constexpr nanoseconds kTakeOverPause =
    milliseconds{500};  // of the service, while an agent is there

LoadedConfig read_configuration(const RunOptions& options) {
  return load_layers(config_places(options.config_path));
}

std::string files_used(const LoadedConfig& loaded) {
  std::string files;
  for (const ConfigLayer& layer : loaded.layers) {
    if (layer.state == LayerState::used) files += (files.empty() ? "" : " over ") + layer.path;
  }
  return files.empty() ? "default configuration" : "configuration " + files;
}

/// One run of the service.
class Program {
 public:
  explicit Program(const RunOptions& options)
      : options_(options),
        clock_(platform::make_clock()),
        threads_(platform::make_threads()),
        regions_(platform::make_shared_regions()),
        transport_(platform::make_transport(options.instance)),
        woken_(threads_->make_signal()) {
    // A service is stopped by its manager; what consoles send it at a user's sign-out is no reason.
    if (!options_.as_service) stop_requests_.emplace(*clock_, *threads_, [this] { leave(); });
    if (options_.orders) options_.orders->on_given([this] { woken_->signal(); });
  }
  ~Program() {
    if (options_.orders) options_.orders->on_given({});
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  int run();

  /// After run(): a device still holds the chores thread, which goes on using what is in here.
  [[nodiscard]] bool is_held() const { return held_; }

 private:
  void open_log();
  Result<std::unique_ptr<ports::Listener>> claim();
  Result<> choose_configuration();
  [[nodiscard]] Result<> serve(std::unique_ptr<ports::Listener> listener);
  void do_chores();
  void wait_until_done();
  void obey();
  void pass_on(void (DriverService::*what)());
  void tell(manager::Event event, const std::string& detail) {
    if (options_.events) options_.events(event, detail);
  }
  [[nodiscard]] bool unattended() const { return options_.agent || options_.as_service; }
  void leave() {
    leaving_ = true;
    woken_->signal();
  }
  int failed(const std::string& why) {
    log_(LogLevel::error, why);
    tell(manager::Event::failed, why);
    return 1;
  }

  const RunOptions options_;
  const std::unique_ptr<ports::Clock> clock_;
  const std::unique_ptr<ports::Threads> threads_;
  const std::unique_ptr<ports::SharedRegions> regions_;
  const std::unique_ptr<ports::Transport> transport_;
  const std::unique_ptr<ports::Signal> woken_;  // the main thread has something to look at
  std::atomic<bool> leaving_{false};
  std::atomic<bool> chores_end_{false};
  bool held_ = false;
  std::optional<StopRequests> stop_requests_;
  Log log_ = make_terminal_log();
  LoadedConfig config_;
  std::unique_ptr<Backends> backends_;
  std::unique_ptr<ports::Device> device_;
  std::unique_ptr<DriverService> service_;
  std::unique_ptr<ipc::ControlServer> server_;
};

void Program::open_log() {
  if (!unattended()) return;
  // An agent may still write while the service waits: each has a file of its own.
  const std::string name = kProduct.id +
                           (options_.instance.empty() ? std::string() : "-" + options_.instance) +
                           (options_.as_service ? ".service" : "");
  auto log = make_file_log(log_path(name));
  // Without a place to write, an agent is silent: its standard error stream leads nowhere.
  log_ = log ? std::move(*log) : [](LogLevel, const std::string&) {};
  if (!options_.reason.empty()) {
    log_(LogLevel::info, "A program started this service by itself: " + options_.reason + ".");
  }
  if (options_.agent && platform::ends_with_starter()) {
    log_(LogLevel::warning,
         "Windows ends this service with the program that started it, which lets nobody out of its "
         "job. Programs that play go on when another one starts the service.");
  }
}

/// Takes the endpoint. A service that is just leaving holds it for a moment longer than it answers,
/// so "taken" counts only when the holder answers, or keeps holding it. The system's service waits
/// however long it takes: an agent leaves when its programs have gone, and they would hear a gap.
Result<std::unique_ptr<ports::Listener>> Program::claim() {
  const Instant limit = clock_->now() + kClaimLimit;
  for (bool waits = false;;) {
    auto listener = transport_->listen();
    if (listener || listener.error().code != ErrorCode::already_exists) return listener;
    if (options_.as_service) {
      if (!std::exchange(waits, true)) {
        log_(LogLevel::info,
             "Another process serves this session; the service takes over when "
             "that one leaves.");
      }
      obey();
      if (leaving_) return listener;
      woken_->wait(clock_->now() + kTakeOverPause);
      continue;
    }
    const auto other = transport_->connect(clock_->now() + milliseconds{200});
    if (other) {
      return fail(
          ErrorCode::already_exists,
          fmt::format("Another asio-driver service is running already (process {}). Stop it "
                      "with \"asio-driver stop\", or choose another --instance.",
                      (*other)->peer().process_id));
    }
    if (clock_->now() >= limit) return listener;
    clock_->sleep_until(clock_->now() + kClaimPause);
  }
}

/// Fills config_ and device_. Fails in the foreground only; see run_service.
Result<> Program::choose_configuration() {
  config_ = read_configuration(options_);
  for (const ConfigLayer& layer : config_.layers) {
    if (layer.state == LayerState::foreign) log_(LogLevel::warning, layer.error);
  }
  if (!config_.error.empty()) {
    if (!unattended()) return fail(ErrorCode::malformed, config_.error);
    log_(LogLevel::error, "A configuration file is not used: " + config_.error);
  }
  backends_->remember_in(endpoints_path(config_.path, options_.instance));
  auto wanted = backends_->make(config_.config);
  if (wanted) {
    device_ = std::move(*wanted);
    return {};
  }
  if (!unattended()) return refusal(wanted);
  log_(LogLevel::error, "The configuration is not used, defaults are: " + wanted.error().message);
  config_.error += (config_.error.empty() ? "" : "\n") + wanted.error().message;
  for (ConfigLayer& layer : config_.layers) {
    if (layer.state == LayerState::used) layer.state = LayerState::refused;
  }
  config_.config = Config{};
  config_.origins.clear();
  config_.loaded = false;
  auto device = backends_->make(config_.config);
  if (!device) return tl::unexpected<Error>(std::move(device.error()));
  device_ = std::move(*device);
  return {};
}

int Program::run() {
  open_log();
  auto listener = claim();
  if (!listener) {
    const bool beaten = unattended() && listener.error().code == ErrorCode::already_exists;
    if (!beaten) return failed(listener.error().message);
    log_(LogLevel::info, listener.error().message);
    return 0;
  }
  backends_ = std::make_unique<Backends>(*clock_, *threads_, make_sound_system(), log_);
  if (auto chosen = choose_configuration(); !chosen) return failed(chosen.error().message);
  log_(LogLevel::info,
       fmt::format("asio-driver {} runs as process {}{}; {}.", kVersion, platform::process_id(),
                   options_.agent ? " until nobody needs it" : "", files_used(config_)));
  tell(manager::Event::started,
       fmt::format("Version {}, process {}.", kVersion, platform::process_id()));
  if (auto served = serve(std::move(*listener)); !served) return failed(served.error().message);
  log_(LogLevel::info, "asio-driver has stopped.");
  tell(manager::Event::stopped, fmt::format("Process {}.", platform::process_id()));
  return 0;
}

/// Until it is to leave. Fails when it could not begin.
Result<> Program::serve(std::unique_ptr<ports::Listener> listener) {
  DriverServicePorts ports{*clock_, *threads_, *regions_,
                           [this](const Config& config) { return backends_->make(config); }};
  ports.list_devices = [this](const Config& config) { return backends_->list(config); };
  ports.hold_boost = [] { return std::make_shared<platform::StreamingBoost>(); };
  ports.log = log_;
  ports.process_id = platform::process_id();
  ports.leave = [this] { leave(); };
  ports.on_idle = [this] { woken_->signal(); };
  ports.managed = options_.as_service;
  ports.on_device_lost = [this](const std::string& what) {
    tell(manager::Event::device_lost, what);
  };
  ports.reload = [this] { return read_configuration(options_); };
  ports.routing_path = routing_path(config_.path, options_.instance);
  ports.calibration_path = calibration_path(config_.path, options_.instance);
  service_ = std::make_unique<DriverService>(std::move(ports), config_, std::move(device_));

  ipc::ControlServerOptions server_options;
  server_options.log = [this](const std::string& line) { log_(LogLevel::warning, line); };
  server_options.log_foreign = [this](const std::string& line) {
    tell(manager::Event::client_refused, line);
  };
  server_ = std::make_unique<ipc::ControlServer>(*clock_, *threads_, *service_,
                                                 std::move(server_options));
  service_->set_notify(
      [this](ipc::ConnectionId connection, std::string_view method, const nlohmann::json& params) {
        server_->notify(connection, method, params);
      });

  auto chores = threads_->start("asiodrv-chores", ports::ThreadRole::control, [this] {
    while (!chores_end_) do_chores();
  });
  auto started = chores ? server_->start(std::move(listener))
                        : Result<>(tl::unexpected<Error>(chores.error()));
  if (started) wait_until_done();

  server_->run_serialised([this] { service_->begin_leaving(); });
  server_->stop(clock_->now() + kServerStopLimit);
  chores_end_ = true;
  service_->attention().signal();
  if (chores && !(*chores)->join(clock_->now() + kChoresLimit)) {
    log_(LogLevel::error, "A device does not let go; its use ends with the process.");
    held_ = true;
    return started;
  }
  server_.reset();
  service_.reset();
  return started;
}

void Program::do_chores() {
  nanoseconds pause = kChoresAgain;
  try {
    server_->run_serialised([&] { pause = service_->chores(); });
  } catch (const std::bad_alloc&) {  // no reason to end everybody's sound: all is done again
  }
  service_->attention().wait(clock_->now() + pause);
}

/// Does what the system has ordered since the last time.
void Program::obey() {
  if (!options_.orders) return;
  for (const manager::Order order : options_.orders->take()) {
    switch (order) {
      case manager::Order::stop: leaving_ = true; break;
      case manager::Order::suspend: pass_on(&DriverService::suspend); break;
      case manager::Order::resume: pass_on(&DriverService::resume); break;
      case manager::Order::look_at_devices: pass_on(&DriverService::look_at_device); break;
    }
  }
}

void Program::pass_on(void (DriverService::*what)()) {
  if (!server_) return;
  try {
    server_->run_serialised([this, what] { (service_.get()->*what)(); });
  } catch (const std::bad_alloc&) {  // no reason to end everybody's sound: the chores do the rest
    service_->attention().signal();
  }
}

void Program::wait_until_done() {
  const bool leaves_when_idle = !options_.as_service && (options_.agent || options_.idle_seconds);
  for (obey(); !leaving_; obey()) {
    Instant until = clock_->now() + hours{1};
    if (leaves_when_idle) {
      std::optional<Instant> idle;
      seconds patience{0};  // a new configuration may change it
      server_->run_serialised([&] {
        idle = service_->idle_since();
        patience = seconds{options_.idle_seconds.value_or(service_->config().idle_seconds)};
      });
      if (idle) {
        until = *idle + patience;
        if (clock_->now() >= until) {
          log_(LogLevel::info, fmt::format("No program was connected for {} s.", patience.count()));
          return;
        }
      }
    }
    woken_->wait(until);
  }
}

}  // namespace

int run_service(const RunOptions& options) {
  auto program = std::make_unique<Program>(options);
  const int code = program->run();
  // The process ends now, and with it the thread; destroying what it uses would end it in a crash.
  if (program->is_held()) static_cast<void>(program.release());
  return code;
}

}  // namespace asiodrv::service
