// Buffers, streams and the rate: what programs ask for, and the rules between them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "core/ports/periods.hpp"
#include "core/wire/member_reader.hpp"
#include "service/buffer_policy.hpp"
#include "service/driver_service.hpp"

namespace asiodrv::service {
namespace {

using nlohmann::json;
using wire::HostEventKind;

std::string rate_list(const std::vector<SampleRate>& rates) {
  std::vector<std::uint32_t> numbers;
  for (const SampleRate rate : rates) numbers.push_back(rate.hz);
  return fmt::format("{}", fmt::join(numbers, ", "));
}

tl::unexpected<Error> no_memory() {
  return fail(ErrorCode::out_of_memory,
              "There is no memory to move the device or its programs to another rate; close other "
              "programs and try again.");
}

}  // namespace

// --- sessions ------------------------------------------------------------------------------------

const DriverService::Client* DriverService::other_session(const Client& client,
                                                          bool running) const {
  for (const auto& [connection, other] : clients_) {
    if (connection == client.connection || !other.session) continue;
    if (other.running || !running) return &other;
  }
  return nullptr;
}

bool DriverService::any_session() const {
  if (calibration_) return true;  // it needs the device as a program does
  return std::any_of(clients_.begin(), clients_.end(),
                     [](const auto& each) { return each.second.session != nullptr; });
}

Result<> DriverService::judge_request(const Client& client,
                                      const wire::SessionRequest& request) const {
  const wire::BufferSizes sizes = offered_sizes(rate_of(client));
  if (!sizes.offers(request.frames)) {
    return fail(ErrorCode::format_refused,
                fmt::format("Buffers of {} frames are not on offer: choose {}.",
                            request.frames.count, wire::sizes_text(sizes)));
  }
  const auto outside = [](const std::vector<std::uint32_t>& channels, std::uint32_t count) {
    return std::any_of(channels.begin(), channels.end(),
                       [count](std::uint32_t channel) { return channel >= count; });
  };
  const std::uint32_t inputs = studio_.program_channels(Role::sink);
  const std::uint32_t outputs = studio_.program_channels(Role::source);
  if (outside(request.inputs, inputs) || outside(request.outputs, outputs)) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("A channel was asked for that does not exist; with all cables {} has "
                            "{} inputs and {} outputs.",
                            host_->info().name, inputs, outputs));
  }
  const Client* const other = other_session(client, false);
  if (other == nullptr || config_.config.formats != Formats::refuse) return {};
  if (other->session->frames() != request.frames) {
    return fail(ErrorCode::format_refused,
                fmt::format("{} (process {}) uses buffers of {} frames; choose {} frames in this "
                            "program too, or close the other one.",
                            other->program(), other->process_id(), other->session->frames().count,
                            other->session->frames().count));
  }
  if (rate_of(client) != rate_) {
    return fail(ErrorCode::format_refused,
                fmt::format("{} (process {}) runs at {} Hz; choose that rate in this program too, "
                            "or close the other one.",
                            other->program(), other->process_id(), rate_.hz));
  }
  return {};
}

Result<json> DriverService::create_session(Client& client, const json& params) {
  const auto request = wire::parse_session_request(params);
  if (!request) return refusal(request.error());
  if (client.session) {
    return fail(ErrorCode::invalid_state, "This program has buffers already; dispose them first.");
  }
  watch_clock();
  // Before anything is judged: what comes back may have other channels and rates than what left.
  if (device_is_away()) look_for_device();
  if (auto judged = judge_request(client, *request); !judged) return refusal(judged.error());
  const SampleRate rate = rate_of(client);
  auto session = Session::create(ports_.regions, next_session_++, *request, partners(*request),
                                 config_.config.sample_type, rate,
                                 is_deferred(config_.config, client.program()));
  if (!session) return refusal(session.error());
  client.session = std::move(*session);
  try {
    if (auto joined = join(client); !joined) return refusal(joined.error());
    client.told_latency = device_latency();
    return wire::to_json(grant(client));
  } catch (...) {  // no memory: nothing of a session that its program knows nothing of may stay
    drop_session(client);
    throw;
  }
}

