#include "devices/simulated/recorder_tap.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <thread>

#include "core/audio/wav_file.hpp"
#include "devices/simulated/simulated_test_bench.hpp"

namespace asiodrv::devices {
namespace {

using test::Bench;

/// Names of the files that one test may write; removed at the end.
class ScratchFiles {
 public:
  ScratchFiles()
      : stem_(::testing::TempDir() + "asiodrv-tap-" +
              ::testing::UnitTest::GetInstance()->current_test_info()->name()) {}
  ~ScratchFiles() {
    std::remove(first().c_str());
    std::remove(second().c_str());
  }
  ScratchFiles(const ScratchFiles&) = delete;
  ScratchFiles& operator=(const ScratchFiles&) = delete;
  [[nodiscard]] std::string first() const { return stem_ + ".wav"; }
  [[nodiscard]] std::string second() const { return stem_ + "-2.wav"; }

 private:
  std::string stem_;
};

SimulatedOptions recorded(RecorderTap& tap, std::uint32_t outputs) {
  SimulatedOptions options;
  options.inputs = 1;
  options.outputs = outputs;
  options.recorder = &tap;
  return options;
}

void append(std::vector<float>& target, const std::vector<float>& more) {
  target.insert(target.end(), more.begin(), more.end());
}

TEST(recorder_tap, a_recording_holds_every_played_frame_bit_for_bit) {
  const ScratchFiles files;
  RecorderTap tap(RecorderTap::suggested_bytes(3, {48'000}, {64}));
  TapRecorder recorder(tap, files.first(), audio::WavCoding::float32);
  Bench bench(recorded(tap, 3));
  bench.run();
  std::vector<float> expected[3];
  for (std::uint64_t k = 0; k < 200; ++k) {
    bench.serve();
    for (std::uint32_t channel = 0; channel < 3; ++channel) {
      append(expected[channel], bench.tags(k, channel));
    }
    if (k % 7 == 0) {
      ASSERT_TRUE(recorder.drain());
    }
  }
  ASSERT_TRUE(recorder.finish());
  EXPECT_EQ(tap.dropped(), 0U);
  const Result<audio::WavAudio> back = audio::read_wav_file(files.first());
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->rate, SampleRate{48'000});
  ASSERT_EQ(back->channels.size(), 3U);
  for (std::uint32_t channel = 0; channel < 3; ++channel) {
    EXPECT_EQ(back->channels[channel], expected[channel]);
  }
}

TEST(recorder_tap, lost_and_late_periods_are_silence_of_the_right_length) {
  const ScratchFiles files;
  RecorderTap tap(1U << 20U);
  TapRecorder recorder(tap, files.first(), audio::WavCoding::float32);
  Bench bench(recorded(tap, 1));
  bench.run();
  bench.serve();                         // 0
  bench.clock.advance(bench.length(4));  // 1 to 3 go by
  bench.serve();                         // 4
  ASSERT_EQ(bench.wait(), ports::PeriodStatus::ready);
  bench.fill();
  bench.clock.advance(bench.length(1));
  EXPECT_FALSE(bench.commit());  // 5 comes late
  bench.serve();                 // 6
  ASSERT_TRUE(recorder.finish());
  std::vector<float> expected;
  for (const std::uint64_t k : {0U, 1U, 2U, 3U, 4U, 5U, 6U}) {
    append(expected, k == 0 || k == 4 || k == 6 ? bench.tags(k, 0) : bench.silence());
  }
  EXPECT_EQ(audio::read_wav_file(files.first()).value().channels[0], expected);
}

TEST(recorder_tap, takes_of_one_shape_share_a_file_and_another_shape_begins_the_next) {
  const ScratchFiles files;
  RecorderTap tap(1U << 20U);
  TapRecorder recorder(tap, files.first(), audio::WavCoding::float32);
  Bench bench(recorded(tap, 2));
  std::vector<float> expected;
  for (int take = 0; take < 2; ++take) {
    bench.run();
    bench.serve();                         // 0
    bench.clock.advance(bench.length(2));  // 1 goes by: a hole, by the take's own count
    bench.serve();                         // 2
    bench.device.close();
    append(expected, bench.tags(0, 1));
    append(expected, bench.silence());
    append(expected, bench.tags(2, 1));
  }
  bench.format.rate = {96'000};
  bench.run();
  bench.serve();
  ASSERT_TRUE(recorder.finish());
  EXPECT_EQ(audio::read_wav_file(files.first()).value().channels[1], expected);
  const audio::WavAudio second = audio::read_wav_file(files.second()).value();
  EXPECT_EQ(second.rate, SampleRate{96'000});
  EXPECT_EQ(second.channels[1], bench.tags(0, 1));
}

TEST(recorder_tap, a_full_ring_drops_counts_and_leaves_a_hole_of_the_right_length) {
  const ScratchFiles files;
  RecorderTap tap(1);  // 4 KiB, the smallest: 14 blocks of 64 frames with their headers
  TapRecorder recorder(tap, files.first(), audio::WavCoding::float32);
  Bench bench(recorded(tap, 1));
  bench.run();
  for (int k = 0; k < 20; ++k) bench.serve();
  EXPECT_EQ(tap.dropped(), 6U);
  ASSERT_TRUE(recorder.drain());
  bench.serve();
  ASSERT_TRUE(recorder.finish());
  std::vector<float> expected;
  for (std::uint64_t k = 0; k < 21; ++k) {
    append(expected, k < 14 || k == 20 ? bench.tags(k, 0) : bench.silence());
  }
  EXPECT_EQ(audio::read_wav_file(files.first()).value().channels[0], expected);
}

TEST(recorder_tap, a_file_that_can_not_be_written_is_reported_once_and_stops_nothing) {
  RecorderTap tap(1U << 16U);
  TapRecorder recorder(tap, ::testing::TempDir() + "asiodrv-no-such-folder/x.wav",
                       audio::WavCoding::int16);
  Bench bench(recorded(tap, 1));
  bench.run();
  bench.serve();
  EXPECT_EQ(recorder.drain().error().code, ErrorCode::access_denied);
  for (int k = 0; k < 1000; ++k) {
    bench.serve();
    ASSERT_TRUE(recorder.drain());
  }
  EXPECT_EQ(tap.dropped(), 0U);
  EXPECT_TRUE(recorder.finish());
}

TEST(recorder_tap, two_threads_exchange_every_block_in_order_and_whole) {
  constexpr std::uint64_t kBlocks = 20'000;
  RecorderTap tap(1U << 14U);
  std::thread producer([&tap] {
    std::vector<float> samples(2 * 48);
    for (std::uint64_t k = 0; k < kBlocks;) {
      for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<float>(k + i);
      const float* const blocks[]{samples.data(), samples.data() + 48};
      RecorderTap::Block block;
      block.position = k;
      if (tap.push(block, {blocks, 2, {48}})) {
        ++k;
      } else {
        std::this_thread::yield();
      }
    }
  });
  std::vector<float> samples;
  std::uint64_t next = 0, wrong = 0;
  while (next < kBlocks) {
    const std::optional<RecorderTap::Block> block = tap.pop(samples);
    if (!block) {
      std::this_thread::yield();
      continue;
    }
    if (block->position != next || samples.size() != 96) ++wrong;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (samples[i] != static_cast<float>(next + i)) ++wrong;
    }
    ++next;
  }
  producer.join();
  EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace asiodrv::devices
