#include "devices/combined/member_pump.hpp"

#include <algorithm>

namespace asiodrv::devices {

void MemberPump::begin() noexcept {
  // The engine may still write a block of the earlier start: a second is far beyond it, and keeps
  // every target before the first frame above zero.
  base_ = rate_.hz + std::max({base_, exchange_.capture.begin(), exchange_.capture.end(),
                               exchange_.playback.begin(), exchange_.playback.end()});
  if (++epoch_ == 0) ++epoch_;
  sounding_ = false;
  next_boundary_ = {};
  const ports::DeviceLatency own = device_.latency();
  exchange_.input_latency.store(own.input.count, std::memory_order_relaxed);
  exchange_.output_latency.store(own.output.count, std::memory_order_relaxed);
  exchange_.epoch.store(epoch_, std::memory_order_release);
}

ports::PeriodStatus MemberPump::step() RT_SAFE {
  const RtScope scope;
  ports::DevicePeriod period;
  const ports::PeriodStatus status = device_.wait_period(period);
  if (status == ports::PeriodStatus::lost) exchange_.epoch.store(0, std::memory_order_release);
  if (status != ports::PeriodStatus::ready) return status;

  next_boundary_ = period.next_boundary;
  const std::uint64_t first = base_ + period.index * period_.count;
  exchange_.capture.write(first, period.capture);
  exchange_.stamps.push({first + period_.count, period.boundary, epoch_});

  const bool complete = exchange_.playback.read(first, period.render) == 0;
  if (sounding_ && !complete) count(exchange_.playback_xruns);
  sounding_ = complete && period.render.channels > 0;
  if (!device_.commit()) count(exchange_.late_commits);
  if (period.lost > 0) count(exchange_.lost_periods, period.lost);
  return status;
}

}  // namespace asiodrv::devices
