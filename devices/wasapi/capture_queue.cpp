#include "devices/wasapi/capture_queue.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>
#include <utility>

namespace asiodrv::devices::wasapi {
namespace {

constexpr std::uint64_t kLeastSettling = 8;   // periods
constexpr std::uint64_t kLongestWindow = 64;  // seconds
constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

}  // namespace

CaptureQueue::CaptureQueue(const StreamFormat& format, Frames period, Frames capacity)
    : format_(format),
      period_(period.count),
      capacity_(std::max(capacity.count, 2 * period.count)),
      frame_bytes_(format.frame_bytes()),
      bytes_(std::size_t{2} * capacity_ * frame_bytes_),
      blocks_(format.channels) {
  reset();
}

void CaptureQueue::reset() RT_SAFE {
  first_ = level_ = 0;
  taken_ = 0;
  settling_ = std::max<std::uint64_t>(format_.rate.hz / period_ / 2, kLeastSettling);
  window_periods_ = settling_ / 4;
  window_end_ = window_periods_;
  window_least_ = kNone;
  overflowed_ = false;
  dropped_ = inserted_ = 0;
}

bool CaptureQueue::settling() const RT_SAFE { return taken_ <= settling_; }

void CaptureQueue::drop(std::uint32_t frames) RT_SAFE {
  first_ += frames;
  level_ -= frames;
  if (!settling()) dropped_ += frames;
}

void CaptureQueue::push(const std::byte* data, std::uint32_t frames) RT_SAFE {
  if (frames > capacity_) {  // more than ever fits: its end
    if (data != nullptr) data += std::size_t{frames - capacity_} * frame_bytes_;
    frames = capacity_;
    overflowed_ = true;
  }
  if (level_ + frames > capacity_) {
    drop(level_ + frames - capacity_);
    overflowed_ = true;
  }
  if (first_ + level_ + frames > 2 * capacity_) {
    std::memmove(bytes_.data(), bytes_.data() + std::size_t{first_} * frame_bytes_,
                 std::size_t{level_} * frame_bytes_);
    first_ = 0;
  }
  std::byte* const end = bytes_.data() + std::size_t{first_ + level_} * frame_bytes_;
  const std::size_t count = std::size_t{frames} * frame_bytes_;
  if (data != nullptr) {
    std::memcpy(end, data, count);
  } else {
    std::memset(end, 0, count);  // silence in every layout
  }
  level_ += frames;
}

bool CaptureQueue::take(PlanarView<float> target) RT_SAFE {
  assert(target.channels == format_.channels && target.frames.count == period_);
  ++taken_;
  if (taken_ == 1 && level_ > period_) drop(level_ - period_);  // came before we asked
  const std::uint32_t held = std::min(level_, period_);
  const std::uint32_t missing = period_ - held;
  for (std::uint32_t channel = 0; channel < target.channels; ++channel) {
    std::fill_n(target.channel(channel), missing, 0.0F);
    blocks_[channel] = target.channel(channel) + missing;
  }
  audio::deinterleave_to_float(format_.layout, bytes_.data() + std::size_t{first_} * frame_bytes_,
                               {blocks_.data(), target.channels, {held}});
  first_ += held;
  level_ -= held;
  bool gap = std::exchange(overflowed_, false);
  window_least_ = std::min(window_least_, level_);
  if (missing > 0 && !settling()) {
    gap = true;
    inserted_ += missing;
    // 1 s of periods, then twice as many each time.
    const std::uint64_t second = std::max<std::uint64_t>(format_.rate.hz / period_, 1);
    window_periods_ = std::clamp(window_periods_ * 2, second, second * kLongestWindow);
    window_end_ = taken_ + window_periods_;
    window_least_ = kNone;
  }
  if (taken_ >= window_end_) gap |= drop_surplus();
  return gap && !settling();
}

/// At the end of a window: what was left over in each of its periods.
bool CaptureQueue::drop_surplus() RT_SAFE {
  const std::uint32_t surplus =
      window_least_ == kNone ? 0 : std::min(window_least_, level_) / period_ * period_;
  if (surplus > 0) drop(surplus);
  const std::uint64_t second = std::max<std::uint64_t>(format_.rate.hz / period_, 1);
  if (!settling()) window_periods_ = std::max(window_periods_, second);
  window_end_ = taken_ + window_periods_;
  window_least_ = kNone;
  return surplus > 0;
}

void CaptureQueue::skip(std::uint64_t frames) RT_SAFE {
  if (level_ <= period_) return;
  drop(static_cast<std::uint32_t>(std::min<std::uint64_t>(frames, level_ - period_)));
}

}  // namespace asiodrv::devices::wasapi
