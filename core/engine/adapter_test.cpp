// One clock and one rate: every frame is compared, bit for bit.
#include "core/engine/adapter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/prng.hpp"
#include "core/engine/testing/adapter_loop.hpp"
#include "tests/support/rt_trap.hpp"

namespace asiodrv::engine {
namespace {

using namespace testing;  // NOLINT: the loop and its signals

constexpr std::pair<std::uint32_t, std::uint32_t> kSizes[] = {
    {64, 64},  {64, 128},  {64, 256},  {64, 32},   {64, 16},   {64, 96},   {48, 64}, {64, 48},
    {64, 480}, {441, 512}, {512, 441}, {480, 512}, {16, 8192}, {8192, 16}, {17, 16}, {97, 1'009}};

TEST(adapter_timeline, knows_the_round_trips_of_simple_sizes) {
  const auto round_trip = [](std::uint32_t period, std::uint32_t frames) {
    const AdapterTimeline timeline({period}, {48'000}, {frames}, {48'000});
    return timeline.offset() + frames;
  };
  EXPECT_EQ(round_trip(64, 64), 128u);
  EXPECT_EQ(round_trip(64, 128), 256u);
  EXPECT_EQ(round_trip(64, 512), 1'024u);
  EXPECT_EQ(round_trip(64, 32), 128u);
  EXPECT_EQ(round_trip(64, 16), 128u + 0u);
  EXPECT_EQ(round_trip(64, 96), 96u + 64u + 128u - 32u);
}

/// Walks a whole repeat of the pattern of `shape`.
void expect_smallest_offset(const AdapterShape& shape) {
  const Definition definition(shape);
  const AdapterTimeline timeline(shape.device_period, shape.device_rate, shape.client_frames,
                                 shape.client_rate);
  ASSERT_EQ(timeline.slack(), definition.slack()) << name(shape);
  ASSERT_GE(timeline.offset(), shape.device_period.count) << name(shape);
  const auto in_time = [&](std::uint64_t m, std::uint64_t offset) {
    return definition.due_at(m, offset) >= definition.rung_at(m) + definition.slack();
  };
  bool one_less_would_do = true;
  for (std::uint64_t m = 0; m < definition.blocks_of_a_pattern(); ++m) {
    ASSERT_TRUE(in_time(m, timeline.offset())) << name(shape) << ", block " << m;
    one_less_would_do &= in_time(m, timeline.offset() - 1);
  }
  EXPECT_FALSE(one_less_would_do) << name(shape);

  const AdapterTimeline deferred(shape.device_period, shape.device_rate, shape.client_frames,
                                 shape.client_rate, true);
  ASSERT_GE(deferred.offset(), timeline.offset()) << name(shape);
  one_less_would_do = true;
  for (std::uint64_t m = 0; m < definition.blocks_of_a_pattern(); ++m) {
    const std::uint64_t next = definition.rung_at(m + 1);
    ASSERT_GE(definition.due_at(m, deferred.offset()), next) << name(shape) << ", block " << m;
    one_less_would_do &= definition.due_at(m, deferred.offset() - 1) >= next;
  }
  EXPECT_FALSE(one_less_would_do) << name(shape) << ", deferred";
}

TEST(adapter_timeline, has_the_smallest_offset_that_leaves_every_block_its_slack) {
  for (const auto& [period, frames] : kSizes) expect_smallest_offset(same_rate(period, frames));
  constexpr std::uint32_t kRates[] = {8'000, 44'100, 48'000, 88'200, 96'000, 176'400, 192'000};
  Prng random(7);
  for (int i = 0; i < 3'000; ++i) {
    const auto size = [&] {
      const std::uint32_t any = 16 + static_cast<std::uint32_t>(random.next() % 1'000);
      return random.next() % 2 == 0 ? Frames{any} : Frames{16u << (random.next() % 10)};
    };
    const auto rate = [&] { return SampleRate{kRates[random.next() % std::size(kRates)]}; };
    expect_smallest_offset({size(), rate(), size(), rate()});
  }
}

TEST(adapter_timeline, counts_frames_as_an_accumulator_does) {
  for (const auto& [device, client] : {std::pair{44'100u, 48'000u},
                                       {48'000u, 44'100u},
                                       {192'000u, 44'100u},
                                       {8'000u, 192'000u},
                                       {1u, 1u}}) {
    const AdapterTimeline timeline({64}, {device}, {64}, {client});
    std::uint64_t captured = 0, needed = 0;
    for (std::uint64_t n = 0; n < 3'000; ++n) {
      ASSERT_EQ(timeline.captured(n), captured) << n;  // frames k with k device < n client
      while (captured * device < (n + 1) * client) ++captured;
      ASSERT_EQ(timeline.needed(n), needed) << n;
      while (needed * device <= n * client) ++needed;
    }
    const std::uint64_t year = 31'536'000ull * device;
    EXPECT_EQ(timeline.captured(year), 31'536'000ull * client);
  }
}

TEST(adapter, loops_every_size_bit_exactly_at_the_reported_delay) {
  for (const auto& [period, frames] : kSizes) {
    const AdapterShape shape = same_rate(period, frames);
    SCOPED_TRACE(name(shape));
    const Definition definition(shape);
    for (const char* const policy : {"at once", "at the end of its slack", "alternating", "due"}) {
      SCOPED_TRACE(policy);
      Loop loop(shape);
      const auto slack_has_ended = [&](std::uint64_t m, std::uint64_t boundary) {
        return boundary >= definition.rung_at(m) + definition.slack();
      };
      if (policy[0] == 'd') {
        loop.answers = [&](std::uint64_t, std::uint64_t) { return loop.adapter().output_is_due(); };
      } else if (policy[1] == 'l') {
        loop.answers = [&](std::uint64_t m, std::uint64_t boundary) {
          return m % 2 == 0 || slack_has_ended(m, boundary);
        };
      } else if (policy[3] == 't') {
        loop.answers = slack_has_ended;
      }
      loop.run(enough(shape));
      const Adapter& adapter = loop.adapter();
      EXPECT_EQ(adapter.input_latency().count, frames);
      EXPECT_EQ(adapter.input_latency().count + adapter.output_latency().count,
                adapter.round_trip());
      EXPECT_TRUE(loop.missing.empty());
      EXPECT_EQ(loop.differences(), std::vector<std::uint64_t>{});
      for (std::size_t i = 0; i < loop.rung.size(); ++i) {
        ASSERT_EQ(loop.rung[i].stamp.position, i * frames);
        ASSERT_FALSE(loop.rung[i].stamp.discontinuity);
      }
      EXPECT_GE((loop.rung.size() + 4) * frames + 2 * period, loop.boundary() - definition.slack());
    }
  }
}

TEST(adapter, loops_deferred_clients_bit_exactly_at_the_reported_delay) {
  for (const auto& [period, frames] : kSizes) {
    AdapterShape shape = same_rate(period, frames);
    shape.deferred = true;
    SCOPED_TRACE(name(shape));
    Loop loop(shape);
    loop.answers = [&](std::uint64_t, std::uint64_t) { return loop.adapter().block_waits(); };
    loop.run(enough(shape));
    EXPECT_TRUE(loop.missing.empty());
    EXPECT_EQ(loop.differences(), std::vector<std::uint64_t>{});
    if (frames % period == 0) {
      EXPECT_EQ(loop.adapter().round_trip(), 2 * frames + period);
    }
  }
}

TEST(adapter, plays_the_rest_of_a_block_that_comes_a_cycle_too_late) {
  for (const auto& [period, frames] : kSizes) {
    const AdapterShape shape = same_rate(period, frames);
    SCOPED_TRACE(name(shape));
    const Definition definition(shape);
    Loop loop(shape);
    const std::uint64_t offset = static_cast<std::uint64_t>(loop.adapter().round_trip()) - frames;
    const std::uint64_t late = 2 + period / frames;
    const std::uint64_t due = definition.due_at(late, offset);
    loop.answers = [&](std::uint64_t m, std::uint64_t boundary) {
      return m != late || boundary > due;
    };
    loop.run(enough(shape));

    // Its frames in the render block of the cycle in which it was due, and no others but those of
    // blocks that were to come in the same cycle after it.
    const std::uint64_t begin = (late + 1) * frames + offset;
    ASSERT_FALSE(loop.missing.empty());
    EXPECT_EQ(loop.missing, std::vector<std::uint64_t>{due});
    std::vector<std::uint64_t> hole;
    for (std::uint64_t t = begin; t < due + 2ull * period; ++t) hole.push_back(t);
    EXPECT_EQ(loop.differences(), hole);
    for (const std::uint64_t t : hole) ASSERT_EQ(loop.played[0][t], 0.0F);
  }
}

TEST(adapter, keeps_its_timeline_while_a_client_stays_away) {
  for (const auto& [period, frames] : kSizes) {
    const AdapterShape shape = same_rate(period, frames);
    SCOPED_TRACE(name(shape));
    Loop loop(shape);
    const std::uint64_t stays = 3;
    const std::uint64_t away_until = 10ull * std::max(period, frames);
    loop.answers = [&](std::uint64_t m, std::uint64_t boundary) {
      return m != stays || boundary >= away_until;
    };
    loop.run(2 * away_until + enough(shape));

    ASSERT_FALSE(loop.missing.empty());
    const std::vector<std::uint64_t> differences = loop.differences();
    ASSERT_FALSE(differences.empty());
    for (const std::uint64_t t : differences) ASSERT_EQ(loop.played[0][t], 0.0F) << t;
    EXPECT_GE(differences.front(), (stays + 1) * frames);
    // Back on time after the blocks that were already being played when it came back.
    EXPECT_LT(differences.back(), away_until + 2ull * period);
    std::size_t jumps = 0;
    for (std::size_t i = 1; i < loop.rung.size(); ++i) {
      const bool jumped = loop.rung[i].block != loop.rung[i - 1].block + 1;
      ASSERT_GT(loop.rung[i].block, loop.rung[i - 1].block);
      ASSERT_EQ(loop.rung[i].stamp.discontinuity, jumped) << i;
      if (!jumped) continue;
      ++jumps;
      EXPECT_EQ(loop.rung[i - 1].block, stays);
      EXPECT_EQ(loop.rung[i].boundary, away_until + (period - away_until % period) % period);
      // What it gets can still be heard.
      const std::uint64_t end = loop.rung[i].block * frames + frames +
                                static_cast<std::uint64_t>(loop.adapter().round_trip());
      EXPECT_GT(end, loop.rung[i].boundary + period);
      EXPECT_LE(end, loop.rung[i].boundary + period + frames);
    }
    EXPECT_EQ(jumps, 1u);
  }
}

TEST(adapter, keeps_its_timeline_when_the_device_loses_periods) {
  for (const auto& [period, frames] : kSizes) {
    const AdapterShape shape = same_rate(period, frames);
    for (const std::uint32_t lost : {1u, 3u, 100u}) {
      SCOPED_TRACE(name(shape) + ", lost " + std::to_string(lost));
      Loop loop(shape);
      loop.run(2ull * frames + 5ull * period);
      const std::uint64_t first = loop.boundary(), last = first + std::uint64_t{lost} * period;
      loop.cycle(lost);
      loop.run(enough(shape));
      const auto delay = static_cast<std::uint64_t>(loop.adapter().round_trip());
      for (const std::uint64_t t : loop.differences()) {
        ASSERT_EQ(loop.played[0][t], 0.0F) << t;
        const bool not_captured = t >= first + delay && t < last + delay;
        const bool not_rendered = t >= first + period && t < last + period;
        // Blocks whose time passed during the loss, and the rest of the one that was under way.
        const bool not_rung = t >= first + period && t < last + 2ull * period;
        ASSERT_TRUE(not_captured || not_rendered || not_rung) << t;
      }
      ASSERT_EQ(loop.played[0][first + delay], 0.0F);  // it was lost indeed
      bool flagged = false;
      std::uint64_t next = 0;
      for (const Rung& rung : loop.rung) {
        const bool lost_inside = rung.stamp.position < last && first < rung.stamp.position + frames;
        ASSERT_EQ(rung.stamp.discontinuity, rung.block != next || lost_inside) << rung.block;
        flagged |= rung.stamp.discontinuity;
        next = rung.block + 1;
      }
      EXPECT_TRUE(flagged);
    }
  }
}

TEST(adapter, plays_the_right_frame_or_silence_whatever_client_and_device_do) {
  for (const std::uint64_t seed : {1u, 2u, 3u, 4u, 5u}) {
    Prng random(seed);
    for (int i = 0; i < 60; ++i) {
      const auto below = [&](std::uint64_t n) {
        return static_cast<std::uint32_t>(random.below(n));
      };
      const AdapterShape shape = same_rate(16 + below(100), 16 + below(300));
      SCOPED_TRACE(name(shape) + ", seed " + std::to_string(seed));
      const std::uint32_t patience = 1 + below(12);
      bool calm = false;
      Loop loop(shape);
      loop.answers = [&](std::uint64_t, std::uint64_t) { return calm || below(patience) == 0; };
      for (int n = 0; n < 300; ++n) loop.cycle(below(20) == 0 ? 1 + below(n % 3 == 0 ? 30 : 3) : 0);
      calm = true;
      const std::uint64_t from =
          loop.boundary() + 4ull * (shape.device_period.count + shape.client_frames.count);
      loop.run(enough(shape));
      for (const std::uint64_t t : loop.differences()) {
        ASSERT_LT(t, from);
        for (const auto& channel : loop.played) ASSERT_TRUE(channel[t] == 0.0F) << t;
      }
    }
  }
}

TEST(adapter, is_not_confused_by_a_loss_of_years) {
  for (const std::uint32_t client_hz : {48'000u, 44'100u}) {
    AdapterShape shape = same_rate(8'192, 48);
    shape.client_rate = {client_hz};
    auto adapter = make(shape);
    std::vector<float> block(8'192, 0.5F);
    const float* const inputs[] = {block.data(), block.data()};
    adapter->capture(inputs, 0xFFFF'FFFFu);
    ASSERT_TRUE(adapter->block_waits());
    const Adapter::Block stamp = adapter->next_block();
    EXPECT_TRUE(stamp.discontinuity);
    EXPECT_GT(static_cast<double>(stamp.position),
              8'192.0 * 0xFFFF'FFFFu * client_hz / 48'000 - 1e5);
    std::uint32_t rung = 0;
    for (; adapter->block_waits(); adapter->rung()) ++rung;
    EXPECT_LE(rung, 8'192u / 48 * 2 + 4);
  }
}

TEST(adapter, starts_over_as_if_it_were_new) {
  for (const std::uint32_t client_hz : {48'000u, 44'100u}) {
    AdapterShape shape = same_rate(64, 96);
    shape.client_rate = {client_hz};
    Loop used(shape), fresh(shape);
    used.answers = [](std::uint64_t m, std::uint64_t) { return m < 20; };
    used.run(10'000);
    used.cycle(3);
    used.start();
    used.answers = fresh.answers;
    used.run(5'000);
    fresh.run(5'000);
    EXPECT_EQ(used.played, fresh.played);
    EXPECT_TRUE(used.missing.empty());
  }
}

TEST(adapter, hands_over_a_render_block_once) {
  Loop loop(same_rate(64, 64));
  loop.run(640);
  std::vector<float> block(64, 1.0F);
  float* const outputs[] = {block.data(), block.data()};
  EXPECT_FALSE(loop.adapter().take(outputs));
  EXPECT_EQ(block, std::vector<float>(64, 0.0F));
  EXPECT_FALSE(loop.adapter().output_is_due());
  loop.run(640);
  EXPECT_TRUE(loop.differences().empty());
}

TEST(adapter, serves_clients_without_inputs_or_without_outputs) {
  for (const std::uint32_t client_hz : {48'000u, 44'100u}) {
    for (const auto& [inputs, outputs] : {std::pair{0u, 1u}, {1u, 0u}, {0u, 0u}}) {
      Loop loop({{64}, {48'000}, {96}, {client_hz}, inputs, outputs});
      loop.run(5'000);
      EXPECT_TRUE(loop.missing.empty());
      EXPECT_EQ(loop.rung.size(), (loop.boundary() * client_hz / 48'000) / 96);
    }
  }
}

TEST(adapter, refuses_shapes_outside_its_limits_and_says_which) {
  const auto refusal = [](const AdapterShape& shape) {
    const auto made = Adapter::make(shape);
    if (made) return std::string("accepted");
    EXPECT_EQ(made.error().code, ErrorCode::invalid_argument);
    return made.error().message;
  };
  const AdapterShape good = same_rate(64, 64);
  const auto with = [&](auto change) {
    AdapterShape shape = good;
    change(shape);
    return refusal(shape);
  };
  const auto expect = [](const std::string& message, const char* part) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  EXPECT_EQ(refusal(good), "accepted");
  expect(with([](auto& s) { s.client_frames = {15}; }), "15 frames");
  expect(with([](auto& s) { s.client_frames = {8'193}; }), "client's buffer");
  expect(with([](auto& s) { s.device_period = {0}; }), "device's period");
  expect(with([](auto& s) { s.client_rate = {0}; }), "client's rate");
  expect(with([](auto& s) { s.device_rate = {768'001}; }), "768001 Hz");
  expect(with([](auto& s) { s.device_rate = {384'000}, s.client_rate = {8'000}; }), "factor of 24");
  expect(with([](auto& s) { s.inputs = 1'025; }), "1025 inputs");
  expect(with([](auto& s) { s.outputs = ~0u; }), "outputs");
}

TEST(adapter, is_watched_by_the_real_time_trap) {
  if (!test::trap_abilities().allocation) GTEST_SKIP() << "this build has no real-time trap";
  Loop loop(same_rate(64, 64));
  const test::ExpectViolations violations;
  loop.answers = [](std::uint64_t, std::uint64_t) { return !std::string(100, 'x').empty(); };
  loop.run(640);
  EXPECT_GT(violations.count(), 0u);
}

}  // namespace
}  // namespace asiodrv::engine
