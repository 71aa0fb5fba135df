#include "simulation/direct_link.hpp"

namespace asiodrv::simulation {

Result<wire::DriverDescription> DirectLink::connect(bool, Instant) {
  connected_ = true;
  const ports::DeviceInfo& device = service_.device.info();
  wire::DriverDescription driver;
  driver.service_version = "simulated";
  driver.device_name = device.name;
  driver.input_names = device.input_names;
  driver.output_names = device.output_names;
  driver.sample_type = service_.sample_type;
  driver.rates = {service_.format.rate};
  driver.rate = service_.format.rate;
  const Frames only = service_.format.period;
  driver.buffer_sizes = {{only, only, only, {}}};
  driver.clock_sources = {{"Internal", true}};
  return driver;
}

Result<wire::SessionGrant> DirectLink::create_session(const wire::SessionRequest& request,
                                                      Instant) {
  if (session_) return fail(ErrorCode::invalid_state, "This link has a session already.");
  service::Partners partners;
  for (const std::uint32_t channel : request.inputs) {
    partners.inputs.push_back(engine::device_port(channel));
  }
  for (const std::uint32_t channel : request.outputs) {
    partners.outputs.push_back(engine::device_port(channel));
  }
  auto session =
      service::Session::create(service_.regions, service_.next_id++, request, std::move(partners),
                               service_.sample_type, service_.format.rate, false);
  if (!session) return tl::unexpected<Error>(session.error());
  if (auto added = service_.engine.add_client((*session)->setup()); !added) {
    return tl::unexpected<Error>(added.error());
  }
  session_ = std::move(*session);
  if (on_session_) on_session_(session_->region_token());
  const ports::DeviceLatency latency = service_.device.latency();
  wire::SessionGrant grant;
  grant.session_id = session_->id();
  grant.region_token = session_->region_token();
  grant.region_bytes = session_->region_bytes();
  grant.rate = service_.format.rate;
  grant.input_latency = {request.frames.count + latency.input.count};
  grant.output_latency = {request.frames.count + latency.output.count};
  return grant;
}

Result<> DirectLink::start_session(Instant) {
  if (!session_) return fail(ErrorCode::invalid_state, "There is no session to start.");
  return service_.engine.start_client(session_->id());
}

Result<> DirectLink::stop_session(Instant) {
  if (session_) service_.engine.stop_client(session_->id());
  return {};
}

Result<> DirectLink::dispose_session(Instant) {
  if (session_) service_.engine.remove_client(session_->id());
  session_.reset();
  return {};
}

Result<> DirectLink::set_rate(SampleRate rate, Instant) {
  if (rate == service_.format.rate) return {};
  return fail(ErrorCode::unsupported, "This device runs at one rate.");
}

Result<> DirectLink::select_clock(std::uint32_t index, Instant) {
  if (index == 0) return {};
  return fail(ErrorCode::invalid_argument, "There is one clock source.");
}

void DirectLink::disconnect() noexcept {
  if (session_) service_.engine.remove_client(session_->id());
  session_.reset();
  connected_ = false;
}

Result<wire::HostEvent> DirectLink::next_event(Instant) {
  if (connected_) return fail(ErrorCode::timed_out, "Nothing happened.");
  return fail(ErrorCode::disconnected, "The link is closed.");
}

}  // namespace asiodrv::simulation
