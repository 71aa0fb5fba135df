#include "host/timing.hpp"

#include <algorithm>
#include <cmath>

namespace asiodrv::host {
namespace {

constexpr double kEarlyEdgePercent = 5.0;
constexpr double kOffsetWindowNs = 1e9;
constexpr std::size_t kFewestPerWindow = 32;
constexpr std::size_t kSlopePoints = 100;  // pairs among them: 4950

/// The early edge of one stretch of the stream, relative to the first tick.
struct EdgePoint {
  double index;
  double residual_ns;
};

/// What a tick is ahead of or behind a grid that starts at the first tick.
double residual(std::span<const Tick> ticks, std::size_t at, double period_ns) {
  const auto elapsed = static_cast<double>(ticks[at].time_ns - ticks[0].time_ns);
  const auto periods = static_cast<double>(ticks[at].index - ticks[0].index);
  return elapsed - periods * period_ns;
}

double early_edge(std::span<const Tick> ticks, std::size_t begin, std::size_t end,
                  double period_ns) {
  std::vector<double> residuals;
  residuals.reserve(end - begin);
  for (std::size_t at = begin; at < end; ++at) residuals.push_back(residual(ticks, at, period_ns));
  return percentile(residuals, kEarlyEdgePercent);
}

/// The period that the early edges agree on: the median slope between all pairs of them.
double fit_period(std::span<const Tick> ticks, double nominal_ns) {
  const std::size_t window =
      std::max<std::size_t>(kFewestPerWindow, (ticks.size() + kSlopePoints - 1) / kSlopePoints);
  std::vector<EdgePoint> edges;
  for (std::size_t begin = 0; begin + window <= ticks.size(); begin += window) {
    const auto middle = static_cast<double>(ticks[begin + window / 2].index - ticks[0].index);
    edges.push_back({middle, early_edge(ticks, begin, begin + window, nominal_ns)});
  }
  if (edges.size() < 4) return nominal_ns;  // too short to tell drift from noise
  std::vector<double> slopes;
  for (std::size_t a = 0; a < edges.size(); ++a) {
    for (std::size_t b = a + 1; b < edges.size(); ++b) {
      const double periods = edges[b].index - edges[a].index;
      if (periods > 0) slopes.push_back((edges[b].residual_ns - edges[a].residual_ns) / periods);
    }
  }
  return nominal_ns + percentile(slopes, 50.0);
}

void judge_lateness(std::span<const Tick> ticks, double period_ns, Punctuality& result) {
  const auto window = std::max<std::size_t>(kFewestPerWindow,
                                            static_cast<std::size_t>(kOffsetWindowNs / period_ns));
  std::vector<double> lateness;
  lateness.reserve(ticks.size());
  for (std::size_t begin = 0; begin < ticks.size(); begin += window) {
    std::size_t end = std::min(begin + window, ticks.size());
    if (ticks.size() - end < window / 2) end = ticks.size();  // no short last window
    const double edge = early_edge(ticks, begin, end, period_ns);
    for (std::size_t at = begin; at < end; ++at) {
      const double late_ns = std::max(0.0, residual(ticks, at, period_ns) - edge);
      if (late_ns > period_ns / 2) ++result.late;
      lateness.push_back(late_ns / 1000.0);
    }
    if (end == ticks.size()) break;
  }
  result.p50_us = percentile(lateness, 50.0);
  result.p99_us = percentile(lateness, 99.0);
  result.max_us = percentile(lateness, 100.0);
}

void judge_intervals(std::span<const Tick> ticks, Punctuality& result) {
  std::vector<double> intervals;
  intervals.reserve(ticks.size());
  for (std::size_t at = 1; at < ticks.size(); ++at) {
    intervals.push_back(static_cast<double>(ticks[at].time_ns - ticks[at - 1].time_ns) / 1000.0);
    const auto* const bin = std::lower_bound(kIntervalBins.begin(), kIntervalBins.end(),
                                             intervals.back() / result.period_us);
    ++result.intervals[static_cast<std::size_t>(bin - kIntervalBins.begin())];
    const std::int64_t step = ticks[at].index - ticks[at - 1].index;
    if (step > 1) result.skipped += static_cast<std::uint64_t>(step - 1);
  }
  result.interval_p50_us = percentile(intervals, 50.0);
  result.interval_p99_us = percentile(intervals, 99.0);
  result.interval_max_us = percentile(intervals, 100.0);
}

}  // namespace

double percentile(std::vector<double>& values, double percent) {
  if (values.empty()) return 0.0;
  const double rank = std::ceil(percent / 100.0 * static_cast<double>(values.size()));
  const std::size_t at = static_cast<std::size_t>(std::max(1.0, rank)) - 1;
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(std::min(at, values.size() - 1));
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

Punctuality judge_punctuality(std::span<const Tick> ticks, double nominal_period_ns) {
  Punctuality result;
  result.callbacks = ticks.size();
  result.period_us = nominal_period_ns / 1000.0;
  if (ticks.size() < 2) return result;
  const double period_ns = fit_period(ticks, nominal_period_ns);
  result.period_us = period_ns / 1000.0;
  judge_lateness(ticks, period_ns, result);
  judge_intervals(ticks, result);
  result.late += result.skipped;
  return result;
}

}  // namespace asiodrv::host
