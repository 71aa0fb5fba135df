#include "service/buffer_policy.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <numeric>

#include "core/ports/periods.hpp"
#include "core/wire/section.hpp"

namespace asiodrv::service {
namespace {

/// Frames, for N frames a buffer on periods of P at equal rates: see adapter_timeline.hpp.
std::uint64_t round_trip(std::uint64_t n, std::uint64_t p) {
  if (n == p) return 2 * n;
  const std::uint64_t slack = ((n + p - 1) / p - 1) * p;
  return n + slack + 2 * p - std::gcd(n, p);
}

wire::BufferSizes powers_of_two(const Config& config, const ports::PeriodRange& range) {
  const Frames holds{std::bit_floor(std::max(range.least.count, 1U))};
  return {
      config.min_frames, config.max_frames,
      std::clamp(std::max(config.preferred_frames, holds), config.min_frames, config.max_frames),
      Frames{}};
}

/// The periods of the device that a section can hold; all of them may be too short or too long.
wire::BufferSizes own_sizes(const Config& config, const ports::PeriodRange& range) {
  const std::uint32_t step = range.step.count;
  const auto up = [step](std::uint32_t from, std::uint32_t to) {
    return from >= to ? from : from + (to - from + step - 1) / step * step;
  };
  wire::BufferSizes sizes{range.least, range.most, {}, range.step};
  if (step == 0) {
    sizes.least = std::max(range.least, Frames{wire::kMinFrames});
    sizes.most = std::min(range.most, Frames{wire::kMaxFrames});
  } else {
    sizes.least = {up(range.least.count, wire::kMinFrames)};
    const std::uint32_t room = std::min(range.most.count, wire::kMaxFrames);
    if (room < sizes.least.count) return powers_of_two(config, range);
    sizes.most = {sizes.least.count + (room - sizes.least.count) / step * step};
  }
  sizes.preferred = std::clamp(range.standard, sizes.least, sizes.most);
  return sizes.plausible() ? sizes : powers_of_two(config, range);
}

}  // namespace

wire::BufferSizes buffer_sizes(const Config& config, const ports::PeriodRange& range) {
  return config.sizes == Sizes::device ? own_sizes(config, range) : powers_of_two(config, range);
}

Frames period_for(const ports::DeviceInfo& info, SampleRate rate, Frames buffer) {
  const ports::PeriodRange range = ports::periods_at(info, rate);
  if (ports::offers(range, buffer)) return buffer;
  Frames best = range.least;
  const auto next = [&range](std::uint64_t period) {
    return range.step.count == 0 ? period * 2 : period + range.step.count;
  };
  const std::uint64_t most = std::min(range.most, std::max(range.least, buffer)).count;
  for (std::uint64_t period = range.least.count; period <= most && period > 0;
       period = next(period)) {
    if (round_trip(buffer.count, period) > round_trip(buffer.count, best.count)) continue;
    best = {static_cast<std::uint32_t>(period)};
  }
  return best;
}

}  // namespace asiodrv::service
