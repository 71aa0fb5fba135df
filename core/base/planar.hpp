// Views of planar audio: one contiguous run of samples per channel.
#pragma once

#include <cassert>
#include <cstdint>

#include "core/base/units.hpp"

namespace asiodrv {

/// A view of `channels` blocks of `frames` samples each: [channel][frame]. Borrows its memory;
/// `blocks` points at one pointer per channel. Cheap to copy.
template <class Sample>
struct PlanarView {
  Sample* const* blocks = nullptr;
  std::uint32_t channels = 0;
  Frames frames{};

  [[nodiscard]] Sample* channel(std::uint32_t index) const noexcept {
    assert(index < channels);
    return blocks[index];
  }
};

}  // namespace asiodrv
