// Monitors, gains and levels as hosts ask for them through the driver.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "service/driver_service.hpp"

namespace asiodrv::service {
namespace {

using nlohmann::json;

std::uint32_t meter_value(float peak) noexcept {
  const double part = std::clamp(static_cast<double>(peak), 0.0, 1.0);
  return static_cast<std::uint32_t>(part * wire::kLevelMax);
}

/// The level of what a program's channel is connected straight to.
float peak_of(const engine::Levels& levels, const engine::Port& port, bool input) noexcept {
  const std::vector<engine::Level>* side = input ? &levels.inputs : &levels.outputs;
  if (port.node == engine::Node::cable) {
    side = nullptr;
    for (const auto& cable : levels.cables) {
      if (cable.id == port.owner) side = &cable.inputs;
    }
  }
  return side != nullptr && port.channel < side->size() ? (*side)[port.channel].peak : 0.0F;
}

}  // namespace

HostMixer::Channels DriverService::mixer_channels() const {
  return {host_->info().input_channels, host_->info().output_channels,
          studio_.program_channels(Role::sink), studio_.program_channels(Role::source)};
}

/// What programs have set through the driver comes on top of the routes that people made.
void DriverService::add_host_mixers(engine::GraphSpec& graph, const Studio& studio) const {
  const auto port_of = [&studio](bool input, std::uint32_t channel) {
    return studio.partner(input ? Role::sink : Role::source, channel);
  };
  for (const auto& [connection, client] : clients_) {
    if (client.mixer.is_neutral()) continue;
    std::optional<HostMixer::Session> session;
    if (client.session) {
      const engine::ClientSetup& setup = client.session->setup();
      session = HostMixer::Session{setup.id, setup.inputs, setup.outputs};
    }
    client.mixer.add_to(graph, session, port_of);
  }
}

Result<json> DriverService::adopt_mixer(Client& client, HostMixer next) {
  std::swap(client.mixer, next);
  if (auto told = tell_graph(studio_); !told) {
    std::swap(client.mixer, next);
    return tl::unexpected<Error>(told.error());
  }
  return json::object();
}

Result<json> DriverService::set_monitor(Client& client, const json& params) {
  const auto request = wire::parse_monitor_request(params);
  if (!request) return tl::unexpected<Error>(request.error());
  HostMixer next = client.mixer;
  if (auto done = next.set_monitor(*request, mixer_channels()); !done) {
    return tl::unexpected<Error>(done.error());
  }
  return adopt_mixer(client, std::move(next));
}

Result<json> DriverService::set_gain(Client& client, const json& params) {
  const auto request = wire::parse_gain_request(params);
  if (!request) return tl::unexpected<Error>(request.error());
  HostMixer next = client.mixer;
  if (auto done = next.set_gain(*request, mixer_channels()); !done) {
    return tl::unexpected<Error>(done.error());
  }
  return adopt_mixer(client, std::move(next));
}

Result<json> DriverService::get_levels(Client&, const json&) {
  const engine::Levels levels = host_->levels();
  wire::ChannelLevels answer;
  for (const bool input : {true, false}) {
    const Role role = input ? Role::sink : Role::source;
    auto& side = input ? answer.inputs : answer.outputs;
    for (std::uint32_t channel = 0; channel < studio_.program_channels(role); ++channel) {
      const auto port = studio_.partner(role, channel);
      side.push_back(port ? meter_value(peak_of(levels, *port, input)) : 0);
    }
  }
  return wire::to_json(answer);
}

}  // namespace asiodrv::service
