#include "core/audio/clock/testing/spectrum.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <complex>
#include <numbers>

#include "core/audio/fourier.hpp"

namespace asiodrv::audio::testing {
namespace {

using Complex = std::complex<double>;

/// Seven-term Blackman-Harris window (Albrecht 2001), sidelobes at -180 dB.
double window(std::size_t i, std::size_t n) {
  constexpr double kTerms[] = {0.2712203606, -0.4334446123,    0.2180041228,    -0.06578534329,
                               0.0107618673, -0.0007700127105, 0.00001368088305};
  const double x = 2 * std::numbers::pi * double(i) / double(n);
  double sum = 0;
  for (int term = 0; term < 7; ++term) sum += kTerms[term] * std::cos(term * x);
  return sum;
}

}  // namespace

double power_beyond_db(const std::vector<double>& signal, double rate_hz, double offset_hz) {
  const std::size_t n = signal.size();
  std::vector<Complex> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = signal[i] * window(i, n);
  fourier_transform(values);
  values.resize(n / 2);
  const auto power = [](const Complex& value) { return std::norm(value); };
  const auto strongest =
      std::max_element(values.begin(), values.end(),
                       [&](const Complex& a, const Complex& b) { return power(a) < power(b); });
  const double bin_hz = rate_hz / double(n);
  assert(offset_hz > 8 * bin_hz);
  double near = 0, far = 0;
  for (auto value = values.begin(); value != values.end(); ++value) {
    const double distance = std::abs(double(value - strongest)) * bin_hz;
    (distance <= offset_hz ? near : far) += power(*value);
  }
  return 10 * std::log10(far / near + 1e-40);
}

}  // namespace asiodrv::audio::testing
