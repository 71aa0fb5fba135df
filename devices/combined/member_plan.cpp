#include "devices/combined/member_plan.hpp"

#include <algorithm>
#include <cmath>

#include "core/audio/resampler/resampler.hpp"

namespace asiodrv::devices {
namespace {

constexpr double kMargin = 5;              // m, member frames
constexpr double kClockDifference = 2e-3;  // the servo's limit

/// The periods of `info` at `rate`.
ports::PeriodRange range_at(const ports::DeviceInfo& info, SampleRate rate) {
  const auto found = std::find(info.rates.begin(), info.rates.end(), rate);
  const auto index = static_cast<std::size_t>(found - info.rates.begin());
  if (index < info.periods.size()) return info.periods[index];
  return {info.min_period, info.max_period, {0}, info.default_period};
}

}  // namespace

SampleRate nearest_rate(const std::vector<SampleRate>& rates, SampleRate wanted) {
  SampleRate best = wanted;
  double nearest = -1;
  for (const SampleRate rate : rates) {
    const double distance = std::abs(std::log(static_cast<double>(rate.hz) / wanted.hz));
    if (nearest < 0 || distance <= nearest) {
      best = rate;
      nearest = distance;
    }
  }
  return best;
}

Frames period_below(const ports::DeviceInfo& info, SampleRate rate,
                    const ports::DeviceFormat& most) {
  const ports::PeriodRange range = range_at(info, rate);
  const std::uint64_t limit = std::uint64_t{most.period.count} * rate.hz / most.rate.hz;
  std::uint64_t period = range.least.count;
  if (period == 0 || limit <= period) return range.least;
  const std::uint64_t bound = std::min<std::uint64_t>(limit, range.most.count);
  if (range.step.count == 0) {
    while (period * 2 <= bound) period *= 2;
  } else if (bound > period) {
    period += (bound - period) / range.step.count * range.step.count;
  }
  return {static_cast<std::uint32_t>(period)};
}

bool resamples(SampleRate a, SampleRate b) {
  const auto [low, high] = std::minmax(a.hz, b.hz);
  return low >= audio::kMinResamplerRate.hz && high <= audio::kMaxResamplerRate.hz &&
         high <= std::uint64_t{low} * audio::kMaxRateFactor;
}

std::optional<ports::DeviceFormat> member_format(const ports::DeviceInfo& info,
                                                 const ports::DeviceFormat& master) {
  ports::DeviceFormat own;
  own.rate = nearest_rate(info.rates, master.rate);
  if (!resamples(own.rate, master.rate)) return std::nullopt;
  own.period = period_below(info, own.rate, master);
  const double most = master.period.count * ratio(master, own) * (1 + audio::kMaxSpeedDeviation);
  if (own.period.count == 0 || most + 4 > audio::kMaxResamplerBlock.count) return std::nullopt;
  return own;
}

ports::DeviceLatency common_latency(const ports::DeviceFormat& master,
                                    const ports::DeviceLatency& master_own,
                                    const std::vector<MemberPlan>& members, nanoseconds stall) {
  double input = 0, output = 0;
  for (const MemberPlan& member : members) {
    const double r = ratio(master, member.format);
    const double period = member.format.period.count;
    const double allowed =
        static_cast<double>(stall.count()) * 1e-9 * member.format.rate.hz + kMargin;
    const double in = (member.own.input.count + period + allowed + member.input_look_ahead.count);
    const double out = (2 * period + member.own.output.count + allowed);
    if (member.inputs) input = std::max(input, in / r);
    if (member.outputs) output = std::max(output, out / r + member.output_look_ahead.count);
  }
  const auto rounded = [&](double frames, Frames own) {
    if (frames == 0) return own;
    const double all = frames + kClockDifference * (frames + master.period.count);
    return std::max(own, Frames{static_cast<std::uint32_t>(std::ceil(all))});
  };
  return {rounded(input, master_own.input), rounded(output, master_own.output)};
}

double input_target(const ports::DeviceFormat& master, Frames common, const MemberPlan& member) {
  return (master.period.count + double(common.count)) * ratio(master, member.format) -
         member.own.input.count;
}

double output_target(const ports::DeviceFormat& master, Frames common, const MemberPlan& member) {
  return (master.period.count + double(common.count)) * ratio(master, member.format) -
         2.0 * member.format.period.count - member.own.output.count;
}

}  // namespace asiodrv::devices