/// Gives new buffers their place in the engine; without one they are gone.
Result<> DriverService::join(Client& client) {
  Result<> added = follow_client(client);
  // A device that left under its programs: they go through the reset with silence.
  client.waiting = !added && left_playing_;
  if (client.waiting) {
    attention_->signal();
    added = {};
  } else if (added) {
    added = host_->add(client.session->setup());
  }
  if (!added) {
    client.session.reset();
    if (!any_session()) host_->release();
    return added;
  }
  refresh_graph();
  return {};
}

/// What the channels of a judged request are connected straight to.
Partners DriverService::partners(const wire::SessionRequest& request) const {
  Partners all;
  for (const std::uint32_t channel : request.inputs) {
    all.inputs.push_back(*studio_.partner(Role::sink, channel));
  }
  for (const std::uint32_t channel : request.outputs) {
    all.outputs.push_back(*studio_.partner(Role::source, channel));
  }
  return all;
}

/// Opens the device for a client with buffers, where the policy wants it: alone, a client takes the
/// device along, but for the rate that a foreign clock dictates or the device does not have. A
/// device that was set up anew in the system says so when it is opened, and is asked once more.
Result<> DriverService::follow_client(Client& client) {
  if (other_session(client, false) != nullptr) return prepare_device(host_->format());
  const auto open = [&]() -> Result<> {
    const ports::DeviceInfo& info = host_->info();
    if (config_.config.formats == Formats::adapt) {
      return prepare_device({rate_, period_for(info, rate_, config_.config.preferred_frames)});
    }
    const SampleRate wanted = client.session->rate();
    const SampleRate rate = has_foreign_clock() || !has_rate(wanted) ? rate_ : wanted;
    return move_device({rate, period_for(info, rate, client.session->frames())}, &client);
  };
  auto opened = open();
  return opened || opened.error().code != ErrorCode::format_refused ? opened : open();
}

wire::SessionGrant DriverService::grant(const Client& of) const {
  const Session& session = *of.session;
  const ports::DeviceLatency device = device_latency();
  // Whoever waits for a lost device will have what it has alone.
  const Frames out{session.frames().count * (session.deferred() ? 2 : 1)};
  const engine::ClientLatency client = of.waiting ? engine::ClientLatency{session.frames(), out}
                                                  : host_->client_latency(session.id());
  const auto own_frames = [&](Frames of_device) {
    const double ratio = static_cast<double>(session.rate().hz) / static_cast<double>(rate_.hz);
    return static_cast<std::uint32_t>(std::lround(of_device.count * ratio));
  };
  wire::SessionGrant grant;
  grant.session_id = session.id();
  grant.region_token = session.region_token();
  grant.region_bytes = session.region_bytes();
  grant.rate = session.rate();
  grant.input_latency = Frames{client.input.count + own_frames(device.input)};
  grant.output_latency = Frames{client.output.count + own_frames(device.output)};
  grant.deferred = session.deferred();
  return grant;
}

