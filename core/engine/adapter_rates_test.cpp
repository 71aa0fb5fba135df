// A client at another rate than its device: tones through the loop, measured by a fitted sine.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <string>
#include <vector>

#include "core/audio/resampler/testing/sine_fit.hpp"
#include "core/base/prng.hpp"
#include "core/engine/adapter.hpp"
#include "core/engine/testing/adapter_loop.hpp"

namespace asiodrv::engine {
namespace {

using namespace testing;  // NOLINT: the loop and its signals

struct Rates {
  std::uint32_t device_hz, client_hz, period, frames;
};
constexpr Rates kRates[] = {{48'000, 44'100, 64, 64},    {44'100, 48'000, 64, 64},
                            {48'000, 96'000, 64, 256},   {96'000, 48'000, 64, 256},
                            {44'100, 192'000, 128, 96},  {192'000, 44'100, 480, 64},
                            {48'000, 44'100, 441, 512},  {48'000, 44'100, 512, 16},
                            {44'100, 48'000, 16, 1'024}, {48'000, 44'101, 64, 100}};

AdapterShape shape_of(const Rates& rates) {
  return {{rates.period}, {rates.device_hz}, {rates.frames}, {rates.client_hz}, 1, 1};
}

struct Measured {
  double snr_db, delay, amplitude;
};

/// The loop's delay in device frames, near `about` (within half a period of the tone).
Measured measure(Loop& loop, double hz, std::size_t from, std::size_t frames, double about) {
  const double cycles = hz / loop.shape().device_rate.hz;
  const std::span<const float> part(loop.played[0].data() + from, frames);
  const audio::testing::SineFit fit = audio::testing::fit_sine(part, cycles);
  const double expected_phase =
      2 * std::numbers::pi * std::fmod(cycles * static_cast<double>(from), 1.0);
  const double behind = (expected_phase - fit.phase) / (2 * std::numbers::pi * cycles);
  return {fit.snr_db, about + std::remainder(behind - about, 1 / cycles), fit.amplitude};
}

Loop::Signal tone(double hz, double rate) {
  return [=](std::uint64_t frame, std::uint32_t) {
    const double cycles = std::fmod(hz * static_cast<double>(frame) / rate, 1.0);
    return static_cast<float>(0.9 * std::sin(2 * std::numbers::pi * cycles));
  };
}

TEST(adapter_with_rates, loops_a_tone_cleanly_at_the_reported_delay) {
  for (const Rates& rates : kRates) {
    const AdapterShape shape = shape_of(rates);
    const Definition definition(shape);
    for (const bool at_once : {true, false}) {
      SCOPED_TRACE(name(shape) + (at_once ? " at once" : " at the end of its slack"));
      // The low tone's period is longer than any delay here could be wrong unnoticed by the other.
      for (const double hz : {997.0, 41.0}) {
        Loop loop(shape, tone(hz, rates.device_hz));
        if (!at_once) {
          loop.answers = [&](std::uint64_t m, std::uint64_t boundary) {
            return boundary >= definition.rung_at(m) + definition.slack();
          };
        }
        const std::size_t settled = 6'000;
        const std::size_t frames = rates.device_hz / 8;
        loop.run(settled + frames);
        EXPECT_TRUE(loop.missing.empty());
        const Adapter& adapter = loop.adapter();
        const Measured measured = measure(loop, hz, settled, frames, adapter.round_trip());
        EXPECT_GE(measured.snr_db, 130) << hz;
        EXPECT_NEAR(measured.amplitude, 0.9, 1e-5);
        EXPECT_NEAR(measured.delay, adapter.round_trip(), 0.01) << hz;
        const double reported =
            adapter.input_latency().count + adapter.output_latency().count;  // client frames
        EXPECT_NEAR(measured.delay * rates.client_hz / rates.device_hz, reported, 1.0);
      }
    }
  }
}

TEST(adapter_with_rates, reports_a_positive_latency_for_either_direction) {
  for (const Rates& rates : kRates) {
    auto adapter = make(shape_of(rates));
    EXPECT_GT(adapter->input_latency(), Frames{rates.frames});
    EXPECT_GT(adapter->output_latency(), Frames{0});
    EXPECT_LT(adapter->output_latency().count, 100'000u);
  }
}

TEST(adapter_with_rates, never_slips_by_a_frame_in_a_long_run) {
  for (const Rates& rates : {Rates{48'000, 44'100, 480, 441}, Rates{44'100, 48'000, 441, 512},
                             Rates{48'000, 44'101, 512, 480}}) {
    AdapterShape shape = shape_of(rates);
    shape.quality = audio::ResamplerQuality::light;
    SCOPED_TRACE(name(shape));
    Loop loop(shape, tone(997, rates.device_hz));
    constexpr std::uint32_t kSeconds = 20;
    loop.run(kSeconds * rates.device_hz);
    EXPECT_TRUE(loop.missing.empty());
    const std::size_t end = loop.boundary() - 8'192;
    const Measured measured = measure(loop, 997, end, 8'192, loop.adapter().round_trip());
    EXPECT_NEAR(measured.delay, loop.adapter().round_trip(), 0.01);
    EXPECT_EQ(loop.rung.size(), loop.boundary() * rates.client_hz / rates.device_hz / rates.frames);
    for (std::size_t i = 0; i < loop.rung.size(); ++i) ASSERT_EQ(loop.rung[i].block, i);
  }
}

TEST(adapter_with_rates, keeps_the_delay_over_lost_periods_and_late_answers) {
  for (const Rates& rates : kRates) {
    const AdapterShape shape = shape_of(rates);
    SCOPED_TRACE(name(shape));
    Loop loop(shape, tone(997, rates.device_hz));
    for (std::uint32_t lost = 1; lost < 40; lost += 6) {
      loop.run(4'000);
      loop.cycle(lost);
    }
    const std::uint64_t stays = loop.rung.back().block + 3;
    const std::uint64_t back = loop.boundary() + 9ull * rates.period + 20'000;
    loop.answers = [&](std::uint64_t m, std::uint64_t now) { return m != stays || now >= back; };
    loop.run(40'000);
    EXPECT_FALSE(loop.missing.empty());
    const std::size_t frames = 8'192;
    loop.run(frames);
    const std::size_t from = loop.boundary() - frames;
    const Measured measured = measure(loop, 997, from, frames, loop.adapter().round_trip());
    EXPECT_GE(measured.snr_db, 130);
    EXPECT_NEAR(measured.delay, loop.adapter().round_trip(), 0.01);
  }
}

TEST(adapter_with_rates, finds_back_to_the_delay_whatever_client_and_device_do) {
  Prng random(11);
  const auto below = [&](std::uint64_t n) { return static_cast<std::uint32_t>(random.below(n)); };
  constexpr std::uint32_t kHertz[] = {32'000, 44'100, 47'999, 48'000, 96'000, 192'000};
  for (int i = 0; i < 24; ++i) {
    AdapterShape shape =
        shape_of({kHertz[below(6)], kHertz[below(6)], 16 + below(200), 16 + below(300)});
    shape.quality = audio::ResamplerQuality::light;
    SCOPED_TRACE(name(shape));
    bool calm = false;
    Loop loop(shape, tone(997, shape.device_rate.hz));
    loop.answers = [&](std::uint64_t, std::uint64_t) { return calm || below(5) == 0; };
    for (int n = 0; n < 300; ++n) loop.cycle(below(20) == 0 ? 1 + below(20) : 0);
    calm = true;
    loop.run(10'000);
    const std::size_t from = loop.boundary();
    loop.missing.clear();
    loop.run(4'096);
    EXPECT_TRUE(loop.missing.empty());
    const Measured measured = measure(loop, 997, from, 4'096, loop.adapter().round_trip());
    EXPECT_GE(measured.snr_db, 110);
    EXPECT_NEAR(measured.delay, loop.adapter().round_trip(), 0.01);
  }
}

TEST(adapter_with_rates, stamps_blocks_exactly_one_buffer_apart_and_never_ahead_of_the_boundary) {
  for (const Rates& rates :
       {Rates{48'000, 48'000, 64, 96}, kRates[0], kRates[4], kRates[5], kRates[7], kRates[9]}) {
    const AdapterShape shape = shape_of(rates);
    SCOPED_TRACE(name(shape));
    Loop loop(shape);
    loop.run(20'000);
    const double buffer = 1.0 * rates.frames * rates.device_hz / rates.client_hz;
    for (std::size_t i = 0; i < loop.rung.size(); ++i) {
      const Rung& rung = loop.rung[i];
      ASSERT_GE(rung.stamp.age, 0.0);
      ASSERT_LT(rung.stamp.age, rates.period + 1.0);
      const double instant = static_cast<double>(rung.boundary) - rung.stamp.age;
      ASSERT_NEAR(instant, static_cast<double>(i + 1) * buffer, buffer / rates.frames + 1e-6);
      if (i == 0) continue;
      const double before =
          static_cast<double>(loop.rung[i - 1].boundary) - loop.rung[i - 1].stamp.age;
      ASSERT_NEAR(instant - before, buffer, 1e-6);
    }
  }
}

/// It is rung once in a period, so it cannot catch up by being called more often.
TEST(adapter_with_rates, a_deferred_client_that_was_away_is_on_time_again_at_once) {
  constexpr std::uint64_t kAway = 5;
  for (const Rates& rates : {Rates{48'000, 44'100, 256, 256}, Rates{48'000, 47'900, 128, 160},
                             Rates{44'100, 48'000, 128, 512}}) {
    AdapterShape shape = shape_of(rates);
    shape.deferred = true;
    for (std::uint64_t calm = 40; calm < 80; ++calm) {  // wherever in the pattern of blocks
      SCOPED_TRACE(name(shape) + ", away from cycle " + std::to_string(calm));
      Loop loop(shape);
      bool away = false;
      loop.answers = [&](std::uint64_t, std::uint64_t boundary) {
        return !away && loop.rung.back().boundary < boundary && loop.adapter().block_waits();
      };
      loop.run(calm * rates.period);
      ASSERT_TRUE(loop.missing.empty());
      away = true;
      loop.run(kAway * rates.period);
      away = false;
      ASSERT_FALSE(loop.missing.empty());
      const std::uint64_t block = rates.frames * rates.device_hz / rates.client_hz;
      loop.run(static_cast<std::uint64_t>(loop.adapter().round_trip()) +
               block);  // what it was given too late
      loop.missing.clear();
      loop.run(2'000 * rates.period);
      EXPECT_EQ(loop.missing, std::vector<std::uint64_t>{});
    }
  }
}

}  // namespace
}  // namespace asiodrv::engine
