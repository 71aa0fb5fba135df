// The air of a room: what any device plays is heard by all, at the instant at which it leaves.
// Tests only: an interpolation of 32 frames per track and sample.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <numbers>
#include <span>
#include <vector>

namespace asiodrv::devices::test {

class Air {
 public:
  /// Block of a device whose frames leave at `seconds`, `seconds + step`, ...
  void play(std::uint32_t track, double seconds, double step, std::span<const float> block) {
    Track& played = tracks_[track];
    if (played.samples.empty()) {
      played.begin = seconds;
      played.step = step;
    }
    const auto first = static_cast<std::int64_t>(std::llround((seconds - played.begin) / step));
    if (first < 0) return;
    const auto from = static_cast<std::size_t>(first);
    if (played.samples.size() < from + block.size()) played.samples.resize(from + block.size());
    for (std::size_t i = 0; i < block.size(); ++i) played.samples[from + i] = block[i];
  }

  /// The sum of all tracks, as it passes at `seconds`, `seconds + step`, ...
  void hear(double seconds, double step, std::span<float> block) const {
    for (std::size_t i = 0; i < block.size(); ++i) {
      double sum = 0;
      for (const auto& [number, track] : tracks_) {
        sum += track.at((seconds + step * static_cast<double>(i) - track.begin) / track.step);
      }
      block[i] = static_cast<float>(sum);
    }
  }

 private:
  struct Track {
    double begin = 0, step = 1;
    std::vector<float> samples;

    [[nodiscard]] double at(double position) const {
      constexpr int kHalf = 16;
      const auto whole = static_cast<std::int64_t>(std::floor(position));
      double sum = 0;
      for (std::int64_t n = whole - kHalf + 1; n <= whole + kHalf; ++n) {
        if (n < 0 || n >= static_cast<std::int64_t>(samples.size())) continue;
        const double sample = static_cast<double>(samples[static_cast<std::size_t>(n)]);
        if (sample == 0) continue;
        const double x = position - static_cast<double>(n);
        const double pi = std::numbers::pi;
        const double sinc = std::abs(x) < 1e-9 ? 1 : std::sin(pi * x) / (pi * x);
        sum += sample * sinc * (0.5 + 0.5 * std::cos(pi * x / kHalf));
      }
      return sum;
    }
  };

  std::map<std::uint32_t, Track> tracks_;
};

}  // namespace asiodrv::devices::test
