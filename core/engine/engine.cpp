// The control side of the engine: who takes part, and how a change reaches the engine thread.
#include "core/engine/engine.hpp"

#include <algorithm>
#include <utility>

#include "core/engine/client.hpp"
#include "core/engine/plan.hpp"

namespace asiodrv::engine {
namespace {

/// A cycle ends within a period (170 ms at most); one that does not is stuck for good.
constexpr nanoseconds kPlanReleaseLimit = std::chrono::seconds{1};
constexpr nanoseconds kPlanReleaseStep = std::chrono::microseconds{50};

}  // namespace

Engine::Engine(ports::Clock& clock, const EngineOptions& options)
    : clock_(clock), options_(options), scratch_(std::make_unique<Scratch>()) {
  install_plan();
}

Engine::~Engine() = default;

void Engine::set_device(ports::Device* device, const ports::DeviceFormat& format) {
  const ports::MutexLock lock(control_);
  device_ = device;
  format_ = format;
  previous_causes_ = 0;
  if (device != nullptr) {
    scratch_->sounding.assign(device->info().output_channels, 0);
    scratch_->block.assign(format.period.count, 0.0F);
    for (const auto& client : clients_) client->restart();
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
  const auto inside = [](const std::vector<std::uint32_t>& channels, std::uint32_t limit) {
    return std::all_of(channels.begin(), channels.end(),
                       [limit](std::uint32_t channel) { return channel < limit; });
  };
  return device_ != nullptr && inside(setup.inputs, device_->info().input_channels) &&
         inside(setup.outputs, device_->info().output_channels);
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
    return fail(ErrorCode::invalid_argument, "A channel lies outside the device.");
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
  clients_.push_back(std::make_shared<Client>(setup));
  return {};
}

Result<> Engine::start_client(std::uint32_t id) {
  const ports::MutexLock lock(control_);
  Client* const client = find(id);
  if (client == nullptr) return fail(ErrorCode::not_found, "No such client.");
  if (client->running) return fail(ErrorCode::invalid_state, "The client is already running.");
  client->restart();  // not in the plan: the engine thread does not see it
  client->running = true;
  install_plan();
  return {};
}

void Engine::stop_client(std::uint32_t id) {
  const ports::MutexLock lock(control_);
  Client* const client = find(id);
  if (client == nullptr || !client->running) return;
  client->running = false;
  install_plan();
}

void Engine::remove_client(std::uint32_t id) {
  const ports::MutexLock lock(control_);
  Client* const client = find(id);
  if (client == nullptr) return;
  client->removed.store(true, std::memory_order_release);
  client->setup.ack->interrupt();  // a cycle that waits for it stops waiting
  const bool was_running = std::exchange(client->running, false);
  std::shared_ptr<Client> keep;  // until the plan that names it is gone
  std::erase_if(clients_, [&](const std::shared_ptr<Client>& each) {
    if (each.get() != client) return false;
    keep = each;
    return true;
  });
  if (was_running) install_plan();
}

void Engine::install_plan() {
  auto plan = std::make_unique<Plan>();
  if (device_ != nullptr) plan->sources.assign(device_->info().output_channels, 0);
  for (const auto& client : clients_) {
    if (!client->running || !fits(client->setup)) continue;
    plan->running.push_back(client);
    for (const std::uint32_t output : client->setup.outputs) ++plan->sources[output];
  }
  auto old = std::exchange(plan_, std::move(plan));
  active_.store(plan_.get(), std::memory_order_seq_cst);

  // The engine thread marks the cycle before it picks the plan up. So if no cycle is under way
  // now, the next one sees the new plan; if one is, the old plan is free once that cycle ended.
  const std::uint64_t state = cycle_state_.load(std::memory_order_seq_cst);
  if (state % 2 == 1) {
    const Instant limit = clock_.now() + kPlanReleaseLimit;
    while (cycle_state_.load(std::memory_order_acquire) == state) {
      if (clock_.now() >= limit) {
        retired_.push_back(std::move(old));  // never freed while it might still be read
        return;
      }
      clock_.sleep_until(clock_.now() + kPlanReleaseStep);
    }
  }
}

ClientCounters Engine::counters(std::uint32_t id) const {
  const ports::MutexLock lock(control_);
  const Client* const client = find(id);
  if (client == nullptr) return {};
  return {client->cycles.load(std::memory_order_relaxed),
          client->late.load(std::memory_order_relaxed),
          client->away.load(std::memory_order_relaxed),
          client->start_period.load(std::memory_order_relaxed), client->running};
}

std::uint32_t Engine::running_clients() const noexcept {
  const ports::MutexLock lock(control_);
  return static_cast<std::uint32_t>(plan_->running.size());
}

void Engine::request_stop() noexcept {
  stop_requested_.store(true, std::memory_order_release);
  const ports::MutexLock lock(control_);
  if (device_ != nullptr) device_->interrupt();
}

}  // namespace asiodrv::engine
