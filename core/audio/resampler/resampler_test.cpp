#include "core/audio/resampler/resampler.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/audio/resampler/testing/sine_fit.hpp"
#include "core/audio/resampler/testing/streaming.hpp"
#include "core/base/prng.hpp"
#include "tests/support/rt_trap.hpp"

namespace asiodrv::audio {
namespace {

using testing::Channels;
using testing::constant;
using testing::pull;

Resampler make(ResamplerOptions options) {
  auto made = Resampler::make(options);
  if (!made) ADD_FAILURE() << made.error().message;
  return std::move(made.value());
}

std::vector<float> noise(std::size_t frames, std::uint64_t seed) {
  Prng random(seed);
  std::vector<float> samples(frames);
  for (float& sample : samples) sample = static_cast<float>(random.unit() * 2 - 1);
  return samples;
}

std::function<std::uint32_t(std::size_t)> random_blocks(std::uint32_t most) {
  return [most, random = Prng(3)](std::size_t) mutable {
    return static_cast<std::uint32_t>(random.below(most)) + 1;
  };
}

struct Rates {
  SampleRate input, output;
};
constexpr Rates kPairs[] = {{{48'000}, {48'000}},  {{44'100}, {48'000}}, {{48'000}, {44'100}},
                            {{192'000}, {44'100}}, {{44'100}, {96'000}}, {{8'000}, {192'000}},
                            {{192'000}, {8'000}}};

TEST(resampler, refuses_bad_options_with_a_sentence) {
  const auto refusal = [](ResamplerOptions options) {
    const auto made = Resampler::make(options);
    EXPECT_FALSE(made);
    return made ? std::string() : made.error().message;
  };
  EXPECT_EQ(refusal({.channels = 0}),
            "A resampler of 0 channels is not possible: 1 to 1024 are accepted.");
  EXPECT_EQ(refusal({.channels = 1025}),
            "A resampler of 1025 channels is not possible: 1 to 1024 are accepted.");
  EXPECT_EQ(refusal({.max_block = {0}}),
            "A resampler's largest block of 0 frames is outside 1 to 16384.");
  EXPECT_EQ(refusal({.input_rate = {0}}),
            "The resampler's input rate of 0 Hz is outside 8000 to 768000 Hz.");
  EXPECT_EQ(refusal({.output_rate = {768'001}}),
            "The resampler's output rate of 768001 Hz is outside 8000 to 768000 Hz.");
  EXPECT_EQ(refusal({.input_rate = {8'000}, .output_rate = {768'000}}),
            "Resampling from 8000 to 768000 Hz is not possible: the higher rate may be at most 24 "
            "times the lower.");
}

TEST(resampler, refuses_a_table_of_other_rates_or_quality) {
  const auto table = FilterTable::make(ResamplerQuality::light, {48'000}, {48'000});
  ASSERT_TRUE(table);
  ResamplerOptions options{.quality = ResamplerQuality::light};
  EXPECT_TRUE(Resampler::make(options, *table));
  options.output_rate = {44'100};
  EXPECT_FALSE(Resampler::make(options, *table));
  EXPECT_FALSE(Resampler::make({}, *table));
}

/// pull() itself checks that process() consumes and produces exactly what needed() promised.
TEST(resampler, needs_exactly_what_it_says_for_any_block_rate_and_speed) {
  for (const auto& [input, output] : kPairs) {
    auto resampler = make({.channels = 1,
                           .quality = ResamplerQuality::light,
                           .input_rate = input,
                           .output_rate = output,
                           .max_block = {300}});
    Prng random(1);
    const auto wandering = [&](std::size_t) {
      return ReadSpeed{1 + (random.unit() - 0.5) * (random.chance(0.1) ? 0.1 : 0.001)};
    };
    const auto frames = std::size_t{20'000} * output.hz / std::max(input, output).hz;
    const auto result =
        pull(resampler, Channels{noise(25'000, 2)}, frames, random_blocks(300), wandering);
    ASSERT_FALSE(result.empty()) << input.hz << " to " << output.hz;
    EXPECT_EQ(result[0].size(), frames) << input.hz << " to " << output.hz;
  }
}

TEST(resampler, pushed_blocks_yield_what_obtainable_says_and_are_taken_whole) {
  const auto source = noise(20'000, 4);
  for (const auto& [input, output] : kPairs) {
    auto resampler = make({.channels = 1,
                           .quality = ResamplerQuality::light,
                           .input_rate = input,
                           .output_rate = output,
                           .max_block = {8'192}});
    Prng random(5);
    std::vector<float> target(8'192);
    float* const blocks[] = {target.data()};
    std::size_t at = 0, written = 0;
    while (at + 300 < source.size()) {
      const Frames offered{static_cast<std::uint32_t>(random.below(300))};
      const ReadSpeed speed{1 + (random.unit() - 0.5) * 0.002};
      const Frames expected = resampler.obtainable(offered, speed);
      const float* const in[] = {source.data() + at};
      const auto flow =
          resampler.process({in, 1, offered}, {blocks, 1, {expected.count + 1}}, speed);
      ASSERT_EQ(flow.produced, expected) << input.hz << " to " << output.hz;
      ASSERT_EQ(flow.consumed, offered);
      at += offered.count;
      written += flow.produced.count;
    }
    const double ratio = static_cast<double>(output.hz) / input.hz;
    EXPECT_NEAR(static_cast<double>(written), static_cast<double>(at - 16) * ratio,
                40 * ratio + 20);
  }
}

TEST(resampler, random_blocks_give_the_same_bits_as_large_ones) {
  const Channels source{noise(30'000, 6), noise(30'000, 7)};
  for (const auto& [input, output] : kPairs) {
    ResamplerOptions options{.channels = 2, .input_rate = input, .output_rate = output};
    const auto frames = std::size_t{20'000} * output.hz / std::max(input, output).hz;
    auto resampler = make(options);
    const auto large = pull(resampler, source, frames, [](std::size_t) { return 1'024; });
    resampler.reset();
    const auto random = pull(resampler, source, frames, random_blocks(200));
    ASSERT_EQ(large[0].size(), frames);
    EXPECT_EQ(large, random) << input.hz << " to " << output.hz;
  }
}

TEST(resampler, gives_the_same_bits_after_a_reset) {
  auto resampler = make({.channels = 1});
  const auto source = noise(5'000, 8);
  const auto first = pull(resampler, source, 4'000, constant(1.0003));
  resampler.reset();
  EXPECT_EQ(pull(resampler, source, 4'000, constant(1.0003)), first);
}

TEST(resampler, shows_the_input_itself_at_speed_1_without_delay) {
  for (const auto quality :
       {ResamplerQuality::light, ResamplerQuality::standard, ResamplerQuality::high}) {
    auto resampler = make({.channels = 1, .quality = quality});
    const auto source = noise(2'000, 9);
    const auto output = pull(resampler, source, 1'500);
    ASSERT_EQ(output.size(), 1'500u);
    for (std::size_t i = 0; i < output.size(); ++i) ASSERT_NEAR(output[i], source[i], 3e-7) << i;
  }
}

TEST(resampler, looks_ahead_by_exactly_what_it_says) {
  for (const auto& [quality, frames] :
       {std::pair{ResamplerQuality::light, 16U}, std::pair{ResamplerQuality::standard, 32U},
        std::pair{ResamplerQuality::high, 64U}}) {
    auto resampler = make({.channels = 1, .quality = quality});
    EXPECT_EQ(resampler.look_ahead(), Frames{frames});
    EXPECT_EQ(resampler.latency_in_output_frames(), frames);
    EXPECT_EQ(resampler.needed({1}, {}), Frames{frames + 1});
    EXPECT_EQ(resampler.obtainable({frames}, {}), Frames{0});
    EXPECT_EQ(resampler.obtainable({frames + 1}, {}), Frames{1});

    resampler.reset({-static_cast<std::int64_t>(frames), 0});
    EXPECT_EQ(resampler.needed({64}, {}), Frames{64});
    const auto source = noise(1'000, 10);
    const auto output = pull(resampler, source, 500);
    ASSERT_EQ(output.size(), 500u);
    for (std::size_t i = 0; i < frames; ++i) ASSERT_NEAR(output[i], 0, 3e-7);
    for (std::size_t i = frames; i < 500; ++i) ASSERT_NEAR(output[i], source[i - frames], 3e-7);
  }
}

TEST(resampler, starts_at_any_fraction_of_a_frame) {
  auto resampler = make({.channels = 1});
  resampler.reset({-1, std::uint64_t{3} << 62});  // a quarter of a frame before frame 0
  const auto source = testing::sine(3'000, 1'000, 48'000, 0.5);
  const auto output = pull(resampler, source, 2'000);
  for (std::size_t i = 100; i < output.size(); ++i) {
    const double place = static_cast<double>(i) - 0.25;
    ASSERT_NEAR(output[i], 0.5 * std::sin(2 * std::numbers::pi * place / 48), 3e-7);
  }
  EXPECT_EQ(resampler.position(), (InputPosition{1'999, std::uint64_t{3} << 62}));
  EXPECT_EQ(resampler.received(), 1'999 - 1 + 32 + 1);
}

TEST(resampler, channels_do_not_meet_and_do_not_depend_on_their_number) {
  for (const auto quality : {ResamplerQuality::standard, ResamplerQuality::high}) {
    Channels source;
    for (std::uint64_t c = 0; c < 7; ++c) source.push_back(noise(2'000, 20 + c));
    auto seven = make({.channels = 7, .quality = quality});
    const auto together = pull(seven, source, 1'500, random_blocks(100), constant(1.0005));
    for (std::size_t c = 0; c < source.size(); ++c) {
      auto one = make({.channels = 1, .quality = quality});
      const auto alone =
          pull(one, Channels{source[c]}, 1'500, random_blocks(100), constant(1.0005));
      EXPECT_EQ(together[c], alone[0]) << c;
    }
  }
}

TEST(resampler, hostile_samples_stay_bounded_and_are_forgotten) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kHostile[] = {std::numeric_limits<float>::quiet_NaN(),
                                kInfinity,
                                -kInfinity,
                                std::numeric_limits<float>::max(),
                                -std::numeric_limits<float>::max(),
                                std::numeric_limits<float>::denorm_min(),
                                1e-38F};
  for (const auto quality : {ResamplerQuality::standard, ResamplerQuality::high}) {
    auto resampler = make({.channels = 1, .quality = quality});
    const auto clean = noise(4'000, 30);
    auto dirty = clean;
    for (std::size_t i = 0; i < 200; ++i) dirty[1'000 + i] = kHostile[i % std::size(kHostile)];
    const auto expected = pull(resampler, clean, 3'500, constant(1.0001));
    resampler.reset();
    const auto output = pull(resampler, dirty, 3'500, constant(1.0001));
    for (const float sample : output) {
      ASSERT_TRUE(std::isfinite(sample));
      ASSERT_LT(std::abs(sample), 1e7F);
    }
    const std::size_t reach = resampler.table().taps();
    for (std::size_t i = 0; i < output.size(); ++i) {
      if (i + reach < 1'000 || i > 1'200 + reach) {
        ASSERT_EQ(output[i], expected[i]) << i;
      }
    }
  }
}

TEST(resampler, denormal_input_comes_out_as_silence) {
  auto resampler = make({.channels = 1});
  for (const float sample : pull(resampler, std::vector<float>(2'000, 1e-40F), 1'500)) {
    ASSERT_EQ(sample, 0.0F);
  }
}

TEST(resampler, processes_without_allocation_locks_or_system_calls) {
  if (!test::trap_abilities().armed) GTEST_SKIP() << "this build has no real-time trap";
  for (const std::uint32_t channels : {1U, 2U, 5U}) {
    auto resampler = make({.channels = channels, .input_rate = {44'100}, .max_block = {64}});
    const auto source = noise(4'096, 40);
    std::vector<float> target(64);
    const std::vector<const float*> in(channels, source.data());
    const std::vector<float*> out(channels, target.data());
    const RtScope scope;
    for (std::uint32_t block = 0; block < 100; ++block) {
      const ReadSpeed speed{1 + block * 1e-6};
      const Frames wanted{block % 65};
      const Frames need = resampler.needed(wanted, speed);
      (void)resampler.obtainable(need, speed);
      (void)resampler.process({in.data(), channels, need}, {out.data(), channels, wanted}, speed);
      (void)resampler.position();
    }
    resampler.reset();
  }
}

TEST(resampler, an_idle_call_changes_nothing) {
  auto resampler = make({.channels = 1});
  const auto flow = resampler.process({nullptr, 1, {0}}, {nullptr, 1, {0}}, {1.01});
  EXPECT_EQ(flow.consumed, Frames{0});
  EXPECT_EQ(flow.produced, Frames{0});
  EXPECT_EQ(resampler.position(), InputPosition{});
  EXPECT_EQ(resampler.received(), 0);
}

}  // namespace
}  // namespace asiodrv::audio
