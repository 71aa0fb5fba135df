#include "service/host_mixer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace asiodrv::service {
namespace {

using engine::GraphSpec;
using engine::Port;

float factor(std::uint32_t gain) noexcept {
  return static_cast<float>(static_cast<double>(gain) / wire::kUnityGain);
}

engine::Route* find(GraphSpec& graph, const Port& source, const Port& sink) noexcept {
  const auto found = std::find_if(
      graph.routes.begin(), graph.routes.end(),
      [&](const engine::Route& each) { return each.source == source && each.sink == sink; });
  return found == graph.routes.end() ? nullptr : &*found;
}

Result<> no_channel(const char* what, std::uint32_t asked, std::uint32_t there) {
  if (there == 0) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("There is no {0} {1}: the device has no {0}s.", what, asked));
  }
  return fail(
      ErrorCode::invalid_argument,
      fmt::format("There is no {} {}: numbers from 0 to {} are there.", what, asked, there - 1));
}

}  // namespace

Result<> HostMixer::set_monitor(const wire::MonitorRequest& request, const Channels& there) {
  if (request.input && *request.input >= there.device_inputs) {
    return no_channel("input", *request.input, there.device_inputs);
  }
  if (request.output >= there.device_outputs) {
    return no_channel("output", request.output, there.device_outputs);
  }
  device_outputs_ = there.device_outputs;
  // Constant power, and exact at both ends.
  const double turn = static_cast<double>(request.pan) / wire::kLevelMax;
  const float gain = factor(request.gain);
  Sides sides{gain, 0};
  if (request.pan == wire::kLevelMax) {
    sides = {0, gain};
  } else if (request.pan > 0) {
    const double angle = turn * std::numbers::pi / 2;
    sides = {gain * static_cast<float>(std::cos(angle)),
             gain * static_cast<float>(std::sin(angle))};
  }
  const std::uint32_t first = request.input.value_or(0);
  const std::uint32_t last = request.input ? *request.input + 1 : there.device_inputs;
  for (std::uint32_t input = first; input < last; ++input) {
    if (request.on) {
      monitors_[{input, request.output}] = sides;
    } else {
      monitors_.erase({input, request.output});
    }
  }
  return {};
}

Result<> HostMixer::set_gain(const wire::GainRequest& request, const Channels& there) {
  const std::uint32_t channels = request.input ? there.program_inputs : there.program_outputs;
  if (request.channel >= channels) {
    return no_channel(request.input ? "input" : "output", request.channel, channels);
  }
  const std::pair key{request.input, request.channel};
  if (request.gain == wire::kUnityGain) {
    gains_.erase(key);
  } else {
    gains_[key] = factor(request.gain);
  }
  return {};
}

void HostMixer::add_to(GraphSpec& graph, const std::optional<Session>& session,
                       const PortOf& port_of) const {
  const auto monitor = [&graph](std::uint32_t input, std::uint32_t output, float gain) {
    const Port source = engine::device_port(input), sink = engine::device_port(output);
    if (gain != 0.0F && find(graph, source, sink) == nullptr) {
      graph.routes.push_back({source, sink, LinearGain{gain}});
    }
  };
  for (const auto& [ways, sides] : monitors_) {
    monitor(ways.first, ways.second, sides.left);
    if (ways.second + 1 < device_outputs_) monitor(ways.first, ways.second + 1, sides.right);
  }
  if (!session) return;
  for (const auto& [key, gain] : gains_) {
    const auto [input, number] = key;
    const auto partner = port_of(input, number);
    if (!partner) continue;
    const auto& side = input ? session->inputs : session->outputs;
    for (std::uint32_t channel = 0; channel < side.size(); ++channel) {
      if (side[channel] != *partner) continue;
      const Port own{engine::Node::client, session->id, channel};
      const Port source = input ? *partner : own;
      const Port sink = input ? own : *partner;
      if (engine::Route* const route = find(graph, source, sink)) {
        route->gain.factor =
            std::clamp(route->gain.factor * gain, -engine::kMaxRouteGain, engine::kMaxRouteGain);
      } else {
        graph.routes.push_back({source, sink, LinearGain{gain}});
      }
    }
  }
}

}  // namespace asiodrv::service
