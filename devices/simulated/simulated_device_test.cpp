#include "devices/simulated/simulated_device.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "devices/simulated/simulated_test_bench.hpp"

namespace asiodrv::devices {
namespace {

using ports::PeriodStatus;
using test::Bench;

SimulatedOptions channels(std::uint32_t inputs, std::uint32_t outputs) {
  SimulatedOptions options;
  options.inputs = inputs;
  options.outputs = outputs;
  return options;
}

std::shared_ptr<const audio::WavAudio> sound(std::uint32_t channel_count, std::size_t frames) {
  auto audio = std::make_shared<audio::WavAudio>();
  audio->rate = {48'000};
  for (std::uint32_t channel = 0; channel < channel_count; ++channel) {
    std::vector<float> samples(frames);
    for (std::size_t i = 0; i < frames; ++i) {
      samples[i] = static_cast<float>(i + 1 + channel * 10'000U) * 0x1p-20F;
    }
    audio->channels.push_back(std::move(samples));
  }
  return audio;
}

TEST(simulated_device, periods_begin_at_exact_multiples_from_start) {
  Bench bench;
  bench.run();
  // 64 frames at 48 kHz are 1 333 333.3 ns; each boundary is rounded up on its own.
  const std::int64_t table[]{1'333'334, 2'666'667, 4'000'000, 5'333'334, 6'666'667, 8'000'000};
  for (std::uint64_t k = 0; k + 1 < std::size(table); ++k) {
    ASSERT_EQ(bench.wait(), PeriodStatus::ready);
    EXPECT_EQ(bench.period.index, k);
    EXPECT_EQ((bench.period.boundary - bench.started).count(), table[k]);
    EXPECT_EQ((bench.period.next_boundary - bench.started).count(), table[k + 1]);
    EXPECT_EQ(bench.clock.now(), bench.period.boundary);
    EXPECT_EQ(bench.period.lost, 0U);
    EXPECT_FALSE(bench.period.gap);
    EXPECT_TRUE(bench.commit());
  }
}

TEST(simulated_device, a_loopback_takes_exactly_two_periods_at_every_rate_and_size) {
  const Bench any;
  for (const SampleRate rate : any.device.info().rates) {
    for (std::uint32_t frames = 16; frames <= 8192; frames *= 2) {
      Bench bench(channels(2, 2), rate, {frames});
      bench.run();
      for (std::uint64_t k = 0; k < 7; ++k) {
        ASSERT_EQ(bench.wait(), PeriodStatus::ready);
        for (std::uint32_t channel = 0; channel < 2; ++channel) {
          ASSERT_EQ(bench.captured(channel), k < 2 ? bench.silence() : bench.tags(k - 2, channel))
              << rate.hz << " Hz, " << frames << " frames, period " << k;
        }
        bench.fill();
        ASSERT_TRUE(bench.commit());
      }
    }
  }
}

TEST(simulated_device, a_hidden_latency_delays_the_wires_by_so_many_frames_and_is_not_reported) {
  for (const std::uint32_t hidden : {1U, 63U, 64U, 65U, 200U, 1000U}) {
    SimulatedOptions options = channels(2, 2);
    options.hidden_latency = Frames{hidden};
    Bench bench(options, {48'000}, {64});
    bench.run();
    std::vector<float> played;
    std::vector<float> heard;
    for (std::uint64_t k = 0; k < 40; ++k) {
      ASSERT_EQ(bench.wait(), PeriodStatus::ready);
      for (const float sample : bench.captured(1)) heard.push_back(sample);
      bench.fill();
      for (const float sample : bench.tags(k, 1)) played.push_back(sample);
      ASSERT_TRUE(bench.commit());
    }
    const std::size_t delay = 2 * 64 + hidden;
    for (std::size_t i = 0; i < heard.size(); ++i) {
      ASSERT_EQ(heard[i], i < delay ? 0.0F : played[i - delay]) << hidden << " at " << i;
    }
    EXPECT_EQ(bench.device.latency().input.count + bench.device.latency().output.count, 0U);
  }
}

TEST(simulated_device, what_was_lost_stays_silent_behind_a_hidden_latency) {
  SimulatedOptions options = channels(1, 1);
  options.hidden_latency = Frames{96};
  Bench bench(options, {48'000}, {64});
  bench.run();
  for (int i = 0; i < 4; ++i) bench.serve();  // blocks 0 to 3
  bench.device.inject_gap(2);                 // 4 and 5 are never played
  ASSERT_EQ(bench.wait(), PeriodStatus::ready);
  ASSERT_EQ(bench.period.index, 6U);
  std::vector<float> heard;
  for (;;) {
    for (const float sample : bench.captured(0)) heard.push_back(sample);
    if (bench.period.index == 11) break;
    bench.fill();
    ASSERT_TRUE(bench.commit());
    ASSERT_EQ(bench.wait(), PeriodStatus::ready);
  }
  // Capture block k holds what was played 2 * 64 + 96 frames before: from frame 32 of block k - 4.
  std::vector<float> expected;
  for (std::uint64_t index = 2; index < 9; ++index) {
    const bool was_played = index < 4 || index > 5;
    for (const float sample : was_played ? bench.tags(index, 0) : bench.silence()) {
      expected.push_back(sample);
    }
  }
  expected.erase(expected.begin(), expected.begin() + 32);
  expected.resize(heard.size());
  EXPECT_EQ(heard, expected);
}

TEST(simulated_device, serves_1024_channels_each_its_own) {
  Bench bench(channels(1024, 1024), {48'000}, {16});
  bench.run();
  for (std::uint64_t k = 0; k < 5; ++k) {
    ASSERT_EQ(bench.wait(), PeriodStatus::ready);
    for (std::uint32_t channel = 0; channel < 1024; ++channel) {
      ASSERT_EQ(bench.captured(channel), k < 2 ? bench.silence() : bench.tags(k - 2, channel));
    }
    bench.fill();
    ASSERT_TRUE(bench.commit());
  }
}

TEST(simulated_device, inputs_without_an_output_hear_silence) {
  Bench bench(channels(3, 1));
  bench.run();
  for (int k = 0; k < 4; ++k) bench.serve();
  EXPECT_EQ(bench.captured(0), bench.tags(1, 0));
  EXPECT_EQ(bench.captured(1), bench.silence());
  EXPECT_EQ(bench.captured(2), bench.silence());
}

TEST(simulated_device, without_wires_nothing_comes_back) {
  SimulatedOptions options;
  options.wiring = SimulatedWiring::none;
  Bench bench(options);
  bench.run();
  for (int k = 0; k < 4; ++k) bench.serve();
  EXPECT_EQ(bench.captured(0), bench.silence());
}

TEST(simulated_device, listed_wires_cross_fan_out_and_add_up) {
  SimulatedOptions options = channels(4, 3);
  options.wiring = SimulatedWiring::listed;
  options.wires = {{0, 1}, {1, 0}, {2, 2}, {0, 3}, {1, 3}};
  Bench bench(options);
  bench.run();
  for (int k = 0; k < 5; ++k) bench.serve();
  EXPECT_EQ(bench.captured(0), bench.tags(2, 1));
  EXPECT_EQ(bench.captured(1), bench.tags(2, 0));
  EXPECT_EQ(bench.captured(2), bench.tags(2, 2));
  std::vector<float> sum = bench.tags(2, 0);
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += bench.tags(2, 1)[i];
  EXPECT_EQ(bench.captured(3), sum);
}

TEST(simulated_device, the_player_feeds_frame_k_times_n_in_period_k_and_loops) {
  SimulatedOptions options = channels(3, 1);
  options.wiring = SimulatedWiring::none;
  options.player = sound(2, 150);  // no multiple of the period, shorter than three of them
  Bench bench(options);
  bench.run();
  std::uint64_t position = 0;
  for (int k = 0; k < 10; ++k) {
    ASSERT_EQ(bench.wait(), PeriodStatus::ready);
    std::vector<float> expected[2];
    for (int i = 0; i < 64; ++i, ++position) {
      for (std::size_t c = 0; c < 2; ++c) {
        expected[c].push_back(options.player->channels[c][position % 150]);
      }
    }
    EXPECT_EQ(bench.captured(0), expected[0]);
    EXPECT_EQ(bench.captured(1), expected[1]);
    EXPECT_EQ(bench.captured(2), bench.silence());
    ASSERT_TRUE(bench.commit());
  }
}

TEST(simulated_device, a_player_that_is_not_looped_ends_in_silence) {
  SimulatedOptions options = channels(1, 1);
  options.wiring = SimulatedWiring::none;
  options.player = sound(1, 100);
  options.loop_player = false;
  Bench bench(options);
  bench.run();
  ASSERT_EQ(bench.wait(), PeriodStatus::ready);
  EXPECT_EQ(bench.captured(0).back(), options.player->channels[0][63]);
  ASSERT_EQ(bench.wait(), PeriodStatus::ready);
  EXPECT_EQ(bench.captured(0)[35], options.player->channels[0][99]);
  EXPECT_EQ(bench.captured(0)[36], 0.0F);
  ASSERT_EQ(bench.wait(), PeriodStatus::ready);
  EXPECT_EQ(bench.captured(0), bench.silence());
}

TEST(simulated_device, the_player_adds_to_what_the_wires_bring_and_skips_lost_periods) {
  SimulatedOptions options = channels(1, 1);
  options.player = sound(1, 64 * 20);
  Bench bench(options);
  bench.run();
  bench.serve();
  bench.serve();
  ASSERT_EQ(bench.wait(), PeriodStatus::ready);
  std::vector<float> expected = bench.tags(0, 0);
  for (std::size_t i = 0; i < 64; ++i) expected[i] += options.player->channels[0][128 + i];
  EXPECT_EQ(bench.captured(0), expected);
  bench.clock.advance(bench.length(5));
  ASSERT_EQ(bench.wait(), PeriodStatus::ready);
  EXPECT_EQ(bench.period.index, 7U);
  EXPECT_EQ(bench.captured(0)[0], options.player->channels[0][7 * 64]);
}

TEST(simulated_device, a_fast_clock_gains_its_ppm_over_a_simulated_year) {
  constexpr std::int64_t kYear = 365 * 24 * 3600;
  for (const int ppm : {-250, 0, 250}) {
    SimulatedOptions options = channels(1, 1);
    options.offset_ppm = ppm;
    Bench bench(options, {48'000}, {1024});
    bench.run();
    bench.clock.advance(std::chrono::seconds{kYear});
    ASSERT_EQ(bench.wait(), PeriodStatus::ready);
    const std::int64_t frames = kYear * 48'000 / 1'000'000 * (1'000'000 + ppm);
    EXPECT_EQ(bench.period.index, static_cast<std::uint64_t>(frames / 1024) - 1);
    EXPECT_EQ(bench.period.lost, bench.period.index);
    EXPECT_LE(bench.period.boundary, bench.clock.now());
    EXPECT_GT(bench.period.next_boundary, bench.clock.now());
  }
}

TEST(simulated_device, jitter_delays_the_wake_within_its_bound_and_never_the_boundary) {
  SimulatedOptions options = channels(1, 1);
  options.jitter_us = 100;
  Bench bench(options), same(options);
  options.jitter_seed = 2;
  Bench other(options);
  for (Bench* each : {&bench, &same, &other}) each->run();
  std::set<std::int64_t> delays;
  bool differs = false;
  for (std::uint64_t k = 0; k < 2000; ++k) {
    for (Bench* each : {&bench, &same, &other}) {
      ASSERT_EQ(each->wait(), PeriodStatus::ready);
      ASSERT_EQ(each->period.index, k);
      ASSERT_TRUE(each->commit());
    }
    const nanoseconds delay = bench.clock.now() - bench.period.boundary;
    ASSERT_GE(delay.count(), 0);
    ASSERT_LE(delay.count(), 100'000);
    ASSERT_EQ(bench.period.boundary - bench.started,
              nanoseconds{(static_cast<std::int64_t>(k + 1) * 4'000'000 + 2) / 3});
    ASSERT_EQ(bench.clock.now(), same.clock.now());  // a seed is a sequence
    differs = differs || bench.clock.now() != other.clock.now();
    delays.insert(delay.count());
  }
  EXPECT_TRUE(differs);
  EXPECT_LT(*delays.begin(), 5'000);  // the whole range is used
  EXPECT_GT(*delays.rbegin(), 95'000);
}

TEST(simulated_device, refuses_formats_it_does_not_have_and_names_those_it_has) {
  for (const ports::DeviceFormat& format :
       {ports::DeviceFormat{{47'999}, {64}}, ports::DeviceFormat{{0}, {64}}}) {
    Bench bench;
    const Result<> opened = bench.device.open(format);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::format_refused);
    EXPECT_NE(opened.error().message.find("768000"), std::string::npos) << opened.error().message;
  }
  for (const std::uint32_t frames : {0U, 8U, 63U, 65U, 16384U}) {
    Bench bench;
    const Result<> opened = bench.device.open({{48'000}, {frames}});
    ASSERT_FALSE(opened) << frames;
    EXPECT_EQ(opened.error().code, ErrorCode::format_refused);
    EXPECT_NE(opened.error().message.find("16 to 8192"), std::string::npos);
  }
}

TEST(simulated_device, refuses_bad_options_when_it_is_opened) {
  std::vector<SimulatedOptions> bad(9);
  bad[0].inputs = 0;
  bad[1].outputs = 1025;
  bad[2].inputs = 0xFFFFFFFF;
  bad[3].offset_ppm = 1000.1;
  bad[4].offset_ppm = std::nan("");
  bad[5].jitter_us = 1001;
  bad[6].default_rate = {12'345};
  bad[7].wires = {{8, 0}};
  bad[8].wires = {{0, 8}};
  for (const SimulatedOptions& options : bad) {
    Bench bench(options);
    const Result<> opened = bench.device.open(bench.format);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::invalid_argument);
  }
}

TEST(simulated_device, describes_itself_without_being_opened) {
  SimulatedOptions options = channels(3, 5);
  options.default_rate = {96'000};
  const Bench bench(options);
  const ports::DeviceInfo& info = bench.device.info();
  EXPECT_EQ(info.input_channels, 3U);
  EXPECT_EQ(info.output_channels, 5U);
  EXPECT_EQ(info.input_names.size(), 3U);
  EXPECT_EQ(info.output_names.back(), "Output 5");
  EXPECT_EQ(info.rates.size(), 10U);
  EXPECT_EQ(info.default_rate, SampleRate{96'000});
  EXPECT_EQ(info.min_period, Frames{16});
  EXPECT_EQ(info.max_period, Frames{8192});
}

TEST(simulated_device, calls_in_the_wrong_order_are_refused_and_harm_nothing) {
  Bench bench;
  EXPECT_EQ(bench.device.start().error().code, ErrorCode::invalid_state);
  EXPECT_EQ(bench.wait(), PeriodStatus::lost);
  EXPECT_FALSE(bench.commit());
  bench.run();
  EXPECT_EQ(bench.device.open(bench.format).error().code, ErrorCode::invalid_state);
  EXPECT_EQ(bench.device.start().error().code, ErrorCode::invalid_state);
  EXPECT_FALSE(bench.commit());  // nothing was delivered yet
  bench.serve();
  EXPECT_FALSE(bench.commit());  // once per period
  bench.device.stop();
  EXPECT_EQ(bench.wait(), PeriodStatus::lost);
  bench.device.close();
  EXPECT_EQ(bench.device.start().error().code, ErrorCode::invalid_state);
}

TEST(simulated_device, a_restart_begins_at_period_zero_and_remembers_no_sound) {
  Bench bench;
  bench.run();
  for (int k = 0; k < 5; ++k) bench.serve();
  bench.device.stop();
  bench.clock.advance(nanoseconds{777});
  ASSERT_TRUE(bench.device.start());
  const Instant again = bench.clock.now();
  for (std::uint64_t k = 0; k < 3; ++k) {
    ASSERT_EQ(bench.wait(), PeriodStatus::ready);
    EXPECT_EQ(bench.period.index, k);
    EXPECT_EQ(bench.captured(0), bench.silence());
  }
  EXPECT_EQ(bench.period.boundary - again, bench.length(3));
}

/// However far the first run came: the second one commits nothing, so it must hear nothing, though
/// the first one's blocks bear the same numbers.
TEST(simulated_device, a_restart_does_not_take_old_blocks_for_its_own) {
  for (int served = 1; served <= 6; ++served) {
    Bench bench;
    bench.run();
    for (int k = 0; k < served; ++k) bench.serve();
    bench.device.stop();
    ASSERT_TRUE(bench.device.start());
    for (int k = 0; k < 9; ++k) {
      ASSERT_EQ(bench.wait(), PeriodStatus::ready);
      ASSERT_EQ(bench.captured(0), bench.silence()) << "after " << served << ", period " << k;
    }
  }
}

}  // namespace
}  // namespace asiodrv::devices
