// The engine thread: one period of the device, from its arrival to the committed render block.
//
//   1 a period arrives               wait_period
//   2 inputs go out, clients ring    ring_clients
//   3 acknowledgements come in       await_clients   (until the deadline)
//   4 outputs are mixed, clipped     mix
//   5 the block is committed         finish          (and the flight record written)
#include <algorithm>
#include <limits>

#include "core/audio/mix.hpp"
#include "core/audio/sample_format.hpp"
#include "core/base/rt.hpp"
#include "core/engine/client.hpp"
#include "core/engine/engine.hpp"
#include "core/engine/plan.hpp"

namespace asiodrv::engine {
namespace {

using ports::DevicePeriod;
using ports::PeriodStatus;

std::uint32_t saturate_ns(nanoseconds duration) noexcept {
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(duration.count(), 0, std::numeric_limits<std::uint32_t>::max()));
}

/// As above for an instant that a client claims: any two values subtract without overflow.
std::uint32_t claimed_ns(Instant claimed, Instant boundary) noexcept {
  const auto difference =
      static_cast<std::uint64_t>(claimed.ns) - static_cast<std::uint64_t>(boundary.ns);
  return saturate_ns(nanoseconds{static_cast<std::int64_t>(difference)});
}

constexpr std::uint32_t bit(XrunCause cause) noexcept { return static_cast<std::uint32_t>(cause); }

/// A wake-up later than this part of the period leaves clients too little time to be blamed.
constexpr double kLateWakeFraction = 0.5;
/// When the engine itself woke late, clients still get this part of a period.
constexpr double kLateWakeGrace = 0.25;
/// What the engine keeps for mixing and writing, whatever happens.
constexpr double kMixReserve = 0.05;

/// Counts one up. Only the engine thread writes these counters, so no locked instruction is needed.
void bump(std::atomic<std::uint64_t>& counter) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

nanoseconds part(nanoseconds whole, double fraction) noexcept {
  return nanoseconds{static_cast<std::int64_t>(static_cast<double>(whole.count()) * fraction)};
}

}  // namespace

/// One pass through a period. Lives on the engine thread's stack.
class Engine::Cycle {
 public:
  Cycle(Engine& engine, const Plan& plan, DevicePeriod& period) noexcept
      : engine_(engine),
        plan_(plan),
        period_(period),
        scratch_(*engine.scratch_),
        length_(period.next_boundary - period.boundary),
        woken_(engine.clock_.now()) {}

  void serve() noexcept {
    std::fill(scratch_.sounding.begin(), scratch_.sounding.end(), std::uint8_t{0});
    note_lost_periods();
    ring_clients();
    await_clients();
    mix();
    finish();
  }

 private:
  void note_lost_periods() noexcept;
  void ring_clients() noexcept;
  void begin_client(Client& client) noexcept;
  void ring(Client& client, bool resync) noexcept;
  void copy_inputs(const Client& client) noexcept;
  void await_clients() noexcept;
  void accept(Client& client) noexcept;
  void blame(Client& client, XrunCause cause, nanoseconds late) noexcept;
  void mix() noexcept;
  void add_output(Client& client, std::uint32_t half) noexcept;
  void fade_away(Client& client) noexcept;
  [[nodiscard]] float* begin_block(std::uint32_t output) noexcept;
  void end_block(std::uint32_t output, const float* block) noexcept;
  void finish() noexcept;

  [[nodiscard]] Frames frames() const noexcept { return period_.render.frames; }
  [[nodiscard]] Instant deadline() const noexcept {
    const Instant planned = period_.boundary + part(length_, engine_.options_.deadline_fraction);
    const Instant grace = woken_ + part(length_, kLateWakeGrace);
    return std::min(std::max(planned, grace), period_.next_boundary - part(length_, kMixReserve));
  }

  Engine& engine_;
  const Plan& plan_;
  DevicePeriod& period_;
  Scratch& scratch_;
  const nanoseconds length_;
  const Instant woken_;
  Instant rung_{};          ///< when the first wait began; zero while nobody was waited for
  Instant acknowledged_{};  ///< when the last wait ended
  FlightRecord record_{};
};

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
  for (const auto& client : plan_.running) begin_client(*client);
}

void Engine::Cycle::begin_client(Client& client) noexcept {
  client.answered = false;
  client.rung_now = false;
  if (client.phase == Client::Phase::starting) return;  // mixed from its pre-filled half

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
    client.answered = true;  // its previous half is complete by contract; at first there is none
    if (!client.first_ring) add_output(client, client.half);
  }
  client.half = reply.next_half;
  copy_inputs(client);
  ring(client, false);
}

void Engine::Cycle::ring(Client& client, bool resync) noexcept {
  if (client.first_ring) {
    client.start_period.store(period_.index, std::memory_order_relaxed);
    client.first_ring = false;
  }
  const std::uint64_t periods = period_.index - client.start_period.load(std::memory_order_relaxed);
  client.setup.mailbox->publish({.sample_position = periods * frames().count,
                                 .boundary = period_.boundary,
                                 .period = length_,
                                 .rate_hz = static_cast<double>(engine_.format_.rate.hz),
                                 .half = client.half,
                                 .resync = resync,
                                 .discontinuity = period_.lost > 0});
  client.outstanding = true;
  client.rung_now = true;
  client.setup.wake->ring(++client.rung);
  ++record_.clients_rung;
}

