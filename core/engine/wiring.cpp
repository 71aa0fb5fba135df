#include "core/engine/wiring.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "core/engine/client.hpp"

namespace asiodrv::engine {
namespace {

bool is_cable(const Port& port) noexcept { return port.node == Node::cable; }
bool is_client(const Port& port) noexcept { return port.node == Node::client; }

/// True when a chain of routes leads from a cable back to itself.
bool has_loop(const GraphSpec& graph) {
  std::map<Port, std::vector<Port>> next;
  for (const Route& route : graph.routes) {
    if (is_cable(route.source) && is_cable(route.sink)) {
      next[route.source].push_back(route.sink);
    }
  }
  std::set<Port> done, under_way;
  const std::function<bool(const Port&)> visit = [&](const Port& port) {
    if (done.contains(port)) return false;
    if (!under_way.insert(port).second) return true;
    if (const auto found = next.find(port); found != next.end()) {
      for (const Port& each : found->second) {
        if (visit(each)) return true;
      }
    }
    under_way.erase(port);
    done.insert(port);
    return false;
  };
  return std::any_of(next.begin(), next.end(), [&](const auto& each) { return visit(each.first); });
}

}  // namespace

Result<> Engine::Wiring::judge(const GraphSpec& graph) {
  if (graph.cables.size() > kMaxCables || graph.routes.size() > kMaxRoutes) {
    return fail(ErrorCode::limit_reached, "There are at most 64 cables and 16384 routes.");
  }
  std::map<std::uint32_t, std::uint32_t> channels;
  for (const CableSpec& cable : graph.cables) {
    if (cable.channels == 0 || cable.channels > kMaxCableChannels) {
      return fail(ErrorCode::invalid_argument, "A cable has 1 to 128 channels.");
    }
    if (cable.id == 0 || cable.id >= 0x8000'0000 ||
        !channels.emplace(cable.id, cable.channels).second) {
      return fail(ErrorCode::invalid_argument, "A cable's number is in use or out of range.");
    }
  }
  std::set<std::pair<Port, Port>> seen;
  for (const Route& route : graph.routes) {
    if (!(std::fabs(route.gain.factor) <= kMaxRouteGain)) {  // NaN too
      return fail(ErrorCode::invalid_argument, "A route's gain is not a number up to +24 dB.");
    }
    for (const Port& port : {route.source, route.sink}) {
      const auto cable = channels.find(port.owner);
      if (is_cable(port) && (cable == channels.end() || port.channel >= cable->second)) {
        return fail(ErrorCode::invalid_argument, "A route ends at a cable that is not there.");
      }
    }
    if (!seen.emplace(route.source, route.sink).second) {
      return fail(ErrorCode::invalid_argument, "Two routes have the same ends.");
    }
  }
  if (has_loop(graph)) {
    return fail(ErrorCode::invalid_argument, "The routes lead from a cable back to itself.");
  }
  return {};
}

Engine::Wiring::Earlier Engine::Wiring::set(const GraphSpec& graph) {
  GraphSpec next = graph;
  std::map<std::uint32_t, std::shared_ptr<Cable>> cables;
  for (const CableSpec& spec : graph.cables) {
    const auto before = cables_.find(spec.id);
    const bool stays = before != cables_.end() && before->second->channels() == spec.channels;
    cables[spec.id] =
        stays ? before->second : std::make_shared<Cable>(spec.id, spec.channels, period_);
  }
  return {std::exchange(graph_, std::move(next)), std::exchange(cables_, std::move(cables))};
}

void Engine::Wiring::restore(Earlier earlier) noexcept {
  graph_ = std::move(earlier.graph);
  cables_ = std::move(earlier.cables);
}

void Engine::Wiring::set_device(std::uint32_t inputs, std::uint32_t outputs, Frames period) {
  device_inputs_ = inputs;
  device_outputs_ = outputs;
  period_ = period;
  states_.clear();
  relays_.clear();
  known_.clear();
  cables_.clear();
  set(GraphSpec(graph_));
}

bool Engine::Wiring::offers_source(const Port& port) const noexcept {
  if (port.node == Node::device) return port.channel < device_inputs_;
  const auto cable = is_cable(port) ? cables_.find(port.owner) : cables_.end();
  return cable != cables_.end() && port.channel < cable->second->channels();
}

bool Engine::Wiring::offers_sink(const Port& port) const noexcept {
  return port.node == Node::device ? port.channel < device_outputs_ : offers_source(port);
}

std::unique_ptr<Engine::Plan> Engine::Wiring::compile(
    const std::vector<std::shared_ptr<Client>>& clients) {
  auto plan = std::make_unique<Plan>();
  plan->outputs.resize(device_outputs_);
  for (const auto& client : clients) {
    Plan::Member member;
    member.client = client;
    member.inputs.resize(client->setup.inputs.size());
    plan->running.push_back(std::move(member));
  }
  Gains gains = wanted(clients);
  relay(gains);
  const auto use = [&plan](const std::shared_ptr<Cable>& cable) {
    plan->cables.push_back({cable, std::vector<Sink>(cable->channels())});
  };
  for (const auto& [id, cable] : cables_) use(cable);
  for (const auto& [port, cable] : relays_) use(cable);
  let_go(gains, *plan);
  for (const auto& [ends, gain] : gains) connect(*plan, ends, gain);
  find_direct(*plan);
  known_.clear();
  for (const auto& client : clients) known_.insert(client->setup.id);
  return plan;
}

/// Straight connections and routes whose ends are there. A route may replace a straight connection.
Engine::Wiring::Gains Engine::Wiring::wanted(const std::vector<std::shared_ptr<Client>>& clients) {
  Gains gains;
  std::map<std::uint32_t, const ClientSetup*> setups;
  for (const auto& client : clients) {
    const ClientSetup& setup = client->setup;
    setups[setup.id] = &setup;
    for (std::uint32_t i = 0; i < setup.inputs.size(); ++i) {
      if (offers_source(setup.inputs[i])) {
        gains[{setup.inputs[i], {Node::client, setup.id, i}}] = 1.0F;
      }
    }
    for (std::uint32_t i = 0; i < setup.outputs.size(); ++i) {
      if (offers_sink(setup.outputs[i])) {
        gains[{{Node::client, setup.id, i}, setup.outputs[i]}] = 1.0F;
      }
    }
  }
  const auto client_has = [&](const Port& port, bool as_source) {
    const auto found = setups.find(port.owner);
    if (found == setups.end()) return false;
    return port.channel < (as_source ? found->second->outputs : found->second->inputs).size();
  };
  for (const Route& route : graph_.routes) {
    const bool from =
        is_client(route.source) ? client_has(route.source, true) : offers_source(route.source);
    const bool to = is_client(route.sink) ? client_has(route.sink, false) : offers_sink(route.sink);
    if (from && to) gains[{route.source, route.sink}] = route.gain.factor;
  }
  return gains;
}

/// A client's input is filled before any client has produced anything in this period, so what comes
/// from another client has to wait for one period in a cable.
void Engine::Wiring::relay(Gains& gains) {
  std::set<Port> needed;
  for (auto at = gains.begin(); at != gains.end();) {
    const auto [source, sink] = at->first;
    if (!is_client(source) || !is_client(sink)) {
      ++at;
      continue;
    }
    needed.insert(source);
    auto& cable = relays_[source];
    if (!cable) cable = std::make_shared<Cable>(next_relay_++, 1, period_);
    const Port middle{Node::cable, cable->id(), 0};
    gains[{middle, sink}] = at->second;
    gains[{source, middle}] = 1.0F;
    at = gains.erase(at);
  }
  for (const auto& [ends, state] : states_) {  // what still runs out needs its cable
    if (!is_client(ends.first) || state->gain.load(std::memory_order_relaxed) == 0.0F) continue;
    const auto found = relays_.find(ends.first);
    if (found != relays_.end() && found->second->id() == ends.second.owner) {
      needed.insert(ends.first);
    }
  }
  std::erase_if(relays_, [&](const auto& each) { return !needed.contains(each.first); });
}

/// Strands that are no longer wanted but still sound run out to silence before they go.
void Engine::Wiring::let_go(Gains& gains, const Plan& plan) {
  const auto there = [&](const Ends& ends) {
    return has_source(plan, ends.first, device_inputs_) &&
           find_sink(const_cast<Plan&>(plan), ends.second) != nullptr;
  };
  std::erase_if(states_, [&](const auto& each) {
    if (gains.contains(each.first)) return false;
    if (each.second->gain.load(std::memory_order_relaxed) == 0.0F || !there(each.first)) {
      return true;
    }
    gains[each.first] = 0.0F;
    return false;
  });
}

bool Engine::Wiring::has_source(const Plan& plan, const Port& port,
                                std::uint32_t device_inputs) noexcept {
  if (port.node == Node::device) return port.channel < device_inputs;
  if (is_cable(port)) {
    return std::any_of(plan.cables.begin(), plan.cables.end(), [&](const Plan::CableUse& use) {
      return use.cable->id() == port.owner && port.channel < use.cable->channels();
    });
  }
  return std::any_of(plan.running.begin(), plan.running.end(), [&](const Plan::Member& member) {
    return member.client->setup.id == port.owner &&
           port.channel < member.client->setup.outputs.size();
  });
}

Sink* Engine::Wiring::find_sink(Plan& plan, const Port& port) noexcept {
  const auto pick = [&port](std::vector<Sink>& sinks) {
    return port.channel < sinks.size() ? &sinks[port.channel] : nullptr;
  };
  if (port.node == Node::device) return pick(plan.outputs);
  if (is_cable(port)) {
    for (Plan::CableUse& use : plan.cables) {
      if (use.cable->id() == port.owner) return pick(use.sinks);
    }
    return nullptr;
  }
  for (Plan::Member& member : plan.running) {
    if (member.client->setup.id == port.owner) return pick(member.inputs);
  }
  return nullptr;
}

void Engine::Wiring::connect(Plan& plan, const Ends& ends, float gain) {
  Sink* const sink = find_sink(plan, ends.second);
  if (sink == nullptr) return;
  Strand strand;
  strand.channel = ends.first.channel;
  strand.target = gain;
  if (is_cable(ends.first)) {
    for (const Plan::CableUse& use : plan.cables) {
      if (use.cable->id() == ends.first.owner) strand.cable = use.cable.get();
    }
    if (strand.cable == nullptr) return;
  } else if (is_client(ends.first)) {
    for (const Plan::Member& member : plan.running) {
      if (member.client->setup.id == ends.first.owner) strand.client = member.client.get();
    }
    if (strand.client == nullptr) return;
  }
  strand.state = &state_of(ends, gain);
  plan.states.push_back(states_[ends]);
  sink->strands.push_back(strand);
}

/// A strand that comes with its client is there from the first sample; one that is laid between
/// ends that sound already comes in through a ramp.
StrandState& Engine::Wiring::state_of(const Ends& ends, float gain) {
  if (const auto known = states_.find(ends); known != states_.end()) return *known->second;
  auto state = std::make_shared<StrandState>();  // first: there may be no memory for it
  const auto is_new = [this](const Port& port) {
    return is_client(port) && !known_.contains(port.owner);
  };
  const bool comes_with_client = is_new(ends.first) || is_new(ends.second);
  const bool into_relay = is_cable(ends.second) && ends.second.owner >= 0x8000'0000;
  if (comes_with_client || into_relay) state->gain.store(gain, std::memory_order_relaxed);
  return *states_.emplace(ends, std::move(state)).first->second;
}

void Engine::Wiring::find_direct(Plan& plan) {
  std::map<std::pair<const Client*, std::uint32_t>, int> readers;
  const auto count = [&readers](const std::vector<Sink>& sinks) {
    for (const Sink& sink : sinks) {
      for (const Strand& strand : sink.strands) {
        if (strand.client != nullptr) ++readers[{strand.client, strand.channel}];
      }
    }
  };
  count(plan.outputs);
  for (const Plan::CableUse& use : plan.cables) count(use.sinks);
  for (Plan::Member& member : plan.running) {
    member.direct.assign(member.client->setup.outputs.size(), Plan::kNone);
  }
  for (std::uint32_t output = 0; output < plan.outputs.size(); ++output) {
    const Sink& sink = plan.outputs[output];
    if (sink.strands.size() != 1 || sink.strands[0].client == nullptr) continue;
    const Strand& only = sink.strands[0];
    if (readers[{only.client, only.channel}] != 1) continue;
    for (Plan::Member& member : plan.running) {
      if (member.client.get() == only.client && !member.client->adapter) {
        member.direct[only.channel] = output;
      }
    }
  }
}

}  // namespace asiodrv::engine
