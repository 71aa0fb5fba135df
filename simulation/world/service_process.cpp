#include "simulation/world/service_process.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "simulation/world/host.hpp"

namespace asiodrv::simulation {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr std::size_t kLargerThanLists = 300;  // bytes
constexpr nanoseconds kStopLimit = std::chrono::milliseconds{1500};

}  // namespace

class ServiceProcess::Gate final : public ipc::ControlHandler {
 public:
  Gate(World& world, service::DriverService& inner) : world_(world), inner_(inner) {}

  void on_connect(ipc::ConnectionId connection, const ports::PeerIdentity& peer) override {
    inner_.on_connect(connection, peer);
  }
  void on_disconnect(ipc::ConnectionId connection) override { inner_.on_disconnect(connection); }

  Result<json> on_request(ipc::ConnectionId connection, const std::string& method,
                          const json& params) override {
    if (world_.scenario.canary == Canary::no_answer && method == "session.stop") {
      world_.sleep(seconds{60});
    }
    if (world_.scenario.canary == Canary::refusal && method == "session.create") {
      return fail(ErrorCode::internal, "This is refused for no reason.");
    }
    if (world_.scenario.canary == Canary::false_memory && method == "session.create") {
      return fail(ErrorCode::out_of_memory, "There is memory, but not for this.");
    }
    if (world_.scenario.canary == Canary::false_mode && method == "session.create") {
      return fail(ErrorCode::format_refused, "Somebody else uses another format, it is said.");
    }
    const bool noisy = method == "session.create" && !world_.calm(seconds{5});
    if (world_.scenario.canary == Canary::slow_answer && noisy) world_.sleep(seconds{2});
    if (world_.scenario.canary == Canary::masked_refusal && noisy) {
      return fail(ErrorCode::internal, "This is refused for no reason, now that others err.");
    }
    const double hours = 1.0 / 3600.0;  // about one request a second
    const bool starve =
        world_.rng.chance(world_.scenario.rate_of(Fault::allocation_failure) * hours);
    if (!starve || world_.fail_allocations == nullptr) {
      return inner_.on_request(connection, method, params);
    }
    // The JSON library allocates in destructors and cannot bear it when that fails. So where values
    // are built, what fails is larger than any list of theirs; a start and a stop build none.
    const bool any = method == "session.start" || method == "session.stop";
    struct Armed {
      World& world;
      const std::string& method;
      ~Armed() {
        if (!world.fail_allocations(false, 0)) return;
        world.fault(Fault::allocation_failure, "an allocation has failed inside " + method);
      }
    } const armed{world_, method};
    (void)world_.fail_allocations(true, any ? 0 : kLargerThanLists);
    return inner_.on_request(connection, method, params);
  }

 private:
  World& world_;
  service::DriverService& inner_;
};

ServiceProcess::ServiceProcess(World& world) : world_(world), threads_(world.scheduler, process_) {}

ServiceProcess::~ServiceProcess() = default;

Result<> ServiceProcess::begin() {
  service::LoadedConfig config;
  config.config.deferred_programs = {"lazy.exe"};
  config.config.max_frames = Frames{8192};
  config.config.formats =
      world_.scenario.adapted ? service::Formats::follow : service::Formats::refuse;
  config.config.preferred_frames = world_.scenario.period;
  config.config.simulated.rate_hz = world_.scenario.rate.hz;
  config.loaded = true;

  DeviceTuning tuning;
  tuning.options.inputs = world_.scenario.inputs;
  tuning.options.outputs = world_.scenario.outputs;
  tuning.options.default_rate = world_.scenario.rate;
  tuning.options.jitter_us = world_.scenario.jitter_us;
  tuning.options.jitter_seed = world_.scenario.seed;
  tuning.max_drift_ppm = world_.scenario.max_drift_ppm;
  tuning.seed = world_.scenario.seed;
  const auto make_device = [this, tuning](const service::Config&) {
    return Result<std::unique_ptr<ports::Device>>(
        std::make_unique<WanderingDevice>(world_.clock, tuning, world_.device));
  };
  const auto may_fail =
      [this, make_device](const service::Config& wanted) -> Result<std::unique_ptr<ports::Device>> {
    if (world_.scenario.rate_of(Fault::device_failure) > 0 && world_.rng.chance(0.5)) {
      world_.fault(Fault::device_failure, "the device cannot be made");
      return fail(ErrorCode::device_gone, "The device cannot be made.");
    }
    return make_device(wanted);
  };
  auto listener = world_.transport.listen();
  if (!listener) return tl::unexpected<Error>(std::move(listener.error()));

  world_.device->dead = false;
  service::DriverServicePorts ports{world_.clock, threads_, world_.regions, may_fail};
  ports.process_id = 1000 + world_.services;
  ports.reload = [this,
                  config] {  // another device takes over: who is between two rings waits longer
    const Instant now = world_.clock.now();
    world_.troubles.add(now, now + std::chrono::seconds{1});
    return config;
  };
  ports.log = [this](service::LogLevel, const std::string& line) {
    world_.journal.note("service: " + line);
  };
  service_ = std::make_unique<service::DriverService>(std::move(ports), config,
                                                      *make_device(config.config));
  gate_ = std::make_unique<Gate>(world_, *service_);
  ipc::ControlServerOptions options;
  options.log = [this](const std::string& line) { world_.journal.note("service: " + line); };
  server_ = std::make_unique<ipc::ControlServer>(world_.clock, threads_, *gate_, options);
  service_->set_notify([this](ipc::ConnectionId connection, std::string_view method,
                              const json& params) { server_->notify(connection, method, params); });
  auto chores = threads_.start("asiodrv-chores", ports::ThreadRole::control, [this] {
    while (!done_) {
      nanoseconds pause{0};
      server_->run_serialised([&] { pause = service_->chores(); });
      service_->attention().wait(world_.clock.now() + pause);
    }
  });
  if (!chores) return tl::unexpected<Error>(std::move(chores.error()));
  chores_ = std::move(*chores);
  return server_->start(std::move(*listener));
}

void ServiceProcess::end(bool crash) {
  if (crash) {
    world_.device->dead = true;  // the last cycle has been
    for (const auto& host : world_.hosts) host->cut_off();
  } else {
    server_->run_serialised([this] { service_->begin_leaving(); });
  }
  server_->stop(world_.clock.now() + kStopLimit);
  done_ = true;
  service_->attention().signal();
  chores_->join(world_.clock.now() + seconds{2});
  server_.reset();
  gate_.reset();
  service_.reset();
}

}  // namespace asiodrv::simulation
