// Which buffer sizes a driver offers at one sample rate, as ASIO can say it: powers of two, or
// steps of equal length.
#pragma once

#include <bit>
#include <string>

#include "core/base/units.hpp"
#include "core/wire/section.hpp"

namespace asiodrv::wire {

struct BufferSizes {
  Frames least{}, most{}, preferred{};
  Frames step{};  ///< least, least + step, ... most; 0: the powers of two from least to most

  [[nodiscard]] constexpr bool offers(Frames frames) const noexcept {
    if (frames < least || frames > most) return false;
    if (step.count == 0) return std::has_single_bit(frames.count);
    return (frames.count - least.count) % step.count == 0;
  }

  /// Within the limits of the section, and all three of them on offer.
  [[nodiscard]] constexpr bool plausible() const noexcept {
    return least.count >= kMinFrames && most.count <= kMaxFrames && offers(least) && offers(most) &&
           offers(preferred);
  }

  friend bool operator==(const BufferSizes&, const BufferSizes&) = default;
};

/// "a power of two from 32 to 2048", "480", "steps of 480 from 480 to 4800"
[[nodiscard]] inline std::string sizes_text(const BufferSizes& sizes) {
  const std::string least = std::to_string(sizes.least.count);
  if (sizes.least == sizes.most) return least;
  const std::string range = " from " + least + " to " + std::to_string(sizes.most.count);
  if (sizes.step.count == 0) return "a power of two" + range;
  return "steps of " + std::to_string(sizes.step.count) + range;
}

}  // namespace asiodrv::wire
