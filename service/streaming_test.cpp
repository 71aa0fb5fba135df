// Sound through the whole service: one client, several, and broken ones beside healthy ones.
#include <gtest/gtest.h>

#include <atomic>
#include <random>

#include "service/testing/mini_host.hpp"

namespace asiodrv::service {
namespace {

using nlohmann::json;
using testing::kSecond;
using testing::MiniHost;
using testing::TestWorld;
using wire::CycleStamp;

// A period of 1 s at the step device's 8000 Hz: the deadline of 0.8 s is beyond any machine's
// noise, while the steps themselves follow each other without a pause.
class streaming : public ::testing::Test {
 protected:
  void SetUp() override { world.begin(); }

  json client_status(std::uint32_t id) {
    const json status = world.ask("status").value();
    for (const json& client : status.at("clients")) {
      if (client.at("id") == id) return client;
    }
    return nullptr;
  }

  TestWorld world;
};

TEST_F(streaming, loopback_is_exact_after_two_buffers) {
  MiniHost host(world, "host.exe", kSecond, {0, 3});
  host.start();
  world.device->allow(21);  // in the first period only the pre-filled half is played
  ASSERT_TRUE(host.wait_cycles(20));
  ASSERT_TRUE(world.device->wait_committed(21));
  EXPECT_EQ(host.wrong(), 0U);
  EXPECT_EQ(host.last_position, 19U * kSecond.count);
  const json status = client_status(host.grant.session_id);
  EXPECT_EQ(status.at("cycles"), 20);
  EXPECT_EQ(status.at("late"), 0);
  EXPECT_TRUE(host.link->stop_session(world.soon()));
  EXPECT_TRUE(host.link->dispose_session(world.soon()));
  EXPECT_EQ(world.device->closes, 1);
}

TEST_F(streaming, device_runs_with_the_first_client_and_stops_with_the_last) {
  MiniHost one(world, "one.exe", kSecond, {0});
  MiniHost two(world, "two.exe", kSecond, {1});
  EXPECT_EQ(world.device->opens, 1);
  EXPECT_EQ(world.device->starts, 0);
  one.start();
  two.start();
  EXPECT_EQ(world.device->starts, 1);
  EXPECT_TRUE(one.link->stop_session(world.soon()));
  EXPECT_TRUE(one.link->stop_session(world.soon()));  // idempotent
  EXPECT_EQ(world.device->stops, 0);
  EXPECT_TRUE(two.link->stop_session(world.soon()));
  EXPECT_EQ(world.device->stops, 1);
  EXPECT_EQ(world.device->closes, 0);
}

TEST_F(streaming, restarted_stream_is_a_run_of_its_own_at_a_later_period) {
  MiniHost host(world, "host.exe", kSecond, {0});
  host.start();
  world.device->allow(5);
  ASSERT_TRUE(host.wait_cycles(4));
  EXPECT_TRUE(host.link->stop_session(world.soon()));
  ASSERT_TRUE(host.link->start_session(world.soon()));
  world.device->allow(3);
  ASSERT_TRUE(host.wait_cycles(6));
  const json runs = world.ask("flight.sessions").value().at("sessions");
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].at("id"), runs[1].at("id"));
  EXPECT_EQ(runs[0].at("program"), "host.exe");
  EXPECT_EQ(runs[0].at("buffer_frames"), kSecond.count);
  EXPECT_EQ(runs[0].at("ended"), true);
  EXPECT_EQ(runs[1].at("ended"), false);
  EXPECT_EQ(runs[0].at("start_period"), 1);
  EXPECT_GT(runs[1].at("start_period"), 5);
}

