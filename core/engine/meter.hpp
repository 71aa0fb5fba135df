// How loud channels are, measured block by block while somebody looks. Private to core/engine.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "core/base/rt.hpp"
#include "core/base/units.hpp"
#include "core/engine/graph.hpp"

namespace asiodrv::engine {

/// What one period does to a meter; depends on the format only.
struct MeterBallistics {
  float peak_fall = 1.0F;  ///< factor per period
  float rms_share = 0.0F;  ///< of the newest block in the mean

  [[nodiscard]] static MeterBallistics of(Frames period, SampleRate rate) noexcept;
};

/// The meters of one side of one node. Written by the engine thread, read by any.
class MeterBank {
 public:
  explicit MeterBank(std::size_t channels = 0)
      : cells_(std::make_unique<Cell[]>(channels)), size_(channels) {}

  /// Takes one block of channel `channel`. RT: wait-free, O(frames).
  void measure(std::size_t channel, const float* block, Frames frames,
               const MeterBallistics& ballistics) noexcept;
  /// The same for a block of silence.
  void measure_silence(std::size_t channel, const MeterBallistics& ballistics) noexcept;

  [[nodiscard]] std::vector<Level> read() const;
  /// As if nothing had been heard yet.
  void clear() noexcept;

 private:
  struct Cell {
    std::atomic<float> peak{0.0F};
    std::atomic<float> mean_square{0.0F};
  };
  void settle(Cell& cell, float peak, float mean_square, const MeterBallistics& by) noexcept;

  std::unique_ptr<Cell[]> cells_;
  std::size_t size_;
};

}  // namespace asiodrv::engine
