#include "devices/combined/member_link.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace asiodrv::devices {
namespace {

/// Without a stamp for so long, the member's clock is a guess; its thread will soon say `lost`.
constexpr nanoseconds kStaleAfter = std::chrono::milliseconds{300};

}  // namespace

MemberLink::MemberLink(std::shared_ptr<MemberSession> session, const ports::DeviceFormat& member,
                       std::unique_ptr<CaptureSide> capture, std::unique_ptr<PlaybackSide> playback,
                       const MemberWatch& watch)
    : session_(std::move(session)),
      exchange_(session_->exchange),
      period_(member.period),
      kept_{exchange_.capture.capacity().count / 2},
      clock_(audio::ClockFilterConfig{member.rate, member.period}),
      capture_(std::move(capture)),
      playback_(std::move(playback)),
      watch_(watch) {}

void MemberLink::restart() RT_SAFE {
  forget();
  watch_.restart(exchange_);
}

void MemberLink::forget() RT_SAFE {
  clock_.reset();
  stamped_ = false;
  moment_ = {};
  if (capture_) {
    capture_->restart({exchange_.input_latency.load(std::memory_order_relaxed)});
  }
  if (playback_) {
    playback_->restart({exchange_.output_latency.load(std::memory_order_relaxed)});
  }
}

void MemberLink::follow_epoch() RT_SAFE {
  const std::uint32_t alive = exchange_.epoch.load(std::memory_order_acquire);
  if (alive == epoch_) return;
  epoch_ = alive;
  forget();
}

void MemberLink::drain_stamps() RT_SAFE {
  MemberStamp stamp;
  while (exchange_.stamps.pop(stamp)) {
    if (epoch_ == 0 || stamp.epoch != epoch_) continue;  // of a start that is over
    if (!stamped_) {
      stamped_ = true;
      first_position_ = stamp.position;
      clock_.update(stamp.boundary);
    } else if (stamp.position > newest_position_) {
      const std::uint64_t periods = (stamp.position - newest_position_) / period_.count;
      clock_.update(stamp.boundary,
                    static_cast<std::uint32_t>(std::min<std::uint64_t>(periods, UINT32_MAX)));
    }
    newest_position_ = stamp.position;
    newest_boundary_ = stamp.boundary;
  }
}

void MemberLink::begin_period(const audio::ClockFilter& master, std::uint64_t passed,
                              PlanarView<float> inputs) RT_SAFE {
  follow_epoch();
  drain_stamps();
  moment_.usable = epoch_ != 0 && master.usable() && clock_.usable() &&
                   master.boundary() - clock_.boundary() < kStaleAfter;
  if (moment_.usable) {
    const auto counted = static_cast<std::int64_t>(first_position_ + clock_.boundary_frame());
    moment_.count = MemberPlace{counted, 0}.moved(clock_.frames_after_boundary(master.boundary()));
    moment_.speed = audio::relative_speed(clock_, master);
  }
  if (!capture_) return report(0);
  const bool complete = capture_->run(moment_, passed, exchange_.capture, inputs);
  if (capture_->state() == audio::ServoState::idle && stamped_ && newest_position_ > kept_.count) {
    exchange_.capture.forget_before(newest_position_ - kept_.count);
  }
  report(complete ? 0 : 1);
}

void MemberLink::watch(const EngineMoment& engine, MemberEvents& events) RT_SAFE {
  watch_.observe(exchange_, engine, epoch_ != 0, stamped_ ? &newest_boundary_ : nullptr, events);
}

void MemberLink::end_period(std::uint64_t passed, PlanarView<const float> outputs) RT_SAFE {
  if (playback_) playback_->run(moment_, passed, outputs, exchange_.playback);
}

void MemberLink::report(std::uint64_t more_xruns) RT_SAFE {
  constexpr auto relaxed = std::memory_order_relaxed;
  if (more_xruns > 0) count(exchange_.capture_xruns, more_xruns);
  const MemberSide* side = capture_ ? static_cast<const MemberSide*>(capture_.get())
                                    : static_cast<const MemberSide*>(playback_.get());
  if (side == nullptr) return;
  exchange_.servo_state.store(static_cast<std::uint8_t>(side->state()), relaxed);
  const double ppm = side->servo_ppm();
  exchange_.offset_ppm.store(capture_ ? ppm : -ppm, relaxed);
  exchange_.fill_frames.store(side->state() == audio::ServoState::idle ? 0 : side->fill(), relaxed);
  const std::uint64_t skips =
      (capture_ ? capture_->skips() : 0) + (playback_ ? playback_->skips() : 0);
  exchange_.skips.store(skips, relaxed);
}

}  // namespace asiodrv::devices
