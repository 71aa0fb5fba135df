#include "core/audio/resampler/filter_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>

namespace asiodrv::audio {
namespace {

/// What a quality promises. Taps are counted at the lower of the two rates.
struct Promise {
  std::uint32_t taps;
  std::uint32_t core_taps;
  std::uint32_t phase_bits;  ///< the parabolas' error falls by 18 dB per bit
  double rejection_db;
  double design_db;  ///< what to ask of Kaiser's rules, good to some decibels, to keep the promise
};

/// Below 48 kHz the way from 20 kHz to half the rate is short: the standard filter is longer there.
Promise promise_of(ResamplerQuality quality, SampleRate lower) {
  switch (quality) {
    case ResamplerQuality::light: return {32, 0, 7, 120, 122};
    case ResamplerQuality::standard: break;
    case ResamplerQuality::high: return {128, 32, 8, 160, 163};
  }
  return lower.hz < 48'000 ? Promise{96, 0, 8, 130, 133} : Promise{64, 0, 8, 150, 153};
}

/// Kaiser's rule: the width of the way from pass band to stop band, in cycles per frame.
double transition_width(double design_db, std::uint32_t taps) {
  return (design_db - 8.0) / (14.36 * (taps - 1));
}

/// The modified Bessel function of order 0, by its power series.
double bessel_i0(double x) {
  const double quarter = x * x / 4;
  double sum = 1, term = 1;
  for (double k = 1; term > 1e-18 * sum; ++k) {
    term *= quarter / (k * k);
    sum += term;
  }
  return sum;
}

/// The continuous filter; t in input frames from its centre, cut-off in cycles per input frame.
class Prototype {
 public:
  Prototype(std::uint32_t half_length, double cut_off, double design_db)
      : half_length_(half_length),
        cut_off_(cut_off),
        beta_(0.1102 * (design_db - 8.7)),  // Kaiser's rule for 50 dB and more
        scale_(2 * cut_off / bessel_i0(beta_)) {}

  [[nodiscard]] double operator()(double t) const {
    const double u = t / half_length_;
    if (std::abs(u) >= 1) return 0;
    const double x = 2 * std::numbers::pi * cut_off_ * t;
    const double sinc = std::abs(x) < 1e-9 ? 1.0 : std::sin(x) / x;
    return scale_ * sinc * bessel_i0(beta_ * std::sqrt(1 - u * u));
  }

 private:
  double half_length_, cut_off_, beta_, scale_;
};

using Parabola = std::array<double, FilterTable::kParts>;

/// The parabola in x of 0..1 through (node, value) at the three Chebyshev nodes.
class Fit {
 public:
  Fit() {
    for (std::size_t j = 0; j < nodes_.size(); ++j) {
      const auto odd = static_cast<double>(2 * j + 1);
      nodes_[j] = 0.5 - 0.5 * std::cos(std::numbers::pi * odd / (2.0 * FilterTable::kParts));
    }
  }

  template <class Function>
  [[nodiscard]] Parabola operator()(const Function& value_at) const {
    const auto [a, b, c] = nodes_;
    const double first = value_at(a), second = value_at(b), third = value_at(c);
    const double slope = (second - first) / (b - a);
    const double bend = ((third - second) / (c - b) - slope) / (c - a);
    return {first - a * slope + a * b * bend, slope - (a + b) * bend, bend};
  }

 private:
  std::array<double, FilterTable::kParts> nodes_{};
};

}  // namespace

Result<std::shared_ptr<const FilterTable>> FilterTable::make(ResamplerQuality quality,
                                                             SampleRate input, SampleRate output) {
  for (const auto& [rate, name] : {std::pair{input, "input"}, std::pair{output, "output"}}) {
    if (rate < kMinResamplerRate || rate > kMaxResamplerRate) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("The resampler's {} rate of {} Hz is outside {} to {} Hz.", name,
                              rate.hz, kMinResamplerRate.hz, kMaxResamplerRate.hz));
    }
  }
  const auto [lower, higher] = std::minmax(input.hz, output.hz);
  if (higher > lower * kMaxRateFactor) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("Resampling from {} to {} Hz is not possible: the higher rate may be "
                            "at most {} times the lower.",
                            input.hz, output.hz, kMaxRateFactor));
  }
  std::shared_ptr<FilterTable> table(new FilterTable);
  table->quality_ = quality;
  table->input_ = input;
  table->output_ = output;
  table->shape();
  table->fill();
  return table;
}

void FilterTable::shape() {
  const SampleRate lower = std::min(input_, output_);
  const Promise promise = promise_of(quality_, lower);
  const double stretch = static_cast<double>(input_.hz) / lower.hz;
  const auto in_units = [](double taps, std::uint32_t unit) {
    return static_cast<std::uint32_t>(std::ceil(taps / unit - 1e-9)) * unit;
  };
  const std::uint32_t length = in_units(promise.taps * stretch, 2);
  look_ahead_ = length / 2;
  taps_ = in_units(length, kTapUnit);
  core_taps_ = in_units(promise.core_taps * stretch, kTapUnit);
  // A stretched filter is as much smoother, and needs fewer phases: the table stays about as big.
  phase_bits_ =
      promise.phase_bits + 1 - static_cast<std::uint32_t>(std::bit_width(input_.hz / lower.hz));
  rejection_db_ = promise.rejection_db;
  design_db_ = promise.design_db;
  const double half_way =
      transition_width(promise.design_db, length) / 2;  // cycles per input frame
  pass_band_hz_ = lower.hz / 2.0 - half_way * input_.hz;
}

void FilterTable::fill() {
  const std::uint32_t phases = 1u << phase_bits_;
  const std::size_t row = std::size_t{kParts} * taps_;
  const std::size_t core_row = std::size_t{kParts} * core_taps_;
  const std::size_t core_bytes = phases * core_row * sizeof(double);
  memory_.resize(core_bytes + phases * row * sizeof(float) + kCacheLine);
  void* start = memory_.data();
  std::size_t room = memory_.size();
  std::align(kCacheLine, 1, start, room);
  auto* const core_rows = static_cast<double*>(start);
  rows_ = static_cast<float*>(static_cast<void*>(static_cast<std::byte*>(start) + core_bytes));
  core_rows_ = core_taps_ == 0 ? nullptr : core_rows;

  const double cut_off = 0.5 * std::min(input_, output_).hz / input_.hz;
  const Prototype filter(look_ahead_, cut_off, design_db_);
  const Fit fit;
  const std::uint32_t first_core = (taps_ - core_taps_) / 2;
  for (std::uint32_t phase = 0; phase < phases; ++phase) {
    for (std::uint32_t tap = 0; tap < taps_; ++tap) {
      const double distance = static_cast<double>(look_ahead_ + tap) - (taps_ - 1);
      const Parabola parabola =
          fit([&](double x) { return filter(distance - (phase + x) / phases); });
      const std::uint32_t core = tap - first_core;  // wraps, and so fails the test, before it
      for (std::uint32_t part = 0; part < kParts; ++part) {
        rows_[phase * row + part * taps_ + tap] = static_cast<float>(parabola[part]);
        if (core < core_taps_) {
          core_rows[phase * core_row + part * core_taps_ + core] = parabola[part];
        }
      }
    }
  }
}

}  // namespace asiodrv::audio
