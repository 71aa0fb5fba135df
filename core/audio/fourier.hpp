// The discrete Fourier transform, for looking at sound after the fact. Not for real-time code.
#pragma once

#include <complex>
#include <span>

namespace asiodrv::audio {

/// Transforms `values` in place: the k-th becomes the sum over n of values[n] exp(-2 pi i k n / N).
/// N must be a power of two (asserted). O(N log N). Allocates N / 2 values.
void fourier_transform(std::span<std::complex<double>> values);

/// Its inverse, 1 / N included.
void inverse_fourier_transform(std::span<std::complex<double>> values);

}  // namespace asiodrv::audio
