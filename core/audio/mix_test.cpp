#include "core/audio/mix.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/base/prng.hpp"

namespace asiodrv::audio {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Frames length(const std::vector<float>& block) {
  return {static_cast<std::uint32_t>(block.size())};
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

std::vector<float> random_block(std::size_t size, std::uint64_t seed) {
  Prng prng(seed);
  std::vector<float> block(size);
  for (float& sample : block) sample = static_cast<float>(prng.unit() * 2.0 - 1.0);
  return block;
}

TEST(mix, copy_sanitised_keeps_every_finite_bit_pattern) {
  Prng prng(3);
  std::vector<float> source;
  for (int i = 0; i < 100'003; ++i) {
    const auto sample = std::bit_cast<float>(static_cast<std::uint32_t>(prng.next()));
    source.push_back(std::isfinite(sample) ? sample : -0.0F);
  }
  for (const float special : {0.0F, -0.0F, 1e-45F, -1e-45F, 3.4028235e38F, -3.4028235e38F}) {
    source.push_back(special);
  }
  std::vector<float> target(source.size(), 9.0F);
  copy_sanitised(source.data(), target.data(), length(source));
  EXPECT_TRUE(same_bits(source, target));
}

TEST(mix, four_sources_sum_as_one_by_one) {
  for (const std::size_t size : {1U, 7U, 64U, 129U}) {
    const auto a = random_block(size, 1), b = random_block(size, 2), c = random_block(size, 3),
               d = random_block(size, 4);
    const float* const sources[4] = {a.data(), b.data(), c.data(), d.data()};
    const float gains[4] = {0.5F, -1.25F, 1.0F, 0.125F};
    for (const bool fresh : {true, false}) {
      std::vector<float> target(size, fresh ? kNan : 0.75F);
      mix_four_into(sources, gains, target.data(), length(target), fresh);
      for (std::size_t i = 0; i < size; ++i) {
        double sum = fresh ? 0.0 : 0.75;
        for (int n = 0; n < 4; ++n) sum += double{gains[n]} * double{sources[n][i]};
        EXPECT_NEAR(target[i], sum, 1e-6) << size << ", " << i;
      }
    }
  }
}

TEST(mix, copy_sanitised_turns_nan_into_zero_and_infinity_into_full_scale) {
  for (std::size_t lane = 0; lane < 7; ++lane) {
    std::vector<float> source(7, 0.25F), target(7);
    for (const std::uint32_t nan : {0x7FC00000U, 0xFFC00000U, 0x7F800001U, 0xFFFFFFFFU}) {
      source[lane] = std::bit_cast<float>(nan);
      copy_sanitised(source.data(), target.data(), length(source));
      EXPECT_EQ(std::bit_cast<std::uint32_t>(target[lane]), 0U);
      EXPECT_EQ(target[(lane + 1) % 7], 0.25F);
    }
    for (const float sign : {1.0F, -1.0F}) {
      source[lane] = sign * kInfinity;
      copy_sanitised(source.data(), target.data(), length(source));
      EXPECT_EQ(target[lane], sign);
    }
  }
}

TEST(mix, unity_mix_is_the_plain_sum_bit_for_bit) {
  const auto source = random_block(1003, 1);
  const auto before = random_block(1003, 2);
  auto plain = before, unity = before;
  mix_into(source.data(), plain.data(), length(source));
  mix_into(source.data(), unity.data(), length(source), LinearGain{1.0F});
  std::vector<float> expected;
  for (std::size_t i = 0; i < source.size(); ++i) expected.push_back(before[i] + source[i]);
  EXPECT_TRUE(same_bits(plain, expected));
  EXPECT_TRUE(same_bits(unity, expected));
}

TEST(mix, into_silence_reproduces_the_source_exactly) {
  const auto source = random_block(257, 1);
  std::vector<float> target(source.size(), 0.0F);
  mix_into(source.data(), target.data(), length(source));
  EXPECT_TRUE(same_bits(source, target));
}

TEST(mix, gain_scales_the_source_and_not_the_target) {
  std::vector<float> source(33, 0.5F), target(33, 1.0F);
  mix_into(source.data(), target.data(), length(source), LinearGain{0.25F});
  EXPECT_EQ(target, std::vector<float>(33, 1.125F));
}

TEST(mix, ramped_gain_ends_exactly_at_its_target_and_moves_in_equal_steps) {
  for (const std::uint32_t frames : {1U, 2U, 5U, 64U, 1000U}) {
    std::vector<float> source(frames, 1.0F), target(frames, 0.0F);
    mix_into(source.data(), target.data(), {frames}, LinearGain{0.5F}, LinearGain{1.0F});
    EXPECT_EQ(target.back(), 1.0F);
    for (std::uint32_t i = 0; i < frames; ++i) {
      const double expected = 0.5 + 0.5 * (i + 1) / frames;
      EXPECT_NEAR(target[i], expected, 1e-6);
    }
  }
}

TEST(mix, ramp_between_equal_gains_is_the_constant_gain_bit_for_bit) {
  const auto source = random_block(65, 8);
  std::vector<float> ramped(65, 0.125F), constant(65, 0.125F);
  mix_into(source.data(), ramped.data(), length(source), LinearGain{0.7F}, LinearGain{0.7F});
  mix_into(source.data(), constant.data(), length(source), LinearGain{0.7F});
  EXPECT_TRUE(same_bits(ramped, constant));
}

TEST(mix, clip_is_bit_exact_inside_full_scale_and_limits_outside) {
  std::vector<float> block{0.0F, -0.0F,     1.0F,       -1.0F, 0.999999F, 1e-45F, 1.0000001F,
                           9.0F, kInfinity, -kInfinity, -1.5F, kNan,      -0.5F};
  const std::vector<float> expected{0.0F, -0.0F, 1.0F,  -1.0F, 0.999999F, 1e-45F, 1.0F,
                                    1.0F, 1.0F,  -1.0F, -1.0F, 0.0F,      -0.5F};
  clip(block.data(), length(block));
  EXPECT_TRUE(same_bits(block, expected));

  auto random = random_block(1001, 4);
  const auto untouched = random;
  clip(random.data(), length(random));
  EXPECT_TRUE(same_bits(random, untouched));
}

TEST(mix, hostile_samples_of_one_client_do_not_reach_the_sound_of_another) {
  const auto good = random_block(64, 5);
  for (const float hostile : {kNan, kInfinity, -kInfinity}) {
    std::vector<float> bad(64, 0.0F), copy(64), sum(64, 0.0F);
    bad[10] = hostile;
    copy_sanitised(bad.data(), copy.data(), length(bad));
    mix_into(copy.data(), sum.data(), length(copy));
    mix_into(good.data(), sum.data(), length(good));
    clip(sum.data(), length(sum));
    sum[10] = good[10];  // the client's own sample is its own affair
    EXPECT_TRUE(same_bits(sum, good));
  }
}

TEST(mix, fade_in_rises_without_a_step_to_exact_unity) {
  for (const std::uint32_t frames : {1U, 2U, 3U, 16U, 64U, 8192U}) {
    std::vector<float> block(frames, 0.7F);
    fade_in(block.data(), {frames});
    EXPECT_EQ(block.back(), 0.7F);
    float before = 0.0F;
    for (const float sample : block) {
      EXPECT_GE(sample, before);
      EXPECT_LE(sample - before, 0.7F * 1.51F / static_cast<float>(frames) + 1e-6F);
      before = sample;
    }
  }
}

TEST(mix, fade_out_falls_without_a_step_to_exact_silence) {
  for (const std::uint32_t frames : {1U, 2U, 3U, 16U, 64U, 8192U}) {
    std::vector<float> block(frames, -0.7F), tail(frames, 99.0F);
    fade_out(block.data(), {frames});
    fade_tail(-0.7F, tail.data(), {frames});
    EXPECT_TRUE(same_bits(block, tail));  // a tail is the faded-out continuation of its value
    EXPECT_EQ(block.back(), 0.0F);
    float before = -0.7F;
    for (const float sample : block) {
      EXPECT_GE(sample, before);
      EXPECT_LE(sample - before, 0.7F * 1.51F / static_cast<float>(frames) + 1e-6F);
      before = sample;
    }
  }
}

TEST(mix, nothing_at_all_may_be_null) {
  copy_sanitised(nullptr, nullptr, {0});
  copy(nullptr, nullptr, {0});
  silence(nullptr, {0});
  mix_into(nullptr, nullptr, {0});
  mix_into(nullptr, nullptr, {0}, LinearGain{0.5F});
  mix_into(nullptr, nullptr, {0}, LinearGain{0.5F}, LinearGain{0.1F});
  clip(nullptr, {0});
  fade_in(nullptr, {0});
  fade_out(nullptr, {0});
  fade_tail(0.5F, nullptr, {0});
}

TEST(mix, every_kernel_keeps_to_its_block) {
  for (std::uint32_t frames = 0; frames <= 19; ++frames) {
    std::vector<float> source(frames + 2, 5.0F);
    const auto guarded = [&](const auto& kernel) {
      std::vector<float> target(frames + 2, 5.0F);
      kernel(target.data() + 1);
      EXPECT_EQ(target.front(), 5.0F);
      EXPECT_EQ(target.back(), 5.0F);
    };
    const float* from = source.data() + 1;
    const Frames n{frames};
    guarded([&](float* to) { copy_sanitised(from, to, n); });
    guarded([&](float* to) { copy(from, to, n); });
    guarded([&](float* to) { silence(to, n); });
    guarded([&](float* to) { mix_into(from, to, n); });
    guarded([&](float* to) { mix_into(from, to, n, LinearGain{0.5F}); });
    guarded([&](float* to) { mix_into(from, to, n, LinearGain{0.5F}, LinearGain{0.1F}); });
    guarded([&](float* to) { clip(to, n); });
    guarded([&](float* to) { fade_in(to, n); });
    guarded([&](float* to) { fade_out(to, n); });
    guarded([&](float* to) { fade_tail(0.5F, to, n); });
  }
}

}  // namespace
}  // namespace asiodrv::audio
