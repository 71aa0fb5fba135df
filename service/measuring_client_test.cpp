// The client without a thread, rung as the engine rings it.
#include "service/measuring_client.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <vector>

#include "core/base/rt.hpp"

namespace asiodrv::service {
namespace {

constexpr std::uint32_t kShortPeriod = 16;
constexpr std::size_t kSignal = 100;
constexpr std::size_t kLimit = 200;

class measuring_client : public ::testing::Test {
 protected:
  measuring_client() { std::iota(signal.begin(), signal.end(), 1.0F); }

  /// One cycle at `position`: the input holds 1000 and more, by position; gives what is played.
  std::vector<float> ring(std::uint64_t position, bool discontinuity = false) {
    const std::uint32_t half = client.reply().next_half;
    auto* const input = reinterpret_cast<float*>(setup.input_halves[0][half]);
    for (std::uint32_t i = 0; i < kShortPeriod; ++i) {
      input[i] = 1000.0F + static_cast<float>(position + i);
    }
    engine::ClientStamp stamp{};
    stamp.sample_position = position;
    stamp.half = half;
    stamp.discontinuity = discontinuity;
    {
      const RtScope scope;
      client.publish(stamp);
      setup.wake->ring(++count);
    }
    EXPECT_EQ(setup.ack->count(), count) << "a ring is answered before it returns";
    const auto* const output = reinterpret_cast<const float*>(setup.output_halves[0][half]);
    return {output, output + kShortPeriod};
  }

  std::vector<float> signal = std::vector<float>(kSignal);
  MeasuringClient client{7,
                         engine::device_port(1),
                         engine::device_port(2),
                         {SampleRate{48'000}, Frames{kShortPeriod}},
                         signal,
                         kLimit};
  engine::ClientSetup setup = client.setup();
  std::uint32_t count = 0;
};

TEST_F(measuring_client, begins_with_half_0_and_alternates) {
  EXPECT_EQ(client.reply().next_half, 0U);
  ring(0);
  EXPECT_EQ(client.reply().next_half, 1U);
  EXPECT_FALSE(client.reply().free_running);
}

TEST_F(measuring_client, plays_the_signal_then_silence_and_records_beside_it_up_to_its_limit) {
  for (std::uint64_t position = 0; position < 2 * kLimit; position += kShortPeriod) {
    const std::vector<float> played = ring(position);
    for (std::uint32_t i = 0; i < kShortPeriod; ++i) {
      const std::uint64_t frame = position + i;
      ASSERT_EQ(played[i], frame < kSignal ? static_cast<float>(frame + 1) : 0.0F);
    }
  }
  const auto recorded = client.recorded();
  ASSERT_EQ(recorded.size(), kLimit);
  for (std::size_t i = 0; i < kLimit; ++i) {
    ASSERT_EQ(recorded[i], 1000.0F + static_cast<float>(i));
  }
  EXPECT_EQ(client.lost(0, kLimit), 0U);
  EXPECT_FALSE(client.interrupted());
}

TEST_F(measuring_client, lost_frames_are_silence_and_counted_where_they_lie) {
  ring(0, true);  // what was lost before it began is not its loss
  ring(16);
  ring(64, true);
  ring(80);
  const auto recorded = client.recorded();
  ASSERT_EQ(recorded.size(), 96U);
  EXPECT_EQ(recorded[31], 1031.0F);
  EXPECT_EQ(recorded[32], 0.0F);
  EXPECT_EQ(recorded[63], 0.0F);
  EXPECT_EQ(recorded[64], 1064.0F);
  EXPECT_EQ(client.lost(0, 16), 0U);
  EXPECT_EQ(client.lost(0, 96), 16U + 32U) << "what was written just before came too late";
  EXPECT_EQ(client.lost(40, 50), 10U);
  EXPECT_EQ(client.lost(64, 96), 0U);
  EXPECT_FALSE(client.interrupted());
}

TEST_F(measuring_client, a_device_that_begins_anew_is_noticed_and_changes_nothing_recorded) {
  for (std::uint64_t position = 0; position < 64; position += kShortPeriod) ring(position);
  ring(0);
  EXPECT_TRUE(client.interrupted());
  EXPECT_EQ(client.recorded().size(), 64U);
  EXPECT_EQ(client.recorded()[20], 1020.0F);
}

TEST_F(measuring_client, after_more_losses_than_it_can_note_all_that_follows_is_lost) {
  std::uint64_t position = 0;
  for (int i = 0; i < 300; ++i, position += kShortPeriod) ring(position, true);
  EXPECT_EQ(client.lost(position + 1000, position + 1100), 100U);
}

}  // namespace
}  // namespace asiodrv::service