Result<json> DriverService::start_session(Client& client, const json&) {
  if (!client.session) return fail(ErrorCode::invalid_state, "Create buffers before the start.");
  stop_client(client);  // a stop that failed: the stream there now knows nothing of that run
  watch_clock();
  if (device_is_away()) look_for_device();
  if (client.waiting) {
    begin_run(client, host_->next_period());
    client.running = true;
    return json::object();
  }
  // Whoever was here when the buffers were made may have left.
  const ports::DeviceFormat before = host_->format();
  if (auto ready = follow_client(client); !ready) return refusal(ready.error());
  const ports::DeviceFormat now = host_->format();
  if (now.rate != before.rate || now.period != before.period) tell_latency(client);
  begin_run(client, host_->next_period());
  Result<> started;
  try {
    started = host_->start(client.session->id());
  } catch (...) {
    history_.cancel();
    throw;
  }
  if (!started) {
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
  client.running = client.waiting = false;
  client.session.reset();
  release_unused();
  refresh_graph();
}

/// Nobody's device is closed.
void DriverService::release_unused() {
  if (any_session()) return;
  left_playing_ = left_playing_ || host_->is_lost();
  host_->release();
  loss_told_ = false;
}

SampleRate DriverService::rate_of(const Client& client) const noexcept {
  return client.rate.hz != 0 ? client.rate : rate_;
}

bool DriverService::offers_rate(SampleRate rate) const {
  const auto rates = offered_rates();
  return std::find(rates.begin(), rates.end(), rate) != rates.end();
}

bool DriverService::has_rate(SampleRate rate) const {
  const auto& rates = host_->info().rates;
  return std::find(rates.begin(), rates.end(), rate) != rates.end();
}

Result<json> DriverService::set_rate(Client& client, const json& params) {
  wire::MemberReader reader(params, "rate.set");
  const SampleRate rate{reader.number("hz", 1, wire::kAnyNumber)};
  if (!reader.good()) return refusal(reader.result(0).error());
  if (!offers_rate(rate)) {
    return fail(ErrorCode::format_refused,
                fmt::format("{} does not run at {} Hz; it runs at {}.", host_->info().name, rate.hz,
                            rate_list(offered_rates())));
  }
  if (rate == rate_of(client)) {
    client.rate = rate;
    return json::object();
  }
  const Formats formats = config_.config.formats;
  const Client* const other = other_session(client, false);
  if (other != nullptr && formats == Formats::refuse) {
    return fail(
        ErrorCode::format_refused,
        fmt::format("{} (process {}) uses the device at {} Hz; close it, or choose {} Hz in "
                    "this program too.",
                    other->program(), other->process_id(), rate_.hz, rate_.hz));
  }
  if (has_foreign_clock() && formats == Formats::refuse) {
    return fail(ErrorCode::format_refused,
                fmt::format("The clock source of {} dictates {} Hz; choose that rate, or the "
                            "device's own clock.",
                            host_->info().name, rate_.hz));
  }
  const bool takes_along =
      other == nullptr && formats != Formats::adapt && !has_foreign_clock() && has_rate(rate);
  if (auto changed = change_rate(client, rate, takes_along); !changed)
    return refusal(changed.error());
  return json::object();
}

/// The client goes to `rate`, and takes the device along or not. A running client's position begins
/// anew. After a refusal all is as before.
Result<> DriverService::change_rate(Client& client, SampleRate rate, bool with_device) {
  const SampleRate before = client.rate;
  if (!client.session) {
    client.rate = rate;
    Result<> moved = with_device ? move_device(at_rate(rate), &client) : Result<>{};
    if (!moved) client.rate = before;
    return moved;
  }
  // Known beforehand, so that the sound goes on as it is.
  const std::uint64_t own = std::uint64_t{client.session->frames().count} * rate_.hz;
  const std::uint64_t of_device = std::uint64_t{host_->format().period.count} * rate.hz;
  if (!with_device && client.session->deferred() && own < of_device) {
    return fail(ErrorCode::format_refused,
                "At this rate the buffers would be shorter than the device's period, which a "
                "program that defers its output cannot have; choose a larger buffer size first.");
  }
  const std::uint32_t id = client.session->id();
  const SampleRate session_before = client.session->rate();
  note_starts();
  const std::uint64_t after = host_->next_period();
  const auto rejoin = [&](SampleRate with) -> Result<> {
    client.session->set_rate(with);
    try {
      if (auto added = host_->add(client.session->setup()); !added) return added;
      return client.running ? host_->start(id, false) : Result<>{};
    } catch (const std::bad_alloc&) {
      return no_memory();
    }
  };
  if (client.waiting) {  // nothing sounds, and nothing can move
    client.session->set_rate(rate);
    client.rate = rate;
    return {};
  }
  host_->remove(id);
  Result<> changed = with_device ? move_device(at_rate(rate), &client) : Result<>{};
  const bool moved = with_device && changed;
  if (changed) changed = rejoin(rate);
  if (!changed) {
    host_->remove(id);
    if (!rejoin(session_before)) set_aside(client);
    return changed;
  }
  client.rate = rate;
  if (client.running && !moved) {
    end_run(client);
    begin_run(client, after);
  }
  if (!with_device) tell_latency(client);
  return {};
}

/// The device at another rate, as near to its period now as it can be there.
ports::DeviceFormat DriverService::at_rate(SampleRate rate) const {
  const Frames now = host_->format().period;
  const Frames wanted = now.count != 0 ? now : config_.config.preferred_frames;
  return {rate, period_for(host_->info(), rate, wanted)};
}

void DriverService::tell_latency(Client& client) {
  client.told_latency = device_latency();
  // What does not fit the device where it is now has no latency: only new buffers will sound.
  if (host_->counters(client.session->id()).rests) {
    return notify(client, {HostEventKind::reset_request, {}, {}, {}});
  }
  const wire::SessionGrant now = grant(client);
  notify(client, {HostEventKind::latencies_changed, {}, now.input_latency, now.output_latency});
}

/// Moves the device, open or not, or back where it was when it refuses. Programs with buffers keep
/// their own rate and size; those without follow, and are told so. `mover` asked for it.
Result<> DriverService::move_device(const ports::DeviceFormat& format, const Client* mover) {
  const ports::DeviceFormat before = host_->format();
  const bool busy = host_->is_open() || host_->is_lost();
  if (busy || any_session()) {
    note_starts();
    const std::uint64_t after = host_->next_period();
    const bool begins_anew =
        host_->is_lost() || format.rate != before.rate || format.period != before.period;
    Result<> moved;
    try {
      moved = prepare_device(format);
    } catch (const std::bad_alloc&) {
      if (!busy) throw;
      moved = no_memory();
    }
    // As before is better than silent; a device that refuses even that counts as lost.
    if (!moved && busy && !host_->prepare(before)) attention_->signal();
    if (busy && begins_anew) restart_runs(after);
    if (!moved) return moved;
  }
  const bool other_rate = rate_ != format.rate;
  rate_ = format.rate;
  for (auto& [connection, client] : clients_) {
    if (&client == mover || !client.hello) continue;
    if (client.session) {
      tell_latency(client);
    } else if (other_rate && client.rate.hz == 0) {
      notify(client, {HostEventKind::rate_changed, rate_, {}, {}});
    }
  }
  return {};
}

Result<json> DriverService::set_device_format(Client&, const json& params) {
  wire::MemberReader reader(params, "device.set");
  const auto given = [&](const char* name, std::uint32_t otherwise) {
    if (!params.is_object() || !params.contains(name)) return otherwise;
    return reader.number(name, 1, wire::kAnyNumber);
  };
  const SampleRate rate{given("rate_hz", rate_.hz)};
  const Frames frames{given("frames", at_rate(rate).period.count)};
  if (!reader.good()) return refusal(reader.result(0).error());
  if (!has_rate(rate)) {
    return fail(ErrorCode::format_refused,
                fmt::format("{} does not run at {} Hz; it runs at {}.", host_->info().name, rate.hz,
                            rate_list(host_->info().rates)));
  }
  if (has_foreign_clock() && rate != rate_) {
    return fail(ErrorCode::format_refused,
                fmt::format("The clock source of {} dictates {} Hz; choose its own clock first.",
                            host_->info().name, rate_.hz));
  }
  const ports::DeviceInfo& info = host_->info();
  const ports::PeriodRange range = ports::periods_at(info, rate);
  if (!ports::offers(range, frames)) {
    return fail(ErrorCode::format_refused,
                fmt::format("{} does not take periods of {} frames at {} Hz; choose {}.", info.name,
                            frames.count, rate.hz, ports::periods_text(range)));
  }
  if (any_session() && config_.config.formats == Formats::refuse) {
    return fail(ErrorCode::format_refused,
                "Programs use the device, and [driver] formats = \"refuse\" keeps them from being "
                "adapted; close them first.");
  }
  if (auto moved = move_device({rate, frames}, nullptr); !moved) return refusal(moved.error());
  // Of a closed device without programs the rate alone is kept: the first one decides.
  const Frames now = host_->is_open() ? host_->format().period : at_rate(rate_).period;
  return json{{"rate_hz", rate_.hz}, {"frames", now.count}};
}

// --- the history of runs -------------------------------------------------------------------------

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
