#include "core/engine/meter.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace asiodrv::engine {
namespace {

constexpr double kFallSeconds = 1.7;  // per 20 dB, as programme meters do
constexpr double kRmsSeconds = 0.3;
/// What a meter shows at most: +60 dB. The square of a larger sample may be infinite, and a mean
/// that once was would never fall again.
constexpr float kMostPeak = 1e3F;
constexpr float kMostSquare = kMostPeak * kMostPeak;

/// What is not a number counts as `most`.
float at_most_shown(float value, float most) noexcept { return value < most ? value : most; }

}  // namespace

MeterBallistics MeterBallistics::of(Frames period, SampleRate rate) noexcept {
  const double seconds = static_cast<double>(period.count) / static_cast<double>(rate.hz);
  return {.peak_fall = static_cast<float>(std::pow(0.1, seconds / kFallSeconds)),
          .rms_share = static_cast<float>(1.0 - std::exp(-seconds / kRmsSeconds))};
}

void MeterBank::settle(Cell& cell, float peak, float mean_square,
                       const MeterBallistics& by) noexcept {
  const float fallen = cell.peak.load(std::memory_order_relaxed) * by.peak_fall;
  cell.peak.store(std::max(at_most_shown(peak, kMostPeak), fallen), std::memory_order_relaxed);
  const float mean = cell.mean_square.load(std::memory_order_relaxed);
  const float heard = at_most_shown(mean_square, kMostSquare);
  cell.mean_square.store(mean + by.rms_share * (heard - mean), std::memory_order_relaxed);
}

void MeterBank::measure(std::size_t channel, const float* block, Frames frames,
                        const MeterBallistics& ballistics) noexcept {
  // Eight running values each, so that the compiler may use vectors without reordering sums.
  std::array<float, 8> peaks{}, squares{};
  const std::size_t count = frames.count;
  std::size_t at = 0;
  for (; at + 8 <= count; at += 8) {
    for (std::size_t lane = 0; lane < 8; ++lane) {
      const float sample = block[at + lane];
      const float size = std::fabs(sample);
      peaks[lane] = size > peaks[lane] ? size : peaks[lane];
      squares[lane] += sample * sample;
    }
  }
  for (; at < count; ++at) {
    peaks[0] = std::max(peaks[0], std::fabs(block[at]));
    squares[0] += block[at] * block[at];
  }
  float peak = 0.0F, sum = 0.0F;
  for (std::size_t lane = 0; lane < 8; ++lane) {
    peak = std::max(peak, peaks[lane]);
    sum += squares[lane];
  }
  settle(cells_[channel], peak, count == 0 ? 0.0F : sum / static_cast<float>(count), ballistics);
}

void MeterBank::measure_silence(std::size_t channel, const MeterBallistics& ballistics) noexcept {
  settle(cells_[channel], 0.0F, 0.0F, ballistics);
}

std::vector<Level> MeterBank::read() const {
  std::vector<Level> levels(size_);
  for (std::size_t i = 0; i < size_; ++i) {
    levels[i].peak = cells_[i].peak.load(std::memory_order_relaxed);
    levels[i].rms = std::sqrt(cells_[i].mean_square.load(std::memory_order_relaxed));
  }
  return levels;
}

void MeterBank::clear() noexcept {
  for (std::size_t i = 0; i < size_; ++i) {
    cells_[i].peak.store(0.0F, std::memory_order_relaxed);
    cells_[i].mean_square.store(0.0F, std::memory_order_relaxed);
  }
}

}  // namespace asiodrv::engine
