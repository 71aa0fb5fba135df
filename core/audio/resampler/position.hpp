// Where the resampler reads: a place between input frames, exact for ever.
//
// A place is an integer frame and a fraction in units of 2^-64 frame. A step (input frames per
// output frame) is the exact rational  speed * input rate / output rate: whole units of 2^-64 and a
// remainder over the output rate, which the head carries along as a residue. Rounding therefore
// never adds up: after every `output rate` frames at speed 1 the head is exactly `input rate`
// frames further, after a second as after a century. No 128-bit integers: 32-bit x86 has none.
#pragma once

#include <compare>
#include <cstdint>

#include "core/base/rt.hpp"
#include "core/base/units.hpp"

namespace asiodrv::audio {

/// A place on the input's time axis, or a distance on it: whole + fraction / 2^64 frames. Negative
/// distances have a negative whole and a positive fraction, as floor() leaves them.
struct InputPosition {
  std::int64_t whole = 0;
  std::uint64_t fraction = 0;

  auto operator<=>(const InputPosition&) const = default;

  /// In frames. A double keeps about 2^-52 of the size: subtract the whole parts first.
  [[nodiscard]] constexpr double frames() const noexcept {
    return static_cast<double>(whole) + static_cast<double>(fraction) * 0x1p-64;
  }
};

constexpr InputPosition operator+(InputPosition a, InputPosition b) noexcept {
  const std::uint64_t fraction = a.fraction + b.fraction;
  return {a.whole + b.whole + (fraction < b.fraction ? 1 : 0), fraction};
}

constexpr InputPosition operator-(InputPosition a, InputPosition b) noexcept {
  return {a.whole - b.whole - (a.fraction < b.fraction ? 1 : 0), a.fraction - b.fraction};
}

/// The exact product; the whole part must fit.
constexpr InputPosition operator*(InputPosition a, std::uint32_t n) noexcept {
  const std::uint64_t low = (a.fraction & 0xFFFF'FFFFu) * n;
  const std::uint64_t high = (a.fraction >> 32) * n + (low >> 32);
  return {a.whole * static_cast<std::int64_t>(n) + static_cast<std::int64_t>(high >> 32),
          (high << 32) | (low & 0xFFFF'FFFFu)};
}

/// How fast the input is read, relative to the nominal rates: 1 is nominal, 1.0001 consumes the
/// input 100 ppm faster (the source's clock is fast). A factor, not ppm.
struct ReadSpeed {
  double factor = 1.0;
  auto operator<=>(const ReadSpeed&) const = default;
};

/// Speeds may differ from 1 by this much: clocks are within 0.1 %, a pitch control is not a clock.
inline constexpr double kMaxSpeedDeviation = 0.05;

/// Input frames from one output frame to the next: advance + remainder / (rate * 2^64), where
/// `rate` is the output rate of the ReadHead's reduced rates.
struct ReadStep {
  InputPosition advance{};
  std::uint32_t remainder = 0;

  friend bool operator==(const ReadStep&, const ReadStep&) = default;
};

/// The place of the next output frame and the speed at which it moves.
///
/// A change of speed is a straight ramp: over a block of n frames the step moves from the old to
/// the new value, and is exactly the new one after the block's last frame.
/// RT: everything but the constructor; O(1) unless said. Thread: one at a time.
class ReadHead {
 public:
  /// What a block of output frames does to the head: a first step, and its growth per frame.
  struct Path {
    ReadStep from{};
    ReadStep to{};
    InputPosition growth{};
    std::uint32_t frames = 0;
  };

  /// Starts at place 0 and speed 1. Neither rate may be 0.
  ReadHead(SampleRate input, SampleRate output) noexcept;

  /// Back to speed 1 at `start`.
  void reset(InputPosition start) RT_SAFE;

  [[nodiscard]] InputPosition position() const RT_SAFE { return position_; }

  /// The step at `speed`, exact; the speed is limited to 1 +- kMaxSpeedDeviation, and NaN is 1.
  [[nodiscard]] ReadStep step_at(ReadSpeed speed) const RT_SAFE;

  /// The path of the next `frames` output frames, ending at step `to`.
  [[nodiscard]] Path path(std::uint32_t frames, const ReadStep& to) const RT_SAFE;

  /// The place of the last output frame of `path`, which must have at least one.
  [[nodiscard]] InputPosition last_of(const Path& path) const RT_SAFE;

  /// Moves past all frames of `path` at once; the same place as visit() reaches.
  void skip(const Path& path) RT_SAFE;

  /// Moves past all frames of `path` and calls see(index, place) for each. O(frames).
  template <class See>
  void visit(const Path& path, const See& see) RT_SAFE {
    if (path.frames == 0) return;
    if (path.from == path.to) {
      visit_level(path, see);
    } else {
      visit_ramp(path, see);
    }
    step_ = path.to;
  }

 private:
  template <class See>
  void visit_level(const Path& path, const See& see) RT_SAFE {
    InputPosition place = position_;
    std::uint32_t residue = residue_;
    for (std::uint32_t i = 0; i < path.frames; ++i) {
      see(i, place);
      place = place + path.to.advance;
      residue += path.to.remainder;  // both below rate_ < 2^31
      if (residue >= rate_) {
        residue -= rate_;
        place = place + InputPosition{0, 1};
      }
    }
    position_ = place;
    residue_ = residue;
  }

  template <class See>
  void visit_ramp(const Path& path, const See& see) RT_SAFE {
    InputPosition place = position_;
    InputPosition advance = path.from.advance;
    for (std::uint32_t i = 0; i + 1 < path.frames; ++i) {
      see(i, place);
      advance = advance + path.growth;
      place = place + advance;
    }
    see(path.frames - 1, place);
    position_ = place + path.to.advance;  // exactly the target: the growth's rounding ends here
  }

  InputPosition position_{};
  std::uint32_t residue_ = 0;  ///< in units of 2^-64 / rate_ frame, below rate_
  ReadStep step_{};
  std::uint32_t input_;  ///< the rates in lowest terms
  std::uint32_t rate_;
};

}  // namespace asiodrv::audio
