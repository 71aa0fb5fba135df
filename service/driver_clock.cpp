// What paces the device: its own clock, or another one that has the last word on the rate.
#include <fmt/format.h>

#include <limits>
#include <new>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "core/wire/member_reader.hpp"
#include "service/driver_service.hpp"

namespace asiodrv::service {

using nlohmann::json;
using wire::HostEventKind;

bool DriverService::has_foreign_clock() const { return host_->clock_state().source != 0; }

std::vector<wire::ClockSourceInfo> DriverService::clock_sources() const {
  const auto& names = host_->info().clock_sources;
  if (names.empty()) return {{"Internal", true}};
  std::vector<wire::ClockSourceInfo> sources;
  for (const std::string& name : names) {
    sources.push_back({name, sources.size() == host_->clock_state().source});
  }
  return sources;
}

/// `by`: the program that did it, and that hears of a new rate only.
Result<> DriverService::change_clock(std::uint32_t source, const Client* by) {
  const std::uint32_t before = host_->clock_state().source;
  if (auto selected = host_->select_clock(source); !selected) return selected;
  if (source == before) return {};
  ports_.log(LogLevel::info, fmt::format("{} follows clock source {} now.", host_->info().name,
                                         host_->info().clock_sources.at(source)));
  for (const auto& [connection, client] : clients_) {
    if (&client == by || !client.hello) continue;
    if (client.session) client.session->announce_clock_change();
    notify(client, {HostEventKind::clock_changed, {}, {}, {}});
  }
  watch_clock();
  return {};
}

/// Takes note of a foreign clock's rate, of its loss and of its return. Programs at the device's
/// rate go along; those that are adapted keep theirs.
void DriverService::watch_clock() {
  const ports::ClockState clock = host_->clock_state();
  const bool lost = clock.source != 0 && clock.rate.hz == 0;
  if (lost == clock_lost_ && (clock.source == 0 || lost || clock.rate == rate_)) return;
  if (lost != clock_lost_) {
    clock_lost_ = lost;
    ports_.log(lost ? LogLevel::error : LogLevel::info,
               lost ? fmt::format("Nothing arrives at the clock source of {} any more; it goes on "
                                  "at {} Hz by itself. Check the cable, or choose its own clock.",
                                  host_->info().name, rate_.hz)
                    : fmt::format("{} has its clock back.", host_->info().name));
  }
  if (!lost && clock.source != 0 && clock.rate != rate_) return follow_clock(clock.rate);
  for (const auto& [connection, client] : clients_) {
    if (!client.hello || rate_of(client) != rate_) continue;
    tell_rate(client, lost ? SampleRate{} : rate_);
  }
}

void DriverService::follow_clock(SampleRate rate) {
  ports_.log(LogLevel::info, fmt::format("The clock of {} has changed from {} to {} Hz.",
                                         host_->info().name, rate_.hz, rate.hz));
  std::vector<Client*> followers;
  for (auto& [connection, client] : clients_) {
    if (client.hello && rate_of(client) == rate_) followers.push_back(&client);
  }
  note_starts();
  const std::uint64_t after = host_->next_period();
  for (Client* const each : followers) {
    if (each->session) host_->remove(each->session->id());
  }
  rate_ = rate;
  const bool has_streams = host_->is_open() || host_->is_lost();
  // A device that refuses its own clock's rate, or for which there is no memory there, counts as
  // lost, or is waited for: it is tried again.
  try {
    if (has_streams && !prepare_device(at_rate(rate))) attention_->signal();
  } catch (const std::bad_alloc&) {
    attention_->signal();
  }
  for (Client* const each : followers) {
    if (each->rate.hz != 0) each->rate = rate;
    if (!each->session) continue;
    each->session->set_rate(rate);
    if (each->waiting) continue;  // whoever looks for the device lets it in
    Result<> joined = host_->add(each->session->setup());
    if (joined && each->running) joined = host_->start(each->session->id(), false);
    if (!joined) set_aside(*each);
  }
  restart_runs(after);
  for (auto& [connection, client] : clients_) {
    if (!client.hello) continue;
    if (client.session) tell_latency(client);
    if (rate_of(client) == rate) tell_rate(client, rate);
  }
}

/// A rate that the program has not set itself; 0: nobody knows it.
void DriverService::tell_rate(const Client& client, SampleRate rate) {
  if (client.session) client.session->announce_rate_change();
  notify(client, {HostEventKind::rate_changed, rate, {}, {}});
}

Result<json> DriverService::select_clock(Client& client, const json& params) {
  wire::MemberReader reader(params, "clock.select");
  const std::uint32_t index = reader.number("index", 0, wire::kAnyNumber);
  if (!reader.good()) return tl::unexpected<Error>(reader.result(0).error());
  if (auto changed = change_clock(index, &client); !changed) {
    return tl::unexpected<Error>(changed.error());
  }
  return json::object();
}

Result<json> DriverService::set_device_clock(Client&, const json& params) {
  wire::MemberReader reader(params, "device.clock");
  const std::string name = reader.text("name");
  if (!reader.good()) return tl::unexpected<Error>(reader.result(0).error());
  std::uint32_t index = 0;
  std::string known;
  for (const wire::ClockSourceInfo& source : clock_sources()) {
    if (source.name == name) {
      auto changed = change_clock(index, nullptr);
      if (!changed) return tl::unexpected<Error>(changed.error());
      return json::object();
    }
    known += (index++ == 0 ? "\"" : ", \"") + source.name + "\"";
  }
  return fail(ErrorCode::not_found, fmt::format("{} has no clock source \"{}\"; there is {}.",
                                                host_->info().name, name, known));
}

Result<json> DriverService::feed_clock(Client&, const json& params) {
  wire::MemberReader reader(params, "clock.feed");
  const SampleRate rate{reader.number("rate_hz", 0, wire::kAnyNumber)};
  if (!reader.good()) return tl::unexpected<Error>(reader.result(0).error());
  if (auto fed = host_->feed_external_clock(rate); !fed) return tl::unexpected<Error>(fed.error());
  watch_clock();
  return json::object();
}

}  // namespace asiodrv::service
