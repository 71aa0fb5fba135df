#include "devices/simulated/simulated_buffers.hpp"

#include <algorithm>
#include <cstring>

#include "core/audio/mix.hpp"
#include "devices/simulated/simulated_device.hpp"

namespace asiodrv::devices {
namespace {

/// For every input, the outputs that are wired to it.
std::vector<std::vector<std::uint32_t>> outputs_by_input(const SimulatedOptions& options) {
  std::vector<std::vector<std::uint32_t>> sources(options.inputs);
  switch (options.wiring) {
    case SimulatedWiring::straight:
      for (std::uint32_t i = 0; i < std::min(options.inputs, options.outputs); ++i) {
        sources[i].push_back(i);
      }
      break;
    case SimulatedWiring::none: break;
    case SimulatedWiring::listed:
      for (const SimulatedWire& wire : options.wires) sources[wire.input].push_back(wire.output);
      break;
  }
  return sources;
}

}  // namespace

SimulatedBuffers::SimulatedBuffers(const SimulatedOptions& options, Frames period)
    : period_(period),
      loop_player_(options.loop_player),
      player_(options.player),
      long_wires_(options.outputs, period, options.hidden_latency) {
  const auto sources = outputs_by_input(options);
  const auto player_of = [this](std::uint32_t input) -> const std::vector<float>* {
    if (!player_ || input >= player_->channels.size()) return nullptr;
    const std::vector<float>& samples = player_->channels[input];
    return samples.empty() ? nullptr : &samples;
  };
  // One line more than a block needs: power-of-two strides would put all channels into the same
  // few cache sets.
  constexpr std::size_t kLineFloats = 16;
  stride_ = (period.count + kLineFloats - 1) / kLineFloats * kLineFloats + kLineFloats;
  const std::size_t blocks = std::size_t{options.outputs} * kSets + options.inputs + 1;
  const std::size_t bytes = blocks * stride_ * sizeof(float);
  memory_.reset(static_cast<float*>(::operator new (bytes, std::align_val_t{64})));
  std::memset(memory_.get(), 0, bytes);

  for (std::uint32_t set = 0; set < kSets; ++set) {
    for (std::uint32_t i = 0; i < options.outputs; ++i) render_[set].push_back(next_block());
    rendered_[set].assign(render_[set].begin(), render_[set].end());
  }
  const float* const silence = next_block();
  for (std::uint32_t input = 0; input < options.inputs; ++input) {
    const std::vector<float>* const player = player_of(input);
    const std::vector<std::uint32_t>& outputs = sources[input];
    const bool is_mixed =
        player != nullptr || outputs.size() > 1 || (long_wires_.used() && !outputs.empty());
    if (is_mixed) mixed_.push_back({next_block(), outputs, player});
    for (std::uint32_t set = 0; set < kSets; ++set) {
      capture_[set].push_back(is_mixed          ? mixed_.back().block
                              : outputs.empty() ? silence
                                                : render_[set][outputs.front()]);
    }
    silent_capture_.push_back(is_mixed ? mixed_.back().block : silence);
  }
}

float* SimulatedBuffers::next_block() noexcept { return memory_.get() + stride_ * blocks_used_++; }

PlanarView<float> SimulatedBuffers::render(std::uint64_t index) RT_SAFE {
  const std::vector<float*>& set = render_[index % kSets];
  return {set.data(), static_cast<std::uint32_t>(set.size()), period_};
}

PlanarView<const float> SimulatedBuffers::rendered(std::uint64_t index) const RT_SAFE {
  const std::vector<const float*>& set = rendered_[index % kSets];
  return {set.data(), static_cast<std::uint32_t>(set.size()), period_};
}

PlanarView<const float> SimulatedBuffers::capture(std::uint64_t index) RT_SAFE {
  const std::uint64_t set = (index + 1) % kSets;  // of block index - 2
  const bool heard = index >= 2 && played_[set] == index - 2;
  for (const MixedInput& input : mixed_) {
    audio::silence(input.block, period_);
    if (input.player != nullptr) play_into(*input.player, index * period_.count, input.block);
    if (long_wires_.used() && index >= 2) {
      for (const std::uint32_t output : input.outputs) {
        long_wires_.hear(index - 2, output, input.block);
      }
    }
    if (!heard || long_wires_.used()) continue;
    for (const std::uint32_t output : input.outputs) {
      audio::mix_into(render_[set][output], input.block, period_);
    }
  }
  const std::vector<const float*>& table = heard ? capture_[set] : silent_capture_;
  return {table.data(), static_cast<std::uint32_t>(table.size()), period_};
}

/// Copies the player's frames from `position` on; what lies behind its end stays untouched.
void SimulatedBuffers::play_into(const std::vector<float>& samples, std::uint64_t position,
                                 float* target) const RT_SAFE {
  if (position >= samples.size() && !loop_player_) return;
  auto from = static_cast<std::size_t>(position % samples.size());
  std::size_t left = period_.count;
  while (left > 0) {
    const std::size_t count = std::min(left, samples.size() - from);
    std::memcpy(target, samples.data() + from, count * sizeof(float));
    if (!loop_player_) return;
    target += count;
    left -= count;
    from = 0;
  }
}

}  // namespace asiodrv::devices
