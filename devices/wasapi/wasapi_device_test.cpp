#include "devices/wasapi/wasapi_device.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "devices/wasapi/device_test_bench.hpp"

namespace asiodrv::devices::wasapi {
namespace {

using fake::Personality;
using ports::PeriodStatus;
using test::Bench;

WasapiOptions mode(ModeChoice choice) {
  WasapiOptions options;
  options.mode = choice;
  return options;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

void expect_plays(Bench& bench, int periods) {
  const Result<> opened = bench.run();
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(bench.serve(periods), periods) << bench.device->loss();
}

TEST(wasapi_device, lists_both_directions_without_a_stream) {
  Bench bench;
  bench.plug(Personality::plain);
  const auto endpoints = list_endpoints(bench.world);
  ASSERT_TRUE(endpoints) << endpoints.error().message;
  ASSERT_EQ(endpoints->size(), 2U);
  EXPECT_EQ(endpoints->front().flow, Flow::render);
  EXPECT_TRUE(endpoints->front().is_default);
  EXPECT_EQ(endpoints->front().mix->rate.hz, 48'000U);
  EXPECT_EQ(bench.world.calls("client.initialize"), 0U);
}

TEST(wasapi_device, shared_mode_plays_every_frame_once_and_in_order) {
  Bench bench;
  bench.plug(Personality::plain);
  ASSERT_TRUE(bench.make(mode(ModeChoice::shared)));
  EXPECT_EQ(bench.format.period.count, 480U);
  ASSERT_TRUE(bench.run());
  EXPECT_EQ(bench.serve(100), 100) << bench.device->loss();
  EXPECT_EQ(bench.lost, 0U);
  EXPECT_EQ(bench.refused, 0U);
  EXPECT_TRUE(bench.played_unbroken(97 * 480));
  EXPECT_EQ(bench.device->figures().target_periods, 2U);
  EXPECT_TRUE(bench.out->glitches().empty());
}

TEST(wasapi_device, small_shared_periods_are_chosen_by_themselves) {
  Bench bench;
  bench.plug(Personality::low_latency_shared);
  ASSERT_TRUE(bench.make());
  EXPECT_LE(bench.format.period.count, 128U);
  ASSERT_TRUE(bench.run());
  EXPECT_NE(joined(bench.device->notes()).find("low-latency"), std::string::npos);
  EXPECT_EQ(bench.device->mode().rfind("low-latency", 0), 0U) << bench.device->mode();
  EXPECT_EQ(bench.serve(500), 500) << bench.device->loss();
  EXPECT_TRUE(bench.played_unbroken(490 * bench.format.period.count));
}

TEST(wasapi_device, exclusive_mode_serves_each_half_once) {
  Bench bench;
  bench.plug(Personality::hda16);
  ASSERT_TRUE(bench.make(mode(ModeChoice::exclusive)));
  const auto opened = bench.run();
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(bench.serve(500), 500) << bench.device->loss();
  EXPECT_EQ(bench.lost, 0U);
  EXPECT_TRUE(bench.out->glitches().empty());
}

/// A level of 0.3 of the converter's steps: rounded off, or there on average.
TEST(wasapi_device, samples_are_dithered_when_asked_and_exact_otherwise) {
  constexpr float kStep = 0x1p-23F;
  for (const bool dither : {false, true}) {
    Bench bench;
    bench.plug(Personality::hda16);
    WasapiOptions options = mode(ModeChoice::exclusive);
    options.capture.clear();
    options.dither = dither;
    ASSERT_TRUE(bench.make(options));
    ASSERT_TRUE(bench.run());
    for (int k = 0; k < 200; ++k) {
      ASSERT_EQ(bench.device->wait_period(bench.period), PeriodStatus::ready);
      for (std::uint32_t channel = 0; channel < bench.period.render.channels; ++channel) {
        std::fill_n(bench.period.render.channel(channel), bench.period.render.frames.count,
                    0.3F * kStep);
      }
      ASSERT_TRUE(bench.device->commit());
    }
    constexpr std::uint64_t kFrames = 10'000;
    const fake::Recorder& recorder = bench.out->recorder();
    ASSERT_GE(recorder.end(), kFrames);
    double sum = 0;
    int others = 0;
    for (std::uint64_t frame = recorder.end() - kFrames; frame < recorder.end(); ++frame) {
      const float played = recorder.at(frame, 0);
      sum += static_cast<double>(played / kStep);
      others += played == 0 ? 0 : 1;
    }
    if (dither) {
      EXPECT_NEAR(sum / static_cast<double>(kFrames), 0.3, 0.03);
    } else {
      EXPECT_EQ(others, 0);
    }
  }
}

TEST(wasapi_device, a_driver_is_asked_once_for_its_exclusive_formats_until_something_changes) {
  Bench bench;
  bench.plug(Personality::hda16);
  ASSERT_TRUE(bench.make(mode(ModeChoice::exclusive)));
  const auto questions = [&bench] { return bench.world.calls("client.is_format_supported"); };
  const auto questions_of_a_look = [&] {
    const std::uint64_t before = questions();
    bench.device->refresh();
    return questions() - before;
  };
  EXPECT_GT(questions(), 0U);
  const ports::DeviceInfo info = bench.device->info();
  EXPECT_EQ(questions_of_a_look(), 0U);
  EXPECT_EQ(bench.device->info(), info);
  ASSERT_TRUE(bench.run());
  bench.device->close();
  EXPECT_EQ(questions_of_a_look(), 0U);
  EXPECT_EQ(bench.device->info(), info);

  bench.out->change_format(48'000, 2);
  EXPECT_GT(questions_of_a_look(), 0U) << "another format was chosen in Windows";
  EXPECT_EQ(questions_of_a_look(), 0U);
  bench.world.fail_next("client.initialize", kEndpointCreateFailed, 1000);
  EXPECT_FALSE(bench.device->open(bench.format));
  bench.world.fail_no_more();
  EXPECT_GT(questions_of_a_look(), 0U) << "what was said is not what was done";
  bench.out->knobs().exclusive_allowed = false;
  EXPECT_FALSE(bench.device->open(bench.format));
  bench.device->refresh();
  EXPECT_GT(questions_of_a_look(), 0U) << "nobody remembers a refusal";
}

/// It is tried again twice a second, and some drivers take milliseconds for each question.
TEST(wasapi_device, a_driver_is_not_asked_again_for_its_exclusive_formats_while_somebody_holds_it) {
  Bench bench;
  bench.plug(Personality::plain);
  WasapiOptions options = mode(ModeChoice::exclusive);
  options.capture.clear();
  ASSERT_TRUE(bench.make(options));
  const ports::DeviceInfo info = bench.device->info();
  const auto questions = [&bench] { return bench.world.calls("client.is_format_supported"); };
  bench.out->take_over();
  const Result<> refused = bench.device->open(bench.format);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::device_busy) << refused.error().message;
  std::uint64_t before = questions();
  bench.device->refresh();
  EXPECT_EQ(questions(), before);
  EXPECT_EQ(bench.device->info(), info);

  // A driver that says so itself is asked nothing else, either.
  bench.world.fail_next("client.is_format_supported", kDeviceInUse, 1000);
  before = questions();
  EXPECT_FALSE(bench.device->open(bench.format));
  EXPECT_EQ(questions(), before + 1);
  bench.world.fail_no_more();
  bench.out->let_go();
  expect_plays(bench, 10);
}

TEST(wasapi_device, one_that_is_held_when_it_is_asked_first_is_busy_and_not_without_formats) {
  Bench bench;
  bench.plug(Personality::plain);
  WasapiOptions options = mode(ModeChoice::exclusive);
  options.capture.clear();
  bench.world.fail_next("client.is_format_supported", kDeviceInUse, 1000);
  const Result<> held = bench.make(options);
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code, ErrorCode::device_busy) << held.error().message;
  EXPECT_EQ(bench.world.calls("client.is_format_supported"), 1U);
  options.mode = ModeChoice::automatic;
  options.prefer_exclusive = true;
  EXPECT_TRUE(bench.make(options)) << "the mixer can be had";
  options.mode = ModeChoice::exclusive;
  bench.world.fail_no_more();
  EXPECT_TRUE(bench.make(options));
}

/// A rule of its own that no question tells: the period that the device names is adopted.
TEST(wasapi_device, a_period_that_the_device_names_is_offered_from_then_on) {
  Bench bench;
  bench.plug(Personality::hda16, [](auto& spec) { spec.knobs.align_bytes = 4096; });
  ASSERT_TRUE(bench.make(mode(ModeChoice::exclusive)));
  const std::uint32_t before = bench.format.period.count;
  ASSERT_LT(before, 512U);
  const Result<> refused = bench.device->open(bench.format);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::format_refused);
  EXPECT_NE(refused.error().message.find("accepts: 512"), std::string::npos)
      << refused.error().message;
  for (int look = 0; look < 2; ++look) {
    const ports::DeviceInfo& info = bench.device->info();
    const auto rate = std::find(info.rates.begin(), info.rates.end(), bench.format.rate);
    ASSERT_NE(rate, info.rates.end());
    const ports::PeriodRange& range =
        info.periods[static_cast<std::size_t>(rate - info.rates.begin())];
    EXPECT_EQ(range.least.count, 512U);
    EXPECT_EQ(range.step.count, 512U);
    EXPECT_EQ(range.standard.count, 512U);
    bench.device->refresh();
  }
  bench.format.period = {512};
  expect_plays(bench, 100);
  EXPECT_TRUE(bench.out->glitches().empty());
  bench.device->close();

  // Another format in Windows is another question.
  bench.out->change_format(48'000, 2);
  bench.out->knobs().align_bytes = 128;
  bench.device->refresh();
  EXPECT_LT(bench.device->info().min_period.count, 512U);
}

TEST(wasapi_device, the_period_that_another_program_holds_the_mixer_at_is_offered_until_it_leaves) {
  Bench bench;
  bench.plug(Personality::low_latency_shared);
  WasapiOptions options = mode(ModeChoice::low_latency);
  options.capture.clear();
  const auto other = make_wasapi_device(bench.world, bench.world.clock(), options);
  ASSERT_TRUE(other);
  ASSERT_TRUE((*other)->open({{48'000}, {256}}));
  ASSERT_TRUE(bench.make(options));
  const ports::DeviceInfo& info = bench.device->info();
  const ports::DeviceFormat first = bench.format;
  ASSERT_LT(first.period.count, 256U);
  const Result<> refused = bench.device->open(first);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::format_refused);
  EXPECT_NE(refused.error().message.find("until it leaves: 256"), std::string::npos)
      << refused.error().message;
  EXPECT_EQ(info.min_period.count, 256U);
  EXPECT_EQ(info.max_period.count, 256U);
  bench.format = {info.default_rate, info.default_period};
  expect_plays(bench, 20);
  EXPECT_NE(joined(bench.device->notes()).find("holds Windows' mixer"), std::string::npos);
  bench.device->close();
  bench.device->refresh();
  EXPECT_EQ(info.min_period.count, 256U) << "it is still there";
  (*other)->close();
  bench.device->refresh();
  EXPECT_EQ(info.min_period.count, 128U);
  bench.format = first;
  EXPECT_TRUE(bench.run());
}

/// Without a look in between: what was known of it refuses nothing.
TEST(wasapi_device, a_mixer_that_was_held_is_tried_again_by_whoever_asks_for_another_period) {
  Bench bench;
  bench.plug(Personality::low_latency_shared);
  WasapiOptions options = mode(ModeChoice::low_latency);
  options.capture.clear();
  ASSERT_TRUE(bench.make(options));
  bench.world.fail_next("client.initialize_shared", kPeriodicityLocked);
  ASSERT_FALSE(bench.device->open(bench.format));
  EXPECT_EQ(bench.device->info().min_period.count, 480U) << "what the mixer runs at";
  const Result<> opened = bench.run();
  EXPECT_TRUE(opened) << opened.error().message;
}

TEST(wasapi_device, a_mixer_that_tells_at_once_that_it_is_held_is_offered_as_it_runs) {
  Bench bench;
  bench.plug(Personality::low_latency_shared);
  WasapiOptions options = mode(ModeChoice::low_latency);
  options.capture.clear();
  const auto other = make_wasapi_device(bench.world, bench.world.clock(), options);
  ASSERT_TRUE(other);
  ASSERT_TRUE((*other)->open({{48'000}, {256}}));
  bench.world.fail_next("client.shared_engine_period", kPeriodicityLocked, 1000);
  ASSERT_TRUE(bench.make(options));
  EXPECT_EQ(bench.format.period.count, 256U);
  expect_plays(bench, 20);
}

RateOffer only_at(SampleRate rate, std::uint32_t frames) {
  return {rate, {{frames}, {frames}, {frames}, {frames}}};
}

TEST(wasapi_device, ends_whose_mixers_are_held_apart_meet_at_the_usual_period) {
  Offer render, capture;
  render.rates.push_back(only_at({48'000}, 256));
  render.held_period = 256;
  render.usual = only_at({48'000}, 480);
  capture.rates.push_back(only_at({48'000}, 480));
  const auto common = common_rates(&render, &capture);
  ASSERT_TRUE(common) << common.error().message;
  ASSERT_EQ(common->size(), 1U);
  EXPECT_EQ(common->front().periods.least.count, 480U);
}

TEST(wasapi_device, an_output_whose_mixer_is_held_goes_with_an_input_that_is_converted) {
  Offer render, capture;
  render.rates.push_back(only_at({48'000}, 256));
  render.held_period = 256;
  render.usual = only_at({48'000}, 480);
  capture.rates.push_back(only_at({44'100}, 441));
  capture.can_convert = true;
  const auto common = common_rates(&render, &capture);
  ASSERT_TRUE(common) << common.error().message;
  ASSERT_EQ(common->size(), 1U);
  EXPECT_EQ(common->front().rate.hz, 48'000U);
  EXPECT_EQ(common->front().periods.least.count, 480U);
}

TEST(wasapi_device, exclusive_mode_alone_has_all_channels_that_the_device_takes) {
  const auto eight = [](fake::EndpointSpec& spec) { spec.knobs.exclusive.channels = {2, 4, 8}; };
  WasapiOptions options = mode(ModeChoice::exclusive);
  {
    Bench bench;
    bench.plug(Personality::plain, eight);
    ASSERT_TRUE(bench.make(options));
    EXPECT_EQ(bench.device->info().output_channels, 8U);
    EXPECT_EQ(bench.device->info().output_names.size(), 8U);
    EXPECT_EQ(bench.device->info().input_channels, 8U);
    const Result<> opened = bench.run();
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(bench.serve(100), 100) << bench.device->loss();
    EXPECT_EQ(bench.period.render.channels, 8U);
    EXPECT_EQ(bench.period.capture.channels, 8U);
    EXPECT_TRUE(bench.out->glitches().empty());
  }
  options = {};
  options.prefer_exclusive = true;
  Bench bench;
  bench.plug(Personality::plain, eight);
  ASSERT_TRUE(bench.make(options));
  EXPECT_EQ(bench.device->info().output_channels, 2U) << "shared mode may take over";
  EXPECT_TRUE(bench.run());
}

/// The driver says yes to whatever it does not take, and no to the rest.
TEST(wasapi_device, channels_that_are_promised_and_refused_are_offered_no_more) {
  Bench bench;
  bench.plug(Personality::plain, [](auto& spec) { spec.knobs.exclusive.liar = 1; });
  WasapiOptions options = mode(ModeChoice::exclusive);
  options.capture.clear();
  ASSERT_TRUE(bench.make(options));
  EXPECT_EQ(bench.device->info().output_channels, 64U);
  EXPECT_FALSE(bench.device->open(bench.format));
  EXPECT_EQ(bench.device->info().output_channels, 2U);
  bench.device->refresh();
  EXPECT_EQ(bench.device->info().output_channels, 2U);
  bench.format = {bench.device->info().default_rate, bench.device->info().default_period};
  expect_plays(bench, 100);
}

TEST(wasapi_device, a_loopback_keeps_its_length_and_every_frame) {
  Bench bench;
  bench.plug(Personality::plain);
  bench.in->wire_from(bench.out, 0);
  ASSERT_TRUE(bench.make(mode(ModeChoice::shared)));
  ASSERT_TRUE(bench.run());
  std::vector<float> heard;
  for (int k = 0; k < 100; ++k) {
    ASSERT_EQ(bench.serve(), PeriodStatus::ready) << bench.device->loss();
    const float* block = bench.period.capture.channel(0);
    heard.insert(heard.end(), block, block + 480);
  }
  std::size_t first = 0;
  while (first < heard.size() && heard[first] == 0) ++first;
  EXPECT_LE(first, 6U * 480);
  ASSERT_LT(first, heard.size());
  for (std::size_t i = first; i < heard.size(); ++i) {
    ASSERT_NEAR(heard[i], Bench::tag(i - first, 0), 0x1p-14F) << i - first;
  }
  EXPECT_EQ(bench.gaps, 0U);
}

TEST(wasapi_device, the_latency_is_estimated_at_first_then_measured_and_then_stays) {
  for (const ModeChoice choice :
       {ModeChoice::shared, ModeChoice::low_latency, ModeChoice::exclusive}) {
    SCOPED_TRACE(static_cast<int>(choice));
    Bench bench;
    bench.plug(Personality::plain);
    ASSERT_TRUE(bench.make(mode(choice)));
    ASSERT_TRUE(bench.run());
    const auto total = [&bench] {
      const ports::DeviceLatency latency = bench.device->latency();
      return static_cast<int>(latency.input.count + latency.output.count);
    };
    const int estimated = total();
    const int period = static_cast<int>(bench.format.period.count);
    const int second = static_cast<int>(bench.format.rate.hz) / period;
    ASSERT_EQ(bench.serve(2 * second), 2 * second) << bench.device->loss();
    EXPECT_NE(bench.device->figures().output_latency_frames, -1);
    EXPECT_NE(bench.device->figures().input_latency_frames, -1);
    const int measured = total();
    EXPECT_LE(std::abs(measured - estimated), 2 * period);
    for (int k = 0; k < 10 * second; ++k) {
      ASSERT_EQ(bench.serve(), PeriodStatus::ready) << bench.device->loss();
      ASSERT_LE(std::abs(total() - measured), period / 4);
    }
  }
}

TEST(wasapi_device, a_late_engine_is_told_what_it_missed_and_the_fill_grows) {
  Bench bench;
  bench.plug(Personality::plain);
  ASSERT_TRUE(bench.make(mode(ModeChoice::shared)));
  ASSERT_TRUE(bench.run());
  ASSERT_EQ(bench.serve(200), 200);
  bench.world.advance(std::chrono::milliseconds{55});
  ASSERT_EQ(bench.serve(100), 100) << bench.device->loss();
  std::uint64_t missing = 0;  // frames in which the converter really had nothing
  for (const fake::Glitch& glitch : bench.out->glitches()) missing += glitch.frames;
  EXPECT_GE(missing, 2U * 480);
  EXPECT_EQ(bench.lost * 480, missing);
  EXPECT_EQ(bench.device->figures().target_periods, 3U);
  bench.out->forget_glitches();
  ASSERT_EQ(bench.serve(100), 100);
  EXPECT_TRUE(bench.out->glitches().empty());
}

TEST(wasapi_device, every_personality_runs_for_a_second_in_some_mode) {
  for (const Personality personality : fake::kPersonalities) {
    SCOPED_TRACE(personality_name(personality));
    Bench bench;
    bench.plug(personality);
    const auto made = bench.make();
    ASSERT_TRUE(made) << made.error().message;
    const auto opened = bench.run();
    ASSERT_TRUE(opened) << opened.error().message;
    const int count = static_cast<int>(bench.format.rate.hz / bench.format.period.count);
    EXPECT_EQ(bench.serve(count), count) << bench.device->loss();
  }
}

TEST(wasapi_device, exclusive_is_preferred_only_when_asked_and_steps_down_with_a_reason) {
  Bench bench;
  bench.plug(Personality::corporate);
  WasapiOptions options;
  options.prefer_exclusive = true;
  ASSERT_TRUE(bench.make(options));
  ASSERT_TRUE(bench.run());
  EXPECT_NE(joined(bench.device->notes()).find("Not exclusive"), std::string::npos)
      << joined(bench.device->notes());
}

TEST(wasapi_device, a_denied_microphone_leaves_the_output_alone) {
  Bench bench;
  bench.plug(Personality::plain, [](auto& spec) { spec.knobs.capture_allowed = false; });
  ASSERT_TRUE(bench.make(mode(ModeChoice::shared)));
  const auto opened = bench.run();
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_NE(joined(bench.device->notes()).find("Microphone"), std::string::npos);
  ASSERT_EQ(bench.serve(50), 50);
  EXPECT_EQ(bench.period.capture.channels, 2U);
  EXPECT_EQ(bench.period.capture.channel(0)[0], 0.0F);
}

TEST(wasapi_device, a_busy_device_says_what_to_do) {
  Bench bench;
  bench.plug(Personality::plain);
  ASSERT_TRUE(bench.make(mode(ModeChoice::shared)));
  bench.out->take_over();
  const auto opened = bench.run();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::device_busy);
  EXPECT_NE(opened.error().message.find("Close that program"), std::string::npos);
  bench.out->let_go();
  EXPECT_TRUE(bench.run());
}

TEST(wasapi_device, an_unplugged_device_is_lost_and_comes_back) {
  Bench bench;
  bench.plug(Personality::plain);
  WasapiOptions options = mode(ModeChoice::shared);
  ASSERT_TRUE(bench.make(options));
  ASSERT_TRUE(bench.run());
  ASSERT_EQ(bench.serve(50), 50);
  bench.out->unplug();
  EXPECT_LT(bench.serve(50), 5);
  EXPECT_NE(bench.device->loss(), "");
  bench.device->stop();
  bench.device->close();
  EXPECT_FALSE(bench.device->open(bench.format));
  bench.out->replug();
  const auto again = bench.run();
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(bench.serve(50), 50) << bench.device->loss();
}

TEST(wasapi_device, the_default_is_followed_to_another_device) {
  Bench bench;
  bench.plug(Personality::plain);
  ASSERT_TRUE(bench.make(mode(ModeChoice::shared)));
  ASSERT_TRUE(bench.run());
  ASSERT_EQ(bench.serve(50), 50);
  fake::EndpointSpec spec = make_spec(Personality::plain, Flow::render);
  spec.id = u"{0.0.0.00000000}.{11111111-2222-3333-4444-555555555555}";
  fake::Endpoint& other = bench.world.add_endpoint(spec);
  bench.world.set_default(Flow::render, &other);
  const int served = bench.serve(100);
  EXPECT_GE(served, 20);  // the news settle first
  EXPECT_LT(served, 40);
  EXPECT_NE(bench.device->loss().find("default"), std::string::npos) << bench.device->loss();
  bench.device->close();
  ASSERT_TRUE(bench.run());
  ASSERT_EQ(bench.serve(50), 50);
  EXPECT_GE(other.frames_played(), 40U * 480);
}

TEST(wasapi_device, a_device_that_falls_silent_is_lost_within_its_patience) {
  Bench bench;
  bench.plug(Personality::plain);
  ASSERT_TRUE(bench.make(mode(ModeChoice::shared)));
  ASSERT_TRUE(bench.run());
  ASSERT_EQ(bench.serve(50), 50);
  bench.out->lose_streams(fake::LossCode::silent);
  const Instant before = bench.world.now();
  EXPECT_LT(bench.serve(50), 5);
  EXPECT_LE(bench.world.now() - before, std::chrono::milliseconds{300});
  EXPECT_NE(bench.device->loss().find("silent"), std::string::npos);
}

TEST(wasapi_device, what_the_mixer_does_not_do_is_refused_with_what_it_does) {
  Bench bench;
  bench.plug(Personality::plain);
  ASSERT_TRUE(bench.make(mode(ModeChoice::shared)));
  const auto refused = bench.device->open({{44'100}, {480}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::format_refused);
  EXPECT_NE(refused.error().message.find("48000 Hz at 480 frames"), std::string::npos);
}

TEST(wasapi_device, an_event_that_nobody_has_served_is_none_of_the_next_start) {
  for (const ModeChoice choice : {ModeChoice::exclusive, ModeChoice::shared}) {
    SCOPED_TRACE(static_cast<int>(choice));
    Bench bench;
    bench.plug(Personality::plain);
    ASSERT_TRUE(bench.make(mode(choice)));
    ASSERT_TRUE(bench.run());
    for (int start = 0; start < 5; ++start) {
      ASSERT_EQ(bench.serve(20), 20);
      bench.world.advance(std::chrono::milliseconds{12});  // a period at least
      bench.device->stop();
      bench.lost = bench.refused = 0;
      ASSERT_TRUE(bench.device->start());
      const Instant before = bench.world.now();
      ASSERT_EQ(bench.serve(20), 20) << bench.device->loss();
      const nanoseconds all = duration_ceil({20 * bench.format.period.count}, bench.format.rate);
      EXPECT_GT(bench.world.now() - before, all * 9 / 10);
      EXPECT_EQ(bench.refused, 0U);
      EXPECT_EQ(bench.lost, 0U);
    }
  }
}

TEST(wasapi_device, interrupt_ends_a_wait) {
  Bench bench;
  bench.plug(Personality::plain);
  ASSERT_TRUE(bench.make(mode(ModeChoice::shared)));
  ASSERT_TRUE(bench.run());
  ASSERT_EQ(bench.serve(3), 3);
  bench.device->interrupt();
  EXPECT_EQ(bench.serve(), PeriodStatus::interrupted);
  EXPECT_EQ(bench.serve(), PeriodStatus::ready);
}

TEST(wasapi_device, dies_at_any_call_without_breaking_a_rule) {
  for (std::uint64_t call = 1; call < 400; call += 3) {
    SCOPED_TRACE(call);
    Bench bench;
    bench.plug(Personality::plain);
    bench.out->unplug_at_call(call);
    if (!bench.make(mode(ModeChoice::shared)) || !bench.run()) continue;
    bench.serve(60);
  }
}

}  // namespace
}  // namespace asiodrv::devices::wasapi
