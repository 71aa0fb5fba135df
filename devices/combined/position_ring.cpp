#include "devices/combined/position_ring.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace asiodrv::devices {

PositionRing::PositionRing(std::uint32_t channels, Frames capacity)
    : channels_(channels),
      mask_(std::bit_ceil(std::size_t{std::max(capacity.count, 1U)}) - 1),
      samples_(channels_ * (mask_ + 1)) {}

/// Calls move(offset in the ring, offset from `from`, frames) for the one or two pieces.
template <class Move>
void PositionRing::for_spans(std::uint64_t from, std::uint64_t to, const Move& move) const RT_SAFE {
  std::uint64_t at = from;
  while (at < to) {
    const std::size_t offset = static_cast<std::size_t>(at) & mask_;
    const auto span =
        static_cast<std::size_t>(std::min<std::uint64_t>(to - at, mask_ + 1 - offset));
    move(offset, static_cast<std::size_t>(at - from), span);
    at += span;
  }
}

bool PositionRing::write(std::uint64_t position, PlanarView<const float> block) RT_SAFE {
  assert(block.channels == channels_);
  const std::uint64_t begin = begin_.load(std::memory_order_acquire);
  const std::uint64_t end = end_.load(std::memory_order_relaxed);
  const std::uint64_t last = position + block.frames.count;
  if (last > begin + mask_ + 1) return false;
  if (last <= end) return true;
  const std::uint64_t from = std::max(end, begin);  // the reader has passed what lies before it
  const std::uint64_t copied = std::clamp(position, std::min(from, last), last);
  for_spans(from, copied, [&](std::size_t to, std::size_t, std::size_t frames) {
    for (std::uint32_t c = 0; c < channels_; ++c) std::fill_n(channel(c) + to, frames, 0.0F);
  });
  const auto skipped = static_cast<std::size_t>(copied - position);
  for_spans(copied, last, [&](std::size_t to, std::size_t at, std::size_t frames) {
    for (std::uint32_t c = 0; c < channels_; ++c) {
      std::copy_n(block.channel(c) + skipped + at, frames, channel(c) + to);
    }
  });
  end_.store(last, std::memory_order_release);
  return true;
}

std::uint32_t PositionRing::read(std::uint64_t position, PlanarView<float> out) RT_SAFE {
  assert(out.channels == channels_);
  const std::uint64_t begin = begin_.load(std::memory_order_relaxed);
  const std::uint64_t end = end_.load(std::memory_order_acquire);
  const std::uint64_t last = position + out.frames.count;
  const std::uint64_t from = std::clamp(begin, position, last);
  const std::uint64_t to = std::clamp(end, from, last);
  const auto before = static_cast<std::size_t>(from - position);
  const auto after = static_cast<std::size_t>(to - position);
  for (std::uint32_t c = 0; c < channels_; ++c) {
    std::fill_n(out.channel(c), before, 0.0F);
    std::fill_n(out.channel(c) + after, out.frames.count - after, 0.0F);
  }
  for_spans(from, to, [&](std::size_t offset, std::size_t at, std::size_t frames) {
    for (std::uint32_t c = 0; c < channels_; ++c) {
      std::copy_n(channel(c) + offset, frames, out.channel(c) + before + at);
    }
  });
  if (last > begin) begin_.store(last, std::memory_order_release);
  return out.frames.count - static_cast<std::uint32_t>(to - from);
}

void PositionRing::forget_before(std::uint64_t position) RT_SAFE {
  if (position > begin_.load(std::memory_order_relaxed)) {
    begin_.store(position, std::memory_order_release);
  }
}

}  // namespace asiodrv::devices
