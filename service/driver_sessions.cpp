// Buffers, streams and the rate: what programs ask for, and the rules between them.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "core/wire/member_reader.hpp"
#include "service/driver_service.hpp"

namespace asiodrv::service {
namespace {

using nlohmann::json;
using wire::HostEventKind;

tl::unexpected<Error> refusal(const Error& error) { return tl::unexpected<Error>(error); }

std::string rate_list(const std::vector<SampleRate>& rates) {
  std::vector<std::uint32_t> numbers;
  for (const SampleRate rate : rates) numbers.push_back(rate.hz);
  return fmt::format("{}", fmt::join(numbers, ", "));
}

}  // namespace

// --- sessions -----------------------------------------------------------------------------------

const DriverService::Client* DriverService::other_session(const Client& client,
                                                          bool running) const {
  for (const auto& [connection, other] : clients_) {
    if (connection == client.connection || !other.session) continue;
    if (other.running || !running) return &other;
  }
  return nullptr;
}

bool DriverService::any_session() const {
  return std::any_of(clients_.begin(), clients_.end(),
                     [](const auto& each) { return each.second.session != nullptr; });
}

Result<> DriverService::judge_request(const Client& client,
                                      const wire::SessionRequest& request) const {
  const ports::DeviceInfo& info = host_->info();
  if (request.frames < smallest_buffer() || request.frames > largest_buffer()) {
    return fail(ErrorCode::format_refused,
                fmt::format("Buffers of {} frames are not on offer: choose a power of two from {} "
                            "to {}.",
                            request.frames.count, smallest_buffer().count, largest_buffer().count));
  }
  const auto outside = [](const std::vector<std::uint32_t>& channels, std::uint32_t count) {
    return std::any_of(channels.begin(), channels.end(),
                       [count](std::uint32_t channel) { return channel >= count; });
  };
  if (outside(request.inputs, info.input_channels) ||
      outside(request.outputs, info.output_channels)) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("A channel was asked for that {} does not have; it has {} inputs and "
                            "{} outputs.",
                            info.name, info.input_channels, info.output_channels));
  }
  const Client* const other = other_session(client, false);
  if (other != nullptr && other->session->frames() != request.frames) {
    return fail(ErrorCode::format_refused,
                fmt::format("{} (process {}) uses buffers of {} frames; choose {} frames in this "
                            "program too, or close the other one.",
                            other->program(), other->process_id(), other->session->frames().count,
                            other->session->frames().count));
  }
  return {};
}

Result<json> DriverService::create_session(Client& client, const json& params) {
  const auto request = wire::parse_session_request(params);
  if (!request) return refusal(request.error());
  if (client.session) {
    return fail(ErrorCode::invalid_state, "This program has buffers already; dispose them first.");
  }
  if (auto judged = judge_request(client, *request); !judged) return refusal(judged.error());
  if (host_->is_lost()) look_for_device();
  if (auto ready = host_->prepare({rate_, request->frames}); !ready) return refusal(ready.error());

  auto session =
      Session::create(ports_.regions, next_session_, *request, config_.config.sample_type,
                      is_deferred(config_.config, client.program()));
  Result<> added = session ? host_->add((*session)->setup()) : refusal(session.error());
  if (!added) {
    if (!any_session()) host_->release();
    return refusal(added.error());
  }
  ++next_session_;
  client.session = std::move(*session);
  return wire::to_json(grant(*client.session));
}

wire::SessionGrant DriverService::grant(const Session& session) const {
  const ports::DeviceLatency latency = host_->latency();
  const std::uint32_t frames = session.frames().count;
  wire::SessionGrant grant;
  grant.session_id = session.id();
  grant.region_token = session.region_token();
  grant.region_bytes = session.region_bytes();
  grant.rate = rate_;
  grant.input_latency = Frames{frames + latency.input.count};
  grant.output_latency = Frames{frames + latency.output.count + (session.deferred() ? frames : 0)};
  grant.deferred = session.deferred();
  return grant;
}

Result<json> DriverService::start_session(Client& client, const json&) {
  if (!client.session) return fail(ErrorCode::invalid_state, "Create buffers before the start.");
  if (client.running) return json::object();
  if (host_->is_lost()) look_for_device();
  begin_run(client, host_->next_period());
  if (auto started = host_->start(client.session->id()); !started) {
    history_.cancel();
    return refusal(started.error());
  }
  client.running = true;
  attention_->signal();  // xruns are watched from now on
  return json::object();
}

