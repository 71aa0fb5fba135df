// One direction's latency out of many looks at it: what is published stays as it is until the mean
// of the looks has left it, so that nobody who passes it on is bothered by jitter.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>

#include "core/base/rt.hpp"

namespace asiodrv::devices::wasapi {

/// take and reset: one thread at a time, wait-free. frames: any thread.
class LatencyMeter {
 public:
  explicit LatencyMeter(std::uint32_t period) : tolerance_(std::max(period / 8.0, 8.0)) {}

  /// The next look belongs to something new. What was published stays until there is better.
  void reset() RT_SAFE { looks_ = 0; }

  /// One look, in frames. Published from the 16th on, when the mean is off by an eighth of a
  /// period.
  void take(double frames) RT_SAFE {
    ++looks_;
    // The mean of all looks at first, then of about the last 16.
    mean_ += (frames - mean_) / static_cast<double>(std::min<std::uint32_t>(looks_, kMean));
    looks_ = std::min(looks_, kMean);
    if (looks_ < kMean) return;
    const std::int64_t published = published_.load(std::memory_order_relaxed);
    if (published >= 0 && std::abs(mean_ - static_cast<double>(published)) <= tolerance_) return;
    published_.store(std::lround(std::clamp(mean_, 0.0, 1e6)), std::memory_order_relaxed);
  }

  /// Negative: not known yet.
  [[nodiscard]] std::int64_t frames() const RT_SAFE {
    return published_.load(std::memory_order_relaxed);
  }

 private:
  static constexpr std::uint32_t kMean = 16;
  const double tolerance_;
  std::uint32_t looks_ = 0;
  double mean_ = 0;
  std::atomic<std::int64_t> published_{-1};
};

}  // namespace asiodrv::devices::wasapi
