#include "core/audio/marker.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <cstddef>
#include <numbers>
#include <vector>

#include "core/audio/fourier.hpp"

namespace asiodrv::audio {
namespace {

constexpr double kSilence = 1e-12;       // mean square, without the constant
constexpr double kAlmostAsWell = 0.7;    // of the best match: an earlier arrival, no sidelobe
constexpr std::ptrdiff_t kTaps = 32;     // on either side, between two places
constexpr std::ptrdiff_t kMainLobe = 8;  // places around the best one that are no chance

double mean_of(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value);
  return sum / static_cast<double>(values.size());
}

/// The marker without its mean against `heard`, by place: one product in the frequency domain.
std::vector<double> correlate(std::span<const float> marker, std::span<const float> heard) {
  using Complex = std::complex<double>;
  const std::size_t size = std::bit_ceil(heard.size());
  const double mean = mean_of(marker);
  std::vector<Complex> wanted(size), spectrum(size);
  for (std::size_t i = 0; i < marker.size(); ++i) {
    wanted[i] = static_cast<double>(marker[i]) - mean;
  }
  for (std::size_t i = 0; i < heard.size(); ++i) spectrum[i] = static_cast<double>(heard[i]);
  fourier_transform(wanted);
  fourier_transform(spectrum);
  for (std::size_t i = 0; i < size; ++i) spectrum[i] *= std::conj(wanted[i]);
  inverse_fourier_transform(spectrum);
  std::vector<double> product(heard.size() - marker.size() + 1);
  for (std::size_t i = 0; i < product.size(); ++i) product[i] = spectrum[i].real();
  return product;
}

/// Sums of squares, without the mean, of every `length` frames in a row.
std::vector<double> energies(std::span<const float> heard, std::size_t length) {
  std::vector<double> result(heard.size() - length + 1);
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < heard.size(); ++i) {
    const double in = static_cast<double>(heard[i]);
    sum += in;
    squares += in * in;
    if (i + 1 < length) continue;
    const std::size_t first = i + 1 - length;
    result[first] = std::max(0.0, squares - sum * sum / static_cast<double>(length));
    const double out = static_cast<double>(heard[first]);
    sum -= out;
    squares -= out * out;
  }
  return result;
}

std::size_t first_good_place(const std::vector<double>& match) {
  const auto best = std::max_element(match.begin(), match.end());
  const double enough = *best * kAlmostAsWell;
  auto place = std::find_if(match.begin(), best, [=](double value) { return value >= enough; });
  while (place != best && *(place + 1) > *place) ++place;  // up to its top
  return static_cast<std::size_t>(place - match.begin());
}

/// The correlation between two places: it is as free of aliasing as the sound is.
double between(const std::vector<double>& values, double place) {
  const auto middle = static_cast<std::ptrdiff_t>(std::floor(place));
  const auto last = static_cast<std::ptrdiff_t>(values.size()) - 1;
  double sum = 0;
  for (std::ptrdiff_t i = std::max<std::ptrdiff_t>(0, middle - kTaps + 1);
       i <= std::min(last, middle + kTaps); ++i) {
    const double x = place - static_cast<double>(i);
    const double turn = std::numbers::pi * x;
    const double window = 0.5 + 0.5 * std::cos(turn / static_cast<double>(kTaps));
    sum += values[static_cast<std::size_t>(i)] *
           (std::abs(x) < 1e-9 ? 1.0 : std::sin(turn) / turn * window);
  }
  return sum;
}

/// The top of |values| within a frame of `place`: golden section, to a thousandth of a frame.
double top_near(const std::vector<double>& values, std::size_t place) {
  const double ratio = (std::sqrt(5.0) - 1) / 2;
  const auto height = [&](double at) { return std::abs(between(values, at)); };
  double low = static_cast<double>(place) - 1, high = static_cast<double>(place) + 1;
  double left = high - ratio * (high - low), right = low + ratio * (high - low);
  double at_left = height(left), at_right = height(right);
  while (high - low > 1e-4) {
    if (at_left > at_right) {
      high = right;
      right = left;
      at_right = at_left;
      left = high - ratio * (high - low);
      at_left = height(left);
    } else {
      low = left;
      left = right;
      at_left = at_right;
      right = low + ratio * (high - low);
      at_right = height(right);
    }
  }
  return (low + high) / 2;
}

/// `match` at `place` against its root mean square elsewhere; and against what chance gives by the
/// marker's length alone, where most of the recording is silent and matches nothing at all.
double contrast_of(const std::vector<double>& match, std::size_t place, std::size_t length) {
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < match.size(); ++i) {
    if (std::abs(static_cast<std::ptrdiff_t>(i - place)) <= kMainLobe) continue;
    sum += match[i] * match[i];
    ++count;
  }
  const double elsewhere = count == 0 ? 0.0 : std::sqrt(sum / static_cast<double>(count));
  return match[place] / std::max(elsewhere, 1 / std::sqrt(static_cast<double>(length)));
}

}  // namespace

void write_marker(std::uint32_t channel, std::uint32_t number, std::span<std::int16_t> into) {
  std::uint32_t state = 0x9E3779B9U ^ (channel * 0x85EBCA6BU) ^ ((number + 1) * 0xC2B2AE35U);
  if (state == 0) state = 1;
  for (int i = 0; i < 8; ++i) next_noise(state);  // small seeds start alike
  for (std::int16_t& value : into) {
    value = (next_noise(state) & 0x10000U) != 0 ? kMarkerAmplitude : -kMarkerAmplitude;
  }
}

std::optional<MarkerSighting> find_marker(std::span<const float> marker,
                                          std::span<const float> heard) {
  if (marker.empty() || heard.size() < marker.size()) return std::nullopt;
  const double mean = mean_of(marker);
  double wanted = 0;
  for (const float value : marker) {
    const double each = static_cast<double>(value) - mean;
    wanted += each * each;
  }
  const std::vector<double> product = correlate(marker, heard);
  const std::vector<double> energy = energies(heard, marker.size());
  const double silence = kSilence * static_cast<double>(marker.size());
  std::vector<double> match(product.size());
  for (std::size_t i = 0; i < match.size(); ++i) {
    if (energy[i] > silence) match[i] = std::abs(product[i]) / std::sqrt(wanted * energy[i]);
  }
  const std::size_t place = first_good_place(match);
  if (!(match[place] > 0)) return std::nullopt;
  MarkerSighting sighting;
  sighting.place = top_near(product, place);
  sighting.gain = between(product, sighting.place) / wanted;
  sighting.match = std::min(1.0, match[place]);
  sighting.contrast = contrast_of(match, place, marker.size());
  return sighting;
}

}  // namespace asiodrv::audio
