#include "core/audio/fourier.hpp"

#include <cassert>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <utility>
#include <vector>

namespace asiodrv::audio {
namespace {

using Complex = std::complex<double>;

/// Without the checks for infinity that operator* makes.
Complex product(const Complex& a, const Complex& b) noexcept {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

void reverse_bits(std::span<Complex> values) noexcept {
  const std::size_t n = values.size();
  for (std::size_t i = 1, j = 0; i < n; ++i) {
    std::size_t bit = n >> 1U;
    for (; (j & bit) != 0; bit >>= 1U) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(values[i], values[j]);
  }
}

/// Radix 2, decimation in time.
void transform(std::span<Complex> values, double sign) {
  const std::size_t n = values.size();
  assert(n != 0 && (n & (n - 1)) == 0);
  reverse_bits(values);
  std::vector<Complex> roots(n / 2);
  const double step = sign * 2 * std::numbers::pi / static_cast<double>(n);
  for (std::size_t i = 0; i < roots.size(); ++i) {
    roots[i] = std::polar(1.0, step * static_cast<double>(i));
  }
  for (std::size_t half = 1; half < n; half *= 2) {
    const std::size_t stride = n / (2 * half);
    for (std::size_t start = 0; start < n; start += 2 * half) {
      for (std::size_t k = 0; k < half; ++k) {
        const Complex even = values[start + k];
        const Complex odd = product(values[start + k + half], roots[k * stride]);
        values[start + k] = even + odd;
        values[start + k + half] = even - odd;
      }
    }
  }
}

}  // namespace

void fourier_transform(std::span<Complex> values) { transform(values, -1.0); }

void inverse_fourier_transform(std::span<Complex> values) {
  transform(values, 1.0);
  const double scale = 1.0 / static_cast<double>(values.size());
  for (Complex& value : values) value *= scale;
}

}  // namespace asiodrv::audio
