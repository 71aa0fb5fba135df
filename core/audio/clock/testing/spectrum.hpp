// The spectrum of a long, almost pure tone, with a window whose own skirts lie 180 dB down.
#pragma once

#include <vector>

namespace asiodrv::audio::testing {

/// Power in decibels of everything further than `offset_hz` from the strongest line, relative to
/// what is nearer. `signal`: a power of two of samples at `rate_hz`; the window widens a line to 7
/// bins on either side, which must be less than `offset_hz`.
double power_beyond_db(const std::vector<double>& signal, double rate_hz, double offset_hz);

}  // namespace asiodrv::audio::testing
