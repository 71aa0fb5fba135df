// When the periods of a clock begin that runs at its own rate. Pure integer arithmetic: the
// thousandth boundary and the one after a year are equally exact.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/base/rt.hpp"
#include "core/base/units.hpp"

namespace asiodrv::devices {

/// Boundaries at start + n * frames / (rate * (1 + ppm * 1e-6)) seconds, n = 0, 1, 2, ..., each
/// rounded up to the next nanosecond (a wake-up may be late, never early).
///
/// The offset is taken in whole millionths of a ppm. Exact for rates below 2^20 Hz, |ppm| <= 1000
/// and as far as an Instant reaches (292 years): no intermediate leaves 128 bits. A plain value.
/// RT: no allocation, one division per call.
class PeriodGrid {
 public:
  PeriodGrid() = default;
  PeriodGrid(Instant start, SampleRate rate, Frames period, double offset_ppm) noexcept
      : start_(start),
        frames_(period.count),
        divisor_(std::uint64_t{rate.hz} *
                 static_cast<std::uint64_t>(kOne + std::llround(offset_ppm * 1e6))) {}

  [[nodiscard]] Instant boundary(std::uint64_t n) const RT_SAFE {
    const Wide scaled = static_cast<Wide>(n) * frames_ * kNanosecondsOne;
    return start_ + nanoseconds{static_cast<std::int64_t>((scaled + divisor_ - 1) / divisor_)};
  }

  /// The newest boundary that is not after `at`; 0 before the start. Inverse of boundary().
  [[nodiscard]] std::uint64_t newest(Instant at) const RT_SAFE {
    if (at <= start_) return 0;
    const auto elapsed = static_cast<std::uint64_t>((at - start_).count());
    return static_cast<std::uint64_t>(static_cast<Wide>(elapsed) * divisor_ /
                                      (static_cast<Wide>(frames_) * kNanosecondsOne));
  }

 private:
  __extension__ using Wide = unsigned __int128;
  static constexpr std::int64_t kOne = 1'000'000'000'000;  // the factor 1, in 1e-12
  static constexpr Wide kNanosecondsOne = static_cast<Wide>(kOne) * 1'000'000'000U;

  Instant start_{};
  std::uint64_t frames_ = 1;
  std::uint64_t divisor_ = static_cast<std::uint64_t>(kOne);  // hertz, in 1e-12: below 2^60
};

}  // namespace asiodrv::devices
