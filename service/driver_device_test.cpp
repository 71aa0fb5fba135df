// A device that changes by itself: it comes later, is set up anew in the system, comes back as
// something else, or turns out to be slower than it said.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <new>
#include <utility>

#include "service/late_device.hpp"
#include "service/testing/mini_host.hpp"

namespace asiodrv::service {
namespace {

using testing::kSecond;
using testing::MiniHost;
using testing::StepControl;
using testing::StepDevice;
using testing::TestWorld;
using wire::HostEventKind;

class driver_device : public ::testing::Test {
 protected:
  /// Events of `link` up to the first of `kind`; fails when none comes.
  static void expect_event(TestWorld& world, ipc::ServiceClient& link, HostEventKind kind) {
    for (;;) {
      const auto event = link.next_event(world.soon());
      ASSERT_TRUE(event) << "no such event came";
      if (event->kind == kind) return;
    }
  }
  bool lost() { return world.ask("status").value().at("device").at("lost").get<bool>(); }
  /// Does the chores until the device is as `lost` says; false after 20 s.
  bool chores_until_lost_is(bool wanted) {
    const Instant limit = world.soon();
    while (lost() != wanted) {
      if (world.clock->now() > limit) return false;
      world.do_chores();
    }
    return true;
  }
  /// Pulls it out under a program that then leaves; false when the loss is not noticed.
  bool lose_it_under(const char* program) {
    world.begin();
    MiniHost host(world, program, kSecond, {0});
    host.start();
    world.device->unplug();
    if (!chores_until_lost_is(true)) return false;
    world.do_chores();
    return true;
  }

