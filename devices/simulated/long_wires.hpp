// Wires with a delay: what the outputs played stays here until it is heard. Internal to
// devices/simulated.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/audio/mix.hpp"
#include "core/base/planar.hpp"
#include "core/base/rt.hpp"
#include "core/base/units.hpp"

namespace asiodrv::devices {

/// A ring of played blocks, each with its number: what was not played in time is silence when its
/// time comes, without anybody having to write it.
/// RT: play and hear are wait-free, one copy and one sum of the samples.
class LongWires {
 public:
  LongWires() = default;
  /// Allocates and touches everything. Without `delay` there is nothing to do or to hear.
  LongWires(std::uint32_t outputs, Frames period, Frames delay)
      : outputs_(outputs),
        period_(period.count),
        delay_(delay.count),
        blocks_(delay.count == 0 ? 0 : (delay.count + period.count - 1) / period.count + 3),
        played_(blocks_, kNothing),
        samples_(blocks_ * outputs_ * period_) {}

  [[nodiscard]] bool used() const noexcept { return blocks_ != 0; }
  void reset() noexcept { std::fill(played_.begin(), played_.end(), kNothing); }

  /// All outputs of render block `index`.
  void play(std::uint64_t index, PlanarView<const float> rendered) RT_SAFE {
    if (blocks_ == 0) return;
    played_[static_cast<std::size_t>(index % blocks_)] = index;
    for (std::uint32_t output = 0; output < outputs_; ++output) {
      std::copy_n(rendered.channel(output), period_, block(index, output));
    }
  }

  /// Adds what an input at the end of the wire from `output` hears while, without delay, it would
  /// hear render block `index`.
  void hear(std::uint64_t index, std::uint32_t output, float* target) const RT_SAFE {
    const std::uint64_t at = index * period_;
    const std::uint64_t first = at - std::min(at, delay_);  // frames since the start
    auto left = static_cast<std::size_t>(at + period_ - std::min(at + period_, delay_) - first);
    target += period_ - left;  // the part before the start is silent
    for (std::uint64_t frame = first; left > 0;) {
      const std::uint64_t from = frame / period_;
      const auto skip = static_cast<std::size_t>(frame % period_);
      const std::size_t count = std::min(left, period_ - skip);
      if (played_[static_cast<std::size_t>(from % blocks_)] == from) {
        audio::mix_into(block(from, output) + skip, target,
                        Frames{static_cast<std::uint32_t>(count)});
      }
      target += count;
      frame += count;
      left -= count;
    }
  }

 private:
  static constexpr std::uint64_t kNothing = ~std::uint64_t{0};

  [[nodiscard]] const float* block(std::uint64_t index, std::uint32_t output) const RT_SAFE {
    return samples_.data() +
           (static_cast<std::size_t>(index % blocks_) * outputs_ + output) * period_;
  }
  [[nodiscard]] float* block(std::uint64_t index, std::uint32_t output) RT_SAFE {
    return samples_.data() +
           (static_cast<std::size_t>(index % blocks_) * outputs_ + output) * period_;
  }

  std::size_t outputs_ = 0, period_ = 0;
  std::uint64_t delay_ = 0;
  std::size_t blocks_ = 0;  // the delayed ones, the one in between, and those not yet heard at all
  std::vector<std::uint64_t> played_;  // [index % blocks_]: which one is there
  std::vector<float> samples_;         // [index % blocks_][output][frame]
};

}  // namespace asiodrv::devices
