// Measures how clean a sine is: fits one by least squares and calls all the rest noise.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>
#include <utility>
#include <vector>

namespace asiodrv::audio::testing {

/// A sine in samples of float32: amplitude * sin(2 pi hz i / rate + phase).
inline std::vector<float> sine(std::size_t frames, double hz, double rate, double amplitude,
                               double phase = 0) {
  std::vector<float> samples(frames);
  for (std::size_t i = 0; i < frames; ++i) {
    const double cycles = std::fmod(hz * static_cast<double>(i) / rate, 1.0);
    samples[i] = static_cast<float>(amplitude * std::sin(2 * std::numbers::pi * cycles + phase));
  }
  return samples;
}

struct SineFit {
  double amplitude;
  double snr_db;       ///< of the sine over everything else but a constant
  double residual_db;  ///< level of everything else; 0 dB is a sine of amplitude 1
  double phase;        ///< in radians, at the first sample, of a sine
};

/// Solves the symmetric system in place by elimination with pivots; columns: unknowns, right side.
template <std::size_t kSize>
std::array<double, kSize> solve(std::array<std::array<double, kSize + 1>, kSize> rows,
                                std::size_t size) {
  for (std::size_t column = 0; column < size; ++column) {
    std::size_t pivot = column;
    for (std::size_t r = column + 1; r < size; ++r) {
      if (std::abs(rows[r][column]) > std::abs(rows[pivot][column])) pivot = r;
    }
    std::swap(rows[column], rows[pivot]);
    for (std::size_t r = 0; r < size; ++r) {
      if (r == column) continue;
      const double factor = rows[r][column] / rows[column][column];
      for (std::size_t k = column; k <= kSize; ++k) rows[r][k] -= factor * rows[column][k];
    }
  }
  std::array<double, kSize> solution{};
  for (std::size_t i = 0; i < size; ++i) solution[i] = rows[i][kSize] / rows[i][i];
  return solution;
}

/// Fits amplitude, phase and constant of a sine near `cycles_per_frame`; with `refine` (the
/// frequency is only nearly known: other people's resamplers) the frequency too.
inline SineFit fit_sine(std::span<const float> samples, double cycles_per_frame,
                        bool refine = false) {
  constexpr double kFrequencyUnit = 1e-4;  // keeps the four columns at comparable sizes
  const double middle = static_cast<double>(samples.size()) / 2;
  double w = 2 * std::numbers::pi * cycles_per_frame;
  double a = 0, b = 0, constant = 0;
  for (int round = 0; round < (refine ? 5 : 1); ++round) {
    const std::size_t unknowns = round == 0 ? 3 : 4;
    std::array<std::array<double, 5>, 4> rows{};
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const double t = static_cast<double>(i) - middle;
      const double s = std::sin(w * t), c = std::cos(w * t);
      const std::array<double, 4> basis{s, c, 1, kFrequencyUnit * t * (a * c - b * s)};
      for (std::size_t r = 0; r < unknowns; ++r) {
        for (std::size_t k = 0; k < unknowns; ++k) rows[r][k] += basis[r] * basis[k];
        rows[r][4] += basis[r] * static_cast<double>(samples[i]);
      }
    }
    const std::array<double, 4> found = solve<4>(rows, unknowns);
    a = found[0];
    b = found[1];
    constant = found[2];
    w += found[3] * kFrequencyUnit;
  }
  double residual = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double t = static_cast<double>(i) - middle;
    const double model = a * std::sin(w * t) + b * std::cos(w * t) + constant;
    residual += std::pow(static_cast<double>(samples[i]) - model, 2);
  }
  residual = residual / static_cast<double>(samples.size()) + 1e-40;  // never quite nothing
  const double power = (a * a + b * b) / 2;
  const double at_first = std::atan2(b, a) - w * middle;
  return {std::hypot(a, b), 10 * std::log10(power / residual), 10 * std::log10(2 * residual),
          std::remainder(at_first, 2 * std::numbers::pi)};
}

}  // namespace asiodrv::audio::testing