  TestWorld world;
};

TEST_F(driver_device, a_rate_that_it_does_not_have_is_offered_and_adapted) {
  world.device->rates = {{48'000}};
  world.begin();
  auto link = world.make_client("host.exe");
  const auto description = link->connect(false, world.soon());
  ASSERT_TRUE(description);
  const auto& rates = description->rates;
  EXPECT_NE(std::find(rates.begin(), rates.end(), SampleRate{44'100}), rates.end());
  ASSERT_TRUE(link->set_rate({44'100}, world.soon()));
  const auto granted = link->create_session({{256}, {0}, {0}}, world.soon());
  ASSERT_TRUE(granted) << granted.error().message;
  EXPECT_EQ(granted->rate.hz, 44'100U);
  EXPECT_EQ(world.ask("status").value().at("device").at("rate_hz"), 48'000);
}

TEST_F(driver_device, with_formats_refuse_only_its_own_rates_are_offered) {
  world.device->rates = {{48'000}};
  world.config.config.formats = Formats::refuse;
  world.begin();
  auto link = world.make_client("host.exe");
  EXPECT_EQ(link->connect(false, world.soon())->rates, world.device->rates);
  EXPECT_EQ(link->set_rate({44'100}, world.soon()).error().code, ErrorCode::format_refused);
}

TEST_F(driver_device, a_buffer_that_is_no_period_of_it_runs_on_one_that_is) {
  world.device->rates = {{48'000}};
  world.device->ranges = {{{480}, {480}, {480}, {480}}};
  world.begin();
  const auto link = world.connected("host.exe");
  const auto granted = link->create_session({{256}, {0}, {0}}, world.soon());
  ASSERT_TRUE(granted) << granted.error().message;
  EXPECT_EQ(world.ask("status").value().at("device").at("period_frames"), 480);
  // N + 2P - gcd and the device's own 8: service/buffer_policy.hpp
  EXPECT_EQ(granted->input_latency.count + granted->output_latency.count, 256U + 960U - 32U + 8U);
}

TEST_F(driver_device, its_own_sizes_are_offered_where_the_configuration_wants_them) {
  world.device->rates = {{48'000}};
  world.device->ranges = {{{480}, {480}, {480}, {480}}};
  world.config.config.sizes = Sizes::device;
  world.config.config.formats = Formats::refuse;
  world.begin();
  auto link = world.make_client("host.exe");
  EXPECT_EQ(link->connect(false, world.soon())->sizes(),
            (wire::BufferSizes{{480}, {480}, {480}, {480}}));
  const auto refused = link->create_session({{256}, {0}, {0}}, world.soon());
  EXPECT_EQ(refused.error().message, "Buffers of 256 frames are not on offer: choose 480.");
  EXPECT_TRUE(link->create_session({{480}, {0}, {0}}, world.soon()));
}

TEST_F(driver_device, what_was_set_up_anew_while_closed_is_seen_when_a_program_comes) {
  world.begin();
  const auto first = world.connected("first.exe");
  world.do_chores();
  world.device->rates = {{44'100}};
  const auto second = world.connected("second.exe");
  world.do_chores();
  expect_event(world, *first, HostEventKind::reset_request);
  expect_event(world, *second, HostEventKind::reset_request);
  EXPECT_EQ(world.make_client("third.exe")->connect(false, world.soon())->rate.hz, 44'100U);
}

TEST_F(driver_device, what_was_set_up_anew_is_seen_when_buffers_are_made) {
  world.begin();
  const auto link = world.connected("host.exe");
  ASSERT_TRUE(link->set_rate({48'000}, world.soon()));
  world.device->rates = {{44'100}};
  const auto granted = link->create_session({{256}, {0}, {0}}, world.soon());
  ASSERT_TRUE(granted) << granted.error().message;
  EXPECT_EQ(granted->rate.hz, 48'000U);  // as it asked, through an adapter
  EXPECT_EQ(world.ask("status").value().at("device").at("rate_hz"), 44'100);
}

/// In exclusive mode the hardware repeats its last buffers until the stream is stopped.
TEST_F(driver_device, that_is_lost_is_stopped_before_it_is_looked_for) {
  world.begin();
  MiniHost host(world, "host.exe", kSecond, {0});
  host.start();
  world.device->allow(4);
  ASSERT_TRUE(host.wait_cycles(2));
  world.device->unplug();
  ASSERT_TRUE(chores_until_lost_is(true)) << world.log_text();
  world.do_chores();
  EXPECT_GE(world.device->stops, 1);
  world.device->replug();
  ASSERT_TRUE(chores_until_lost_is(false)) << world.log_text();
  const std::uint64_t before = host.cycles();
  world.device->allow(4);
  EXPECT_TRUE(host.wait_cycles(before + 2)) << world.log_text();
}

/// A host that stops keeps its buffers, and nobody waits for the device meanwhile.
TEST_F(driver_device, that_was_exchanged_while_it_stood_still_is_opened_anew_at_the_start) {
  world.begin();
  MiniHost host(world, "host.exe", kSecond, {0});
  ASSERT_EQ(world.device->opens, 1);
  world.device->stale = true;
  host.start();
  world.device->allow(4);
  ASSERT_TRUE(host.wait_cycles(2)) << world.log_text();
  EXPECT_EQ(world.device->opens, 2);
  EXPECT_EQ(world.device->closes, 1);
  EXPECT_FALSE(lost());
}

TEST_F(driver_device, that_went_while_it_stood_still_is_looked_for_after_a_start) {
  world.begin();
  MiniHost host(world, "host.exe", kSecond, {0});
  world.device->stale = true;
  world.device->unplug();
  EXPECT_FALSE(host.link->start_session(world.soon()));
  EXPECT_TRUE(lost());
  world.device->replug();
  ASSERT_TRUE(chores_until_lost_is(false)) << world.log_text();
  host.start();
  world.device->allow(4);
  EXPECT_TRUE(host.wait_cycles(2)) << world.log_text();
}

TEST_F(driver_device, is_let_go_of_for_a_sleep_and_opened_again_after_it) {
  world.begin();
  MiniHost host(world, "host.exe", kSecond, {0});
  host.start();
  world.device->allow(4);
  ASSERT_TRUE(host.wait_cycles(2));
  EXPECT_EQ(world.device->closes, 0);
  const auto order = [this](void (DriverService::*what)()) {
    world.server->run_serialised([this, what] { (world.service.get()->*what)(); });
  };
  order(&DriverService::suspend);
  EXPECT_EQ(world.device->closes, 1);
  EXPECT_TRUE(lost());
  world.do_chores();
  EXPECT_TRUE(lost()) << "it was taken back before the machine slept";
  order(&DriverService::resume);
  world.do_chores();
  EXPECT_FALSE(lost()) << world.log_text();
  EXPECT_EQ(world.device->opens, 2);
  const std::uint64_t before = host.cycles();
  world.device->allow(4);
  EXPECT_TRUE(host.wait_cycles(before + 2)) << world.log_text();
  EXPECT_EQ(world.log_text().find("is looked for"), std::string::npos) << "told as a loss";
}

/// Programs would be told of a loss otherwise, and the device opened before the machine sleeps.
TEST_F(driver_device, is_let_go_of_for_a_sleep_without_memory_for_a_line_in_the_log) {
  world.begin();
  MiniHost host(world, "host.exe", kSecond, {0});
  host.start();
  world.device->allow(4);
  ASSERT_TRUE(host.wait_cycles(2));
  const auto order_poorly = [this](void (DriverService::*what)()) {
    world.no_memory_to_log = true;
    world.server->run_serialised(
        [this, what] { EXPECT_THROW((world.service.get()->*what)(), std::bad_alloc); });
  };
  order_poorly(&DriverService::suspend);
  EXPECT_EQ(world.device->closes, 1);
  world.do_chores();
  EXPECT_TRUE(lost()) << "it was taken back before the machine slept";
  EXPECT_EQ(world.losses, 0);
  order_poorly(&DriverService::resume);
  world.do_chores();
  EXPECT_FALSE(lost()) << world.log_text();
}

TEST_F(driver_device, rule_14_a_stop_lets_go_of_the_device_within_a_second) {
  world.begin();
  MiniHost host(world, "host.exe", kSecond, {0});
  host.start();
  world.device->allow(4);
  ASSERT_TRUE(host.wait_cycles(2));
  EXPECT_EQ(world.device->closes, 0);
  const Instant before = world.clock->now();
  world.server->run_serialised([this] { world.service->begin_leaving(); });
  world.server->stop(world.clock->now() + std::chrono::milliseconds{1500});
  world.server.reset();
  world.service.reset();
  EXPECT_LT(world.clock->now() - before, std::chrono::seconds{1});
  EXPECT_EQ(world.device->closes, 1);
}

TEST_F(driver_device, a_sleep_without_programs_costs_nothing) {
  world.begin();
  world.server->run_serialised([this] {
    world.service->suspend();
    world.service->resume();
  });
  world.do_chores();
  EXPECT_EQ(world.device->opens, 0);
  EXPECT_FALSE(lost());
}

TEST_F(driver_device, its_loss_is_told_to_whoever_keeps_the_events) {
  world.begin();
  MiniHost host(world, "host.exe", kSecond, {0});
  host.start();
  world.device->allow(4);
  ASSERT_TRUE(host.wait_cycles(2));
  world.device->unplug();
  ASSERT_TRUE(chores_until_lost_is(true));
  world.do_chores();
  EXPECT_EQ(world.losses, 1);
}

/// It opens, starts and is lost at once: no reason to fill logs and to have hosts reset for ever.
TEST_F(driver_device, one_that_never_lasts_is_looked_for_less_often_and_told_no_more) {
  world.begin();
  MiniHost host(world, "host.exe", kSecond, {0});
  host.start();
  Instant before = world.clock->now();
  nanoseconds longest{0};
  Instant last = before;
  int resets = 0;
  for (int losses = 0; losses < 5; ++losses) {
    last = world.clock->now();
    world.device->unplug();
    ASSERT_TRUE(chores_until_lost_is(true)) << world.log_text();
    world.do_chores();
    longest = std::max(longest, world.clock->now() - std::exchange(before, last));
    world.device->replug();
    ASSERT_TRUE(chores_until_lost_is(false)) << world.log_text();
    for (;; ++resets) {
      const auto event = host.link->next_event(world.soon());
      ASSERT_TRUE(event) << "it was not told that it is back";
      if (event->kind == HostEventKind::latencies_changed) break;
      EXPECT_EQ(event->kind, HostEventKind::reset_request);
    }
  }
  if (longest >= std::chrono::seconds{3}) GTEST_SKIP() << "the machine stood still";
  EXPECT_GE(world.clock->now() - last, std::chrono::seconds{2}) << world.log_text();
  EXPECT_EQ(world.losses, 3);
  EXPECT_EQ(resets, 3);
}

TEST_F(driver_device, one_that_comes_back_at_another_rate_plays_on_for_programs_at_the_old_one) {
  world.begin();
  MiniHost host(world, "host.exe", kSecond, {0});
  host.start();
  world.device->allow(4);
  ASSERT_TRUE(host.wait_cycles(2));
  world.device->unplug();
  ASSERT_TRUE(chores_until_lost_is(true));
  world.do_chores();
  expect_event(world, *host.link, HostEventKind::reset_request);
  world.device->rates = {{44'100}};
  world.device->replug();
  ASSERT_TRUE(chores_until_lost_is(false)) << world.log_text();
  EXPECT_EQ(world.ask("status").value().at("device").at("rate_hz"), 44'100);
  const std::uint64_t before = host.cycles();
  world.device->allow(60);
  EXPECT_TRUE(host.wait_cycles(before + 3)) << world.log_text();
}

TEST_F(driver_device, a_reset_while_it_is_away_is_answered_with_silence_until_it_is_back) {
  world.begin();
  MiniHost host(world, "host.exe", kSecond, {0});
  host.start();
  world.device->allow(4);
  ASSERT_TRUE(host.wait_cycles(2));
  world.device->unplug();
  ASSERT_TRUE(chores_until_lost_is(true));
  host.leave();  // as hosts do that are asked for a reset
  EXPECT_FALSE(lost());
  MiniHost again(world, "host.exe", kSecond, {0});
  EXPECT_EQ(again.grant.input_latency, kSecond);
  again.start();
  EXPECT_TRUE(lost());
  world.device->replug();
  ASSERT_TRUE(chores_until_lost_is(false)) << world.log_text();
  world.device->allow(8);
  EXPECT_TRUE(again.wait_cycles(3)) << world.log_text();
  EXPECT_EQ(world.ask("status").value().at("clients").size(), 1U);
}

/// It comes back by another way than a look, and the next look finds buffers that wait alone.
TEST_F(driver_device, buffers_that_waited_for_it_begin_no_new_run_of_others) {
  world.begin();
  MiniHost host(world, "host.exe", kSecond, {0});
  host.start();
  world.device->allow(4);
  ASSERT_TRUE(host.wait_cycles(2));
  world.device->unplug();
  ASSERT_TRUE(chores_until_lost_is(true));
  world.do_chores();
  const auto late = world.connected("late.exe");
  ASSERT_TRUE(late->create_session({kSecond, {0}, {0}}, world.soon()));
  world.device->replug();
  const auto moved = world.ask("device.set", {{"frames", kSecond.count / 2}});
  ASSERT_TRUE(moved) << moved.error().message;
  const std::uint64_t before = host.cycles();
  world.device->allow(20);
  ASSERT_TRUE(host.wait_cycles(before + 2)) << world.log_text();
  ASSERT_TRUE(chores_until_lost_is(false)) << world.log_text();
  const auto runs = world.ask("flight.sessions").value().at("sessions");
  ASSERT_EQ(runs.size(), 2U) << runs.dump();
  EXPECT_TRUE(runs.back().at("start_period").is_number()) << runs.dump();
}

TEST_F(driver_device, that_is_set_again_to_what_it_was_lost_at_begins_a_new_run) {
  world.begin();
  MiniHost host(world, "host.exe", kSecond, {0});
  host.start();
  world.device->allow(4);
  ASSERT_TRUE(host.wait_cycles(2));
  world.device->unplug();
  ASSERT_TRUE(chores_until_lost_is(true));
  world.device->replug();
  ASSERT_TRUE(world.ask("device.set", {{"frames", kSecond.count}}));
  const std::uint64_t before = host.cycles();
  world.device->allow(6);
  ASSERT_TRUE(host.wait_cycles(before + 2)) << world.log_text();
  const auto runs = world.ask("flight.sessions").value().at("sessions");
  ASSERT_EQ(runs.size(), 2U) << runs.dump();
  EXPECT_EQ(runs.front().at("ended"), true);
  EXPECT_GT(runs.back().at("start_period"), runs.front().at("start_period"));
}

TEST_F(driver_device, buffers_that_wait_for_it_can_be_dropped) {
  ASSERT_TRUE(lose_it_under("host.exe")) << world.log_text();
  const auto link = world.connected("host.exe");
  ASSERT_TRUE(link->create_session({kSecond, {0}, {0}}, world.soon()));
  ASSERT_TRUE(link->start_session(world.soon()));
  ASSERT_TRUE(link->stop_session(world.soon()));
  ASSERT_TRUE(link->dispose_session(world.soon()));
  EXPECT_FALSE(lost());
  world.do_chores();
}

TEST_F(driver_device, another_one_that_is_waited_for_opens_at_the_usual_period) {
  ASSERT_TRUE(lose_it_under("host.exe")) << world.log_text();
  const auto link = world.connected("host.exe");
  ASSERT_TRUE(link->create_session({kSecond, {0}, {0}}, world.soon()));
  ASSERT_TRUE(world.ask("config.reload"));
  world.device->replug();
  ASSERT_TRUE(chores_until_lost_is(false)) << world.log_text();
  EXPECT_EQ(world.ask("status").value().at("device").at("period_frames"),
            world.next_config.config.preferred_frames.count);
}

TEST_F(driver_device, that_comes_back_with_fewer_channels_is_judged_as_it_is_now) {
  world.begin();
  MiniHost host(world, "host.exe", kSecond, {0});
  host.start();
  world.device->unplug();
  ASSERT_TRUE(chores_until_lost_is(true));
  world.device->left_channels = 2;
  world.device->replug();
  const auto link = world.connected("other.exe");  // it saw four channels of each kind
  const auto refused = link->create_session({kSecond, {3}, {3}}, world.soon());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(refused.error().message.find("2 inputs and 2 outputs"), std::string::npos)
      << refused.error().message;
  EXPECT_FALSE(lost());
}

TEST_F(driver_device, a_deferred_program_that_waits_for_it_is_told_its_own_latency) {
  ASSERT_TRUE(lose_it_under("lazy.exe")) << world.log_text();
  const auto link = world.connected("lazy.exe");
  const auto granted = link->create_session({kSecond, {0}, {0}}, world.soon());
  ASSERT_TRUE(granted) << granted.error().message;
  EXPECT_EQ(granted->input_latency.count, kSecond.count);
  EXPECT_EQ(granted->output_latency.count, 2 * kSecond.count);
}

TEST_F(driver_device, one_that_measures_itself_slower_is_told_to_programs) {
  world.begin();
  MiniHost host(world, "host.exe", kSecond, {0});
  host.start();
  world.device->allow(4);
  ASSERT_TRUE(host.wait_cycles(2));
  world.device->latency.output = {5'000};
  world.do_chores();
  for (;;) {
    const auto event = host.link->next_event(world.soon());
    ASSERT_TRUE(event);
    if (event->kind != HostEventKind::latencies_changed) continue;
    EXPECT_EQ(event->output_latency.count, kSecond.count + 5'000U);
    break;
  }
}

/// Each stream begins with an estimate again, and is measured again.
TEST_F(driver_device, one_that_measures_the_same_again_is_told_to_programs_again) {
  world.begin();
  for (int round = 0; round < 2; ++round) {
    world.device->latency.output = {5};
    MiniHost host(world, "host.exe", kSecond, {0});
    EXPECT_EQ(host.grant.output_latency.count, kSecond.count + 5U);
    host.start();
    world.device->allow(4);
    ASSERT_TRUE(host.wait_cycles(2));
    world.device->latency.output = {5'000};
    world.do_chores();
    expect_event(world, *host.link, HostEventKind::latencies_changed);
  }
}

TEST_F(driver_device, one_that_takes_what_it_said_is_no_news) {
  world.device->latency.output = {5'000};
  world.begin();
  MiniHost host(world, "host.exe", kSecond, {0});
  EXPECT_EQ(host.grant.output_latency.count, kSecond.count + 5'000U);
  host.start();
  world.device->allow(4);
  ASSERT_TRUE(host.wait_cycles(2));
  world.do_chores();
  ASSERT_TRUE(world.ask("cables.create", {{"name", "Talk"}, {"channels", 1}}));
  const auto event = host.link->next_event(world.soon());
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, HostEventKind::reset_request) << "an event came before";
}

class late_device : public driver_device {
 protected:
  std::unique_ptr<ports::Device> make_part() {
    const std::uint32_t all = std::exchange(world.device->channels, 2);
    auto part = std::make_unique<StepDevice>(world.device);
    world.device->channels = all;
    return part;
  }
  /// `part`: two of its channels are there already.
  void begin(bool part = false) {
    world.make_first_device = [this, part]() -> std::unique_ptr<ports::Device> {
      return std::make_unique<LateDevice>(
          [this]() -> Result<std::unique_ptr<ports::Device>> {
            ++attempts;
            if (!there) return fail(ErrorCode::device_gone, "It is switched off.");
            return std::unique_ptr<ports::Device>(std::make_unique<StepDevice>(world.device));
          },
          "Box", Error{ErrorCode::device_gone, "It is switched off."},
          part ? make_part() : nullptr);
    };
    world.begin();
  }
  std::atomic<bool> there{false};
  std::atomic<int> attempts{0};
};

TEST_F(late_device, programs_can_look_at_it_and_are_told_why_it_does_not_play) {
  begin();
  auto link = world.make_client("host.exe");
  const auto description = link->connect(false, world.soon());
  ASSERT_TRUE(description) << description.error().message;
  EXPECT_EQ(description->device_name, "Box");
  const auto refused = link->create_session({{256}, {0}, {0}}, world.soon());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::device_gone);
  EXPECT_EQ(refused.error().message, "It is switched off.");
}

TEST_F(late_device, a_part_of_it_plays_until_the_whole_can_be_taken) {
  begin(true);
  auto link = world.make_client("host.exe");
  EXPECT_EQ(link->connect(false, world.soon())->input_names.size(), 2U);
  ASSERT_TRUE(link->create_session({{256}, {0, 1}, {0}}, world.soon()));
  const auto notes = world.ask("status").value().at("device").at("notes");
  ASSERT_FALSE(notes.empty());
  EXPECT_EQ(notes.back(), "Only a part of it plays: It is switched off.");
  there = true;
  const auto inputs_now = [this] {
    (void)world.connected("other.exe");  // whoever comes has it looked at
    world.do_chores();
    return world.make_client("next.exe")->connect(false, world.soon())->input_names.size();
  };
  EXPECT_EQ(inputs_now(), 2U) << "it was exchanged under a program's buffers";
  ASSERT_TRUE(link->dispose_session(world.soon()));
  EXPECT_EQ(inputs_now(), 4U);
  auto next = world.connected("next.exe");
  EXPECT_TRUE(next->create_session({{256}, {0, 3}, {0}}, world.soon()));
}

TEST_F(late_device, it_is_looked_for_while_programs_wait_and_they_hear_of_it) {
  begin();
  world.do_chores();
  EXPECT_EQ(attempts, 0);  // nobody waits for it
  const auto link = world.connected("host.exe");
  world.do_chores();
  EXPECT_GT(attempts, 0);
  there = true;
  world.do_chores();
  expect_event(world, *link, HostEventKind::reset_request);
  EXPECT_TRUE(link->create_session({{256}, {0, 3}, {0}}, world.soon()));
  const int before = attempts;
  world.do_chores();
  EXPECT_EQ(attempts, before);
}

}  // namespace
}  // namespace asiodrv::service
