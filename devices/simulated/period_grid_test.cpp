#include "devices/simulated/period_grid.hpp"

#include <gtest/gtest.h>

#include "core/base/prng.hpp"

namespace asiodrv::devices {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kYearSeconds = 365 * 24 * 3600;

TEST(period_grid, boundaries_of_an_exact_clock_are_the_rounded_up_multiples) {
  const PeriodGrid grid(Instant{1000}, {48'000}, {64}, 0.0);
  EXPECT_EQ(grid.boundary(0).ns, 1000);
  EXPECT_EQ(grid.boundary(1).ns, 1000 + 1'333'334);  // 1 333 333.3 ns
  EXPECT_EQ(grid.boundary(2).ns, 1000 + 2'666'667);
  EXPECT_EQ(grid.boundary(3).ns, 1000 + 4'000'000);
  EXPECT_EQ(grid.boundary(3 * 250).ns, 1000 + kSecond);
}

/// An independent walk: whole nanoseconds and an exact remainder, carried from period to period
/// through a year (185 million periods).
TEST(period_grid, a_year_of_periods_accumulates_no_error) {
  const Instant start{123'456'789};
  const PeriodGrid grid(start, {48'000}, {8192}, -37.25);
  // 8192 frames at 48000 * (1 - 37.25e-6) Hz, as the fraction 8192e9 * 1e8 / (48000 * 99996275).
  constexpr std::uint64_t kDivisor = 48'000ULL * 99'996'275ULL;
  __extension__ using Wide = unsigned __int128;
  constexpr Wide kStep = static_cast<Wide>(8192ULL * kSecond) * 100'000'000U;
  constexpr auto kWhole = static_cast<std::uint64_t>(kStep / kDivisor);
  constexpr auto kPart = static_cast<std::uint64_t>(kStep % kDivisor);
  std::uint64_t ns = 0, part = 0;
  constexpr std::uint64_t kPeriods = kYearSeconds * 48'000ULL / 8192;
  for (std::uint64_t n = 0; n <= kPeriods; ++n) {
    if (n % 997 == 0 || n == kPeriods) {
      const auto expected = static_cast<std::int64_t>(ns + (part > 0 ? 1 : 0));
      ASSERT_EQ(grid.boundary(n).ns, start.ns + expected) << n;
    }
    ns += kWhole;
    part += kPart;
    if (part >= kDivisor) {
      part -= kDivisor;
      ++ns;
    }
  }
}

TEST(period_grid, a_clock_off_by_ppm_counts_that_many_more_periods_in_a_year) {
  const Instant end{kYearSeconds * kSecond};
  for (const std::int64_t ppm : {-1000, -100, -1, 0, 1, 100, 1000}) {
    const PeriodGrid grid(Instant{0}, {48'000}, {16}, static_cast<double>(ppm));
    const std::int64_t frames = kYearSeconds * 48'000 / 1'000'000 * (1'000'000 + ppm);
    EXPECT_EQ(grid.newest(end), static_cast<std::uint64_t>(frames / 16));
  }
}

TEST(period_grid, newest_is_the_exact_inverse_of_boundary) {
  Prng prng(11);
  constexpr SampleRate kRates[]{{44'100}, {48'000}, {176'400}, {768'000}};
  for (int i = 0; i < 20'000; ++i) {
    const Instant start{prng.between(0, 1'000'000'000'000)};
    const Frames period{16U << prng.below(10)};
    const double ppm = prng.unit() * 2000.0 - 1000.0;
    const PeriodGrid grid(start, kRates[prng.below(4)], period, ppm);
    // Of every magnitude up to 2^47 frames: a century at the lowest rate, within an Instant.
    const std::uint64_t n = 1 + prng.below((std::uint64_t{2} << prng.below(47)) / period.count + 1);
    const Instant boundary = grid.boundary(n);
    ASSERT_EQ(grid.newest(boundary), n);
    ASSERT_EQ(grid.newest(boundary - nanoseconds{1}), n - 1);
    ASSERT_LT(boundary, grid.boundary(n + 1));
  }
}

TEST(period_grid, nothing_is_newer_than_the_start_before_it) {
  const PeriodGrid grid(Instant{500}, {48'000}, {64}, 0.0);
  EXPECT_EQ(grid.newest(Instant{0}), 0U);
  EXPECT_EQ(grid.newest(Instant{500}), 0U);
}

}  // namespace
}  // namespace asiodrv::devices
