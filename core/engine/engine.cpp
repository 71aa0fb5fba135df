// The control side of the engine: who takes part, and how a change reaches the engine thread.
#include "core/engine/engine.hpp"

#include <algorithm>
#include <utility>

#include "core/engine/client.hpp"
#include "core/engine/scratch.hpp"
#include "core/engine/wiring.hpp"

namespace asiodrv::engine {
namespace {

/// A cycle ends within a period (170 ms at most); one that does not is stuck for good.
constexpr nanoseconds kPlanReleaseLimit = std::chrono::seconds{1};
constexpr nanoseconds kPlanReleaseStep = std::chrono::microseconds{50};
/// A step that takes longer is a machine that stood still, and the cycle with it.
constexpr nanoseconds kLongestStep = std::chrono::milliseconds{10};

/// So long after a question the levels are measured on.
constexpr nanoseconds kMeteringTime = std::chrono::seconds{2};

}  // namespace

Engine::Engine(ports::Clock& clock, const EngineOptions& options)
    : clock_(clock),
      options_(options),
      wiring_(std::make_unique<Wiring>()),
      scratch_(std::make_unique<Scratch>()) {
  install_plan();
}

Engine::~Engine() = default;

void Engine::set_device(ports::Device* device, const ports::DeviceFormat& format) {
  const ports::MutexLock lock(control_);
  device_ = device;
  format_ = format;
  previous_causes_ = 0;
  if (device != nullptr) {
    const ports::DeviceInfo& info = device->info();
    *scratch_ = Scratch(info.input_channels, info.output_channels, format);
    wiring_->set_device(info.input_channels, info.output_channels, format.period);
    for (const auto& client : clients_) (void)client->prepare(format);  // who cannot run rests
  } else {
    wiring_->set_device(0, 0, Frames{0});
  }
  install_plan();
}

Engine::Client* Engine::find(std::uint32_t id) const noexcept {
  for (const auto& client : clients_) {
    if (client->setup.id == id) return client.get();
  }
  return nullptr;
}

bool Engine::fits(const ClientSetup& setup) const noexcept {
  const auto source = [this](const Port& port) { return wiring_->offers_source(port); };
  const auto sink = [this](const Port& port) { return wiring_->offers_sink(port); };
  return device_ != nullptr && std::all_of(setup.inputs.begin(), setup.inputs.end(), source) &&
         std::all_of(setup.outputs.begin(), setup.outputs.end(), sink);
}

Result<> Engine::judge(const ClientSetup& setup) const {
  if (device_ == nullptr) return fail(ErrorCode::invalid_state, "No device is open.");
  if (clients_.size() >= kMaxClients) {
    return fail(ErrorCode::limit_reached, "The engine serves at most 64 clients at once.");
  }
  if (setup.id == kNoClient || find(setup.id) != nullptr) {
    return fail(ErrorCode::invalid_argument, "The client's number is already in use.");
  }
  if (!fits(setup)) {
    return fail(ErrorCode::invalid_argument, "A channel lies outside the device and the cables.");
  }
  if (setup.inputs.size() != setup.input_halves.size() ||
      setup.outputs.size() != setup.output_halves.size() || setup.wake == nullptr ||
      setup.ack == nullptr || setup.mailbox == nullptr) {
    return fail(ErrorCode::invalid_argument, "The client's buffers are incomplete.");
  }
  return {};
}

Result<> Engine::add_client(const ClientSetup& setup) {
  const ports::MutexLock lock(control_);
  if (auto judged = judge(setup); !judged) return judged;
  auto client = std::make_shared<Client>(setup);
  if (auto prepared = client->prepare(format_); !prepared) return prepared;
  clients_.push_back(std::move(client));
  return {};
}

Result<> Engine::start_client(std::uint32_t id, bool prefilled) {
  const ports::MutexLock lock(control_);
  Client* const client = find(id);
  if (client == nullptr) return fail(ErrorCode::not_found, "No such client.");
  if (client->running) return fail(ErrorCode::invalid_state, "The client is already running.");
  if (device_ != nullptr && !client->is_prepared()) {
    return fail(ErrorCode::format_refused,
                "The program's buffers do not fit the device's rate and period any more. Let the "
                "program make new ones, or choose a larger buffer size.");
  }
  client->restart(prefilled);  // not in the plan: the engine thread does not see it
  set_running(*client, true);
  return {};
}

void Engine::stop_client(std::uint32_t id) {
  const ports::MutexLock lock(control_);
  Client* const client = find(id);
  if (client == nullptr || !client->running) return;
  set_running(*client, false);
}

void Engine::set_running(Client& client, bool running) {
  const bool before = std::exchange(client.running, running);
  try {
    install_plan();
  } catch (...) {
    client.running = before;
    throw;
  }
}

void Engine::remove_client(std::uint32_t id) {
  const ports::MutexLock lock(control_);
  Client* const client = find(id);
  if (client == nullptr) return;
  client->removed.store(true, std::memory_order_release);
  client->setup.ack->interrupt();  // a cycle that waits for it stops waiting
  try {
    if (client->running) set_running(*client, false);
  } catch (...) {  // it stays: the engine still rings it, and waits for it
    client->removed.store(false, std::memory_order_release);
    throw;
  }
  std::erase_if(clients_, [client](const auto& each) { return each.get() == client; });
}

Result<> Engine::set_graph(const GraphSpec& graph) {
  const ports::MutexLock lock(control_);
  if (auto judged = Wiring::judge(graph); !judged) return judged;
  auto earlier = wiring_->set(graph);
  try {
    install_plan();
  } catch (...) {  // or the next plan, for another reason, would bring what was refused
    wiring_->restore(std::move(earlier));
    throw;
  }
  return {};
}

Levels Engine::levels() {
  const ports::MutexLock lock(control_);
  const Instant until = clock_.now() + kMeteringTime;
  const bool resting =
      metering_until_ns_.exchange(until.ns, std::memory_order_relaxed) < clock_.now().ns;
  Levels levels;
  if (device_ == nullptr) return levels;
  if (resting) {  // what was measured long ago is not how loud it is now
    scratch_->inputs.clear();
    scratch_->outputs.clear();
  }
  levels.inputs = scratch_->inputs.read();
  levels.outputs = scratch_->outputs.read();
  for (const auto& [id, cable] : wiring_->cables()) {
    if (resting) cable->meters.clear();
    levels.cables.push_back({id, cable->meters.read(), {}});
  }
  for (const auto& client : clients_) {
    if (!client->running) continue;
    if (resting) {
      client->input_meters.clear();
      client->output_meters.clear();
    }
    levels.clients.push_back(
        {client->setup.id, client->input_meters.read(), client->output_meters.read()});
  }
  return levels;
}

void Engine::install_plan() {
  retired_.reserve(retired_.size() + 1);  // once the plan is active, nothing may fail any more
  std::vector<std::shared_ptr<Client>> playing;
  for (const auto& client : clients_) {
    // A channel whose other end has gone since (another device, a removed cable) is silent.
    if (device_ != nullptr && client->running && client->is_prepared()) playing.push_back(client);
  }
  auto plan = wiring_->compile(playing);
  auto old = std::exchange(plan_, std::move(plan));
  active_.store(plan_.get(), std::memory_order_seq_cst);

  // The engine thread marks the cycle before it picks the plan up. So if no cycle is under way
  // now, the next one sees the new plan; if one is, the old plan is free once that cycle ended.
  const std::uint64_t state = cycle_state_.load(std::memory_order_seq_cst);
  if (state % 2 == 1) {
    nanoseconds waited{0};
    while (cycle_state_.load(std::memory_order_acquire) == state) {
      if (waited >= kPlanReleaseLimit) {
        retired_.push_back(std::move(old));  // never freed while it might still be read
        return;
      }
      const Instant before = clock_.now();
      clock_.sleep_until(before + kPlanReleaseStep);
      waited += std::min(clock_.now() - before, kLongestStep);
    }
  }
}

ClientLatency Engine::latency(std::uint32_t id) const {
  const ports::MutexLock lock(control_);
  const Client* const client = find(id);
  if (client == nullptr) return {};
  return client->latency(format_.period);
}

ClientCounters Engine::counters(std::uint32_t id) const {
  const ports::MutexLock lock(control_);
  const Client* const client = find(id);
  if (client == nullptr) return {};
  return {client->cycles.load(std::memory_order_relaxed),
          client->late.load(std::memory_order_relaxed),
          client->away.load(std::memory_order_relaxed),
          client->start_period.load(std::memory_order_relaxed),
          client->running,
          device_ != nullptr && !client->is_prepared()};
}

std::uint32_t Engine::running_clients() const noexcept {
  const ports::MutexLock lock(control_);
  return static_cast<std::uint32_t>(plan_->running.size());
}

std::uint32_t Engine::started_clients() const noexcept {
  const ports::MutexLock lock(control_);
  return static_cast<std::uint32_t>(std::count_if(clients_.begin(), clients_.end(),
                                                  [](const auto& each) { return each->running; }));
}

void Engine::request_stop() noexcept {
  stop_requested_.store(true, std::memory_order_release);
  const ports::MutexLock lock(control_);
  if (device_ != nullptr) device_->interrupt();
}

}  // namespace asiodrv::engine