Result<json> DriverService::stop_session(Client& client, const json&) {
  stop_client(client);
  return json::object();
}

Result<json> DriverService::dispose_session(Client& client, const json&) {
  drop_session(client);
  return json::object();
}

void DriverService::stop_client(Client& client) {
  if (!client.running) return;
  end_run(client);
  host_->stop(client.session->id());
  client.running = false;
}

/// Ends whatever the client has; what it held is free afterwards.
void DriverService::drop_session(Client& client) {
  if (!client.session) return;
  if (client.running) end_run(client);
  host_->remove(client.session->id());
  client.running = false;
  client.session.reset();
  if (!any_session()) {
    host_->release();
    loss_told_ = false;
  }
}

Result<json> DriverService::set_rate(Client& client, const json& params) {
  wire::MemberReader reader(params, "rate.set");
  const SampleRate rate{reader.number("hz", 1, std::numeric_limits<std::uint32_t>::max())};
  if (!reader.good()) return refusal(reader.result(0).error());
  const auto& rates = host_->info().rates;
  if (std::find(rates.begin(), rates.end(), rate) == rates.end()) {
    return fail(ErrorCode::format_refused,
                fmt::format("{} does not run at {} Hz; it runs at {}.", host_->info().name, rate.hz,
                            rate_list(rates)));
  }
  if (rate == rate_) return json::object();
  if (const Client* const other = other_session(client, true)) {
    return fail(ErrorCode::format_refused,
                fmt::format("{} (process {}) is streaming at {} Hz; stop it before the rate is "
                            "changed.",
                            other->program(), other->process_id(), rate_.hz));
  }
  if (auto moved = move_device(rate); !moved) return refusal(moved.error());
  rate_ = rate;
  for (auto& [connection, other] : clients_) {
    if (connection == client.connection || !other.hello) continue;
    if (other.session) other.session->announce_rate_change();
    notify(other, {HostEventKind::rate_changed, rate, {}, {}});
  }
  return json::object();
}

/// Moves an open device to `rate`, or back where it was when it refuses.
Result<> DriverService::move_device(SampleRate rate) {
  if (!host_->is_open() && !host_->is_lost()) return {};
  note_starts();
  const std::uint64_t after = host_->next_period();
  const Frames period = host_->format().period;
  auto moved = host_->prepare({rate, period});
  // As before is better than silent; a device that refuses even that counts as lost.
  if (!moved && !host_->prepare({rate_, period})) attention_->signal();
  restart_runs(after);
  return moved;
}

Result<json> DriverService::select_clock(Client&, const json& params) {
  wire::MemberReader reader(params, "clock.select");
  const std::uint32_t index = reader.number("index", 0, std::numeric_limits<std::uint32_t>::max());
  if (!reader.good()) return refusal(reader.result(0).error());
  if (index != 0) {
    return fail(ErrorCode::invalid_argument, "There is one clock source, number 0.");
  }
  return json::object();
}

// --- the history of runs ------------------------------------------------------------------------

/// `after`: the run's first period has a higher number.
void DriverService::begin_run(const Client& client, std::uint64_t after) {
  SessionRun run;
  run.id = client.session->id();
  run.program = client.program();
  run.process_id = client.process_id();
  run.frames = client.session->frames();
  run.after_period = after;
  history_.begin(std::move(run));
}

void DriverService::end_run(const Client& client) {
  SessionRun* const run = history_.current(client.session->id());
  if (run == nullptr) return;
  run->note_start(host_->counters(run->id).start_period);
  run->ended = true;
}

/// After the device was moved or came back: clients that run began anew at position 0.
void DriverService::restart_runs(std::uint64_t after) {
  for (const auto& [connection, client] : clients_) {
    if (!client.running) continue;
    end_run(client);
    begin_run(client, after);
  }
}

void DriverService::note_starts() {
  for (const auto& [connection, client] : clients_) {
    if (!client.running) continue;
    SessionRun* const run = history_.current(client.session->id());
    if (run != nullptr) run->note_start(host_->counters(run->id).start_period);
  }
}

}  // namespace asiodrv::service
