// What the hours of the personalities are judged by. Everything that is played carries the number
// of its frame, on a grid that 16 bits hold; a watch follows the numbers at the far end.
#pragma once

#include <cmath>
#include <cstdint>
#include <deque>

namespace asiodrv::devices::wasapi::test {

/// Numbers of frames begin again after so many; prime, so that no period divides it.
inline constexpr std::uint32_t kTags = 32'003;

/// Frame `n` of what is sent; never 0, which is silence.
inline float tag_of(std::uint64_t n) { return static_cast<float>(1 + n % kTags) * (1.0F / 32'768); }

/// Follows the tags that arrive. A break is a place where they do not go on by one.
class TagWatch {
 public:
  void take(float value) {
    if (value == 0) {
      if (in_sound_) ++breaks_;
      in_sound_ = false;
      silent_ += known_ ? 1 : 0;
      return;
    }
    const float scaled = value * 32'768;
    const auto tag = static_cast<std::int64_t>(std::lround(scaled)) - 1;
    if (std::abs(scaled - static_cast<float>(tag + 1)) > 0.01F || tag < 0 || tag >= kTags) {
      ++foreign_;
      return;
    }
    const auto number = static_cast<std::uint32_t>(tag);
    const std::uint32_t ahead = known_ ? (number + kTags - next_) % kTags : 0;
    if (ahead >= kTags / 2) {
      ++stale_;  // played before
      ++breaks_;
    } else if (ahead > 0) {
      skipped_ += ahead;
      if (in_sound_) ++breaks_;
    }
    next_ = (number + 1) % kTags;
    known_ = in_sound_ = true;
    ++heard_;
  }

  [[nodiscard]] bool known() const { return known_; }
  /// The tag that should come next.
  [[nodiscard]] std::uint32_t next() const { return next_; }
  [[nodiscard]] std::uint64_t heard() const { return heard_; }
  [[nodiscard]] std::uint64_t breaks() const { return breaks_; }
  [[nodiscard]] std::uint64_t silent() const { return silent_; }
  [[nodiscard]] std::uint64_t skipped() const { return skipped_; }
  [[nodiscard]] std::uint64_t stale() const { return stale_; }
  [[nodiscard]] std::uint64_t foreign() const { return foreign_; }

 private:
  bool known_ = false, in_sound_ = false;
  std::uint32_t next_ = 0;
  std::uint64_t heard_ = 0, breaks_ = 0, silent_ = 0, skipped_ = 0, stale_ = 0, foreign_ = 0;
};

/// Every break must have been reported, at about the time: within the last few looks.
class BreakLedger {
 public:
  /// Once per look: breaks that were seen and reports that came since the last one.
  void look(std::uint64_t breaks, std::uint64_t reports) {
    reports_.push_back(reports);
    if (reports_.size() > kLooks) reports_.pop_front();
    for (std::uint64_t open = breaks; open > 0; --open) {
      // A report pays for one break; two for one happen (both ends of a silence).
      bool paid = false;
      for (std::uint64_t& report : reports_) {
        if (report == 0) continue;
        --report;
        paid = true;
        break;
      }
      if (!paid) ++unreported_;
    }
  }
  [[nodiscard]] std::uint64_t unreported() const { return unreported_; }

 private:
  static constexpr std::size_t kLooks = 4;
  std::deque<std::uint64_t> reports_;
  std::uint64_t unreported_ = 0;
};

/// The round trip that was measured against the one that is reported.
class LatencyWatch {
 public:
  /// All in frames.
  void take(std::uint32_t measured, std::uint32_t reported, std::uint32_t period) {
    const std::int64_t off = std::int64_t{reported} - measured;
    if (std::abs(off) > std::abs(worst_)) worst_ = off;
    ++taken_;
    wrong_ += std::abs(off) > period ? 1 : 0;
  }
  [[nodiscard]] std::uint64_t taken() const { return taken_; }
  [[nodiscard]] std::uint64_t wrong() const { return wrong_; }
  [[nodiscard]] std::int64_t worst() const { return worst_; }

 private:
  std::uint64_t taken_ = 0, wrong_ = 0;
  std::int64_t worst_ = 0;
};

}  // namespace asiodrv::devices::wasapi::test
