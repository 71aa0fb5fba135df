// What the host is told, and how a lost service comes back, step by step in virtual time.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "asio/testing/world.hpp"

namespace asiodrv::asio {
namespace {

using std::chrono::milliseconds;
using testing::Switch;
using testing::World;
using wire::HostEventKind;

wire::HostEvent event(HostEventKind kind, std::uint32_t hz = 0, std::uint32_t input = 0,
                      std::uint32_t output = 0) {
  return {.kind = kind, .rate = {hz}, .input_latency = {input}, .output_latency = {output}};
}

void deliver(World& world, const wire::HostEvent& what) {
  world.service.send(what);
  world.front->serve_notifier(world.clock.now());
}

TEST(notifier, each_event_becomes_its_message_in_order) {
  World world;
  world.reach(State::running);
  ASSERT_EQ(world.front->future(kCanReportOverload, nullptr), kFutureSuccess);
  deliver(world, event(HostEventKind::resync));
  deliver(world, event(HostEventKind::latencies_changed, 0, 100, 200));
  deliver(world, event(HostEventKind::overload));
  deliver(world, event(HostEventKind::reset_request));
  EXPECT_EQ(world.host.messages(), (std::vector<std::int32_t>{kResyncRequest, kLatenciesChanged,
                                                              kOverload, kResetRequest}));
  std::int32_t input = 0, output = 0;
  EXPECT_EQ(world.front->get_latencies(&input, &output), kOk);
  EXPECT_EQ(input, 100);
  EXPECT_EQ(output, 200);
}

TEST(notifier, a_clock_source_is_selected_again_after_somebody_else_selected_another) {
  World world;
  world.service.description.clock_sources = {{"Internal", true}, {"Word clock", false}};
  world.reach(State::running);
  EXPECT_EQ(world.front->set_clock_source(0), kOk);
  EXPECT_EQ(world.service.calls("clock 0"), 0);  // known to be so
  deliver(world, event(HostEventKind::clock_changed));
  EXPECT_EQ(world.front->set_clock_source(0), kOk);
  EXPECT_EQ(world.service.calls("clock 0"), 1);
}

TEST(notifier, a_host_without_buffers_reads_who_selected_which_clock_source) {
  World world;
  world.service.description.clock_sources = {{"Internal", true}, {"Word clock", false}};
  world.reach(State::initialized);
  world.service.description.clock_sources = {{"Internal", false}, {"Word clock", true}};
  deliver(world, event(HostEventKind::clock_changed));
  ClockSource sources[2];
  std::int32_t count = 2;
  EXPECT_EQ(world.front->get_clock_sources(sources, &count), kOk);
  EXPECT_EQ(sources[1].is_current, 1);
}

TEST(notifier, nothing_is_sent_that_the_host_does_not_understand) {
  World world;
  world.host.understood.clear();
  world.reach(State::running);
  (void)world.front->future(kCanReportOverload, nullptr);
  for (const HostEventKind kind :
       {HostEventKind::resync, HostEventKind::reset_request, HostEventKind::overload}) {
    deliver(world, event(kind));
  }
  EXPECT_TRUE(world.host.messages().empty());
}

TEST(notifier, a_host_without_a_message_callback_is_left_in_peace) {
  World world;
  world.reach(State::initialized);
  Callbacks callbacks = testing::FakeHost::callbacks();
  callbacks.message = nullptr;
  callbacks.sample_rate_did_change = nullptr;
  auto infos = world.all_channels();
  ASSERT_EQ(world.front->create_buffers(infos.data(), 4, 64, &callbacks), kOk);
  deliver(world, event(HostEventKind::reset_request));
  deliver(world, event(HostEventKind::rate_changed, 96'000));
  EXPECT_TRUE(world.host.messages().empty());
  EXPECT_TRUE(world.host.rates().empty());
}

TEST(notifier, a_reset_is_asked_for_once_per_set_of_buffers) {
  World world;
  world.reach(State::running);
  for (int i = 0; i < 3; ++i) deliver(world, event(HostEventKind::reset_request));
  EXPECT_EQ(world.host.messages().size(), 1u);
  ASSERT_EQ(world.front->dispose_buffers(), kOk);
  ASSERT_EQ(world.create(), kOk);
  deliver(world, event(HostEventKind::reset_request));
  EXPECT_EQ(world.host.messages().size(), 2u);
}

TEST(notifier, overload_needs_the_hosts_interest_and_is_not_a_flood) {
  World world;
  world.reach(State::running);
  deliver(world, event(HostEventKind::overload));
  EXPECT_TRUE(world.host.messages().empty());
  (void)world.front->future(kCanReportOverload, nullptr);
  for (int i = 0; i < 5; ++i) deliver(world, event(HostEventKind::overload));
  EXPECT_EQ(world.host.messages().size(), 1u);
  world.virtual_clock.advance(milliseconds{200});
  deliver(world, event(HostEventKind::overload));
  EXPECT_EQ(world.host.messages().size(), 2u);
}

TEST(notifier, a_rate_is_told_when_it_is_news_only) {
  World world;
  world.reach(State::running);
  ASSERT_EQ(world.front->set_sample_rate(96'000), kOk);
  deliver(world, event(HostEventKind::rate_changed, 96'000));  // the host's own doing
  EXPECT_TRUE(world.host.rates().empty());
  deliver(world, event(HostEventKind::rate_changed, 44'100));
  deliver(world, event(HostEventKind::rate_changed, 44'100));
  deliver(world, event(HostEventKind::rate_changed, 0));  // the clock is lost
  EXPECT_EQ(world.host.rates(), (std::vector<double>{44'100.0, 0.0}));
  double rate = 7;
  EXPECT_EQ(world.front->get_sample_rate(&rate), kNoClock);
}

TEST(notifier, unchanged_latencies_are_no_news) {
  World world;
  world.reach(State::running);
  deliver(world, event(HostEventKind::latencies_changed, 0, 64 + 5, 64 + 7));
  EXPECT_TRUE(world.host.messages().empty());
}

/// Looking again means another connection, and a program's rate ends with its connection.
TEST(notifier, the_rate_that_the_host_has_set_outlives_a_reset) {
  for (const State state : {State::initialized, State::prepared, State::running}) {
    World world;
    world.reach(State::initialized);
    ASSERT_EQ(world.front->set_sample_rate(96'000), kOk);
    world.reach(state);
    world.service.description.rate = {48'000};
    deliver(world, event(HostEventKind::reset_request));
    if (state != State::initialized) {
      ASSERT_EQ(world.front->dispose_buffers(), kOk);
    }
    EXPECT_EQ(world.service.calls("connect"), 2);
    EXPECT_EQ(world.service.description.rate, SampleRate{96'000});
    double rate = 0;
    EXPECT_EQ(world.front->get_sample_rate(&rate), kOk);
    EXPECT_EQ(rate, 96'000.0);
  }
}

TEST(notifier, without_buffers_a_reset_only_looks_again) {
  World world;
  world.reach(State::initialized);
  world.service.description.output_names.push_back("Out 3");
  deliver(world, event(HostEventKind::reset_request));
  std::int32_t inputs = 0, outputs = 0;
  EXPECT_EQ(world.front->get_channels(&inputs, &outputs), kOk);
  EXPECT_EQ(outputs, 3);
  EXPECT_TRUE(world.host.messages().empty());
}

/// Steps the notifier and the stream until `done`, a tick of virtual time after the other.
template <class Done>
bool step_until(World& world, Done done) {
  for (int tick = 0; tick < 10'000; ++tick) {
    if (done()) return true;
    world.front->serve_notifier(world.clock.now());
    (void)world.front->serve_cycle();
    world.virtual_clock.advance(milliseconds{1});
  }
  return false;
}

TEST(recovery, sound_returns_by_itself_through_the_hosts_old_pointers) {
  World world;
  world.host.wants_time_info = 1;
  world.host.on_switch = [&](std::int32_t half) {
    world.host_output(1, half)[3] = world.host_input(1, half)[3] + 0.25F;
  };
  world.reach(State::running);
  ASSERT_TRUE(world.cycle(1.0F));
  const std::vector<BufferInfo> pointers = world.infos;

  world.service.die();
  ASSERT_TRUE(step_until(world, [&] { return world.host.switches().size() > 20; }));
  for (const std::int32_t half : {0, 1}) EXPECT_EQ(world.host_input(1, half)[3], 0.0F);
  world.service.revive();
  const int starts = world.service.calls("start");
  ASSERT_TRUE(step_until(world, [&] { return world.service.calls("start") > starts; }));
  (void)world.front->serve_cycle();  // moves over

  ASSERT_TRUE(world.cycle(5.0F));  // the way back: no audio yet
  for (int k = 0; k < 6; ++k) {
    const float value = 10.0F + static_cast<float>(k);
    ASSERT_TRUE(world.cycle(value));
    const auto session = world.service.session();
    ASSERT_TRUE(session->acknowledged());
    const auto half = static_cast<std::int32_t>(session->half);
    EXPECT_EQ(world.host.switches().back().half, half);
    EXPECT_EQ(world.host_input(0, half)[63], value);
    EXPECT_EQ(session->output(1, session->half)[3], value + 0.25F);
    EXPECT_NE(static_cast<void*>(session->input(0, 0)), pointers[0].buffers[0]);  // a new section
  }
  const auto seen = world.host.switches();
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].half, static_cast<std::int32_t>(i % 2));
    if (i == 0) continue;
    EXPECT_GT(join64(seen[i].time.info.sample_position),
              join64(seen[i - 1].time.info.sample_position));
    EXPECT_GE(join64(seen[i].time.info.system_time), join64(seen[i - 1].time.info.system_time));
  }
  EXPECT_TRUE(world.host.messages().empty());
}

TEST(recovery, what_lies_in_the_newer_section_is_not_played_again) {
  World world;
  world.reach(State::running);
  ASSERT_TRUE(world.cycle());
  world.service.die();
  world.front->serve_notifier(world.clock.now());
  world.service.revive();
  ASSERT_TRUE(step_until(world, [&] { return world.service.calls("start") == 2; }));
  (void)world.front->serve_cycle();  // moves over
  for (int k = 0; k < 4; ++k) ASSERT_TRUE(world.cycle());
  const auto session = world.service.session();
  const std::uint32_t half = session->reply().next_half & 1U;
  session->output(0, half)[3] = 0.5F;  // what was played two periods ago
  // The service decides that it rings with audio, and is held up; the host goes on alone meanwhile.
  world.virtual_clock.advance(std::chrono::seconds{1});
  ASSERT_TRUE(world.front->serve_cycle());
  wire::CycleStamp stamp{};
  stamp.sample_position = session->position;
  stamp.boundary_ns = world.clock.now().ns;
  stamp.half = half;
  stamp.rate_hz = 48'000.0;
  world.service.ring_stamp(stamp);
  ASSERT_TRUE(world.front->serve_cycle());
  ASSERT_TRUE(session->acknowledged());
  EXPECT_EQ(session->output(0, half)[3], 0.0F);
}

TEST(recovery, what_the_host_fills_in_before_a_start_reaches_the_newer_section) {
  World world;
  world.reach(State::running);
  ASSERT_TRUE(world.cycle());
  world.service.die();
  ASSERT_TRUE(step_until(world, [&] { return world.host.switches().size() > 5; }));
  world.service.revive();
  const int starts = world.service.calls("start");
  ASSERT_TRUE(step_until(world, [&] { return world.service.calls("start") > starts; }));
  ASSERT_EQ(world.front->stop(), kOk);

  world.service.session()->output(0, 1)[5] = 0.75F;  // played last, long ago
  world.host_output(0, 1)[5] = 0.5F;
  ASSERT_EQ(world.front->start(), kOk);
  EXPECT_EQ(world.service.session()->output(0, 1)[5], 0.5F);
}

TEST(recovery, output_ready_copies_across_before_it_acknowledges) {
  World world;
  world.host.on_switch = [&](std::int32_t half) {
    world.host_output(0, half)[0] = 0.75F;
    (void)world.front->output_ready();
    world.host_output(0, half)[0] = 0.0F;  // too late to matter
  };
  world.reach(State::running);
  world.service.die();
  world.front->serve_notifier(world.clock.now());
  world.service.revive();
  ASSERT_TRUE(step_until(world, [&] { return world.service.calls("start") == 2; }));
  (void)world.front->serve_cycle();
  ASSERT_TRUE(world.cycle());
  ASSERT_TRUE(world.cycle());
  const auto session = world.service.session();
  EXPECT_EQ(session->output(0, session->half)[0], 0.75F);
}

TEST(recovery, a_loss_is_bridged_without_a_gap_longer_than_a_period) {
  World world;
  world.reach(State::running);
  ASSERT_TRUE(world.cycle());
  const Instant last = world.clock.now();
  world.service.die();
  world.front->serve_notifier(world.clock.now());  // sees the broken link
  (void)world.front->serve_cycle();
  EXPECT_EQ(world.front->next_due() - last, nanoseconds{64 * 1'000'000'000LL / 48'000});
}

TEST(recovery, another_shape_asks_for_a_reset_and_stays_silent_until_then) {
  struct Change {
    std::function<void(wire::DriverDescription&)> apply;
  };
  const Change changes[] = {
      {[](auto& driver) { driver.input_names.push_back("In 3"); }},
      {[](auto& driver) { driver.rate = {96'000}; }},
      {[](auto& driver) { driver.sample_type = SampleType::int32; }},
      {[](auto& driver) { driver.buffer_sizes[1].most = {1024}; }},
  };
  for (const Change& change : changes) {
    World world;
    world.reach(State::running);
    world.service.die();
    world.front->serve_notifier(world.clock.now());
    change.apply(world.service.description);
    world.service.revive();
    ASSERT_TRUE(step_until(world, [&] { return !world.host.messages().empty(); }));
    const std::size_t before = world.host.switches().size();
    ASSERT_TRUE(step_until(world, [&] { return world.host.switches().size() > before + 9; }));
    EXPECT_EQ(world.host.messages(), std::vector<std::int32_t>{kResetRequest});
    EXPECT_EQ(world.service.calls("create"), 1);
    ASSERT_EQ(world.front->dispose_buffers(), kOk);
    ASSERT_EQ(world.create(), kOk);
    ASSERT_EQ(world.front->start(), kOk);
    ASSERT_TRUE(world.cycle());
  }
}

/// Silence for good was what a host got that looked at its meters while the service was away.
TEST(recovery, a_call_while_the_service_is_away_does_not_keep_the_sound_away) {
  World world;
  world.reach(State::running);
  ASSERT_TRUE(world.cycle());
  world.service.die();
  world.front->serve_notifier(world.clock.now());  // sees the broken link
  world.service.revive();
  ChannelControls controls{0, 1, 0, 0, {}};
  EXPECT_EQ(world.front->future(kGetInputMeter, &controls), kHardwareMalfunction);
  EXPECT_EQ(world.front->set_sample_rate(96'000), kHardwareMalfunction);
  EXPECT_EQ(world.message(),
            "The audio service is away; the sound returns with it by itself. Try again then.");
  EXPECT_EQ(world.service.calls("connect"), 1);

  ASSERT_TRUE(step_until(world, [&] { return world.service.calls("start") == 2; }));
  (void)world.front->serve_cycle();
  ASSERT_TRUE(world.cycle());  // the way back: no audio yet
  ASSERT_TRUE(world.cycle(3.0F));
  const auto half = static_cast<std::int32_t>(world.service.session()->half);
  EXPECT_EQ(world.host_input(0, half)[0], 3.0F);
  EXPECT_EQ(world.front->set_sample_rate(96'000), kOk);
}

/// Streams at 96 kHz, because the host has set that rate, and loses its service, which comes back
/// at its own rate.
void lose_the_service_at_a_rate_of_the_hosts(World& world) {
  world.reach(State::initialized);
  ASSERT_EQ(world.front->set_sample_rate(96'000), kOk);
  ASSERT_EQ(world.create(), kOk);
  ASSERT_EQ(world.front->start(), kOk);
  ASSERT_TRUE(world.cycle());
  world.service.die();
  world.front->serve_notifier(world.clock.now());
  world.service.description.rate = {48'000};
}

TEST(recovery, the_rate_that_the_host_has_set_returns_with_the_sound) {
  World world;
  lose_the_service_at_a_rate_of_the_hosts(world);
  world.service.revive();
  ASSERT_TRUE(step_until(world, [&] { return world.service.calls("start") == 2; }));
  (void)world.front->serve_cycle();
  ASSERT_TRUE(world.cycle());
  EXPECT_EQ(world.service.calls("rate 96000"), 2);
  EXPECT_TRUE(world.host.messages().empty());
  EXPECT_TRUE(world.host.rates().empty());
  double rate = 0;
  EXPECT_EQ(world.front->get_sample_rate(&rate), kOk);
  EXPECT_EQ(rate, 96'000.0);
}

TEST(recovery, a_rate_that_cannot_be_had_any_more_asks_for_a_reset) {
  World world;
  lose_the_service_at_a_rate_of_the_hosts(world);
  world.service.failures["rate"] = {ErrorCode::format_refused, "Another program streams at 48000."};
  world.service.revive();
  ASSERT_TRUE(step_until(world, [&] { return !world.host.messages().empty(); }));
  EXPECT_EQ(world.host.messages(), std::vector<std::int32_t>{kResetRequest});
}

TEST(recovery, a_rate_that_cannot_be_had_yet_is_asked_for_again) {
  World world;
  lose_the_service_at_a_rate_of_the_hosts(world);
  world.service.failures["rate"] = {ErrorCode::device_gone, "Not yet."};
  world.service.revive();
  ASSERT_TRUE(step_until(world, [&] { return world.service.calls("rate 96000") >= 4; }));
  world.service.failures.clear();
  ASSERT_TRUE(step_until(world, [&] { return world.service.calls("start") == 2; }));
  EXPECT_TRUE(world.host.messages().empty());
}

/// Streams by a clock that the host has selected, and loses its service, which comes back at its
/// own clock.
void lose_the_service_at_a_clock_of_the_hosts(World& world, bool another_had_the_last_word) {
  const std::vector<wire::ClockSourceInfo> own{{"Internal", true}, {"Word clock", false}};
  world.service.description.clock_sources = own;
  world.reach(State::initialized);
  ASSERT_EQ(world.front->set_clock_source(1), kOk);
  ASSERT_EQ(world.create(), kOk);
  ASSERT_EQ(world.front->start(), kOk);
  ASSERT_TRUE(world.cycle());
  if (another_had_the_last_word) deliver(world, event(HostEventKind::clock_changed));
  world.service.die();
  world.front->serve_notifier(world.clock.now());
  world.service.description.clock_sources = own;
  world.service.revive();
  ASSERT_TRUE(step_until(world, [&] { return world.service.calls("start") == 2; }));
}

TEST(recovery, the_clock_source_that_the_host_has_selected_returns_with_the_sound) {
  World world;
  lose_the_service_at_a_clock_of_the_hosts(world, false);
  EXPECT_EQ(world.service.calls("clock 1"), 2);
  EXPECT_TRUE(world.host.messages().empty());
  ClockSource sources[2];
  std::int32_t count = 2;
  EXPECT_EQ(world.front->get_clock_sources(sources, &count), kOk);
  EXPECT_EQ(sources[1].is_current, 1);
}

TEST(recovery, a_clock_source_that_another_program_has_selected_since_is_left_alone) {
  World world;
  lose_the_service_at_a_clock_of_the_hosts(world, true);
  EXPECT_EQ(world.service.calls("clock 1"), 1);
}

TEST(recovery, buffers_made_after_a_loss_have_the_rate_that_the_host_has_set) {
  World world;
  world.reach(State::initialized);
  ASSERT_EQ(world.front->set_sample_rate(96'000), kOk);
  for (const bool noticed : {false, true}) {
    world.service.die();
    if (noticed) world.front->serve_notifier(world.clock.now());
    world.service.description.rate = {48'000};
    world.service.revive();
    ASSERT_EQ(world.create(), kOk);
    EXPECT_EQ(world.service.description.rate, SampleRate{96'000});
    ASSERT_EQ(world.front->dispose_buffers(), kOk);
  }
}

/// Before there is a session: nothing is heard at another level than the host has set.
TEST(recovery, monitors_and_gains_are_said_again_before_there_is_sound) {
  World world;
  world.reach(State::running);
  const auto monitor = [&](InputMonitor wish) {
    EXPECT_EQ(world.front->future(kSetInputMonitor, &wish), kFutureSuccess);
  };
  const auto input_gain = [&](std::int32_t channel, std::int32_t gain) {
    ChannelControls wish{channel, 1, gain, 0, {}};
    EXPECT_EQ(world.front->future(kSetInputGain, &wish), kFutureSuccess);
  };
  constexpr std::int32_t kUnity = wire::kUnityGain;
  monitor({0, 0, kUnity, 1, 0});
  monitor({-1, 0, kUnity, 1, 0});  // all: that one as well
  monitor({1, 0, kUnity, 0, 0});
  monitor({1, 1, kUnity, 1, 0});
  monitor({1, 1, kUnity, 0, 0});
  input_gain(0, 0);
  input_gain(1, 0);
  input_gain(0, kUnity);

  world.service.die();
  world.front->serve_notifier(world.clock.now());
  world.service.revive();
  ASSERT_TRUE(step_until(world, [&] { return world.service.calls("start") == 2; }));
  const std::vector<std::string> log = world.service.log();
  const auto after_connect = std::find(log.rbegin(), log.rend(), "connect").base();
  EXPECT_EQ(std::vector<std::string>(after_connect, log.end()),
            (std::vector<std::string>{"monitor all to 0 on", "monitor 1 to 0 off", "input gain 1",
                                      "create", "start"}));
}

TEST(recovery, attempts_grow_apart_and_never_end) {
  World world;
  world.reach(State::running);
  world.service.die();
  std::vector<Instant> attempts;
  int seen = world.service.calls("connect");
  ASSERT_TRUE(step_until(world, [&] {
    if (world.service.calls("connect") != seen) attempts.push_back(world.clock.now());
    seen = world.service.calls("connect");
    return attempts.size() == 9;
  }));
  for (std::size_t i = 1; i < attempts.size(); ++i) {
    EXPECT_GE(attempts[i] - attempts[i - 1], nanoseconds{milliseconds{100}});
    EXPECT_LE(attempts[i] - attempts[i - 1], nanoseconds{milliseconds{1010}});
  }
  EXPECT_GE(attempts[8] - attempts[7], nanoseconds{milliseconds{1000}});
}

TEST(recovery, a_service_whose_device_is_not_ready_is_asked_again) {
  World world;
  world.reach(State::running);
  world.service.die();
  world.front->serve_notifier(world.clock.now());
  world.service.failures["create"] = {ErrorCode::device_gone, "Not yet."};
  world.service.revive();
  ASSERT_TRUE(step_until(world, [&] { return world.service.calls("create") >= 3; }));
  world.service.failures.clear();
  ASSERT_TRUE(step_until(world, [&] { return world.service.calls("start") == 2; }));
  EXPECT_TRUE(world.host.messages().empty());
}

TEST(recovery, an_attempt_that_memory_cuts_short_is_made_again) {
  World world;
  world.reach(State::running);
  world.service.die();
  world.front->serve_notifier(world.clock.now());
  world.service.create_throws = true;
  world.service.revive();
  EXPECT_THROW(world.front->serve_notifier(world.clock.now()), std::bad_alloc);
  world.service.create_throws = false;
  ASSERT_TRUE(step_until(world, [&] { return world.service.calls("start") == 2; }));
  (void)world.front->serve_cycle();
  ASSERT_TRUE(world.cycle());
}

TEST(recovery, changed_latencies_are_told_after_a_return) {
  World world;
  world.reach(State::running);
  world.service.die();
  world.front->serve_notifier(world.clock.now());
  world.service.description.device_output_latency = {99};
  world.service.revive();
  ASSERT_TRUE(step_until(world, [&] { return world.service.calls("start") == 2; }));
  EXPECT_EQ(world.host.messages(), std::vector<std::int32_t>{kLatenciesChanged});
}

TEST(recovery, sections_of_dead_services_are_given_back) {
  World world;
  world.reach(State::running);
  std::vector<std::weak_ptr<testing::RegionCore>> regions{world.service.session()->region};
  for (int loss = 0; loss < 5; ++loss) {
    const int starts = world.service.calls("start");
    world.service.die();
    world.front->serve_notifier(world.clock.now());
    world.service.revive();
    ASSERT_TRUE(step_until(world, [&] { return world.service.calls("start") > starts; }));
    (void)world.front->serve_cycle();
    regions.emplace_back(world.service.session()->region);
  }
  EXPECT_FALSE(regions.front().expired());  // the host's pointers
  EXPECT_FALSE(regions.back().expired());
  int alive = 0;
  for (const auto& region : regions) alive += region.expired() ? 0 : 1;
  EXPECT_LE(alive, 3);
  ASSERT_EQ(world.front->dispose_buffers(), kOk);
  ASSERT_EQ(world.create(), kOk);
  EXPECT_TRUE(regions.front().expired());
}

TEST(recovery, start_brings_back_a_service_that_left_while_stopped) {
  World world;
  world.reach(State::prepared);
  world.service.die();
  world.service.revive();  // not noticed yet
  ASSERT_EQ(world.front->start(), kOk);
  ASSERT_TRUE(world.cycle(3.0F));
  EXPECT_EQ(world.host_input(0, 0)[0], 3.0F);
  ASSERT_EQ(world.front->stop(), kOk);

  world.service.die();
  world.front->serve_notifier(world.clock.now());  // noticed
  EXPECT_EQ(world.front->start(), kHardwareMalfunction);
  EXPECT_EQ(world.message(), "The asio-driver service is not running.");
  EXPECT_EQ(world.front->state(), State::prepared);
  world.service.revive();
  ASSERT_EQ(world.front->start(), kOk);
  ASSERT_TRUE(world.cycle(4.0F));
  EXPECT_EQ(world.host_input(0, 0)[0], 4.0F);
}

TEST(recovery, a_device_that_changed_while_stopped_is_named_by_start) {
  World world;
  world.reach(State::prepared);
  world.service.die();
  world.front->serve_notifier(world.clock.now());
  world.service.description.output_names.pop_back();
  world.service.revive();
  EXPECT_EQ(world.front->start(), kHardwareMalfunction);
  EXPECT_EQ(world.message(),
            "The audio device has changed; dispose the buffers and create new ones.");
}

}  // namespace
}  // namespace asiodrv::asio
