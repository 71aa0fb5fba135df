// The judge of a cable, on recordings that were never made.
#include "service/loopback.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "core/base/prng.hpp"

namespace asiodrv::service {
namespace {

constexpr SampleRate kRate{48'000};

/// A cable: what comes back `delay` frames later, and what else is heard.
struct Cable {
  std::size_t delay = 300;
  float gain = 0.5F;
  float constant = 0.0F;
  float noise = 0.0F;
  std::function<std::size_t(std::uint32_t shot)> extra = [](std::uint32_t) {
    return std::size_t{0};
  };
};

class loopback : public ::testing::Test {
 protected:
  std::vector<float> record(const Cable& cable) const {
    std::vector<float> heard(signal.heard_at(LoopbackSignal::kShots - 1), cable.constant);
    Prng random(5);
    for (float& value : heard) {
      const double unit = static_cast<double>(random.next() >> 11U) / 9007199254740992.0;
      value += cable.noise * static_cast<float>(2 * unit - 1);
    }
    for (std::uint32_t shot = 0; shot < LoopbackSignal::kShots; ++shot) {
      const std::size_t at = signal.sent_at(shot) + cable.delay + cable.extra(shot);
      for (std::size_t i = 0; i < LoopbackSignal::kMarker && at + i < heard.size(); ++i) {
        heard[at + i] += cable.gain * signal.marker(shot)[i];
      }
    }
    for (float& value : heard) value = std::clamp(value, -1.0F, 1.0F);
    return heard;
  }

  Result<LoopbackResult> judge(const std::vector<float>& recording,
                               const std::function<bool(std::uint32_t)>& damaged = nullptr) {
    LoopbackJudge each(signal, "out:1", "in:2");
    while (!each.done()) {
      const std::uint32_t shot = each.next();
      const std::span<const float> so_far(recording.data(), signal.heard_at(shot));
      each.look(so_far, [&](std::size_t begin, std::size_t end) {
        return damaged && damaged(shot) ? end - begin : 0;
      });
    }
    looked = each.next();
    return each.verdict(std::span(recording).first(signal.heard_at(looked - 1)));
  }

  void expect_refused(const Result<LoopbackResult>& result, ErrorCode code, const char* part) {
    ASSERT_FALSE(result) << result->delay_frames;
    EXPECT_EQ(result.error().code, code);
    EXPECT_NE(result.error().message.find(part), std::string::npos) << result.error().message;
  }

  const LoopbackSignal signal{kRate, Frames{128}};
  std::uint32_t looked = 0;
};

TEST_F(loopback, a_cable_is_measured_to_the_frame_after_five_shots) {
  for (const std::size_t delay : {std::size_t{0}, std::size_t{128}, std::size_t{20'001}}) {
    const auto result = judge(record({.delay = delay}));
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_NEAR(result->delay_frames, static_cast<double>(delay), 0.02);
    EXPECT_LT(result->spread_frames, 0.05);
    EXPECT_NEAR(result->level_db, -6.02, 0.1);
    EXPECT_FALSE(result->inverted);
    EXPECT_EQ(looked, LoopbackJudge::kNeeded);
  }
}

TEST_F(loopback, polarity_a_constant_and_other_sound_do_not_matter) {
  const auto result = judge(record({.gain = -0.3F, .constant = 0.2F, .noise = 0.3F}));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_NEAR(result->delay_frames, 300, 0.2);
  EXPECT_TRUE(result->inverted);
}

TEST_F(loopback, no_cable_is_said_after_three_shots) {
  expect_refused(judge(record({.gain = 0.0F, .noise = 0.1F})), ErrorCode::invalid_state,
                 "Nothing of what out:1 plays comes back at in:2");
  EXPECT_EQ(looked, 3U);
  expect_refused(judge(std::vector<float>(signal.heard_at(11))), ErrorCode::invalid_state,
                 "Connect the two with a cable");
}

TEST_F(loopback, a_delay_beyond_its_reach_is_told_from_no_cable) {
  expect_refused(judge(record({.delay = 30'000})), ErrorCode::invalid_state, "after 625 ms only");
}

TEST_F(loopback, a_leak_between_channels_is_no_cable) {
  expect_refused(judge(record({.gain = 0.002F})), ErrorCode::invalid_state, "leak");
}

TEST_F(loopback, an_overloaded_input_is_refused) {
  expect_refused(judge(record({.gain = 6.0F})), ErrorCode::invalid_state, "in:2 is overloaded");
}

TEST_F(loopback, sound_that_drowns_the_cable_is_refused) {
  const auto result = judge(record({.gain = 0.02F, .noise = 0.95F}));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::invalid_state);
}

TEST_F(loopback, shots_that_disagree_by_more_than_a_frame_are_refused) {
  const auto by = [](std::size_t frames) {
    return Cable{.extra = [frames](std::uint32_t shot) { return shot == 3 ? frames : 0; }};
  };
  expect_refused(judge(record(by(2))), ErrorCode::invalid_state, "not the same twice");
  EXPECT_TRUE(judge(record(by(0))));
}

TEST_F(loopback, damaged_shots_do_not_count_and_are_made_up_for) {
  const Cable cable{.extra = [](std::uint32_t shot) { return shot < 4 ? std::size_t{640} : 0; }};
  const auto result = judge(record(cable), [](std::uint32_t shot) { return shot < 4; });
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_NEAR(result->delay_frames, 300, 0.02);
  EXPECT_EQ(result->damaged, 4U);
  EXPECT_EQ(looked, 9U);
}

TEST_F(loopback, a_machine_that_damages_too_many_is_named) {
  expect_refused(judge(record({}), [](std::uint32_t shot) { return shot % 3 != 0; }),
                 ErrorCode::timed_out, "8 of 12 shots were damaged");
}

TEST_F(loopback, a_machine_that_damages_all_is_named_too) {
  expect_refused(judge(record({}), [](std::uint32_t) { return true; }), ErrorCode::timed_out,
                 "12 of 12 shots were damaged");
}

TEST_F(loopback, a_little_loss_hides_no_cable_where_there_is_none) {
  const std::vector<float> silence(signal.heard_at(11));
  LoopbackJudge each(signal, "out:1", "in:2");
  while (!each.done())
    each.look(silence, [](std::size_t, std::size_t) { return std::size_t{500}; });
  expect_refused(each.verdict(silence), ErrorCode::invalid_state, "Connect the two with a cable");
}

TEST_F(loopback, what_is_lost_before_or_after_a_shot_does_not_touch_it) {
  const std::vector<float> recording = record({});
  LoopbackJudge each(signal, "out:1", "in:2");
  each.look(recording, [&](std::size_t begin, std::size_t end) {
    EXPECT_EQ(begin, signal.sent_at(0));
    EXPECT_EQ(end, signal.sent_at(0) + 300 + LoopbackSignal::kMarker);
    return std::size_t{0};
  });
}

TEST_F(loopback, a_cable_that_comes_and_goes_is_refused) {
  const Cable loose{.extra = [](std::uint32_t shot) {
    return shot % 3 == 0 ? std::size_t{0} : std::size_t{10'000'000};
  }};
  expect_refused(judge(record(loose)), ErrorCode::invalid_state, "Check the plugs");
}

}  // namespace
}  // namespace asiodrv::service