TEST_F(streaming, client_that_dies_in_the_middle_is_removed_and_others_play_on) {
  MiniHost healthy(world, "healthy.exe", kSecond, {0});
  auto dying = std::make_unique<MiniHost>(world, "dying.exe", kSecond, std::vector{1U});
  healthy.start();
  dying->start();
  world.device->allow(5);
  ASSERT_TRUE(healthy.wait_cycles(4));
  const std::uint32_t id = dying->grant.session_id;
  dying.reset();
  while (client_status(id) != nullptr) {  // bounded by the test's own time limit
  }
  world.device->allow(10);
  ASSERT_TRUE(healthy.wait_cycles(14));
  EXPECT_EQ(healthy.wrong(), 0U);
  EXPECT_NE(world.log_text().find("dying.exe"), std::string::npos);
}

TEST_F(streaming, client_that_dies_while_it_is_waited_for_delays_nobody_any_longer) {
  MiniHost healthy(world, "healthy.exe", kSecond, {0});
  MiniHost dying(world, "dying.exe", kSecond, {1});
  const auto rung = world.threads->make_signal();
  healthy.start();
  dying.start([&](MiniHost&, const CycleStamp&, std::uint32_t) { rung->signal(); });
  world.device->allow(2);
  ASSERT_TRUE(rung->wait(world.soon()));  // the engine waits for it now
  dying.leave();
  ASSERT_TRUE(world.device->wait_committed(2));
  world.device->allow(3);
  ASSERT_TRUE(world.device->wait_committed(5));
  EXPECT_EQ(healthy.wrong(), 0U);
}

TEST_F(streaming, client_that_never_acknowledges_is_late_and_the_other_stays_exact) {
  MiniHost healthy(world, "healthy.exe", kSecond, {0});
  MiniHost stuck(world, "stuck.exe", kSecond, {1});
  healthy.start();
  stuck.start([](MiniHost&, const CycleStamp&, std::uint32_t) {});
  world.device->allow(21);
  ASSERT_TRUE(world.device->wait_committed(21));
  ASSERT_TRUE(healthy.wait_cycles(20));
  EXPECT_EQ(healthy.wrong(), 0U);
  EXPECT_EQ(client_status(healthy.grant.session_id).at("late"), 0);
  const json status = client_status(stuck.grant.session_id);
  EXPECT_EQ(status.at("late"), 1);
  EXPECT_GE(status.at("away"), 18);

  const json xruns = world.ask("flight.xruns").value().at("xruns");
  ASSERT_FALSE(xruns.empty());
  for (const json& xrun : xruns) EXPECT_EQ(xrun.at("client"), stuck.grant.session_id);
  EXPECT_EQ(xruns[0].at("causes"), json::array({"late_client"}));
  world.do_chores();
  EXPECT_NE(world.log_text().find("stuck.exe"), std::string::npos) << world.log_text();
}

/// The scribbler writes over all of its section, doorbell words and header too.
TEST_F(streaming, client_that_scribbles_over_its_section_hurts_nobody_else) {
  for (const std::uint32_t seed : {1U, 41U}) {
    MiniHost healthy(world, "healthy.exe", kSecond, {0, 1});
    MiniHost scribbler(world, "scribbler.exe", kSecond, {2, 3});
    std::mt19937 random(seed);
    healthy.start();
    scribbler.start([&random](MiniHost& host, const CycleStamp& stamp, std::uint32_t count) {
      // Word by word, as another process would do it; the region is page aligned.
      auto* const words = reinterpret_cast<std::uint32_t*>(host.bytes().data());
      for (std::size_t i = 0; i < host.bytes().size() / 4; ++i) {
        std::atomic_ref(words[i]).store(static_cast<std::uint32_t>(random()),
                                        std::memory_order_relaxed);
      }
      if (random() % 2 == 0) host.acknowledge(stamp, count);
    });
    const std::uint64_t before = world.device->committed;
    world.device->allow(12);
    ASSERT_TRUE(world.device->wait_committed(before + 12));
    ASSERT_TRUE(healthy.wait_cycles(11));
    EXPECT_EQ(healthy.wrong(), 0U) << "seed " << seed;
  }
}

