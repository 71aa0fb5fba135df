#include "host/sine_fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>
#include <utility>

#include "host/samples.hpp"

namespace asiodrv::host {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;
constexpr double kLeastPower = 1e-40;  // no rest is nothing: keeps the ratio finite

/// Least squares of {sin, cos, 1} over one window; what depends on the frequency alone is
/// worked out once.
class SineFitter {
 public:
  struct Fit {
    double power = 0;  ///< mean square of the sine
    double noise = 0;  ///< mean square of the rest
    double turns = 0;  ///< phase at the window's first frame, of a sine
  };

  SineFitter(std::uint32_t hz, std::uint32_t rate) : hz_(hz), rate_(rate) {
    for (std::uint32_t i = 0; i < kSineWindowFrames; ++i) {
      const double angle = kTurn * turns(i);
      basis_[0].push_back(std::sin(angle));
      basis_[1].push_back(std::cos(angle));
      basis_[2].push_back(1.0);
    }
    for (std::size_t r = 0; r < 3; ++r) {
      for (std::size_t k = 0; k < 3; ++k) {
        for (std::uint32_t i = 0; i < kSineWindowFrames; ++i) {
          gram_[r][k] += basis_[r][i] * basis_[k][i];
        }
      }
    }
  }

  /// Phase of the written sine `frames` frames after its beginning, without rounding before the
  /// last step: from 0 to 1.
  [[nodiscard]] double turns(std::uint64_t frames) const noexcept {
    return static_cast<double>(frames % rate_ * hz_ % rate_) / static_cast<double>(rate_);
  }

  [[nodiscard]] Fit fit(std::span<const float> heard) const {
    std::array<double, 3> right{};
    for (std::size_t r = 0; r < 3; ++r) {
      for (std::size_t i = 0; i < heard.size(); ++i) {
        right[r] += basis_[r][i] * static_cast<double>(heard[i]);
      }
    }
    const std::array<double, 3> found = solve(right);
    double rest = 0;
    for (std::size_t i = 0; i < heard.size(); ++i) {
      const double model = found[0] * basis_[0][i] + found[1] * basis_[1][i] + found[2];
      rest += std::pow(static_cast<double>(heard[i]) - model, 2);
    }
    return {(found[0] * found[0] + found[1] * found[1]) / 2,
            rest / static_cast<double>(heard.size()), std::atan2(found[1], found[0]) / kTurn};
  }

 private:
  /// Cramer's rule: with a whole cycle in the window the columns are nearly orthogonal.
  [[nodiscard]] std::array<double, 3> solve(const std::array<double, 3>& right) const {
    const auto determinant = [](const std::array<std::array<double, 3>, 3>& m) {
      return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
             m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
             m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
    };
    const double whole = determinant(gram_);
    std::array<double, 3> result{};
    for (std::size_t column = 0; column < 3; ++column) {
      auto replaced = gram_;
      for (std::size_t r = 0; r < 3; ++r) replaced[r][column] = right[r];
      result[column] = determinant(replaced) / whole;
    }
    return result;
  }

  std::uint64_t hz_, rate_;
  std::array<std::vector<double>, 3> basis_;
  std::array<std::array<double, 3>, 3> gram_{};
};

/// Which cursor was written at a position.
class Written {
 public:
  explicit Written(const Tape& tape) : frames_(tape.frames()) {
    for (std::size_t block = 0; block < tape.blocks(); ++block) {
      blocks_.emplace_back(tape.record(block).position, tape.record(block).cursor);
    }
    std::stable_sort(blocks_.begin(), blocks_.end());
  }

  [[nodiscard]] std::optional<std::uint64_t> cursor(std::int64_t position) const {
    const auto next =
        std::upper_bound(blocks_.begin(), blocks_.end(),
                         std::pair{position, std::numeric_limits<std::uint64_t>::max()});
    if (next == blocks_.begin()) return std::nullopt;
    const auto& [start, cursor] = *std::prev(next);
    if (position - start >= frames_) return std::nullopt;  // a lost period
    return cursor + static_cast<std::uint64_t>(position - start);
  }

 private:
  std::int64_t frames_;
  std::vector<std::pair<std::int64_t, std::uint64_t>> blocks_;
};

struct Window {
  std::int64_t position = 0;
  double power = 0, noise = 0;  ///< sums over the channels
  double worst_db = std::numeric_limits<double>::infinity();
  std::optional<double> delay;  ///< of the first channel, beyond the markers' whole frames

