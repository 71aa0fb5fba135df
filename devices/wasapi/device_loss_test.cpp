// What becomes of the device when Windows or people do things to it.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>

#include "devices/wasapi/device_test_bench.hpp"

namespace asiodrv::devices::wasapi {
namespace {

using fake::Personality;
using ports::PeriodStatus;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Bench;

WasapiOptions shared() {
  WasapiOptions options;
  options.mode = ModeChoice::shared;
  return options;
}

WasapiOptions shared(const std::u16string& render, const std::u16string& capture) {
  WasapiOptions options = shared();
  options.render.assign(render.begin(), render.end());  // ids are ASCII
  options.capture.assign(capture.begin(), capture.end());
  return options;
}

bool has_note(const WasapiDevice& device, const std::string& part) {
  for (const std::string& note : device.notes()) {
    if (note.find(part) != std::string::npos) return true;
  }
  return false;
}

/// Opened, started, and half a second old.
void expect_playing(Bench& bench) {
  const Result<> running = bench.run();
  ASSERT_TRUE(running) << running.error().message;
  ASSERT_EQ(bench.serve(50), 50) << bench.device->loss();
}

void expect_lost(Bench& bench) {
  EXPECT_LT(bench.serve(100), 60);
  EXPECT_NE(bench.device->loss(), "");
  bench.device->stop();
  bench.device->close();
}

TEST(wasapi_loss, a_rate_that_was_changed_in_windows_is_what_is_offered_then) {
  Bench bench;
  bench.plug(Personality::plain);
  ASSERT_TRUE(bench.make(shared()));
  expect_playing(bench);
  for (fake::Endpoint* endpoint : {bench.out, bench.in}) endpoint->change_format(44'100, 2);
  expect_lost(bench);
  const Result<> refused = bench.device->open(bench.format);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::format_refused);
  EXPECT_NE(refused.error().message.find("44100 Hz at 441 frames"), std::string::npos)
      << refused.error().message;
  const ports::DeviceInfo& info = bench.device->info();
  ASSERT_EQ(info.rates, std::vector<SampleRate>{{44'100}});
  bench.format = {info.default_rate, info.default_period};
  expect_playing(bench);
}

TEST(wasapi_loss, a_device_with_other_channels_says_so_when_it_is_opened_again) {
  Bench bench;
  bench.plug(Personality::plain);
  ASSERT_TRUE(bench.make(shared()));
  expect_playing(bench);
  bench.out->change_format(48'000, 6);
  expect_lost(bench);
  expect_playing(bench);
  EXPECT_EQ(bench.device->info().output_channels, 6U);
  EXPECT_EQ(bench.period.render.channels, 6U);
}

TEST(wasapi_loss, a_reinstalled_driver_is_found_by_its_box) {
  Bench bench;
  bench.plug(Personality::plain);
  ASSERT_TRUE(bench.make(shared(bench.out->spec().id, bench.in->spec().id)));
  expect_playing(bench);
  fake::EndpointSpec spec = bench.out->spec();
  bench.world.remove(*bench.out);
  expect_lost(bench);
  const Result<> gone = bench.device->open(bench.format);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::device_gone) << gone.error().message;
  spec.id = u"{0.0.0.00000000}.{11111111-2222-3333-4444-555555555555}";
  spec.state = kActive;
  bench.out = &bench.world.add_endpoint(spec);
  expect_playing(bench);
  EXPECT_TRUE(has_note(*bench.device, "new id"));
  EXPECT_GE(bench.out->frames_played(), 40U * 480);
}

TEST(wasapi_loss, an_input_that_somebody_holds_leaves_the_output_alone) {
  Bench bench;
  bench.plug(Personality::plain);
  ASSERT_TRUE(bench.make(shared()));
  expect_playing(bench);
  bench.in->take_over();
  expect_lost(bench);
  const Instant before = bench.world.now();
  expect_playing(bench);
  EXPECT_LE(bench.world.now() - before, seconds{2} + milliseconds{500});  // and 50 periods
  EXPECT_TRUE(has_note(*bench.device, "Without input: "));
  EXPECT_TRUE(has_note(*bench.device, "Close that program"));
  EXPECT_EQ(bench.period.capture.channels, 2U);
  EXPECT_EQ(bench.period.capture.channel(0)[0], 0.0F);
  bench.in->let_go();
  bench.device->close();
  expect_playing(bench);
  EXPECT_FALSE(has_note(*bench.device, "Without input"));
}

TEST(wasapi_loss, an_input_that_is_pulled_out_leaves_the_output_alone_and_comes_back_by_itself) {
  Bench bench;
  bench.plug(Personality::plain);
  ASSERT_TRUE(bench.make(shared(bench.out->spec().id, bench.in->spec().id)));
  const ports::DeviceInfo info = bench.device->info();
  expect_playing(bench);
  bench.in->unplug();
  expect_lost(bench);
  expect_playing(bench);
  EXPECT_TRUE(has_note(*bench.device, "Without input: "));
  EXPECT_EQ(bench.device->info(), info) << "programs keep what they have";
  EXPECT_EQ(bench.period.capture.channels, 2U);
  EXPECT_EQ(bench.period.capture.channel(0)[0], 0.0F);
  EXPECT_EQ(bench.serve(200), 200) << "nothing has come: " << bench.device->loss();
  bench.in->replug();
  expect_lost(bench);
  EXPECT_TRUE(bench.device->figures().arrived) << bench.device->loss();
  expect_playing(bench);
  EXPECT_FALSE(has_note(*bench.device, "Without input"));
}

TEST(wasapi_loss, a_missing_input_at_another_socket_is_noticed_and_what_is_not_it_disturbs_once) {
  Bench bench;
  bench.plug(Personality::plain);
  ASSERT_TRUE(bench.make(shared(bench.out->spec().id, bench.in->spec().id)));
  expect_playing(bench);
  fake::EndpointSpec spec = bench.in->spec();
  bench.world.remove(*bench.in);
  expect_lost(bench);
  expect_playing(bench);
  fake::EndpointSpec other = make_spec(Personality::hdmi, Flow::render);
  other.id = u"{0.0.0.00000000}.{11111111-2222-3333-4444-555555555555}";
  bench.world.add_endpoint(other);
  expect_lost(bench);
  expect_playing(bench);
  EXPECT_EQ(bench.serve(200), 200) << bench.device->loss();
  spec.id = u"{0.0.1.00000000}.{22222222-2222-3333-4444-555555555555}";
  spec.state = kActive;
  bench.world.add_endpoint(spec);
  expect_lost(bench);
  expect_playing(bench);
  EXPECT_TRUE(has_note(*bench.device, "new id"));
  EXPECT_FALSE(has_note(*bench.device, "Without input"));
}

TEST(wasapi_loss, an_input_that_comes_while_the_output_is_opened_is_not_missed) {
  Bench bench;
  bench.plug(Personality::plain);
  ASSERT_TRUE(bench.make(shared(bench.out->spec().id, bench.in->spec().id)));
  expect_playing(bench);
  bench.in->unplug();
  expect_lost(bench);
  bench.world.before_next("client.initialize", [&] { bench.in->replug(); });
  const Result<> again = bench.device->open(bench.format);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::device_gone);
  EXPECT_NE(again.error().message.find("just come back"), std::string::npos)
      << again.error().message;
  expect_playing(bench);
  EXPECT_FALSE(has_note(*bench.device, "Without input"));
}

TEST(wasapi_loss, an_output_that_somebody_holds_is_busy_in_every_mode) {
  for (const ModeChoice mode : {ModeChoice::automatic, ModeChoice::exclusive,
                                ModeChoice::low_latency, ModeChoice::shared}) {
    Bench bench;
    bench.plug(Personality::plain);
    WasapiOptions options;
    options.mode = mode;
    ASSERT_TRUE(bench.make(options));
    bench.out->take_over();
    const Instant before = bench.world.now();
    const Result<> busy = bench.run();
    ASSERT_FALSE(busy);
    EXPECT_EQ(busy.error().code, ErrorCode::device_busy) << busy.error().message;
    EXPECT_NE(busy.error().message.find("Close that program"), std::string::npos);
    EXPECT_LE(bench.world.now() - before, seconds{2});
    bench.out->let_go();
    expect_playing(bench);
  }
}

TEST(wasapi_loss, the_audio_service_may_end_and_come_back) {
  Bench bench;
  bench.plug(Personality::plain);
  ASSERT_TRUE(bench.make(shared()));
  expect_playing(bench);
  bench.world.service_down();
  expect_lost(bench);
  EXPECT_NE(bench.device->loss().find("Windows Audio service"), std::string::npos);
  const Result<> refused = bench.device->open(bench.format);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::device_gone);
  EXPECT_NE(refused.error().message.find("Windows Audio service"), std::string::npos);
  bench.world.service_up();
  expect_playing(bench);
}

TEST(wasapi_loss, another_default_input_is_followed_and_an_explicit_one_kept) {
  for (const bool explicit_id : {false, true}) {
    Bench bench;
    bench.plug(Personality::plain);
    ASSERT_TRUE(
        bench.make(explicit_id ? shared(bench.out->spec().id, bench.in->spec().id) : shared()));
    expect_playing(bench);
    fake::EndpointSpec spec = make_spec(Personality::plain, Flow::capture);
    spec.id = u"{0.0.1.00000000}.{11111111-2222-3333-4444-555555555555}";
    bench.world.set_default(Flow::capture, &bench.world.add_endpoint(spec));
    if (explicit_id) {
      EXPECT_EQ(bench.serve(100), 100) << bench.device->loss();
      continue;
    }
    expect_lost(bench);
    EXPECT_TRUE(bench.device->figures().moved);
    expect_playing(bench);
  }
}

TEST(wasapi_loss, a_default_that_moves_while_the_device_is_opened_is_not_missed) {
  for (const Flow flow : {Flow::render, Flow::capture}) {
    Bench bench;
    bench.plug(Personality::plain);
    ASSERT_TRUE(bench.make(shared()));
    fake::EndpointSpec spec = make_spec(Personality::plain, flow);
    spec.id = flow == Flow::render ? u"{0.0.0.00000000}.{11111111-2222-3333-4444-555555555555}"
                                   : u"{0.0.1.00000000}.{11111111-2222-3333-4444-555555555555}";
    fake::Endpoint& other = bench.world.add_endpoint(spec);
    bench.world.before_next("client.initialize", [&] { bench.world.set_default(flow, &other); });
    const Result<> moved = bench.device->open(bench.format);
    ASSERT_FALSE(moved);
    EXPECT_EQ(moved.error().code, ErrorCode::device_gone);
    EXPECT_NE(moved.error().message.find("default"), std::string::npos) << moved.error().message;
    expect_playing(bench);
    EXPECT_EQ(bench.serve(100), 100) << bench.device->loss();
    if (flow == Flow::render) {
      EXPECT_GE(other.frames_played(), 40U * 480);
    }
  }
}

TEST(wasapi_loss, a_default_that_moves_and_returns_at_once_disturbs_nobody) {
  Bench bench;
  bench.plug(Personality::plain);
  ASSERT_TRUE(bench.make(shared()));
  expect_playing(bench);
  fake::EndpointSpec spec = make_spec(Personality::plain, Flow::render);
  spec.id = u"{0.0.0.00000000}.{11111111-2222-3333-4444-555555555555}";
  fake::Endpoint& other = bench.world.add_endpoint(spec);
  bench.world.set_default(Flow::render, &other);
  ASSERT_EQ(bench.serve(10), 10);
  bench.world.set_default(Flow::render, bench.out);
  EXPECT_EQ(bench.serve(100), 100) << bench.device->loss();
}

TEST(wasapi_loss, the_storm_after_sleep_is_weathered) {
  Bench bench;
  bench.plug(Personality::plain);
  ASSERT_TRUE(bench.make(shared()));
  expect_playing(bench);
  bench.world.resume_storm();
  EXPECT_EQ(bench.serve(100), 100) << bench.device->loss();
  EXPECT_EQ(bench.lost, 0U);
}

TEST(wasapi_loss, a_display_that_is_late_after_sleep_is_waited_for) {
  Bench bench;
  bench.plug(Personality::hdmi);
  ASSERT_TRUE(bench.make(shared(bench.out->spec().id, bench.in->spec().id)));
  expect_playing(bench);
  bench.world.resume_storm();
  expect_lost(bench);
  const Result<> gone = bench.device->open(bench.format);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::device_gone) << gone.error().message;
  bench.world.advance(seconds{6});
  expect_playing(bench);
}

/// Beside an output that goes on: in exclusive mode nothing but the missing event tells of it.
TEST(wasapi_loss, an_input_that_falls_silent_is_a_loss_in_every_mode) {
  for (const ModeChoice mode :
       {ModeChoice::exclusive, ModeChoice::low_latency, ModeChoice::shared}) {
    SCOPED_TRACE(static_cast<int>(mode));
    Bench bench;
    bench.plug(Personality::plain);
    WasapiOptions options;
    options.mode = mode;
    ASSERT_TRUE(bench.make(options));
    expect_playing(bench);
    bench.in->lose_streams(fake::LossCode::silent);
    const Instant before = bench.world.now();
    EXPECT_LT(bench.serve(400), 400);
    EXPECT_GE(bench.world.now() - before, milliseconds{100});
    EXPECT_LE(bench.world.now() - before, milliseconds{300});
    EXPECT_NE(bench.device->loss().find("silent"), std::string::npos) << bench.device->loss();
    bench.device->close();
    expect_playing(bench);
  }
}

TEST(wasapi_loss, an_engine_that_was_away_does_not_take_its_own_absence_for_silence) {
  for (const ModeChoice mode : {ModeChoice::exclusive, ModeChoice::shared}) {
    SCOPED_TRACE(static_cast<int>(mode));
    Bench bench;
    bench.plug(Personality::plain);
    WasapiOptions options;
    options.mode = mode;
    ASSERT_TRUE(bench.make(options));
    expect_playing(bench);
    bench.world.advance(milliseconds{450});
    EXPECT_EQ(bench.serve(50), 50) << bench.device->loss();
    EXPECT_GT(bench.lost, 0U);
  }
}

TEST(wasapi_loss, events_that_became_rare_end_the_stream_and_a_new_one_has_them) {
  Bench bench;
  bench.plug(Personality::plain,
             [](fake::EndpointSpec& spec) { spec.knobs.triples_after = seconds{20}; });
  WasapiOptions options;
  options.mode = ModeChoice::exclusive;
  ASSERT_TRUE(bench.make(options));
  expect_playing(bench);
  const int second = static_cast<int>(bench.format.rate.hz / bench.format.period.count);
  EXPECT_LT(bench.serve(60 * second), 25 * second);
  EXPECT_NE(bench.device->loss().find("irregular"), std::string::npos) << bench.device->loss();
  bench.device->close();
  expect_playing(bench);
}

/// What is missing is looked for twice a second, also while other devices play.
TEST(wasapi_loss, a_look_asks_its_own_driver_alone_and_none_while_it_is_away) {
  Bench bench;
  bench.plug(Personality::plain);
  ASSERT_TRUE(bench.make(shared(u"Speakers", u"")));
  const std::uint64_t before = bench.world.calls("device.activate");
  bench.device->refresh();
  EXPECT_EQ(bench.world.calls("device.activate"), before + 1);
  bench.out->unplug();
  bench.device->refresh();
  EXPECT_FALSE(bench.device->open(bench.format));
  EXPECT_EQ(bench.world.calls("device.activate"), before + 1);
  bench.out->replug();
  EXPECT_TRUE(bench.run());
}

// --- what hangs ----------------------------------------------------------------------------------

TEST(wasapi_loss, a_release_that_hangs_costs_two_seconds_at_most) {
  Bench bench;
  bench.plug(Personality::plain, [](auto& spec) { spec.knobs.release_hangs = seconds{60}; });
  ASSERT_TRUE(bench.make(shared()));
  expect_playing(bench);
  bench.out->unplug();
  EXPECT_LT(bench.serve(100), 60);
  const Instant before = bench.world.now();
  bench.device->stop();
  bench.device->close();
  EXPECT_GT(bench.world.now() - before, milliseconds{500}) << "nothing has hung";
  EXPECT_LE(bench.world.now() - before, seconds{2});
  bench.out->replug();
  expect_playing(bench);
}

TEST(wasapi_loss, an_opening_that_hangs_is_given_up_within_two_seconds) {
  Bench bench;
  bench.plug(Personality::plain, [](auto& spec) { spec.knobs.initialize_hangs = seconds{60}; });
  ASSERT_TRUE(bench.make(shared()));
  const Instant before = bench.world.now();
  const Result<> given_up = bench.run();
  ASSERT_FALSE(given_up);
  EXPECT_EQ(given_up.error().code, ErrorCode::device_gone);
  EXPECT_NE(given_up.error().message.find("does not answer"), std::string::npos);
  EXPECT_LE(bench.world.now() - before, seconds{2});
  for (fake::Endpoint* endpoint : {bench.out, bench.in}) endpoint->knobs().initialize_hangs = {};
  expect_playing(bench);
}

TEST(wasapi_loss, a_look_that_hangs_is_given_up_within_two_seconds) {
  Bench bench;
  bench.plug(Personality::plain);
  ASSERT_TRUE(bench.make(shared()));
  const ports::DeviceInfo info = bench.device->info();
  bench.world.before_next("enumerator.enumerate", [&] { bench.world.hang(seconds{60}); });
  const Instant before = bench.world.now();
  bench.device->refresh();
  EXPECT_GT(bench.world.now() - before, seconds{1}) << "nothing has hung";
  EXPECT_LE(bench.world.now() - before, seconds{2});
  EXPECT_EQ(bench.device->info(), info);
  expect_playing(bench);
}

TEST(wasapi_loss, a_start_that_hangs_is_given_up_within_two_seconds) {
  Bench bench;
  bench.plug(Personality::plain, [](auto& spec) { spec.knobs.start_hangs = seconds{60}; });
  ASSERT_TRUE(bench.make(shared()));
  ASSERT_TRUE(bench.device->open(bench.format));
  const Instant before = bench.world.now();
  const Result<> given_up = bench.device->start();
  ASSERT_FALSE(given_up);
  EXPECT_EQ(given_up.error().code, ErrorCode::device_gone);
  EXPECT_NE(given_up.error().message.find("does not answer"), std::string::npos);
  EXPECT_LE(bench.world.now() - before, seconds{2});
  for (fake::Endpoint* endpoint : {bench.out, bench.in}) endpoint->knobs().start_hangs = {};
  expect_playing(bench);
}

/// Time that passes by itself.
class RealClock final : public ports::Clock {
 public:
  Instant now() const RT_SAFE override {
    return {std::chrono::steady_clock::now().time_since_epoch().count()};
  }
  void sleep_until(Instant deadline) RT_SAFE override {
    const RtPermit bounded;  // by the callers' deadlines
    std::unique_lock lock(mutex_);
    const std::chrono::steady_clock::time_point end{std::chrono::nanoseconds{deadline.ns}};
    while (now() < deadline) nothing_.wait_until(lock, end);
  }

 private:
  std::mutex mutex_;
  std::condition_variable nothing_;
};

TEST(wasapi_loss, a_thread_that_hangs_in_a_release_keeps_all_it_needs_and_nobody_waits_for_it) {
  RealClock clock;
  fake::WorldOptions world_options;
  world_options.clock = &clock;
  Bench bench(world_options);
  bench.plug(Personality::plain);
  ASSERT_TRUE(bench.make(shared()));
  ASSERT_TRUE(bench.device->open(bench.format));
  std::promise<void> released, reached;
  std::shared_future<void> release = released.get_future().share();
  std::atomic<bool> caught{false};
  bench.world.on_release = [&](const std::string& kind) {
    if (kind != "client" || caught.exchange(true)) return;
    reached.set_value();
    release.wait_for(seconds{30});  // the test lets it go long before
  };
  bench.device->close();  // returns although the driver does not
  ASSERT_EQ(reached.get_future().wait_for(seconds{10}), std::future_status::ready);
  EXPECT_FALSE(bench.world.leaks().empty()) << "the release has not hung";
  released.set_value();
  EXPECT_TRUE(bench.world.others_have_left(seconds{30}));  // the bench looks for what is left
}

}  // namespace
}  // namespace asiodrv::devices::wasapi
