#include "devices/combined/member_pump.hpp"

#include <algorithm>
#include <chrono>

namespace asiodrv::devices {
namespace {

/// Beyond it a member is begun anew: so long a pause is sleep, or nonsense.
constexpr nanoseconds kLongestLeap = std::chrono::seconds{2};

}  // namespace

MemberPump::MemberPump(ports::Clock& clock, ports::Device& device, MemberExchange& exchange,
                       const ports::DeviceFormat& format) noexcept
    : clock_(clock),
      device_(device),
      exchange_(exchange),
      format_(format),
      longest_leap_(static_cast<std::uint64_t>(kLongestLeap / std::chrono::seconds{1}) *
                        format.rate.hz / format.period.count +
                    1) {}

void MemberPump::begin() noexcept {
  // The engine may still write a block of the earlier start: a second is far beyond it, and keeps
  // every target before the first frame above zero.
  base_ = format_.rate.hz + std::max({base_, exchange_.capture.begin(), exchange_.capture.end(),
                                      exchange_.playback.begin(), exchange_.playback.end()});
  if (++epoch_ == 0) ++epoch_;
  next_index_ = 0;
  sounding_ = false;
  next_boundary_ = {};
  const ports::DeviceLatency own = device_.latency();
  exchange_.input_latency.store(own.input.count, std::memory_order_relaxed);
  exchange_.output_latency.store(own.output.count, std::memory_order_relaxed);
  exchange_.lateness_ns.store(0, std::memory_order_relaxed);
  exchange_.epoch.store(epoch_, std::memory_order_release);
}

bool MemberPump::plausible(const ports::DevicePeriod& period, Instant now) const RT_SAFE {
  const auto fits = [&](const auto& blocks, std::uint32_t channels) {
    return channels == 0 || (blocks.channels == channels && blocks.frames == format_.period);
  };
  return period.index >= next_index_ && period.index - next_index_ <= longest_leap_ &&
         period.boundary >= now - kLongestLeap && period.boundary <= now + kLongestLeap &&
         fits(period.capture, exchange_.inputs) && fits(period.render, exchange_.outputs);
}

ports::PeriodStatus MemberPump::step() RT_SAFE {
  const RtScope scope;
  ports::DevicePeriod period;
  ports::PeriodStatus status = device_.wait_period(period);
  const Instant now = clock_.now();
  if (status == ports::PeriodStatus::ready && !plausible(period, now)) {
    count(exchange_.nonsense);
    status = ports::PeriodStatus::lost;
  }
  if (status == ports::PeriodStatus::lost) exchange_.epoch.store(0, std::memory_order_release);
  if (status != ports::PeriodStatus::ready) return status;

  const std::uint64_t lost = period.index - next_index_;
  next_index_ = period.index + 1;
  next_boundary_ = period.next_boundary;
  exchange_.lateness_ns.store((now - period.boundary).count(), std::memory_order_relaxed);
  const std::uint64_t first = base_ + period.index * format_.period.count;
  if (exchange_.inputs > 0) exchange_.capture.write(first, period.capture);
  exchange_.stamps.push({first + format_.period.count, period.boundary, epoch_});

  if (exchange_.outputs > 0) {
    const bool complete = exchange_.playback.read(first, period.render) == 0;
    if (sounding_ && !complete) count(exchange_.playback_xruns);
    sounding_ = complete;
  }
  if (!device_.commit()) count(exchange_.late_commits);
  if (lost > 0) count(exchange_.lost_periods, lost);
  if (period.gap) count(exchange_.gaps);
  return status;
}

}  // namespace asiodrv::devices
