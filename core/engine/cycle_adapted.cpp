// Clients with a rate or a buffer size of their own. A block may be with such a client for several
// cycles, or several blocks may come and go in one; the cycle waits only for what its own render
// block needs.
#include "core/audio/mix.hpp"
#include "core/audio/sample_format.hpp"
#include "core/engine/cycle.hpp"

namespace asiodrv::engine {

void Engine::Cycle::begin_adapted(const Member& member) noexcept {
  Client& client = *member.client;
  client.answers = 0;
  if (client.catching_up > 0) --client.catching_up;
  if (period_.lost > 0) {
    client.catching_up =
        3 + static_cast<std::uint32_t>(client.adapter->round_trip() / frames().count);
  }
  feed_adapter(member);
  if (client.outstanding && client.setup.ack->count() == client.rung) accept_adapted(client);
  ring_adapted(client);
}

void Engine::Cycle::feed_adapter(const Member& member) noexcept {
  Client& client = *member.client;
  for (std::size_t i = 0; i < client.setup.inputs.size(); ++i) {
    const float* block = only_source(member.inputs[i]);
    if (block == nullptr) {
      gather(member.inputs[i], client.feed(i));
      block = client.feed(i);
    }
    if (metering_) client.input_meters.measure(i, block, frames(), scratch_.ballistics);
    client.fed[i] = block;
  }
  client.adapter->capture(client.fed.data(), period_.lost);
}

/// The next block goes to a client that has none, if it is complete.
void Engine::Cycle::ring_adapted(Client& client) noexcept {
  Adapter& adapter = *client.adapter;
  if (client.outstanding || !adapter.block_waits()) return;
  const ClientSetup& setup = client.setup;
  if (adapter.block_is_out()) hand_in(client, client.half);  // deferred: it is complete by contract
  const ClientReply reply = setup.mailbox->reply();
  if (reply.free_running) client.phase = Client::Phase::resyncing;
  const bool resync = client.phase == Client::Phase::resyncing;
  if (resync) {
    blame(client, XrunCause::client_away, nanoseconds{0});  // the silence that it gives is whole
  } else {
    client.half = reply.next_half;
    for (std::uint32_t i = 0; i < setup.inputs.size(); ++i) {
      audio::from_float(setup.type, adapter.input_block(i), setup.input_halves[i][client.half],
                        adapter.shape().client_frames);
    }
  }
  const Adapter::Block block = adapter.next_block();
  const auto device_rate = static_cast<double>(engine_.format_.rate.hz);
  const auto client_rate = static_cast<double>(adapter.shape().client_rate.hz);
  const auto ns = [](double seconds) {
    return nanoseconds{static_cast<std::int64_t>(seconds * 1e9)};
  };
  adapter.rung();
  const nanoseconds own_period = ns(adapter.shape().client_frames.count / client_rate);
  publish(client, {.sample_position = block.position,
                   .boundary = period_.boundary - ns(block.age / device_rate),
                   .period = own_period,
                   .gap = std::max(length_, own_period),
                   .rate_hz = client_rate,
                   .half = client.half,
                   .resync = resync,
                   .discontinuity = block.discontinuity});
}

/// Clients with buffers smaller than a period are rung several times in it, so each of them needs
/// the engine's attention again and again: while it waits for one that is late, the others would be
/// late as well. As long as there are several, no wait is long, and whoever has answered last in
/// this cycle is waited for first.
void Engine::Cycle::await_small_buffers() noexcept {
  constexpr double kGlance = 1.0 / 32;  // of a period
  for (;;) {
    Client* next = nullptr;
    std::uint32_t waiting = 0;
    for (const Member& member : plan_.running) {
      Client& client = *member.client;
      if (!client.has_small_buffers() || client.setup.deferred ||
          client.phase == Client::Phase::starting) {
        continue;
      }
      serve_small(client);
      if (!client.outstanding || !client.adapter->output_is_due()) continue;
      if (client.removed.load(std::memory_order_acquire)) continue;  // nobody waits for it any more
      ++waiting;
      if (next == nullptr || client.answers > next->answers) next = &client;
    }
    if (next == nullptr) return;
    Instant limit = deadline();
    if (waiting > 1) {
      const Instant now = engine_.clock_.now();
      if (now >= limit) return;
      limit = std::min(limit, now + part(length_, kGlance));
    }
    if (await(*next, limit)) continue;
    if (waiting == 1) return;
    next->answers = 0;
  }
}

/// Takes what the client has answered and gives it what waits.
void Engine::Cycle::serve_small(Client& client) noexcept {
  while (client.outstanding && client.setup.ack->count() == client.rung) {
    accept_adapted(client);
    ++client.answers;
    ring_adapted(client);
  }
}

/// Until what this period plays is complete, or the deadline has passed.
void Engine::Cycle::await_adapted(Client& client) noexcept {
  if (client.phase == Client::Phase::starting || client.setup.deferred) return;
  while (client.outstanding && client.adapter->output_is_due() && await(client, deadline())) {
    accept_adapted(client);
    ring_adapted(client);
  }
}

void Engine::Cycle::accept_adapted(Client& client) noexcept {
  const bool audio = client.phase != Client::Phase::resyncing;
  note_reply(client);
  if (!audio) {
    for (std::uint32_t i = 0; i < client.setup.outputs.size(); ++i) {
      audio::silence(client.adapter->output_block(i), client.adapter->shape().client_frames);
    }
    client.adapter->delivered();
  } else if (!client.setup.deferred) {
    hand_in(client, client.half);
  }
}

void Engine::Cycle::hand_in(Client& client, std::uint32_t half) noexcept {
  const ClientSetup& setup = client.setup;
  for (std::uint32_t i = 0; i < setup.outputs.size(); ++i) {
    audio::to_float(setup.type, setup.output_halves[i][half], client.adapter->output_block(i),
                    client.adapter->shape().client_frames);
  }
  client.adapter->delivered();
}

void Engine::Cycle::mix_adapted(const Member& member) noexcept {
  Client& client = *member.client;
  if (client.phase == Client::Phase::starting) {
    client.adapter->restart();
    // What the host filled in before start, unless it has been called on its own meanwhile.
    if (client.prefilled && !client.setup.mailbox->reply().free_running) hand_in(client, 1);
    client.phase = Client::Phase::following;
    client.start_period.store(period_.index + 1, std::memory_order_relaxed);
    client.first_ring = false;
  }
  const bool whole = client.adapter->take(client.taken.data());
  if (!whole && !client.setup.outputs.empty()) {
    if (client.phase == Client::Phase::resyncing) {
      if (!client.rung_now) blame(client, XrunCause::client_away, nanoseconds{0});
    } else if (client.catching_up > 0) {  // what was lost with the periods, not by the client
      blame(client, XrunCause::late_wake, nanoseconds{0});
    } else if (client.outstanding && !client.removed.load(std::memory_order_relaxed)) {
      if (client.rung_now) bump(client.late);
      blame(client, client.rung_now ? XrunCause::late_client : XrunCause::client_away,
            engine_.clock_.now() - deadline());
      if (!client.rung_now) bump(client.away);
    }
    return fade_away(member);
  }
  client.catching_up = 0;
  if (client.silenced) sound_again(client);
  for (std::size_t i = 0; i < client.setup.outputs.size(); ++i) {
    float* const block = client.block(i);
    if (client.silenced) audio::fade_in(block, frames());
    client.last_sample[i] = block[frames().count - 1];
    if (metering_) client.output_meters.measure(i, block, frames(), scratch_.ballistics);
  }
  client.silenced = false;
  client.sounding = true;
}

}  // namespace asiodrv::engine
