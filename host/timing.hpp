// How punctual a stream of callbacks was. The same rule judges the driver's callbacks and a bare
// timer beside them, so that what the machine does to everybody is not blamed on a driver.
//
// The rule: callback k belongs at offset + index(k) * period. The period is measured (a device's
// clock is not ours), and the offset follows the early edge of what was seen within about a
// second: the 5% quantile, so that a single early callback does not make its neighbours look late.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace asiodrv::host {

/// One callback: which period of the stream it serves, and when it began.
struct Tick {
  std::int64_t index = 0;    ///< counts periods, skipped ones too; ascending
  std::int64_t time_ns = 0;  ///< monotonic clock
};

/// Where the bins of the interval histogram end, in periods; one more bin holds what is longer.
inline constexpr std::array kIntervalBins{0.25, 0.5, 0.75, 0.9, 1.1, 1.25, 1.5, 2.0, 4.0};

struct Punctuality {
  std::uint64_t callbacks = 0;
  std::uint64_t late = 0;     ///< began more than half a period after its place, plus `skipped`
  std::uint64_t skipped = 0;  ///< periods that had no callback at all
  double period_us = 0;       ///< measured
  /// Lateness against the grid, in microseconds. Never negative: early counts as on time.
  double p50_us = 0, p99_us = 0, max_us = 0;
  /// From one callback to the next, in microseconds.
  double interval_p50_us = 0, interval_p99_us = 0, interval_max_us = 0;
  /// How many of them end in each bin of kIntervalBins, and in the one behind; of measured periods.
  std::array<std::uint64_t, kIntervalBins.size() + 1> intervals{};
};

/// Judges `ticks` of a stream whose period is about `nominal_period_ns` (positive). Fewer than two
/// ticks give only their count. Cost: O(n log n). Control thread.
[[nodiscard]] Punctuality judge_punctuality(std::span<const Tick> ticks, double nominal_period_ns);

/// The value below which `percent` of `values` lie (nearest rank); 0 without values. Reorders.
[[nodiscard]] double percentile(std::vector<double>& values, double percent);

}  // namespace asiodrv::host
