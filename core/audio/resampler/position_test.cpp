#include "core/audio/resampler/position.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/base/prng.hpp"

namespace asiodrv::audio {
namespace {

struct Rates {
  SampleRate input, output;
};
constexpr Rates kPairs[] = {{{48'000}, {48'000}},  {{44'100}, {48'000}}, {{48'000}, {44'100}},
                            {{192'000}, {44'100}}, {{44'100}, {96'000}}, {{47'999}, {48'001}}};

InputPosition step_of(const ReadHead& from) {
  ReadHead head = from;
  head.skip(head.path(1, head.step_at({})));
  return head.position() - from.position();
}

TEST(resampler_position, is_exact_after_a_century_of_frames) {
  constexpr std::uint32_t kSecondsAtOnce = 20'000;
  constexpr std::uint32_t kTimes = 157'788;  // 100 years of 365.25 days
  for (const auto& [input, output] : kPairs) {
    ReadHead head(input, output);
    const ReadStep step = head.step_at({});
    for (std::uint32_t i = 0; i < kTimes; ++i) {
      head.skip(head.path(output.hz * kSecondsAtOnce, step));
    }
    const auto seconds = std::int64_t{kSecondsAtOnce} * kTimes;
    EXPECT_EQ(head.position(), (InputPosition{seconds * input.hz, 0})) << input.hz << output.hz;
  }
}

TEST(resampler_position, moves_frame_by_frame_to_where_a_skip_lands) {
  Prng random(7);
  for (const auto& [input, output] : kPairs) {
    ReadHead walks(input, output), skips(input, output);
    ReadSpeed speed;
    for (int block = 0; block < 500; ++block) {
      const auto frames = static_cast<std::uint32_t>(random.below(300));
      const double ppm = static_cast<double>(random.below(2001)) - 1000;
      if (block % 3 != 0) speed = {1 + ppm * 1e-6};  // every third block keeps its speed
      const auto path = skips.path(frames, skips.step_at(speed));
      InputPosition last;
      std::uint32_t seen = 0;
      walks.visit(walks.path(frames, walks.step_at(speed)), [&](std::uint32_t i, InputPosition at) {
        EXPECT_EQ(i, seen++);
        last = at;
      });
      EXPECT_EQ(seen, frames);
      if (frames > 0) {
        ASSERT_EQ(skips.last_of(path), last);
      }
      skips.skip(path);
      ASSERT_EQ(skips.position(), walks.position());
    }
  }
}

TEST(resampler_position, follows_the_speed_to_its_last_bit) {
  constexpr double kTiny = 0x1p-40;  // 0.0000009 ppm
  ReadHead head({48'000}, {48'000});
  const ReadStep step = head.step_at({1 + kTiny});
  head.skip(head.path(1, step));  // the ramp's own frame
  const InputPosition start = head.position();
  for (int i = 0; i < 1024; ++i) head.skip(head.path(1 << 20, step));
  EXPECT_EQ(head.position() - start, (InputPosition{1 << 30, std::uint64_t{1} << (64 - 10)}));
}

TEST(resampler_position, ramps_in_a_straight_line_and_arrives_exactly) {
  for (const double ppm : {-700.0, 0.001, 700.0}) {
    ReadHead head({44'100}, {48'000});
    const ReadStep to = head.step_at({1 + ppm * 1e-6});
    const double from_step = step_of(head).frames();
    std::vector<InputPosition> places;
    head.visit(head.path(64, to), [&](std::uint32_t, InputPosition at) { places.push_back(at); });
    places.push_back(head.position());
    const double growth = (to.advance.frames() - from_step) / 64;
    for (std::size_t i = 0; i + 1 < places.size(); ++i) {
      const double step = (places[i + 1] - places[i]).frames();
      EXPECT_NEAR(step, from_step + growth * static_cast<double>(i + 1), 1e-15);
    }
    EXPECT_EQ(places[64] - places[63], to.advance);
  }
}

TEST(resampler_position, limits_the_speed_and_takes_nan_for_1) {
  const ReadHead head({44'100}, {48'000});
  EXPECT_EQ(head.step_at({std::numeric_limits<double>::quiet_NaN()}), head.step_at({1}));
  EXPECT_EQ(head.step_at({1e9}), head.step_at({1 + kMaxSpeedDeviation}));
  EXPECT_EQ(head.step_at({-std::numeric_limits<double>::infinity()}),
            head.step_at({1 - kMaxSpeedDeviation}));
}

TEST(resampler_position, subtracts_and_multiplies_through_zero) {
  constexpr InputPosition kHalf{0, std::uint64_t{1} << 63};
  constexpr InputPosition kMinusHalf = InputPosition{} - kHalf;
  EXPECT_EQ(kMinusHalf.frames(), -0.5);
  EXPECT_EQ((kMinusHalf * 3).frames(), -1.5);
  EXPECT_EQ(kMinusHalf + kHalf, InputPosition{});
  EXPECT_LT(kMinusHalf, InputPosition{});
}

}  // namespace
}  // namespace asiodrv::audio
