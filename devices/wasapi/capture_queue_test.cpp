#include "devices/wasapi/capture_queue.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace asiodrv::devices::wasapi {
namespace {

/// Mono float at 1000 Hz, periods of 10: a second is 100 periods.
struct QueueBench {
  CaptureQueue queue{{audio::DeviceLayout::float32, 1, {1000}, 0, false}, {10}, {80}};
  std::array<float, 10> block{};
  std::array<float*, 1> blocks{block.data()};
  float next = 1;

  void push(std::uint32_t frames) {
    std::vector<float> samples;
    for (std::uint32_t i = 0; i < frames; ++i) samples.push_back(next++);
    queue.push(reinterpret_cast<const std::byte*>(samples.data()), frames);
  }
  bool take() { return queue.take({blocks.data(), 1, {10}}); }
  void settle() {
    for (int i = 0; i < 51; ++i) {
      push(10);
      EXPECT_FALSE(take());
    }
  }
};

TEST(capture_queue, every_frame_passes_once_whatever_the_packets) {
  QueueBench bench;
  bench.settle();
  bench.push(10);
  float expected = 511;
  for (int i = 0; i < 500; ++i) {
    bench.push(i % 2 == 0 ? 3 : 17);  // the first waits for the second
    ASSERT_FALSE(bench.take()) << i;
    for (const float sample : bench.block) ASSERT_EQ(sample, expected++);
  }
  EXPECT_EQ(bench.queue.inserted() + bench.queue.dropped(), 0U);
}

TEST(capture_queue, what_came_before_the_first_period_is_not_kept) {
  QueueBench bench;
  bench.push(47);
  EXPECT_FALSE(bench.take());
  EXPECT_EQ(bench.block[9], 47.0F);
  EXPECT_EQ(bench.queue.level(), 0U);
}

TEST(capture_queue, what_is_missing_is_silence_in_front_and_a_gap) {
  QueueBench bench;
  bench.settle();
  bench.push(4);
  EXPECT_TRUE(bench.take());
  EXPECT_EQ(bench.block[5], 0.0F);
  EXPECT_EQ(bench.block[6], 511.0F);
  EXPECT_EQ(bench.queue.inserted(), 6U);
}

TEST(capture_queue, a_surplus_is_dropped_by_whole_periods_after_a_window) {
  QueueBench bench;
  bench.settle();
  bench.push(25);
  int gaps = 0;
  for (int i = 0; i < 200; ++i) {
    bench.push(10);
    gaps += bench.take() ? 1 : 0;
  }
  EXPECT_EQ(gaps, 1);
  EXPECT_EQ(bench.queue.dropped(), 20U);
  EXPECT_EQ(bench.queue.level(), 5U);
}

TEST(capture_queue, a_surplus_of_the_start_goes_within_half_a_second_and_is_no_gap) {
  QueueBench bench;
  bench.take();
  bench.push(40);  // after the first period: too late to be thrown away at once
  for (int i = 0; i < 50; ++i) {
    bench.push(10);
    EXPECT_FALSE(bench.take());
  }
  EXPECT_LT(bench.queue.level(), 10U);
}

TEST(capture_queue, without_room_the_oldest_go) {
  QueueBench bench;
  bench.settle();
  bench.push(100);
  EXPECT_EQ(bench.queue.level(), 80U);
  EXPECT_TRUE(bench.take());
  EXPECT_EQ(bench.block[0], 531.0F);
}

TEST(capture_queue, missed_periods_take_their_frames_along_but_one) {
  QueueBench bench;
  bench.settle();
  bench.push(40);
  bench.queue.skip(20);
  EXPECT_EQ(bench.queue.level(), 20U);
  bench.queue.skip(1000);
  EXPECT_EQ(bench.queue.level(), 10U);
}

}  // namespace
}  // namespace asiodrv::devices::wasapi
