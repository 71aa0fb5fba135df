// One direction of one member, on the engine thread: a ring, the resampler and its servo. Where
// the frames must be, and why: member_plan.hpp. Internal to devices/combined.
//
// Places are computed from the two filtered clocks at every start, after every loss of the
// engine's and after every jump; in between, the servo holds them. The servo itself never skips.
// Thread: make on control threads, everything else on the engine's. RT: wait-free, no allocation.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/audio/clock/fill_servo.hpp"
#include "core/audio/resampler/resampler.hpp"
#include "core/base/planar.hpp"
#include "core/base/result.hpp"
#include "core/base/rt.hpp"
#include "core/ports/device.hpp"
#include "devices/combined/position_ring.hpp"

namespace asiodrv::devices {

/// Memory for planar blocks.
class PlanarScratch {
 public:
  PlanarScratch(std::uint32_t channels, std::uint32_t frames);
  PlanarScratch(PlanarScratch&&) = default;
  [[nodiscard]] PlanarView<float> view(std::uint32_t frames) RT_SAFE {
    return {blocks_.data(), channels_, {frames}};
  }
  [[nodiscard]] PlanarView<const float> read_view(std::uint32_t frames) const RT_SAFE {
    return {read_blocks_.data(), channels_, {frames}};
  }
  [[nodiscard]] std::uint32_t frames() const RT_SAFE { return frames_; }

 private:
  std::uint32_t channels_, frames_;
  std::vector<float> samples_;
  std::vector<float*> blocks_;
  std::vector<const float*> read_blocks_;
};

/// A place on a member's axis of frames: whole + fraction, fraction in [0, 1).
struct MemberPlace {
  std::int64_t whole = 0;
  double fraction = 0;

  [[nodiscard]] MemberPlace moved(double frames) const RT_SAFE;
  /// This minus `other`, in frames.
  [[nodiscard]] double minus(const MemberPlace& other) const RT_SAFE {
    return static_cast<double>(whole - other.whole) + (fraction - other.fraction);
  }
};

/// What the two clock filters say at the beginning of the master's period.
struct MemberMoment {
  bool usable = false;
  MemberPlace count;  ///< c(T)
  double speed = 1;   ///< of the member's clock relative to the master's, nominally 1
};

struct SideShape {
  ports::DeviceFormat master{}, member{};
  std::uint32_t channels = 0;
  Frames common{};  ///< A, master frames
  audio::ResamplerQuality quality = audio::ResamplerQuality::standard;
};

/// What both directions share.
class MemberSide {
 public:
  [[nodiscard]] audio::ServoState state() const RT_SAFE {
    return placed_ ? servo_.state() : audio::ServoState::idle;
  }
  [[nodiscard]] double servo_ppm() const RT_SAFE { return servo_.offset_ppm(); }
  /// Fill at the last measurement, in member frames.
  [[nodiscard]] double fill() const RT_SAFE { return fill_; }
  /// Places found anew after a jump, starts not counted.
  [[nodiscard]] std::uint64_t skips() const RT_SAFE { return skips_; }

  /// The member's own latency at this start; the next period begins anew.
  void restart(Frames own_latency) RT_SAFE {
    own_ = own_latency.count;
    placed_ = false;
  }

 protected:
  MemberSide(const SideShape& shape, double target, audio::Resampler resampler,
             PlanarScratch scratch);

  [[nodiscard]] double reach(const MemberMoment& moment) const RT_SAFE {
    return (shape_.master.period.count + double(shape_.common.count)) * ratio_ * moment.speed;
  }

  const SideShape shape_;
  const double ratio_;   // r
  const double resync_;  // frames
  audio::FillServo servo_;
  audio::Resampler resampler_;
  PlanarScratch scratch_;
  double own_ = 0;  // L
  bool placed_ = false;
  double speed_ = 1;  // of the resampler, at the end of the last block
  double fill_ = 0;
  std::uint64_t skips_ = 0;
};

class CaptureSide : public MemberSide {
 public:
  /// Errors: those of Resampler::make.
  [[nodiscard]] static Result<std::unique_ptr<CaptureSide>> make(
      const SideShape& shape, double target, std::shared_ptr<const audio::FilterTable> table);

  /// Writes the period that begins at `moment`, `passed` periods after the last one (1: none was
  /// lost). Silence while nothing is known. Returns false when frames were missing that should
  /// have been there.
  bool run(const MemberMoment& moment, std::uint64_t passed, PositionRing& ring,
           PlanarView<float> out) RT_SAFE;

 private:
  using MemberSide::MemberSide;
  void place(const MemberPlace& at) RT_SAFE;
  [[nodiscard]] MemberPlace next_place() const RT_SAFE;
  std::uint32_t pull(PositionRing& ring, PlanarView<float> out, audio::ReadSpeed speed) RT_SAFE;

  std::vector<float*> rest_ = std::vector<float*>(shape_.channels);
  std::int64_t anchor_ = 0;  // ring position of the resampler's input frame 0
  bool sounding_ = false;    // the last block was complete
};

class PlaybackSide : public MemberSide {
 public:
  /// Errors: those of Resampler::make.
  [[nodiscard]] static Result<std::unique_ptr<PlaybackSide>> make(
      const SideShape& shape, double target, std::shared_ptr<const audio::FilterTable> table);

  /// Takes the block of the period that began at `moment`, `passed` periods after the last one
  /// that was taken. Nothing is written while nothing is known.
  void run(const MemberMoment& moment, std::uint64_t passed, PlanarView<const float> in,
           PositionRing& ring) RT_SAFE;

 private:
  using MemberSide::MemberSide;
  void place(const MemberPlace& of_block) RT_SAFE;
  [[nodiscard]] MemberPlace block_place(const MemberMoment& moment) const RT_SAFE;
  /// Input frames from one output to the next.
  [[nodiscard]] double step() const RT_SAFE { return speed_ / ratio_; }
  void push(PositionRing& ring, PlanarView<const float> in, std::uint32_t at_most,
            audio::ReadSpeed speed) RT_SAFE;

  std::vector<const float*> rest_ = std::vector<const float*>(shape_.channels);
  std::int64_t next_ = 0;  // ring position of the resampler's next output
};

}  // namespace asiodrv::devices
