// The resampler's filter: a Kaiser-windowed sinc, tabulated as polynomials.
//
// The continuous filter h(t) is cut into one piece per tap and phase; in each piece a parabola
// through the Chebyshev nodes follows h within a hair of the best possible. With x the place
// inside the phase, a coefficient is  c0 + x (c1 + x c2). All design is in double; the tables are
// float, but for the core of the largest taps that the high quality also keeps in double: these
// carry almost all of the energy, and so almost all of the rounding noise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/units.hpp"

namespace asiodrv::audio {

/// The settings, each with its own mixture of delay, width and noise. Figures at 48 kHz in and
/// out; signal to noise of a sine at 0.9 of full scale, 997 to 18013 Hz, float32 in and out.
enum class ResamplerQuality : std::uint32_t {
  light,     ///< 16 frames delay, 120 dB up to 17.8 kHz: monitoring, talkback
  standard,  ///< 32 frames delay, 143 dB up to 20.1 kHz: the choice for everything
  high,      ///< 64 frames delay, 147 dB up to 21.9 kHz: as good as float32 samples can carry
};

constexpr std::string_view resampler_quality_name(ResamplerQuality quality) noexcept {
  switch (quality) {
    case ResamplerQuality::light: return "light";
    case ResamplerQuality::standard: return "standard";
    case ResamplerQuality::high: return "high";
  }
  return "standard";
}

/// What the tables and the working memory are aligned to, in bytes.
inline constexpr std::size_t kCacheLine = 64;

/// Rates that a resampler accepts, and how far the two may differ.
inline constexpr SampleRate kMinResamplerRate{8'000};
inline constexpr SampleRate kMaxResamplerRate{768'000};
inline constexpr std::uint32_t kMaxRateFactor = 24;  ///< of the higher rate over the lower

/// Coefficients for one quality and pair of rates. Immutable once made, so any number of
/// resamplers and threads may share one.
class FilterTable {
 public:
  /// Every row and every half of it holds whole vectors of any SIMD path.
  static constexpr std::uint32_t kTapUnit = 32;
  static constexpr std::uint32_t kParts = 3;  ///< c0, c1, c2

  /// Designs the filter. When the output rate is the lower one, the cut-off follows it and the
  /// filter grows in proportion.
  /// Errors: invalid_argument  a rate outside kMin..kMaxResamplerRate, or the two further apart
  ///                           than kMaxRateFactor; the sentence says which
  /// Thread: control. Takes about 30 ms. Allocates: up to about 1 MB.
  [[nodiscard]] static Result<std::shared_ptr<const FilterTable>> make(ResamplerQuality quality,
                                                                       SampleRate input,
                                                                       SampleRate output);

  [[nodiscard]] ResamplerQuality quality() const noexcept { return quality_; }
  [[nodiscard]] SampleRate input_rate() const noexcept { return input_; }
  [[nodiscard]] SampleRate output_rate() const noexcept { return output_; }

  /// How many input frames after floor(place) the filter reaches: half its length. The other half
  /// lies before the place, symmetrically.
  [[nodiscard]] Frames look_ahead() const noexcept { return {look_ahead_}; }
  /// Coefficients of one row, a multiple of kTapUnit: tap i weighs the input frame
  /// floor(place) + look_ahead() - (taps() - 1) + i. Taps before the filter's reach are zero.
  [[nodiscard]] std::uint32_t taps() const noexcept { return taps_; }
  /// How many taps in the middle have a double table too; 0 or a multiple of kTapUnit.
  [[nodiscard]] std::uint32_t core_taps() const noexcept { return core_taps_; }
  [[nodiscard]] std::uint32_t phase_bits() const noexcept { return phase_bits_; }

  /// Signals up to here pass unchanged, and neither their images nor what folds onto them reaches
  /// -rejection_db(). In Hz.
  [[nodiscard]] double pass_band_hz() const noexcept { return pass_band_hz_; }
  [[nodiscard]] double rejection_db() const noexcept { return rejection_db_; }

  /// [phase][part][tap]
  [[nodiscard]] const float* rows() const noexcept { return rows_; }
  /// [phase][part][core tap], or null when core_taps() is 0
  [[nodiscard]] const double* core_rows() const noexcept { return core_rows_; }

 private:
  FilterTable() = default;
  void shape();
  void fill();

  ResamplerQuality quality_ = ResamplerQuality::standard;
  SampleRate input_{}, output_{};
  std::uint32_t look_ahead_ = 0;
  std::uint32_t taps_ = 0;
  std::uint32_t core_taps_ = 0;
  std::uint32_t phase_bits_ = 0;
  double pass_band_hz_ = 0;
  double rejection_db_ = 0;
  double design_db_ = 0;
  std::vector<std::byte> memory_;  ///< both tables, aligned by hand to cache lines
  float* rows_ = nullptr;
  double* core_rows_ = nullptr;
};

}  // namespace asiodrv::audio
