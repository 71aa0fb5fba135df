// A ring of planar audio between two threads in which every frame has its number for ever.
//
// Both ends speak of frames by their position on one axis (a device's own count of frames since it
// started). What was never written, came too late or did not fit is silence at its place; nothing
// is ever heard at another place than its own, and never twice. So a late thread costs the frames
// it was late for, and not the alignment of all that follow.
//
//     begin <= position < end     held: [end, begin + capacity) is free to be written
//
// Threads: one writer, one reader. RT: wait-free, no allocation but in the constructor.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/planar.hpp"
#include "core/base/rt.hpp"
#include "core/base/units.hpp"

namespace asiodrv::devices {

class PositionRing {
 public:
  /// `capacity` is rounded up to a power of two. Allocates and touches it all.
  PositionRing(std::uint32_t channels, Frames capacity);
  PositionRing(const PositionRing&) = delete;
  PositionRing& operator=(const PositionRing&) = delete;

  /// Writer: puts `block` at `position`. Frames between the end and `position` become silence,
  /// frames before the end are passed over. False, and nothing happens, when the block reaches
  /// beyond the room. O(channels * frames), and once O(channels * gap) after a gap.
  bool write(std::uint64_t position, PlanarView<const float> block) RT_SAFE;

  /// Reader: fills `out` from `position` on, silence where nothing is held, and gives everything
  /// before its end back to the writer. Returns how many of its frames were not held.
  std::uint32_t read(std::uint64_t position, PlanarView<float> out) RT_SAFE;

  /// Reader: gives everything before `position` back to the writer.
  void forget_before(std::uint64_t position) RT_SAFE;

  /// Any thread.
  [[nodiscard]] std::uint64_t begin() const RT_SAFE {
    return begin_.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::uint64_t end() const RT_SAFE { return end_.load(std::memory_order_acquire); }
  [[nodiscard]] Frames capacity() const RT_SAFE { return {static_cast<std::uint32_t>(mask_ + 1)}; }

 private:
  template <class Move>
  void for_spans(std::uint64_t from, std::uint64_t to, const Move& move) const RT_SAFE;
  [[nodiscard]] float* channel(std::uint32_t index) RT_SAFE {
    return samples_.data() + index * (mask_ + 1);
  }

  const std::uint32_t channels_;
  const std::size_t mask_;
  std::vector<float> samples_;  // [channel][position & mask_]
  // The reader's; its release after a copy pairs with the writer's acquire before the next one.
  alignas(64) std::atomic<std::uint64_t> begin_{0};
  // The writer's; its release after a copy pairs with the reader's acquire.
  alignas(64) std::atomic<std::uint64_t> end_{0};
};

}  // namespace asiodrv::devices