void Engine::Cycle::copy_inputs(const Client& client) noexcept {
  const ClientSetup& setup = client.setup;
  for (std::size_t i = 0; i < setup.inputs.size(); ++i) {
    audio::from_float(setup.type, period_.capture.channel(setup.inputs[i]),
                      setup.input_halves[i][client.half], frames());
  }
}

/// Waits for one client after the other, all under the same deadline: the mix needs every one of
/// them anyway.
void Engine::Cycle::await_clients() noexcept {
  const Instant limit = deadline();
  for (const auto& each : plan_.running) {
    Client& client = *each;
    if (!client.rung_now || client.setup.deferred) continue;
    std::uint32_t count = client.setup.ack->count();
    if (count != client.rung && !client.removed.load(std::memory_order_acquire)) {
      // One change is all a client gets: whoever answers with nonsense is late, not waited for.
      if (rung_ == Instant{}) rung_ = engine_.clock_.now();
      const RtPermit permit;  // bounded by the cycle's deadline
      count = client.setup.ack->wait_change(count, limit, engine_.options_.spin);
    }
    if (count == client.rung) accept(client);
  }
  if (rung_ != Instant{}) acknowledged_ = engine_.clock_.now();
}

void Engine::Cycle::accept(Client& client) noexcept {
  client.outstanding = false;
  bump(client.cycles);
  const ClientReply reply = client.setup.mailbox->reply();
  if (client.phase == Client::Phase::resyncing) {
    if (!reply.free_running) client.phase = Client::Phase::following;
    return;
  }
  if (record_.entered_ns == 0) record_.entered_ns = claimed_ns(reply.entered, period_.boundary);
  client.answered = true;
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

void Engine::Cycle::mix() noexcept {
  for (const auto& each : plan_.running) {
    Client& client = *each;
    if (client.phase == Client::Phase::starting) {
      add_output(client, 1);  // what the host filled in before start
      client.phase = Client::Phase::following;
      continue;
    }
    if (client.setup.deferred) {
      if (!client.answered) fade_away(client);
      continue;  // its output was taken before it was rung
    }
    if (client.answered) {
      add_output(client, client.half);
      continue;
    }
    if (client.phase == Client::Phase::following && client.rung_now &&
        !client.removed.load(std::memory_order_relaxed)) {
      bump(client.late);
      blame(client, XrunCause::late_client, engine_.clock_.now() - deadline());
    }
    fade_away(client);
  }
  const PlanarView<float>& render = period_.render;
  for (std::uint32_t output = 0; output < render.channels; ++output) {
    if (scratch_.sounding[output] == 0) {
      audio::silence(render.channel(output), render.frames);
    } else if (plan_.sources[output] > 1) {
      audio::clip(render.channel(output), render.frames);
    }
  }
}

void Engine::Cycle::add_output(Client& client, std::uint32_t half) noexcept {
  const ClientSetup& setup = client.setup;
  if (client.silenced) {
    record_.causes |= bit(XrunCause::recovery);
    client.burst.add(engine_.flight_, period_.index, XrunCause::recovery, setup.id, 0);
    client.burst.end(engine_.flight_);
  }
  for (std::size_t i = 0; i < setup.outputs.size(); ++i) {
    const std::uint32_t output = setup.outputs[i];
    float* const block = begin_block(output);
    if (plan_.sources[output] == 1) {
      audio::to_float_clipped(setup.type, setup.output_halves[i][half], block, frames());
    } else {
      audio::to_float(setup.type, setup.output_halves[i][half], block, frames());
    }
    if (client.silenced) audio::fade_in(block, frames());
    client.last_sample[i] = block[frames().count - 1];
    end_block(output, block);
  }
  client.silenced = false;
}

/// A client that has nothing to give in this period: its last sample runs out to silence, once.
void Engine::Cycle::fade_away(Client& client) noexcept {
  if (client.silenced) return;
  client.silenced = true;
  for (std::size_t i = 0; i < client.setup.outputs.size(); ++i) {
    const std::uint32_t output = client.setup.outputs[i];
    float* const block = begin_block(output);
    audio::fade_tail(client.last_sample[i], block, frames());
    client.last_sample[i] = 0.0F;
    end_block(output, block);
  }
}

/// Where to write the next source of a device output: straight into the render block for the first
/// one, beside it for those that will be added.
float* Engine::Cycle::begin_block(std::uint32_t output) noexcept {
  return scratch_.sounding[output] == 0 ? period_.render.channel(output) : scratch_.block.data();
}

void Engine::Cycle::end_block(std::uint32_t output, const float* block) noexcept {
  if (scratch_.sounding[output] != 0) {
    audio::mix_into(block, period_.render.channel(output), frames());
  }
  scratch_.sounding[output] = 1;
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
    const XrunCause cause = overslept ? XrunCause::late_wake : XrunCause::engine_overrun;
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