/// No period comes any more, so nothing that the device does can end the wait.
TEST_F(streaming, leaving_closes_the_device_under_a_program_that_plays) {
  MiniHost host(world, "host.exe", kSecond, {0});
  host.start();
  world.device->allow(3);
  ASSERT_TRUE(host.wait_cycles(2));
  EXPECT_EQ(world.device->closes, 0);
  world.server->run_serialised([this] { world.service->begin_leaving(); });
  world.server->stop(world.soon());
  world.service.reset();
  EXPECT_EQ(world.device->closes, 1);
}

TEST_F(streaming, lost_device_is_told_looked_for_and_comes_back_with_its_clients) {
  MiniHost host(world, "host.exe", kSecond, {0});
  host.start();
  world.device->allow(3);
  ASSERT_TRUE(host.wait_cycles(2));
  world.device->unplug();
  while (!world.ask("status").value().at("device").at("lost").get<bool>()) {
    ASSERT_TRUE(world.service->attention().wait(world.soon()));
  }
  world.do_chores();
  const auto event = host.link->next_event(world.soon());
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, wire::HostEventKind::reset_request);
  EXPECT_NE(world.log_text().find("Step device is gone"), std::string::npos);

  world.device->replug();
  // Starting again looks for the device at once; the periodic look would find it as well.
  EXPECT_TRUE(host.link->stop_session(world.soon()));
  EXPECT_TRUE(host.link->start_session(world.soon()));
  world.device->allow(3);
  EXPECT_TRUE(host.wait_cycles(4));
  EXPECT_EQ(world.ask("status").value().at("device").at("lost"), false);
}

TEST_F(streaming, lost_device_is_found_again_by_itself_and_clients_play_on) {
  MiniHost host(world, "host.exe", kSecond, {0});
  host.start();
  world.device->allow(3);
  ASSERT_TRUE(host.wait_cycles(2));
  world.device->unplug();
  while (!world.ask("status").value().at("device").at("lost").get<bool>()) {
    ASSERT_TRUE(world.service->attention().wait(world.soon()));
  }
  world.do_chores();                      // notices the loss and sets the time of the next look
  for (int look = 0; look < 3; ++look) {  // as often as it takes
    world.clock->sleep_until(world.clock->now() + std::chrono::milliseconds{500});
    world.do_chores();
  }
  world.device->replug();
  world.clock->sleep_until(world.clock->now() + std::chrono::milliseconds{500});
  world.do_chores();
  EXPECT_NE(world.log_text().find("Step device is back"), std::string::npos);
  world.device->allow(3);
  EXPECT_TRUE(host.wait_cycles(4));
  const json runs = world.ask("flight.sessions").value().at("sessions");
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].at("ended"), true);
  EXPECT_GT(runs[1].at("start_period"), 3);
}

TEST_F(streaming, rate_change_of_the_only_running_client_interrupts_and_goes_on) {
  MiniHost host(world, "host.exe", kSecond, {0});
  host.start();
  world.device->allow(3);
  ASSERT_TRUE(host.wait_cycles(2));
  const auto changed = host.link->set_rate(SampleRate{48'000}, world.soon());
  ASSERT_TRUE(changed) << changed.error().message;
  world.device->allow(3);
  ASSERT_TRUE(host.wait_cycles(4));
  const json status = world.ask("status").value();
  EXPECT_EQ(status.at("device").at("rate_hz"), 48'000);
  EXPECT_EQ(status.at("device").at("running"), true);
  EXPECT_EQ(world.ask("flight.sessions").value().at("sessions").size(), 2U);
  EXPECT_EQ(host.link->next_event(world.clock->now()).error().code, ErrorCode::timed_out);
}

TEST_F(streaming, service_stops_at_once_while_clients_stream) {
  MiniHost host(world, "host.exe", kSecond, {0});
  host.start();
  world.device->allow(1'000'000);
  ASSERT_TRUE(host.wait_cycles(3));
  world.server->stop(world.soon());
  EXPECT_EQ(world.device->closes, 1);
}

}  // namespace
}  // namespace asiodrv::service