  [[nodiscard]] bool damaged() const noexcept { return worst_db < kDamagedBelowDb; }
  [[nodiscard]] bool is_before(const Window& other) const noexcept {
    return position + kSineWindowFrames == other.position;
  }
};

double decibels(double power, double over) noexcept {
  return 10 * std::log10((power + kLeastPower) / (over + kLeastPower));
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Cuts the tape into windows of consecutive positions, and fits each.
class Examiner {
 public:
  Examiner(const Tape& tape, const TestSignal& signal, std::int32_t type, std::uint32_t hz,
           std::uint32_t rate, std::int64_t round_trip)
      : tape_(tape),
        signal_(signal),
        type_(type),
        cycle_frames_(static_cast<double>(rate) / hz),
        round_trip_(round_trip),
        fitter_(hz, rate),
        written_(tape),
        heard_(std::min(tape.channels(), signal.channels())) {
    for (auto& channel : heard_) channel.resize(kSineWindowFrames);
  }

  [[nodiscard]] std::vector<Window> windows() {
    const std::optional<std::int64_t> from = first_position();
    if (!from || heard_.empty()) return {};
    for (std::size_t block = 0; block < tape_.blocks(); ++block) {
      const std::int64_t begin = tape_.record(block).position;
      if (begin < *from) continue;  // what is left of that block is not missed
      if (begin != next_) filled_ = 0;
      next_ = begin + tape_.frames();
      take(block);
    }
    return std::move(windows_);
  }

 private:
  /// Where the payload has been heard for a window: filters have forgotten what was before.
  [[nodiscard]] std::optional<std::int64_t> first_position() const {
    const std::uint64_t payload = signal_.payload_cursor();
    for (std::size_t block = 0; block < tape_.blocks(); ++block) {
      const BlockRecord& record = tape_.record(block);
      if (record.cursor + tape_.frames() <= payload) continue;
      return record.position + round_trip_ + std::int64_t{tape_.frames()} + kSineWindowFrames;
    }
    return std::nullopt;
  }

  void take(std::size_t block) {
    std::uint32_t done = 0;
    while (done < tape_.frames()) {
      const std::uint32_t run = std::min(tape_.frames() - done, kSineWindowFrames - filled_);
      for (std::uint32_t channel = 0; channel < heard_.size(); ++channel) {
        const std::byte* from =
            tape_.input(block, channel) + std::size_t{done} * tape_.bytes_per_sample();
        decode_samples(type_, from, {heard_[channel].data() + filled_, run});
      }
      done += run;
      filled_ += run;
      if (filled_ < kSineWindowFrames) continue;
      filled_ = 0;
      fit(tape_.record(block).position + done - kSineWindowFrames);
    }
  }

  void fit(std::int64_t position) {
    Window window;
    window.position = position;
    for (std::uint32_t channel = 0; channel < heard_.size(); ++channel) {
      const SineFitter::Fit found = fitter_.fit(heard_[channel]);
      window.power += found.power;
      window.noise += found.noise;
      window.worst_db = std::min(window.worst_db, decibels(found.power, found.noise));
      if (channel == 0) window.delay = delay(position, found.turns);
    }
    windows_.push_back(window);
  }

  /// In the window's middle, for damage likes its edges.
  [[nodiscard]] std::optional<double> delay(std::int64_t position, double turns_at_first) const {
    constexpr std::uint32_t kMiddle = kSineWindowFrames / 2;
    const auto cursor = written_.cursor(position + kMiddle - round_trip_);
    if (!cursor || *cursor < signal_.payload_cursor()) return std::nullopt;
    const double written = fitter_.turns(*cursor - signal_.payload_cursor());
    const double heard = turns_at_first + fitter_.turns(kMiddle);
    return std::remainder(written - heard, 0.5) * cycle_frames_;  // half: of either sign
  }

  const Tape& tape_;
  const TestSignal& signal_;
  std::int32_t type_;
  double cycle_frames_;
  std::int64_t round_trip_;
  SineFitter fitter_;
  Written written_;
  std::vector<std::vector<float>> heard_;  ///< [channel][frame of the window]
  std::vector<Window> windows_;
  std::int64_t next_ = 0;
  std::uint32_t filled_ = 0;
};

std::vector<Stretch> merge_damaged(const std::vector<Window>& windows) {
  std::vector<Stretch> result;
  for (const Window& window : windows) {
    if (!window.damaged()) continue;
    if (!result.empty() && result.back().position + result.back().frames == window.position) {
      result.back().frames += kSineWindowFrames;
    } else {
      result.push_back({window.position, kSineWindowFrames});
    }
  }
  return result;
}

}  // namespace

Result<> check_sine(std::uint32_t hz, double rate) {
  const auto frames = static_cast<std::uint32_t>(std::max(0.0, std::min(rate, 1e9)));
  if (static_cast<double>(frames) != rate) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("A sine is measured at whole rates only, not at {} Hz: choose another "
                            "--rate.",
                            rate));
  }
  const std::uint32_t lowest = (frames + kSineWindowFrames - 1) / kSineWindowFrames;
  const std::uint32_t highest = (std::max(frames, 1U) - 1) / 4;
  if (hz >= lowest && hz <= highest) return {};
  return fail(ErrorCode::invalid_argument,
              fmt::format("A sine of {} Hz cannot be measured at {} Hz: choose from {} to {} Hz.",
                          hz, frames, lowest, highest));
}

SineReport examine_sine(const Tape& tape, const TestSignal& signal, std::int32_t sample_type,
                        std::uint32_t hz, std::uint32_t rate, std::int64_t round_trip_frames) {
  const std::vector<Window> windows =
      Examiner(tape, signal, sample_type, hz, rate, round_trip_frames).windows();
  SineReport report;
  report.windows = windows.size();
  report.damaged = merge_damaged(windows);

  double power = 0, noise = 0, worst = std::numeric_limits<double>::infinity();
  std::vector<double> delays, powers;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const Window& window = windows[i];
    const bool after_damage = i > 0 && windows[i - 1].damaged() && windows[i - 1].is_before(window);
    const bool before_damage =
        i + 1 < windows.size() && windows[i + 1].damaged() && window.is_before(windows[i + 1]);
    if (window.damaged() || after_damage || before_damage) continue;
    power += window.power;
    noise += window.noise;
    powers.push_back(window.power);
    worst = std::min(worst, window.worst_db);
    if (window.delay) delays.push_back(*window.delay);
  }
  if (powers.empty()) return report;
  const double channels = std::min(tape.channels(), signal.channels());
  const double played = channels * TestSignal::kSineAmplitude * TestSignal::kSineAmplitude / 2;
  report.snr_db = decibels(power, noise);
  report.worst_db = worst;
  report.gain_db = decibels(median(std::move(powers)), played);
  if (!delays.empty()) {
    report.round_trip_frames = static_cast<double>(round_trip_frames) + median(std::move(delays));
  }
  return report;
}

}  // namespace asiodrv::host
