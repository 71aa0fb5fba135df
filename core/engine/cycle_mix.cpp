// What sounds where: from sources through strands to sinks.
#include "core/audio/mix.hpp"
#include "core/audio/sample_format.hpp"
#include "core/engine/cycle.hpp"

namespace asiodrv::engine {
namespace {

/// One period's step of a gain on its way; `ramp` is the step for gains around unity.
float approach(float from, float target, float ramp) noexcept {
  const float step = ramp * std::max({1.0F, from, -from, target, -target});
  return from + std::clamp(target - from, -step, step);
}

}  // namespace

/// Null while the source is silent.
const float* Engine::Cycle::source(const Strand& strand) const noexcept {
  if (strand.cable != nullptr) return strand.cable->reading(strand.channel);
  if (strand.client == nullptr) return period_.capture.channel(strand.channel);
  return strand.client->sounding ? strand.client->block(strand.channel) : nullptr;
}

/// The block that is the sink's whole content, unchanged; null when it takes arithmetic.
const float* Engine::Cycle::only_source(const Sink& sink) const noexcept {
  return sink.strands.size() == 1 && sink.strands[0].is_unity() ? source(sink.strands[0]) : nullptr;
}

/// Sums what flows into a sink and moves its gains on; returns how many strands there were to hear.
/// Gains that rest are summed four at a time: a matrix is mostly these.
std::uint32_t Engine::Cycle::gather(const Sink& sink, float* target) noexcept {
  std::uint32_t heard = 0;
  std::uint32_t waiting = 0;
  const float* blocks[4];
  float gains[4];
  for (const Strand& strand : sink.strands) {
    const float from = strand.state->gain.load(std::memory_order_relaxed);
    const float* const block = source(strand);
    if (from == strand.target) {
      if (block == nullptr || from == 0.0F) continue;
      blocks[waiting] = block;
      gains[waiting] = from;
      if (++waiting < 4) continue;
      audio::mix_four_into(blocks, gains, target, frames(), heard == 0);
      heard += 4;
      waiting = 0;
      continue;
    }
    const float to = approach(from, strand.target, scratch_.ramp);
    strand.state->gain.store(to, std::memory_order_relaxed);
    if (block == nullptr) continue;
    if (heard++ == 0) audio::silence(target, frames());
    audio::mix_into(block, target, frames(), LinearGain{from}, LinearGain{to});
  }
  for (std::uint32_t i = 0; i < waiting; ++i) {
    if (heard++ == 0) {
      if (gains[i] == 1.0F) {
        audio::copy(blocks[i], target, frames());  // bit for bit, negative zeros too
        continue;
      }
      audio::silence(target, frames());
    }
    audio::mix_into(blocks[i], target, frames(), LinearGain{gains[i]});
  }
  if (heard == 0) audio::silence(target, frames());
  return heard;
}

void Engine::Cycle::copy_inputs(const Member& member) noexcept {
  Client& client = *member.client;
  const ClientSetup& setup = client.setup;
  for (std::size_t i = 0; i < setup.inputs.size(); ++i) {
    const float* block = only_source(member.inputs[i]);
    if (block == nullptr) {
      gather(member.inputs[i], scratch_.block.data());
      block = scratch_.block.data();
    }
    if (metering_) client.input_meters.measure(i, block, frames(), scratch_.ballistics);
    audio::from_float(setup.type, block, setup.input_halves[i][client.half], frames());
  }
}

void Engine::Cycle::mix() noexcept {
  for (const Member& member : plan_.running) mix_client(member);
  mix_sinks();
}

void Engine::Cycle::mix_client(const Member& member) noexcept {
  Client& client = *member.client;
  if (client.adapter) return mix_adapted(member);
  if (client.phase == Client::Phase::starting) {
    // What the host filled in before start, unless it has been called on its own meanwhile.
    if (client.prefilled && !client.setup.mailbox->reply().free_running) add_output(member, 1);
    client.phase = Client::Phase::following;
    return;
  }
  if (client.setup.deferred) {
    if (!client.answered) fade_away(member);
    return;  // its output was taken before it was rung
  }
  if (client.answered) return add_output(member, client.half);
  if (client.phase == Client::Phase::following && client.rung_now &&
      !client.removed.load(std::memory_order_relaxed)) {
    bump(client.late);
    blame(client, XrunCause::late_client, engine_.clock_.now() - deadline());
  }
  fade_away(member);
}

void Engine::Cycle::mix_sinks() noexcept {
  const PlanarView<float>& render = period_.render;
  for (std::uint32_t output = 0; output < render.channels; ++output) {
    float* const block = render.channel(output);
    if (scratch_.converted[output] == 0 && gather(plan_.outputs[output], block) > 0) {
      audio::clip(block, frames());
    }
    if (metering_) scratch_.outputs.measure(output, block, frames(), scratch_.ballistics);
  }
  if (metering_) {
    for (std::uint32_t input = 0; input < period_.capture.channels; ++input) {
      scratch_.inputs.measure(input, period_.capture.channel(input), frames(), scratch_.ballistics);
    }
  }
  for (const Plan::CableUse& use : plan_.cables) {
    for (std::uint32_t channel = 0; channel < use.sinks.size(); ++channel) {
      float* const block = use.cable->writing(channel);
      gather(use.sinks[channel], block);
      if (metering_) use.cable->meters.measure(channel, block, frames(), scratch_.ballistics);
    }
  }
  for (const Plan::CableUse& use : plan_.cables) use.cable->turn();
}

/// Plan::kNone, or the device output that takes this channel's samples as they are.
std::uint32_t Engine::Cycle::direct_output(const Member& member,
                                           std::size_t channel) const noexcept {
  const std::uint32_t output = member.direct[channel];
  if (output == Plan::kNone || !plan_.outputs[output].strands[0].is_unity()) return Plan::kNone;
  return output;
}

void Engine::Cycle::sound_again(Client& client) noexcept {
  record_.causes |= bit(XrunCause::recovery);
  client.burst.add(engine_.flight_, period_.index, XrunCause::recovery, client.setup.id, 0);
  client.burst.end(engine_.flight_);
}

void Engine::Cycle::add_output(const Member& member, std::uint32_t half) noexcept {
  Client& client = *member.client;
  const ClientSetup& setup = client.setup;
  if (client.silenced) sound_again(client);
  for (std::size_t i = 0; i < setup.outputs.size(); ++i) {
    const std::uint32_t output = direct_output(member, i);
    float* block = client.block(i);
    if (output != Plan::kNone) {
      block = period_.render.channel(output);
      audio::to_float_clipped(setup.type, setup.output_halves[i][half], block, frames());
      scratch_.converted[output] = 1;
    } else {
      audio::to_float(setup.type, setup.output_halves[i][half], block, frames());
    }
    if (client.silenced) audio::fade_in(block, frames());
    client.last_sample[i] = block[frames().count - 1];
    if (metering_) client.output_meters.measure(i, block, frames(), scratch_.ballistics);
  }
  client.silenced = false;
  client.sounding = true;
}

/// A client that has nothing to give in this period: its last sample runs out to silence, once.
void Engine::Cycle::fade_away(const Member& member) noexcept {
  Client& client = *member.client;
  if (client.silenced) {
    for (std::size_t i = 0; metering_ && i < client.setup.outputs.size(); ++i) {
      client.output_meters.measure_silence(i, scratch_.ballistics);
    }
    return;
  }
  client.silenced = true;
  for (std::size_t i = 0; i < client.setup.outputs.size(); ++i) {
    audio::fade_tail(client.last_sample[i], client.block(i), frames());
    client.last_sample[i] = 0.0F;
  }
  client.sounding = true;
}

}  // namespace asiodrv::engine
