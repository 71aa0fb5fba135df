// Calls of a host that behaves, and of one that does not.
#include "asio/front.hpp"

#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "asio/testing/world.hpp"
#include "asio/text.hpp"

namespace asiodrv::asio {
namespace {

using testing::FakeHost;
using testing::World;

TEST(front, rates_are_answered_from_the_table_whatever_the_number) {
  World world;
  world.reach(State::initialized);
  for (const double good : {44'100.0, 48'000.0, 96'000.0}) {
    EXPECT_EQ(world.front->can_sample_rate(good), kOk);
  }
  for (const double bad :
       {0.0, -0.0, -48'000.0, 1e7, 48'000.5, DBL_MAX, -DBL_MAX, DBL_MIN,
        std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::signaling_NaN(),
        std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
    EXPECT_EQ(world.front->can_sample_rate(bad), kNoClock) << bad;
    EXPECT_EQ(world.front->set_sample_rate(bad), kNoClock) << bad;
  }
  EXPECT_EQ(world.service.log(), std::vector<std::string>{"connect"});
}

TEST(front, setting_the_present_rate_costs_no_traffic_and_another_one_asks_the_service) {
  World world;
  world.reach(State::initialized);
  EXPECT_EQ(world.front->set_sample_rate(48'000), kOk);
  EXPECT_EQ(world.service.calls("rate 48000"), 0);
  EXPECT_EQ(world.front->set_sample_rate(96'000), kOk);
  EXPECT_EQ(world.service.calls("rate 96000"), 1);
  double rate = 0;
  EXPECT_EQ(world.front->get_sample_rate(&rate), kOk);
  EXPECT_EQ(rate, 96'000.0);
}

TEST(front, the_estimated_latencies_follow_the_preferred_size_of_the_rate) {
  World world;
  world.service.description.buffer_sizes[2] = {{64}, {2048}, {256}, {}};
  world.reach(State::initialized);
  ASSERT_EQ(world.front->set_sample_rate(96'000), kOk);
  std::int32_t input = 0, output = 0;
  EXPECT_EQ(world.front->get_latencies(&input, &output), kOk);
  EXPECT_EQ(input, 256 + 5);
  EXPECT_EQ(output, 256 + 7);
}

TEST(front, the_estimated_latencies_follow_a_rate_that_somebody_else_has_set) {
  World world;
  world.service.description.buffer_sizes[2] = {{64}, {2048}, {256}, {}};
  world.reach(State::initialized);
  world.service.send({.kind = wire::HostEventKind::rate_changed,
                      .rate = {96'000},
                      .input_latency = {},
                      .output_latency = {}});
  world.front->serve_notifier(world.clock.now());
  std::int32_t minimum = 0, maximum = 0, preferred = 0, granularity = 0;
  EXPECT_EQ(world.front->get_buffer_size(&minimum, &maximum, &preferred, &granularity), kOk);
  EXPECT_EQ(preferred, 256);
  std::int32_t input = 0, output = 0;
  EXPECT_EQ(world.front->get_latencies(&input, &output), kOk);
  EXPECT_EQ(input, 256 + 5);
  EXPECT_EQ(output, 256 + 7);
}

TEST(front, a_rate_that_the_service_refuses_leaves_the_old_one) {
  World world;
  world.reach(State::prepared);
  world.service.failures["rate"] = {ErrorCode::format_refused, "Another program streams at 48000."};
  EXPECT_EQ(world.front->set_sample_rate(96'000), kNoClock);
  EXPECT_EQ(world.message(), "Another program streams at 48000.");
  double rate = 0;
  EXPECT_EQ(world.front->get_sample_rate(&rate), kOk);
  EXPECT_EQ(rate, 48'000.0);
}

TEST(front, a_rate_outlives_the_driver_object_in_its_process) {
  World world;
  world.reach(State::initialized);
  EXPECT_EQ(world.front->set_sample_rate(96'000), kOk);
  world.front->shutdown();
  world.service.description.rate = {48'000};
  world.front = AsioFront::create(world.ports(), {.manual_stream = true, .manual_notifier = true});
  ASSERT_TRUE(world.front->init());
  double rate = 0;
  EXPECT_EQ(world.front->get_sample_rate(&rate), kOk);
  EXPECT_EQ(rate, 96'000.0);
}

TEST(front, a_lost_clock_reads_as_rate_zero) {
  World world;
  world.service.description.rate = {0};
  world.reach(State::initialized);
  double rate = 77;
  EXPECT_EQ(world.front->get_sample_rate(&rate), kNoClock);
  EXPECT_EQ(rate, 0.0);
}

TEST(front, sizes_are_powers_of_two_and_never_zero) {
  World world;
  world.reach(State::initialized);
  std::int32_t minimum = 0, maximum = 0, preferred = 0, granularity = 0;
  EXPECT_EQ(world.front->get_buffer_size(&minimum, &maximum, &preferred, &granularity), kOk);
  EXPECT_EQ(minimum, 32);
  EXPECT_EQ(maximum, 2048);
  EXPECT_EQ(preferred, 64);
  EXPECT_EQ(granularity, -1);
  EXPECT_EQ(world.front->get_buffer_size(&minimum, nullptr, &preferred, &granularity),
            kInvalidParameter);
  EXPECT_EQ(minimum, 0);
}

TEST(front, latencies_are_an_estimate_first_and_the_truth_with_buffers) {
  World world;
  world.reach(State::initialized);
  std::int32_t input = 0, output = 0;
  EXPECT_EQ(world.front->get_latencies(&input, &output), kOk);
  EXPECT_EQ(input, 64 + 5);
  EXPECT_EQ(output, 64 + 7);
  ASSERT_EQ(world.create(256), kOk);
  EXPECT_EQ(world.front->get_latencies(&input, &output), kOk);
  EXPECT_EQ(input, 256 + 5);
  EXPECT_EQ(output, 256 + 7);
  InternalBufferInfo internal{};
  EXPECT_EQ(world.front->future(kGetInternalBufferSamples, &internal), kFutureSuccess);
  EXPECT_EQ(internal.input_samples, 5);
  EXPECT_EQ(internal.output_samples, 7);
  EXPECT_EQ(world.front->dispose_buffers(), kOk);
  EXPECT_EQ(world.front->get_latencies(&input, &output), kOk);
  EXPECT_EQ(input, 64 + 5);
}

TEST(front, a_deferring_host_sees_one_more_buffer_in_the_estimate) {
  World world;
  world.service.description.deferred = true;
  world.reach(State::initialized);
  std::int32_t input = 0, output = 0;
  EXPECT_EQ(world.front->get_latencies(&input, &output), kOk);
  EXPECT_EQ(input, 64 + 5);
  EXPECT_EQ(output, 2 * 64 + 7);
}

TEST(front, clock_sources_respect_the_capacity) {
  World world;
  world.service.description.clock_sources = {{"Internal", false}, {"Word clock", true}};
  world.reach(State::initialized);
  ClockSource sources[3];
  std::memset(sources, 0x55, sizeof sources);
  std::int32_t count = 1;
  EXPECT_EQ(world.front->get_clock_sources(sources, &count), kOk);
  EXPECT_EQ(count, 1);
  EXPECT_EQ(sources[1].index, 0x55555555);
  count = 3;
  EXPECT_EQ(world.front->get_clock_sources(sources, &count), kOk);
  EXPECT_EQ(count, 2);
  EXPECT_STREQ(sources[1].name, "Word clock");
  EXPECT_EQ(sources[0].is_current, 0);
  EXPECT_EQ(sources[1].is_current, 1);
  EXPECT_EQ(sources[1].channel, -1);
  for (const std::int32_t bad : {0, -1, INT32_MIN}) {
    count = bad;
    EXPECT_EQ(world.front->get_clock_sources(sources, &count), kInvalidParameter);
  }
  EXPECT_EQ(world.front->get_clock_sources(nullptr, &count), kInvalidParameter);
  EXPECT_EQ(world.front->get_clock_sources(sources, nullptr), kInvalidParameter);
}

TEST(front, clock_sources_are_selected_by_index_or_by_rate_zero) {
  World world;
  world.service.description.clock_sources = {{"Internal", true}, {"Word clock", false}};
  world.reach(State::initialized);
  for (const std::int32_t bad : {-1, 2, 1000, INT32_MAX, INT32_MIN}) {
    EXPECT_EQ(world.front->set_clock_source(bad), kInvalidParameter);
  }
  EXPECT_EQ(world.front->set_clock_source(0), kOk);
  EXPECT_EQ(world.service.calls("clock 0"), 0);
  world.service.failures["clock"] = {ErrorCode::format_refused, "No signal."};
  EXPECT_EQ(world.front->set_clock_source(1), kInvalidMode);
  world.service.failures.clear();
  EXPECT_EQ(world.front->set_sample_rate(0), kOk);
  EXPECT_EQ(world.service.calls("clock 1"), 2);
  EXPECT_EQ(world.front->set_sample_rate(0), kOk);  // already external
  EXPECT_EQ(world.service.calls("clock 1"), 2);
  EXPECT_EQ(world.front->set_sample_rate(96'000), kInvalidMode);
}

TEST(front, channels_are_described_in_ascii_and_marked_when_active) {
  World world;
  world.service.description.input_names = {"Mikrof\xC3\xB6n", std::string(60, 'x')};
  world.service.description.sample_type = SampleType::int24;
  world.reach(State::initialized);
  ChannelInfo info{.channel = 0, .is_input = 7, .is_active = 1, .group = 9, .type = 0, .name = {}};
  EXPECT_EQ(world.front->get_channel_info(&info), kOk);
  EXPECT_STREQ(info.name, "Mikrof?n");
  EXPECT_EQ(info.type, kInt24Lsb);
  EXPECT_EQ(info.is_active, 0);
  EXPECT_EQ(info.group, 0);
  info.channel = 1;
  EXPECT_EQ(world.front->get_channel_info(&info), kOk);
  EXPECT_EQ(std::strlen(info.name), 31u);
  BufferInfo one{1, 1, {}};
  Callbacks callbacks = FakeHost::callbacks();
  ASSERT_EQ(world.front->create_buffers(&one, 1, 64, &callbacks), kOk);
  EXPECT_EQ(world.front->get_channel_info(&info), kOk);
  EXPECT_EQ(info.is_active, 1);
  info.is_input = 0;
  EXPECT_EQ(world.front->get_channel_info(&info), kOk);
  EXPECT_EQ(info.is_active, 0);
  for (const std::int32_t bad : {-1, -5, 2, 1000, INT32_MAX, INT32_MIN}) {
    info.channel = bad;
    EXPECT_EQ(world.front->get_channel_info(&info), kInvalidParameter);
  }
  EXPECT_EQ(world.front->get_channel_info(nullptr), kInvalidParameter);
}

TEST(front, a_device_without_channels_is_not_present) {
  World world;
  world.service.description.input_names.clear();
  world.service.description.output_names.clear();
  world.reach(State::initialized);
  std::int32_t inputs = 7, outputs = 7;
  EXPECT_EQ(world.front->get_channels(&inputs, &outputs), kNotPresent);
  EXPECT_EQ(world.front->get_channels(nullptr, &outputs), kInvalidParameter);
}

TEST(front, buffers_are_aligned_silent_and_where_the_service_looks) {
  World world;
  world.reach(State::prepared);
  const auto session = world.service.session();
  for (const BufferInfo& info : world.infos) {
    for (std::uint32_t half = 0; half < 2; ++half) {
      const auto* const block = static_cast<const float*>(info.buffers[half]);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 64, 0u);
      for (int i = 0; i < 64; ++i) EXPECT_EQ(block[i], 0.0F);
      const auto channel = static_cast<std::uint32_t>(info.channel);
      EXPECT_EQ(block, info.is_input != 0 ? session->input(channel, half)
                                          : session->output(channel, half));
    }
  }
}

TEST(front, channels_come_in_any_order_and_any_subset) {
  World world;
  world.reach(State::initialized);
  BufferInfo infos[] = {{0, 1, {}}, {1, 1, {}}, {0, 0, {}}};
  Callbacks callbacks = FakeHost::callbacks();
  ASSERT_EQ(world.front->create_buffers(infos, 3, 128, &callbacks), kOk);
  const auto session = world.service.session();
  EXPECT_EQ(infos[0].buffers[0], session->output(0, 0));
  EXPECT_EQ(infos[1].buffers[1], session->input(0, 1));
  EXPECT_EQ(infos[2].buffers[0], session->output(1, 0));
}

/// Each bad createBuffers is refused with its number, changes nothing, and the right one works.
TEST(front, a_failed_create_buffers_leaves_a_clean_initialized_state) {
  World world;
  world.reach(State::initialized);
  Callbacks good = FakeHost::callbacks();
  Callbacks no_switch = good;
  no_switch.buffer_switch = nullptr;
  struct Bad {
    std::vector<BufferInfo> infos;
    std::int32_t count, frames;
    Callbacks* callbacks;
    AsioError expected;
  };
  const auto all = world.all_channels();
  const std::vector<Bad> cases{
      {{}, 4, 64, &good, kInvalidParameter},
      {all, 0, 64, &good, kInvalidParameter},
      {all, -1, 64, &good, kInvalidParameter},
      {all, 5, 64, &good, kInvalidParameter},
      {all, INT32_MAX, 64, &good, kInvalidParameter},
      {all, 4, 64, nullptr, kInvalidParameter},
      {all, 4, 64, &no_switch, kInvalidParameter},
      {all, 4, 0, &good, kInvalidParameter},
      {all, 4, -64, &good, kInvalidParameter},
      {all, 4, 16, &good, kInvalidMode},
      {all, 4, 63, &good, kInvalidMode},
      {all, 4, 4096, &good, kInvalidMode},
      {all, 4, INT32_MAX, &good, kInvalidMode},
      {{{1, 1000, {}}}, 1, 64, &good, kInvalidParameter},
      {{{0, -5, {}}}, 1, 64, &good, kInvalidParameter},
      {{{1, 2, {}}}, 1, 64, &good, kInvalidParameter},
      {{{1, 0, {}}, {1, 0, {}}}, 2, 64, &good, kInvalidParameter},
  };
  for (const Bad& bad : cases) {
    auto infos = bad.infos;
    EXPECT_EQ(world.front->create_buffers(infos.empty() ? nullptr : infos.data(), bad.count,
                                          bad.frames, bad.callbacks),
              bad.expected)
        << bad.count << " channels, " << bad.frames << " frames";
    EXPECT_EQ(world.front->state(), State::initialized);
    EXPECT_EQ(world.service.calls("create"), 0);
    EXPECT_NE(world.message(), "No error has occurred.");
  }
  EXPECT_EQ(world.create(), kOk);
}

TEST(front, a_service_that_refuses_or_lies_leaves_a_clean_initialized_state) {
  World world;
  world.reach(State::initialized);
  world.service.failures["create"] = {ErrorCode::device_busy, "Another program has the device."};
  EXPECT_EQ(world.create(), kHardwareMalfunction);
  EXPECT_EQ(world.message(), "Another program has the device.");
  world.service.failures["create"] = {ErrorCode::out_of_memory, "No memory."};
  EXPECT_EQ(world.create(), kNoMemory);
  world.service.failures.clear();
  world.service.region_deficit = 1;
  EXPECT_EQ(world.create(), kHardwareMalfunction);
  EXPECT_EQ(world.service.calls("dispose"), 1);
  world.service.region_deficit = 0;
  EXPECT_EQ(world.create(), kOk);
}

TEST(front, a_service_that_restarted_unnoticed_still_serves_create_buffers) {
  World world;
  world.reach(State::initialized);
  world.service.die();
  world.service.revive();
  EXPECT_EQ(world.create(), kOk);
  EXPECT_EQ(world.service.calls("connect"), 2);
}

TEST(front, a_start_that_the_hardware_refuses_stays_prepared) {
  World world;
  world.reach(State::prepared);
  world.service.failures["start"] = {ErrorCode::device_gone, "The device was unplugged."};
  EXPECT_EQ(world.front->start(), kHardwareMalfunction);
  EXPECT_EQ(world.message(), "The device was unplugged.");
  EXPECT_EQ(world.front->state(), State::prepared);
  world.service.failures.clear();
  EXPECT_EQ(world.front->start(), kOk);
}

TEST(front, future_answers_every_selector) {
  World world;
  const std::set<std::int32_t> there{kCanTimeInfo,   kCanInputMonitor, kCanInputGain,
                                     kCanInputMeter, kCanOutputGain,   kCanOutputMeter};
  const std::set<std::int32_t> absent{1, 2, kTransport, kCanTimeCode, kCanTransport, 17};
  for (std::int32_t selector = -3; selector <= 40; ++selector) {
    const std::int32_t expected = there.contains(selector)    ? kFutureSuccess
                                  : absent.contains(selector) ? kNotPresent
                                                              : kInvalidParameter;
    EXPECT_EQ(world.front->future(selector, nullptr), expected) << selector;
  }
  EXPECT_EQ(world.front->future(kCanReportOverload, nullptr), kFutureSuccess);
  InternalBufferInfo internal{7, 7};
  EXPECT_EQ(world.front->future(kGetInternalBufferSamples, nullptr), kInvalidParameter);
  EXPECT_EQ(world.front->future(kGetInternalBufferSamples, &internal), kInvalidMode);
  EXPECT_EQ(internal.input_samples, 0);
}

TEST(front, monitors_and_gains_are_passed_on_once_judged) {
  World world;
  InputMonitor monitor{-1, 0, 0x20000000, 1, 0};
  EXPECT_EQ(world.front->future(kSetInputMonitor, &monitor), kInvalidMode) << "before init";
  world.reach(State::initialized);
  const auto last = [&] { return world.service.log().back(); };
  EXPECT_EQ(world.front->future(kSetInputMonitor, &monitor), kFutureSuccess);
  EXPECT_EQ(last(), "monitor all to 0 on");
  monitor = {1, 1, 0, 0, 0x7fffffff};
  EXPECT_EQ(world.front->future(kSetInputMonitor, &monitor), kFutureSuccess);
  EXPECT_EQ(last(), "monitor 1 to 1 off");
  ChannelControls controls{1, 1, 0x10000000, 0, {}};
  EXPECT_EQ(world.front->future(kSetInputGain, &controls), kFutureSuccess);
  EXPECT_EQ(last(), "input gain 1");
  EXPECT_EQ(world.front->future(kSetOutputGain, &controls), kFutureSuccess);
  EXPECT_EQ(last(), "output gain 1");

  const std::size_t calls = world.service.log().size();
  constexpr auto kBeyond = static_cast<std::int32_t>(wire::kMaxChannels);
  for (const InputMonitor& wrong :
       {InputMonitor{-2, 0, 1, 1, 0}, InputMonitor{0, -1, 1, 1, 0}, InputMonitor{0, 0, -1, 1, 0},
        InputMonitor{0, 0, 1, 1, -1}, InputMonitor{kBeyond, 0, 1, 1, 0},
        InputMonitor{-1, kBeyond, 1, 1, 0}}) {
    InputMonitor copy = wrong;
    EXPECT_EQ(world.front->future(kSetInputMonitor, &copy), kInvalidParameter);
  }
  for (const std::int32_t wrong : {-1, kBeyond}) {
    controls.channel = wrong;
    EXPECT_EQ(world.front->future(kSetInputGain, &controls), kInvalidParameter);
    EXPECT_EQ(world.front->future(kSetOutputGain, &controls), kInvalidParameter);
  }
  EXPECT_EQ(world.service.log().size(), calls) << "nothing of it reached the service";

  world.service.failures["monitor"] = {ErrorCode::invalid_argument, "There is no output 9."};
  monitor = {0, 9, 1, 1, 0};
  EXPECT_EQ(world.front->future(kSetInputMonitor, &monitor), kInvalidParameter);
  EXPECT_EQ(world.message(), "There is no output 9.");
}

TEST(front, one_answer_serves_the_meters_of_all_channels) {
  World world;
  world.reach(State::initialized);
  ChannelControls controls{0, 1, 0, -5, {}};
  EXPECT_EQ(world.front->future(kGetInputMeter, &controls), kFutureSuccess);
  EXPECT_EQ(controls.meter, 0x7fffffff);
  const std::size_t calls = world.service.log().size();
  controls.channel = 1;
  EXPECT_EQ(world.front->future(kGetInputMeter, &controls), kFutureSuccess);
  EXPECT_EQ(controls.meter, 7);
  EXPECT_EQ(world.front->future(kGetOutputMeter, &controls), kFutureSuccess);
  EXPECT_EQ(controls.meter, 9);
  EXPECT_EQ(world.service.log().size(), calls);
  controls.channel = 2;
  EXPECT_EQ(world.front->future(kGetOutputMeter, &controls), kInvalidParameter);
}

TEST(front, levels_that_come_too_late_cost_no_sound) {
  World world;
  world.reach(State::running);
  world.service.failures["levels"] = {ErrorCode::timed_out, "No answer in time."};
  ChannelControls controls{0, 1, 0, 0, {}};
  EXPECT_EQ(world.front->future(kGetInputMeter, &controls), kHardwareMalfunction);
  EXPECT_EQ(world.message(), "No answer in time.");
  EXPECT_EQ(world.front->future(kGetInputMeter, &controls), kHardwareMalfunction);
  EXPECT_EQ(world.service.calls("levels"), 1) << "who asks again does not wait again at once";
  EXPECT_EQ(world.service.calls("disconnect"), 0);
  world.service.failures.clear();
  world.virtual_clock.advance(std::chrono::seconds{1});
  EXPECT_EQ(world.front->future(kGetInputMeter, &controls), kFutureSuccess);
  ASSERT_TRUE(world.cycle(2.0F));
  EXPECT_EQ(world.host_input(0, 0)[0], 2.0F);
}

TEST(front, pcm_is_the_only_format_and_set_before_buffers_only) {
  World world;
  world.reach(State::initialized);
  IoFormat format{};
  for (const std::int32_t selector : {kCanDoIoFormat, kSetIoFormat}) {
    format.format_type = kIoFormatPcm;
    EXPECT_EQ(world.front->future(selector, &format), kFutureSuccess);
    EXPECT_EQ(format.format_type, kIoFormatPcm);
    format.format_type = 1;  // DSD
    EXPECT_EQ(world.front->future(selector, &format), kNotPresent);
    EXPECT_EQ(format.format_type, kIoFormatInvalid);
    EXPECT_EQ(world.front->future(selector, nullptr), kInvalidParameter);
  }
  EXPECT_EQ(world.front->future(kGetIoFormat, &format), kFutureSuccess);
  EXPECT_EQ(format.format_type, kIoFormatPcm);
  ASSERT_EQ(world.create(), kOk);
  EXPECT_EQ(world.front->future(kSetIoFormat, &format), kInvalidMode);
}

TEST(front, the_panel_is_the_ports_business) {
  World world;
  EXPECT_EQ(world.front->control_panel(), kNotPresent);
  FrontPorts ports = world.ports();
  ports.open_panel = [] { return fail(ErrorCode::not_found, "It is not installed."); };
  world.front = AsioFront::create(ports, {});
  EXPECT_EQ(world.front->control_panel(), kNotPresent);
  EXPECT_EQ(world.message(), "The control panel could not be opened: It is not installed.");
}

TEST(front, a_reset_request_makes_the_next_buffers_see_the_new_device) {
  World world;
  world.reach(State::prepared);
  world.service.description.input_names.push_back("In 3");
  world.service.send({.kind = wire::HostEventKind::reset_request,
                      .rate = {},
                      .input_latency = {},
                      .output_latency = {}});
  world.front->serve_notifier(world.clock.now());
  EXPECT_EQ(world.front->dispose_buffers(), kOk);
  std::int32_t inputs = 0, outputs = 0;
  EXPECT_EQ(world.front->get_channels(&inputs, &outputs), kOk);
  EXPECT_EQ(inputs, 3);
}

TEST(front, text_fits_its_field) {
  char field[12];
  std::memset(field, '!', sizeof field);
  copy_text(field, 11, "short");
  EXPECT_STREQ(field, "short");
  copy_text(field, 11, "exactly10c");
  EXPECT_STREQ(field, "exactly10c");
  copy_text(field, 11, "eleven chars");
  EXPECT_STREQ(field, "eleven ...");
  EXPECT_EQ(field[11], '!');
  copy_text(field, 11, "a\nb\x7F\xE2\x82\xAC");
  EXPECT_STREQ(field, "a?b??");
}

TEST(front, messages_are_cut_behind_a_whole_word) {
  char field[21];
  std::memset(field, '!', sizeof field);
  const auto message = [&](const char* text) {
    copy_message(field, 20, text);
    EXPECT_EQ(field[20], '!');
    return std::string(field);
  };
  EXPECT_EQ(message("one two three four "), "one two three four ");
  EXPECT_EQ(message("one two three four five"), "one two three...");
  EXPECT_EQ(message("one two, three, four five"), "one two, three...");
  EXPECT_EQ(message("one two thr\xC3\xA9\xC3\xA9 four five"), "one two thr??...");
  EXPECT_EQ(message("one twothreefourfivesix"), "one twothreefour...");
}

}  // namespace
}  // namespace asiodrv::asio
