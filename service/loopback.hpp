// The way through a cable, measured: what is played for it, what is made of what comes back, and
// when it is not believed. Pure; the client of the engine that plays and records is in
// measuring_client.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/units.hpp"

namespace asiodrv::service {

/// What is played, in frames from the start: silence until the device has settled, then shots, each
/// a marker of its own, at even distances. Immutable.
class LoopbackSignal {
 public:
  static constexpr std::uint32_t kShots = 12;     ///< at most; the rest is for damaged ones
  static constexpr std::uint32_t kMarker = 8191;  ///< frames
  static constexpr std::uint32_t kReachMs = 500;  ///< beyond the round trip that is expected

  /// Allocates and writes it all: about a second's worth of floats for each shot's distance.
  LoopbackSignal(SampleRate rate, Frames expected_round_trip);

  [[nodiscard]] std::span<const float> samples() const noexcept { return samples_; }
  [[nodiscard]] std::span<const float> marker(std::uint32_t shot) const noexcept {
    return samples().subspan(sent_at(shot), kMarker);
  }
  [[nodiscard]] std::size_t sent_at(std::uint32_t shot) const noexcept {
    return lead_ + std::size_t{shot} * distance_;
  }
  /// The longest delay that is looked for, in frames.
  [[nodiscard]] std::size_t reach() const noexcept { return reach_; }
  /// So much must have been recorded for a shot to be judged.
  [[nodiscard]] std::size_t heard_at(std::uint32_t shot) const noexcept {
    return sent_at(shot) + reach_ + kMarker;
  }
  [[nodiscard]] SampleRate rate() const noexcept { return rate_; }

 private:
  SampleRate rate_;
  std::size_t lead_, distance_, reach_;
  std::vector<float> samples_;
};

struct LoopbackResult {
  double delay_frames = 0;   ///< from writing to reading back
  double spread_frames = 0;  ///< between the shortest and the longest
  double level_db = 0;       ///< of what comes back, relative to what was played
  bool inverted = false;
  std::uint32_t shots = 0, damaged = 0;
};

/// Judges one shot after the other. One thread.
class LoopbackJudge {
 public:
  static constexpr std::uint32_t kNeeded = 5;     ///< shots that agree
  static constexpr double kSpread = 1.0;          ///< frames
  static constexpr double kContrast = 8.0;        ///< MarkerSighting::contrast; never by chance
  static constexpr double kLeastLevelDb = -50.0;  ///< below it is no cable, but a leak

  /// `from` and `to` name the output and the input in sentences. `signal` must outlive it.
  LoopbackJudge(const LoopbackSignal& signal, std::string from, std::string to);

  [[nodiscard]] std::uint32_t next() const noexcept { return next_; }
  /// Looks at shot next(). `recording`: all that was recorded, at least signal.heard_at(next()).
  /// `lost`: how many frames were lost between two of it. A shot that was hit on its way does not
  /// count, nor does one that was not found because it may have been hit. O(M log M), tens of
  /// milliseconds.
  void look(std::span<const float> recording,
            const std::function<std::size_t(std::size_t begin, std::size_t end)>& lost);
  /// Enough was seen for a verdict.
  [[nodiscard]] bool done() const noexcept;
  /// Errors: plain sentences, each with what to do next: invalid_state (no cable, too weak, too
  /// loud, drowned, not repeatable, too late), timed_out (the machine damaged too many shots).
  [[nodiscard]] Result<LoopbackResult> verdict(std::span<const float> recording) const;

 private:
  struct Shot {
    double delay, gain;
  };

  [[nodiscard]] Error why_nothing(std::span<const float> recording) const;

  const LoopbackSignal& signal_;
  const std::string from_, to_;
  std::uint32_t next_ = 0, damaged_ = 0, missing_ = 0, clipped_ = 0;
  std::vector<Shot> found_;
};

}  // namespace asiodrv::service
