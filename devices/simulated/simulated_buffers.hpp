// The memory of an open simulated device, and how played blocks become captured ones. Internal to
// devices/simulated.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include "core/audio/wav.hpp"
#include "core/base/planar.hpp"
#include "core/base/rt.hpp"
#include "core/base/units.hpp"
#include "devices/simulated/long_wires.hpp"

namespace asiodrv::devices {

struct SimulatedOptions;

/// Render blocks live in three sets that take turns: one is being written, one played, and one has
/// just been played. An input that is wired to one output and nothing else reads that output's
/// block where it lies, so straight wires copy nothing at all.
class SimulatedBuffers {
 public:
  /// Allocates and touches everything. `options` have been checked. Throws std::bad_alloc.
  SimulatedBuffers(const SimulatedOptions& options, Frames period);

  /// Forgets what was played.
  void reset() noexcept {
    played_.fill(kNothing);
    long_wires_.reset();
  }

  /// The block to be filled in period `index`.
  [[nodiscard]] PlanarView<float> render(std::uint64_t index) RT_SAFE;

  /// What render block `index` will be heard as.
  [[nodiscard]] PlanarView<const float> rendered(std::uint64_t index) const RT_SAFE;

  /// Render block `index` was committed in time; every other one is silence.
  void mark_played(std::uint64_t index) RT_SAFE {
    played_[index % kSets] = index;
    if (long_wires_.used()) long_wires_.play(index, rendered(index));
  }

  /// What passed the inputs in the period before boundary `index`: render block `index - 2` through
  /// the wires, or what long wires bring of earlier ones, and the player. Valid until the next
  /// call.
  [[nodiscard]] PlanarView<const float> capture(std::uint64_t index) RT_SAFE;

 private:
  static constexpr std::uint32_t kSets = 3;
  static constexpr std::uint64_t kNothing = ~std::uint64_t{0};

  /// An input with several sources, with the player, or at the end of a long wire.
  struct MixedInput {
    float* block;
    std::vector<std::uint32_t> outputs;
    const std::vector<float>* player;  ///< null: none
  };

  struct FreeAligned {
    void operator()(float* memory) const noexcept {
      ::operator delete (memory, std::align_val_t{64});
    }
  };

  float* next_block() noexcept;
  void play_into(const std::vector<float>& samples, std::uint64_t position,
                 float* target) const RT_SAFE;

  const Frames period_;
  const bool loop_player_;
  std::shared_ptr<const audio::WavAudio> player_;  // keeps MixedInput::player alive
  std::unique_ptr<float, FreeAligned> memory_;
  std::size_t stride_ = 0;  // floats from one block to the next
  std::size_t blocks_used_ = 0;
  std::array<std::vector<float*>, kSets> render_;
  std::array<std::vector<const float*>, kSets> rendered_;
  std::array<std::vector<const float*>, kSets> capture_;  // by the set that was played
  std::vector<const float*> silent_capture_;
  std::vector<MixedInput> mixed_;
  LongWires long_wires_;
  std::array<std::uint64_t, kSets> played_{kNothing, kNothing, kNothing};
};

}  // namespace asiodrv::devices
