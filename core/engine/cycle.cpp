#include "core/engine/cycle.hpp"

#include "core/base/rt.hpp"

namespace asiodrv::engine {
namespace {

using ports::DevicePeriod;
using ports::PeriodStatus;

/// What an instant that a client claims lies after `boundary`: any two values subtract without
/// overflow.
std::uint32_t claimed_ns(Instant claimed, Instant boundary) noexcept {
  const auto difference =
      static_cast<std::uint64_t>(claimed.ns) - static_cast<std::uint64_t>(boundary.ns);
  return saturate_ns(nanoseconds{static_cast<std::int64_t>(difference)});
}

/// A wake-up later than this part of the period leaves clients too little time to be blamed.
constexpr double kLateWakeFraction = 0.5;
/// When the engine itself woke late, clients still get this part of a period.
constexpr double kLateWakeGrace = 0.25;
/// What the engine keeps for mixing and writing, whatever happens.
constexpr double kMixReserve = 0.05;

}  // namespace

void Engine::Cycle::serve() noexcept {
  std::fill(scratch_.converted.begin(), scratch_.converted.end(), std::uint8_t{0});
  note_lost_periods();
  ring_clients();
  await_clients();
  mix();
  finish();
}

Instant Engine::Cycle::deadline() const noexcept {
  const Instant planned = period_.boundary + part(length_, engine_.options_.deadline_fraction);
  const Instant grace = woken_ + part(length_, kLateWakeGrace);
  return std::min(std::max(planned, grace), period_.next_boundary - part(length_, kMixReserve));
}

void Engine::Cycle::note_lost_periods() noexcept {
  record_.causes = 0;
  if (period_.lost == 0) return;
  // Whoever made the previous cycle miss its write is the one that lost the periods after it.
  const std::uint32_t earlier = engine_.previous_causes_;
  const std::uint32_t cause = period_.gap    ? bit(XrunCause::device_gap)
                              : earlier != 0 ? earlier
                                             : bit(XrunCause::late_wake);
  record_.causes |= cause;
  record_.lost_periods = period_.lost;
  engine_.flight_.write(XrunEvent{period_.index - period_.lost, period_.lost, cause, kNoClient,
                                  saturate_ns(woken_ - period_.boundary)});
}

void Engine::Cycle::ring_clients() noexcept {
  for (const Member& member : plan_.running) begin_client(member);
}

void Engine::Cycle::begin_client(const Member& member) noexcept {
  Client& client = *member.client;
  // What a deferred client was rung with in the cycle before is due in this one, and never later.
  const bool due = client.rung_now && client.phase == Client::Phase::following;
  client.sounding = false;
  client.answered = false;
  client.rung_now = false;
  if (client.phase == Client::Phase::starting) return;  // mixed from its pre-filled half
  if (client.adapter) return begin_adapted(member);

  if (client.outstanding && client.setup.ack->count() == client.rung) {
    client.outstanding = false;  // late, but back
    if (client.phase == Client::Phase::resyncing && !client.setup.mailbox->reply().free_running) {
      client.phase = Client::Phase::following;
    }
  }
  if (client.outstanding) {
    blame(client, XrunCause::client_away, woken_ - period_.boundary);
    bump(client.away);
    return;
  }
  const ClientReply reply = client.setup.mailbox->reply();
  if (reply.free_running) client.phase = Client::Phase::resyncing;
  if (client.phase == Client::Phase::resyncing) {
    blame(client, XrunCause::client_away, nanoseconds{0});
    ring(client, true);
    return;
  }
  if (client.setup.deferred) {
    client.answered = due || client.first_ring;  // at first there is nothing to play
    if (due) add_output(member, client.half);    // complete by contract
    if (!client.answered) blame(client, XrunCause::client_away, nanoseconds{0});
  }
  client.half = reply.next_half;
  copy_inputs(member);
  ring(client, false);
}

void Engine::Cycle::ring(Client& client, bool resync) noexcept {
  if (client.first_ring) {
    client.start_period.store(period_.index, std::memory_order_relaxed);
    client.first_ring = false;
  }
  const std::uint64_t periods = period_.index - client.start_period.load(std::memory_order_relaxed);
  publish(client, {.sample_position = periods * frames().count,
                   .boundary = period_.boundary,
                   .period = length_,
                   .gap = {},
                   .rate_hz = static_cast<double>(engine_.format_.rate.hz),
                   .half = client.half,
                   .resync = resync,
                   .discontinuity = period_.lost > 0});
}

void Engine::Cycle::publish(Client& client, const ClientStamp& stamp) noexcept {
  client.setup.mailbox->publish(stamp);
  client.outstanding = true;
  client.rung_now = true;
  client.setup.wake->ring(++client.rung);
  ++record_.clients_rung;
}

/// Waits for one client after the other, all under the same deadline: the mix needs every one of
/// them anyway.
void Engine::Cycle::await_clients() noexcept {
  await_small_buffers();
  for (const Member& member : plan_.running) {
    Client& client = *member.client;
    if (client.adapter) {
      await_adapted(client);
    } else if (client.rung_now && !client.setup.deferred && await(client, deadline())) {
      accept(client);
    }
  }
  if (rung_ != Instant{}) acknowledged_ = engine_.clock_.now();
}

bool Engine::Cycle::await(Client& client, Instant limit) noexcept {
  std::uint32_t count = client.setup.ack->count();
  if (count != client.rung && !client.removed.load(std::memory_order_acquire)) {
    // One change is all a client gets: whoever answers with nonsense is late, not waited for.
    if (rung_ == Instant{}) rung_ = engine_.clock_.now();
    const RtPermit permit;  // bounded by the cycle's deadline
    count = client.setup.ack->wait_change(count, limit, engine_.options_.spin);
  }
  return count == client.rung;
}

ClientReply Engine::Cycle::note_reply(Client& client) noexcept {
  client.outstanding = false;
  bump(client.cycles);
  const ClientReply reply = client.setup.mailbox->reply();
  if (client.phase == Client::Phase::resyncing) {
    if (!reply.free_running) client.phase = Client::Phase::following;
  } else if (record_.entered_ns == 0) {
    record_.entered_ns = claimed_ns(reply.entered, period_.boundary);
  }
  return reply;
}

void Engine::Cycle::accept(Client& client) noexcept {
  const bool audio = client.phase != Client::Phase::resyncing;
  note_reply(client);
  client.answered = audio;
  if (!audio) client.rung_now = false;  // in time, with nothing to play: not late either
}

void Engine::Cycle::blame(Client& client, XrunCause cause, nanoseconds late) noexcept {
  const XrunCause found = cause == XrunCause::late_client &&
                                  woken_ - period_.boundary > part(length_, kLateWakeFraction)
                              ? XrunCause::late_wake
                              : cause;
  record_.causes |= bit(found);
  if (record_.late_client == kNoClient) record_.late_client = client.setup.id;
  ++record_.clients_late;
  client.burst.add(engine_.flight_, period_.index, found, client.setup.id, saturate_ns(late));
}

void Engine::Cycle::finish() noexcept {
  const Instant written = engine_.clock_.now();
  const nanoseconds waited = acknowledged_ - rung_;
  const bool played = engine_.device_->commit();
  engine_.previous_causes_ = 0;
  if (!played) {
    // Nobody is waited for beyond the deadline, so a missed write is the scheduler's doing when a
    // wait ended late, and ours otherwise.
    const bool overslept = woken_ - period_.boundary > part(length_, kLateWakeFraction) ||
                           acknowledged_ - deadline() > part(length_, kMixReserve);
    // A block that is refused in time was refused by the device: it is gone, or dropped its data.
    const bool in_time = engine_.clock_.now() < period_.next_boundary;
    const XrunCause cause = in_time     ? XrunCause::device_gap
                            : overslept ? XrunCause::late_wake
                                        : XrunCause::engine_overrun;
    record_.causes |= bit(cause);
    engine_.previous_causes_ = bit(cause);
    engine_.flight_.write(XrunEvent{period_.index, 1, bit(cause), kNoClient,
                                    saturate_ns(written - period_.next_boundary)});
  }
  const Instant boundary = period_.boundary;
  record_.device_period = period_.index;
  record_.boundary_ns = boundary.ns;
  record_.woken_ns = saturate_ns(woken_ - boundary);
  record_.rung_ns = saturate_ns(rung_ - boundary);
  record_.last_ack_ns = saturate_ns(acknowledged_ - boundary);
  record_.written_ns = saturate_ns(written - boundary);
  record_.busy_ns = saturate_ns(written - woken_ - waited);
  engine_.flight_.write(record_);
}

PeriodStatus Engine::run_cycle() RT_SAFE {
  const RtScope scope;
  DevicePeriod period;
  const PeriodStatus status = device_->wait_period(period);
  if (status != PeriodStatus::ready) return status;
  const std::uint64_t state = cycle_state_.load(std::memory_order_relaxed);  // ours to write
  cycle_state_.store(state + 1, std::memory_order_seq_cst);                  // odd: under way
  Cycle(*this, *active_.load(std::memory_order_seq_cst), period).serve();
  cycle_state_.store(state + 2, std::memory_order_release);  // even: the plan is no longer in use
  return status;
}

bool Engine::run() {
  while (!stop_requested_.load(std::memory_order_acquire)) {
    if (run_cycle() == PeriodStatus::lost) return false;
  }
  stop_requested_.store(false, std::memory_order_release);
  return true;
}

}  // namespace asiodrv::engine
