#include "simulation/world/flight_check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "service/xrun_watch.hpp"
#include "simulation/world/host.hpp"

namespace asiodrv::simulation {
namespace {

using engine::FlightRecord;
using engine::XrunCause;
using engine::XrunEvent;

constexpr std::uint32_t bit(XrunCause cause) { return static_cast<std::uint32_t>(cause); }

/// How long a client takes at most to find its way back after a trouble: its own patience, and a
/// few periods of resynchronising.
constexpr nanoseconds kWayBack = std::chrono::milliseconds{200};
constexpr int kWayBackPeriods = 12;
/// So long after anything else an adapted client's usual load may be too much: its adapter finds
/// its pace anew. Host::check_adapted waits as long.
constexpr nanoseconds kAdapterSettles = std::chrono::seconds{3};

}  // namespace

void FlightCheck::attach(service::DriverService* service) {
  service_ = service;
  records_ = events_ = next_number_ = 0;
  expected_.clear();
  if (service != nullptr) owners_.clear();
}

void FlightCheck::expect_damage(const Period& period, std::uint32_t slot) {
  expected_.push_back({period.number, slot});
}

void FlightCheck::read() {
  if (service_ == nullptr) return;
  const engine::FlightRecorder& flight = service_->flight();
  if (const std::uint64_t written = flight.events_written(); written != events_) {
    const auto fresh = flight.newest_events(static_cast<std::uint32_t>(written - events_));
    events_ = written;
    for (const XrunEvent& event : fresh) take(event);
  }
  if (const std::uint64_t written = flight.records_written(); written != records_) {
    const auto fresh = flight.newest_records(static_cast<std::uint32_t>(written - records_));
    records_ = written;
    for (const FlightRecord& record : fresh) take(record);
  }
}

Period* FlightCheck::period_of(std::uint64_t number) {
  if (number < world_.base) return nullptr;
  return world_.ledger.find(world_.device->takes, number - world_.base);
}

void FlightCheck::take(const FlightRecord& record) {
  world_.journal.count(Check::periods);
  Period* const period = period_of(record.device_period);
  if (period == nullptr || period->recorded || period->boundary.ns != record.boundary_ns ||
      record.device_period < next_number_) {
    world_.journal.fail(Check::periods,
                        fmt::format("The record of period {} is not about the period that the "
                                    "device delivered.",
                                    record.device_period));
  }
  const Period* const before =
      period->index > 0 ? world_.ledger.find(period->take, period->index - 1) : nullptr;
  // Periods that nobody served are in the ledger without a boundary, or not at all.
  if (before != nullptr && before->boundary != Instant{} && !before->recorded) {
    world_.journal.fail(Check::periods,
                        fmt::format("The device delivered the period before {}, and there is no "
                                    "record of it.",
                                    record.device_period));
  }
  next_number_ = record.device_period + 1;
  period->recorded = true;
  period->causes = record.causes;
  if (const auto owner = owners_.find(record.late_client); owner != owners_.end()) {
    period->damaged |= 1U << owner->second;
  }
  if (record.clients_late > 1) {  // the others are named by their events, which may come later
    const Instant end = period->boundary + world_.period_length();
    for (std::uint32_t slot = 0; slot < world_.hosts.size(); ++slot) {
      if (world_.hosts[slot]->was_held_up(period->boundary - kWayBack, end)) {
        period->damaged |= 1U << slot;
      }
    }
  }
  std::erase_if(expected_, [&](const Expectation& each) {
    if (each.number > record.device_period) return false;
    if (each.number == record.device_period && (period->damaged >> each.slot & 1U) == 0) {
      world_.journal.fail(Check::samples,
                          fmt::format("host-{} was given silence in period {}, and the record does "
                                      "not say that it was away.",
                                      each.slot, each.number));
    }
    return true;
  });
}

void FlightCheck::take(const XrunEvent& event) {
  const auto owner = owners_.find(event.client);
  for (std::uint64_t i = 0; i < event.periods; ++i) {
    Period* const period = period_of(event.first_period + i);
    if (period == nullptr) continue;
    if (event.client == engine::kNoClient) {
      period->everyone = true;
    } else if (owner != owners_.end()) {
      period->damaged |= 1U << owner->second;
    }
  }
  judge(event);
}

/// A late client's usual load is no reason by itself: it fits into a period. Something else must
/// have taken the room that it leaves.
///
/// A client of the device's own rate and size takes half a period at most, and its deadline comes
/// after 0.8 of one (deadline_fraction) or later. So for its load to reach over the deadline it was
/// rung 0.3 late or more, and it is rung as soon as the engine is woken: by a stall, by a gap, or
/// by jitter on a device whose periods are shorter than at first. The drift takes 0.001 of this.
/// Where the device is moved under it (a rate, a new device: troubles of the world), its load was
/// measured by other periods than it is rung in.
///
/// An adapted client is rung several times in a period, or once for several. Its loads fill a
/// quarter at most, but with jitter, with others of small buffers that the engine waits for first,
/// or while it starts, nobody has worked out what is left.
bool FlightCheck::load_explains(const XrunEvent& event, const Host& host, Instant begin,
                                Instant end) {
  if (!host.loads().overlaps(begin - host.way(), end)) return false;
  const nanoseconds length = world_.period_length();
  if (host.adapted_lately()) {
    const Instant from = begin - kAdapterSettles;
    return world_.scenario.jitter_us > 0 || !world_.calm(kAdapterSettles) ||
           world_.troubles.overlaps(from, end) ||
           std::any_of(world_.hosts.begin(), world_.hosts.end(),
                       [&](const auto& each) { return each->troubles().overlaps(from, end); });
  }
  if (world_.troubles.overlaps(begin - length * 2, end)) return true;
  for (std::uint64_t i = 0; i < event.periods; ++i) {
    const Period* const period = period_of(event.first_period + i);
    if (period == nullptr) continue;  // of a run of the device that has ended
    const Instant boundary = period->boundary;
    if (period->woken - boundary < length / 4) return false;
    if (!host.loads().overlaps(boundary + length * 3 / 4, boundary + length)) return false;
  }
  return true;
}

/// Is there a fault that explains the event?
void FlightCheck::judge(const XrunEvent& event) {
  world_.journal.count(Check::xruns);
  const nanoseconds length = world_.period_length();
  const auto periods_ago = static_cast<std::int64_t>(world_.base + world_.device->now.index) -
                           static_cast<std::int64_t>(event.first_period);
  const Instant begin = world_.device->now.boundary - length * periods_ago;
  const Instant end = begin + length * (event.periods + 1);
  const auto owner = owners_.find(event.client);
  const Host* const host = owner != owners_.end() ? world_.hosts[owner->second].get() : nullptr;
  const nanoseconds way = host != nullptr ? host->way() : nanoseconds{0};
  const Instant lately = begin - kWayBack - length * kWayBackPeriods - way;
  const auto host_had = [&](Instant from) {
    return host != nullptr && host->was_held_up(from, end);
  };
  const auto world_had = [&](Instant from) { return world_.troubles.overlaps(from, end); };

  std::uint32_t unexplained = 0;
  for (std::uint32_t cause = 1; cause <= bit(XrunCause::recovery); cause <<= 1U) {
    if ((event.causes & cause) == 0) continue;
    bool explained = false;
    switch (static_cast<XrunCause>(cause)) {
      case XrunCause::late_wake:
        explained = world_had(begin - length * 2 - way) || world_.late_by_itself();
        break;
      case XrunCause::device_gap: explained = world_had(begin - length * 2); break;
      case XrunCause::late_client:
        explained = host != nullptr && (host->troubles().overlaps(begin - way, end) ||
                                        load_explains(event, *host, begin, end));
        break;
      case XrunCause::client_away:
      case XrunCause::recovery: explained = host_had(lately) || world_had(lately); break;
      case XrunCause::engine_overrun: break;  // work takes no time here
    }
    if (!explained) unexplained |= cause;
  }
  if (unexplained == 0 || world_.scenario.canary == Canary::no_callbacks) return;
  const auto seconds = [](Instant at) { return static_cast<double>(at.ns) / 1e9; };
  const bool forgotten =
      !world_.troubles.reaches(lately) ||
      (host != nullptr && !(host->troubles().reaches(lately) && host->loads().reaches(lately)));
  if (host != nullptr) {
    const Troubles& own = host->troubles();
    world_.journal.note(fmt::format(
        "the host's last trouble was from {:.6f} to {:.6f} s; the "
        "damage lies between {:.6f} and {:.6f} s",
        seconds(own.newest_from()), seconds(own.newest_to()), seconds(begin), seconds(end)));
  }
  world_.journal.fail(
      Check::xruns,
      fmt::format("{} periods from {} on are recorded as damaged ({}) for {}, and {}.",
                  event.periods, event.first_period, service::cause_words(unexplained),
                  host != nullptr                     ? host->name()
                  : event.client == engine::kNoClient ? std::string("everyone")
                                                      : std::string("a stranger"),
                  forgotten ? "the troubles of that time are not kept any more"
                            : "nothing was done to it then"));
}

}  // namespace asiodrv::simulation
