// Reading what a device says of its periods.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <string>

#include "core/ports/device.hpp"

namespace asiodrv::ports {

/// The periods of `info` at `rate`; at a rate that it does not have, those of all rates together.
[[nodiscard]] inline PeriodRange periods_at(const DeviceInfo& info, SampleRate rate) {
  const auto found = std::find(info.rates.begin(), info.rates.end(), rate);
  const auto index = static_cast<std::size_t>(found - info.rates.begin());
  if (index < info.periods.size()) return info.periods[index];
  return {info.min_period, info.max_period, {0}, info.default_period};
}

[[nodiscard]] inline bool offers(const PeriodRange& range, Frames period) noexcept {
  if (period < range.least || period > range.most) return false;
  if (range.step.count == 0) return std::has_single_bit(period.count);
  return (period.count - range.least.count) % range.step.count == 0;
}

/// "a power of two from 16 to 8192", "480", "steps of 480 from 480 to 4800"
[[nodiscard]] inline std::string periods_text(const PeriodRange& range) {
  const std::string least = std::to_string(range.least.count);
  if (range.least == range.most) return least;
  const std::string span = " from " + least + " to " + std::to_string(range.most.count);
  if (range.step.count == 0) return "a power of two" + span;
  return "steps of " + std::to_string(range.step.count) + span;
}

}  // namespace asiodrv::ports
