// A member as the engine thread sees it: follows its clock, fills its channels of the capture
// block and takes its channels of the render block. Internal to devices/combined.
//
// Thread: make on control threads, everything else on the engine's. RT: wait-free towards the
// member's thread, no allocation.
#pragma once

#include <cstdint>
#include <memory>

#include "core/audio/clock/clock_filter.hpp"
#include "core/base/planar.hpp"
#include "core/base/result.hpp"
#include "core/base/rt.hpp"
#include "devices/combined/member_event.hpp"
#include "devices/combined/member_runner.hpp"
#include "devices/combined/member_side.hpp"
#include "devices/combined/member_watch.hpp"

namespace asiodrv::devices {

class MemberLink {
 public:
  /// Either side may be null: the member has no channels there. The session lives as long as the
  /// link at least.
  MemberLink(std::shared_ptr<MemberSession> session, const ports::DeviceFormat& member,
             std::unique_ptr<CaptureSide> capture, std::unique_ptr<PlaybackSide> playback,
             const MemberWatch& watch);

  /// Forgets the member's clock and its places, as before the first period.
  void restart() RT_SAFE;

  /// The master's period has begun, `passed` periods after the one before it. Fills `inputs`.
  void begin_period(const audio::ClockFilter& master, std::uint64_t passed,
                    PlanarView<float> inputs) RT_SAFE;

  /// After begin_period: tells what has happened to the member since the period before.
  void watch(const EngineMoment& engine, MemberEvents& events) RT_SAFE;

  /// The engine has filled `outputs` in that period, `passed` periods after it last did.
  void end_period(std::uint64_t passed, PlanarView<const float> outputs) RT_SAFE;

 private:
  void forget() RT_SAFE;
  void follow_epoch() RT_SAFE;
  void drain_stamps() RT_SAFE;
  void report(std::uint64_t more_xruns) RT_SAFE;

  const std::shared_ptr<MemberSession> session_;
  MemberExchange& exchange_;
  const Frames period_;
  const Frames kept_;  // of the capture ring, while nobody reads it
  audio::ClockFilter clock_;
  std::unique_ptr<CaptureSide> capture_;
  std::unique_ptr<PlaybackSide> playback_;

  std::uint32_t epoch_ = 0;
  bool stamped_ = false;               // in this epoch
  std::uint64_t first_position_ = 0;   // of the stamp that is the filter's frame 0
  std::uint64_t newest_position_ = 0;  // of the newest stamp
  Instant newest_boundary_{};          // as stamped
  MemberMoment moment_;
  MemberWatch watch_;
};

}  // namespace asiodrv::devices
