// The inner loops of the resampler, one copy per instruction set, chosen at run time.
//
// Every path computes the same sums in its own order, so results differ by rounding only: by at
// most 2^-21 of the largest input magnitude (tests assert it).
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/audio/simd_path.hpp"
#include "core/base/rt.hpp"

namespace asiodrv::audio {

namespace kernel {

/// Output frames are computed in groups of this many.
inline constexpr std::uint32_t kGroup = 4;

/// Rows per phase: the coefficients of the parabola (FilterTable::kParts).
inline constexpr std::size_t kParts = 3;

/// Where one output frame reads.
struct Window {
  std::uint32_t start;  ///< of the window, in samples from the start of the history
  std::uint32_t phase;  ///< row of the filter table
  float inside;         ///< place inside the phase, 0 up to 1
};

struct Job {
  const float* rows;        ///< FilterTable::rows()
  const double* core_rows;  ///< FilterTable::core_rows()
  std::uint32_t taps;
  std::uint32_t core_taps;
  const Window* windows;  ///< groups * kGroup
  std::uint32_t groups;
  const float* history;        ///< of the first channel
  std::size_t history_stride;  ///< samples from one channel's history to the next one's
  std::uint32_t channels;
  float* const* targets;      ///< one block of groups * kGroup samples per channel
  float* coefficients;        ///< room for kGroup * taps floats, cache-line aligned
  double* core_coefficients;  ///< room for kGroup * core_taps doubles, cache-line aligned
};

/// RT: O(groups * channels * taps), no allocation.
using Run = void (*)(const Job& job) RT_SAFE;

void run_baseline(const Job& job) RT_SAFE;
void run_avx2(const Job& job) RT_SAFE;
void run_avx512(const Job& job) RT_SAFE;

/// The kernel of an available path.
[[nodiscard]] Run kernel_for(SimdPath path) noexcept;

}  // namespace kernel
}  // namespace asiodrv::audio
