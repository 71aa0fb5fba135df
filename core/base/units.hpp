// Quantities whose unit is part of their type: a frame count is never a byte count, an instant
// is never a duration.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace asiodrv {

using std::chrono::nanoseconds;

/// A count of frames; one frame holds one sample per channel. Never bytes, never samples.
struct Frames {
  std::uint32_t count = 0;
  auto operator<=>(const Frames&) const = default;
};

/// Frames per second. Every rate the product offers is a whole number of hertz.
struct SampleRate {
  std::uint32_t hz = 0;
  auto operator<=>(const SampleRate&) const = default;
};

/// A point on the machine's monotonic clock, in nanoseconds. All processes of one machine share
/// its origin (CLOCK_MONOTONIC, QueryPerformanceCounter), so an Instant may cross a section.
struct Instant {
  std::int64_t ns = 0;
  auto operator<=>(const Instant&) const = default;
};

constexpr Instant operator+(Instant at, nanoseconds by) noexcept { return {at.ns + by.count()}; }
constexpr Instant operator-(Instant at, nanoseconds by) noexcept { return {at.ns - by.count()}; }
constexpr nanoseconds operator-(Instant later, Instant earlier) noexcept {
  return nanoseconds{later.ns - earlier.ns};
}

/// How long `n` frames last at `rate`, rounded up: a wake-up may be late, a deadline never early.
/// `rate` must not be zero.
constexpr nanoseconds duration_ceil(Frames n, SampleRate rate) noexcept {
  const std::uint64_t scaled = std::uint64_t{n.count} * 1'000'000'000u;  // < 2^62: fits
  return nanoseconds{static_cast<std::int64_t>((scaled + rate.hz - 1) / rate.hz)};
}
static_assert(duration_ceil({48}, {48'000}) == std::chrono::milliseconds{1});

/// A factor applied to samples; 1 is unity. Never decibels.
struct LinearGain {
  float factor = 1.0F;
  auto operator<=>(const LinearGain&) const = default;
};

}  // namespace asiodrv
