// How clean a sine came back, and how long its way was to a fraction of a frame.
//
// For paths that alter every sample a little (a resampler, a cable), of which a comparison bit by
// bit says nothing. What is heard is cut into windows; in each a sine of the known frequency is
// fitted, and all that the fit leaves over but a constant is noise:
//
//   heard      ... |   window    |   window    |   window    | gap |   window    | ...
//                    a sin + b cos + c + rest;   noise = power of the rest
//
// Both ends hang on one clock, so the frequency is exact and only a, b and c are unknown. The phase
// against the phase that was written tells the delay modulo half a cycle; the markers have told the
// whole frames before.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/result.hpp"
#include "host/comparison.hpp"
#include "host/tape.hpp"
#include "host/test_signal.hpp"

namespace asiodrv::host {

inline constexpr std::uint32_t kSineWindowFrames = 2400;
/// A window with less is damaged: no resampler of worth is that noisy.
inline constexpr double kDamagedBelowDb = 100.0;

struct SineReport {
  std::uint64_t windows = 0;  ///< examined: whole windows of consecutive positions
  /// Power of the sine over that of the rest, over all windows but damaged ones and their
  /// neighbours, which may hold the last of the damage. Nothing: no such window.
  std::optional<double> snr_db;
  std::optional<double> worst_db;           ///< of the same windows and all channels
  std::optional<double> gain_db;            ///< heard against played, median of the same windows
  std::optional<double> round_trip_frames;  ///< with its fraction, median of the same windows
  std::vector<Stretch> damaged;  ///< windows below kDamagedBelowDb, adjoining ones merged
};

/// Whether `hz` can be measured at `rate`: a window must hold a cycle, and a quarter of a cycle
/// must be longer than the frame to which the markers are exact.
/// Errors: invalid_argument, with the frequencies that can.
[[nodiscard]] Result<> check_sine(std::uint32_t hz, double rate);

/// Examines what came back on every channel that is both on `tape` and in `signal`, whose payload
/// is TestSignal::sine(hz, rate), from one window after the payload's first frame on.
/// `round_trip_frames`: by the markers, right to less than a quarter of a cycle; the sign of the
/// path does not matter. `hz` and `rate` are checked. Control thread; allocates; a minute of
/// two channels takes less than a second.
[[nodiscard]] SineReport examine_sine(const Tape& tape, const TestSignal& signal,
                                      std::int32_t sample_type, std::uint32_t hz,
                                      std::uint32_t rate, std::int64_t round_trip_frames);

}  // namespace asiodrv::host
