// Clock sources: who hears what when a foreign clock sets the rate, changes it, falls silent.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "service/testing/mini_host.hpp"

namespace asiodrv::service {
namespace {

using nlohmann::json;
using testing::TestWorld;
using wire::HostEventKind;

constexpr std::uint32_t kWordClock = 1;

class driver_clock : public ::testing::Test {
 protected:
  void SetUp() override { world.begin(); }

  /// Feeds the word clock and lets the service notice.
  void word_clock(std::uint32_t hz) {
    world.device->word_clock_hz = hz;
    world.do_chores();
  }

  /// Of the next event, which must be about the rate. Latencies are told as well.
  std::uint32_t told_rate(ipc::ServiceClient& client) {
    for (;;) {
      const auto event = client.next_event(world.soon());
      if (!event) return 1;  // no rate of anything
      if (event->kind == HostEventKind::latencies_changed) continue;
      EXPECT_EQ(event->kind, HostEventKind::rate_changed);
      return event->rate.hz;
    }
  }

  void expect_no_event(ipc::ServiceClient& client) {
    (void)client.stop_session(world.soon());  // whatever was sent before has arrived then
    EXPECT_EQ(client.next_event(world.clock->now()).error().code, ErrorCode::timed_out);
  }

  Result<wire::SessionGrant> create(ipc::ServiceClient& client) {
    return client.create_session({Frames{64}, {0}, {0}}, world.soon());
  }

  std::uint32_t device_rate() {
    return world.ask("status")->at("device").at("rate_hz").get<std::uint32_t>();
  }

  TestWorld world;
};

TEST_F(driver_clock, sources_are_described_and_the_selected_one_is_current) {
  const auto client = world.make_client("host.exe");
  const auto before = client->connect(false, world.soon());
  ASSERT_TRUE(before);
  ASSERT_EQ(before->clock_sources.size(), 2U);
  EXPECT_TRUE(before->clock_sources[0].current);
  EXPECT_EQ(before->clock_sources[1].name, "Word clock");
  ASSERT_TRUE(client->select_clock(kWordClock, world.soon()));
  EXPECT_EQ(client->select_clock(2, world.soon()).error().code, ErrorCode::invalid_argument);
  const auto after = world.make_client("other.exe")->connect(false, world.soon());
  ASSERT_TRUE(after);
  EXPECT_TRUE(after->clock_sources[1].current);
}

TEST_F(driver_clock, selection_is_told_to_everyone_but_the_one_who_selected) {
  const auto selects = world.connected("selects.exe");
  const auto listens = world.connected("listens.exe");
  ASSERT_TRUE(selects->select_clock(kWordClock, world.soon()));
  ASSERT_TRUE(selects->select_clock(kWordClock, world.soon()));  // again: nothing changes
  EXPECT_EQ(listens->next_event(world.soon())->kind, HostEventKind::clock_changed);
  expect_no_event(*listens);
  expect_no_event(*selects);
}

TEST_F(driver_clock, new_external_rate_takes_device_and_streaming_programs_along) {
  const auto client = world.connected("host.exe");
  ASSERT_TRUE(client->select_clock(kWordClock, world.soon()));
  ASSERT_TRUE(create(*client));
  ASSERT_TRUE(client->start_session(world.soon()));
  word_clock(48'000);
  EXPECT_EQ(told_rate(*client), 48'000U);
  EXPECT_EQ(device_rate(), 48'000U);
  const json status = world.ask("status").value();
  EXPECT_EQ(status.at("clients").at(0).at("rate_hz"), 48'000);
  EXPECT_EQ(status.at("clients").at(0).at("output_latency_frames"), 64 + 5);  // not adapted
  EXPECT_TRUE(status.at("device").at("running"));
  EXPECT_EQ(world.device->starts, 2);
}

TEST_F(driver_clock, a_device_that_refuses_its_clocks_rate_is_opened_when_it_takes_it) {
  const auto client = world.connected("host.exe");
  ASSERT_TRUE(client->select_clock(kWordClock, world.soon()));
  ASSERT_TRUE(create(*client));
  ASSERT_TRUE(client->start_session(world.soon()));
  world.device->refuse_open = true;
  word_clock(48'000);
  EXPECT_TRUE(world.ask("status")->at("device").at("lost"));
  world.device->refuse_open = false;
  world.do_chores();
  const json status = world.ask("status").value();
  EXPECT_FALSE(status.at("device").at("lost"));
  EXPECT_TRUE(status.at("device").at("running"));
  EXPECT_EQ(status.at("device").at("rate_hz"), 48'000);
  EXPECT_EQ(status.at("clients").at(0).at("rate_hz"), 48'000);
  EXPECT_EQ(status.at("clients").at(0).at("output_latency_frames"), 64 + 5);  // not adapted
}

TEST_F(driver_clock, a_device_without_memory_at_its_clocks_rate_is_opened_when_there_is_some) {
  const auto client = world.connected("host.exe");
  ASSERT_TRUE(client->select_clock(kWordClock, world.soon()));
  ASSERT_TRUE(create(*client));
  ASSERT_TRUE(client->start_session(world.soon()));
  world.device->no_memory = true;
  word_clock(48'000);
  EXPECT_FALSE(world.device->no_memory);
  EXPECT_TRUE(world.ask("status")->at("device").at("lost"));
  world.do_chores();
  const json status = world.ask("status").value();
  EXPECT_FALSE(status.at("device").at("lost"));
  EXPECT_TRUE(status.at("device").at("running"));
  EXPECT_EQ(status.at("device").at("rate_hz"), 48'000);
}

TEST_F(driver_clock, adapted_program_keeps_its_rate_when_the_clock_changes) {
  const auto follower = world.connected("follower.exe");
  const auto adapted = world.connected("adapted.exe");
  ASSERT_TRUE(create(*follower));
  ASSERT_TRUE(adapted->set_rate(SampleRate{48'000}, world.soon()));
  ASSERT_TRUE(create(*adapted));
  ASSERT_TRUE(follower->select_clock(kWordClock, world.soon()));
  EXPECT_EQ(adapted->next_event(world.soon())->kind, HostEventKind::clock_changed);
  word_clock(96'000);
  EXPECT_EQ(told_rate(*follower), 96'000U);
  const json status = world.ask("status").value();
  ASSERT_EQ(status.at("clients").size(), 2U);
  for (const json& client : status.at("clients")) {
    const bool follows = client.at("program") == "follower.exe";
    EXPECT_EQ(client.at("rate_hz"), follows ? 96'000 : 48'000) << client.dump();
  }
}

TEST_F(driver_clock, silent_clock_reads_as_rate_zero_and_returns) {
  const auto client = world.connected("host.exe");
  ASSERT_TRUE(client->select_clock(kWordClock, world.soon()));
  ASSERT_TRUE(create(*client));
  ASSERT_TRUE(client->start_session(world.soon()));
  word_clock(0);
  world.do_chores();  // told once
  EXPECT_EQ(told_rate(*client), 0U);
  EXPECT_TRUE(world.ask("status")->at("device").at("clock_lost"));
  EXPECT_TRUE(world.ask("status")->at("device").at("running"));  // the sound goes on
  EXPECT_EQ(world.make_client("late.exe")->connect(false, world.soon())->rate.hz, 0U);
  word_clock(8'000);
  EXPECT_EQ(told_rate(*client), 8'000U);
  EXPECT_EQ(world.device->starts, 1);
  expect_no_event(*client);
}

TEST_F(driver_clock, clock_that_returns_with_another_rate_is_followed) {
  const auto client = world.connected("host.exe");
  ASSERT_TRUE(client->select_clock(kWordClock, world.soon()));
  ASSERT_TRUE(create(*client));
  word_clock(0);
  EXPECT_EQ(told_rate(*client), 0U);
  word_clock(48'000);
  EXPECT_EQ(told_rate(*client), 48'000U);
  EXPECT_FALSE(world.ask("status")->at("device").at("clock_lost"));
}

TEST_F(driver_clock, own_clock_ends_the_loss) {
  const auto client = world.connected("host.exe");
  ASSERT_TRUE(client->select_clock(kWordClock, world.soon()));
  word_clock(0);
  EXPECT_EQ(told_rate(*client), 0U);
  ASSERT_TRUE(world.ask("device.clock", {{"name", "Internal"}}));
  EXPECT_EQ(client->next_event(world.soon())->kind, HostEventKind::clock_changed);
  EXPECT_EQ(told_rate(*client), 8'000U);
}

TEST_F(driver_clock, foreign_clock_fixes_the_rate_of_the_device_and_not_of_programs) {
  const auto client = world.connected("host.exe");
  ASSERT_TRUE(client->select_clock(kWordClock, world.soon()));
  EXPECT_EQ(world.ask("device.set", {{"rate_hz", 48'000}}).error().code, ErrorCode::format_refused);
  ASSERT_TRUE(client->set_rate(SampleRate{48'000}, world.soon()));  // adapted, then
  const auto grant = create(*client);
  ASSERT_TRUE(grant) << grant.error().message;
  EXPECT_EQ(grant->rate.hz, 48'000U);
  EXPECT_EQ(device_rate(), 8'000U);
}

TEST_F(driver_clock, the_next_stamp_says_what_has_changed) {
  std::atomic<std::uint32_t> flags{0};
  testing::MiniHost host(world, "host.exe", testing::kSecond, {0});
  host.start([&](testing::MiniHost& self, const wire::CycleStamp& stamp, std::uint32_t count) {
    flags = stamp.flags;
    self.play(stamp);
    self.acknowledge(stamp, count);
  });
  std::uint64_t cycles = 1;
  world.device->allow(2);  // in the first period only the pre-filled half is played
  ASSERT_TRUE(host.wait_cycles(cycles));
  const auto next_flags = [&] {
    world.device->allow(1);
    EXPECT_TRUE(host.wait_cycles(++cycles));
    return flags.load() & (wire::kStampRateChanged | wire::kStampClockChanged);
  };
  EXPECT_EQ(next_flags(), 0U);
  ASSERT_TRUE(world.ask("device.clock", {{"name", "Word clock"}}));
  EXPECT_EQ(next_flags(), wire::kStampClockChanged);
  EXPECT_EQ(next_flags(), 0U) << "said once";
  word_clock(0);
  EXPECT_EQ(next_flags(), wire::kStampRateChanged);
  ASSERT_TRUE(host.link->select_clock(0, world.soon()));
  EXPECT_EQ(next_flags(), wire::kStampRateChanged) << "it is known again; the rest was its own";
}

TEST_F(driver_clock, commands_name_what_there_is) {
  const auto unknown = world.ask("device.clock", {{"name", "Sun"}});
  EXPECT_EQ(unknown.error().code, ErrorCode::not_found);
  EXPECT_NE(unknown.error().message.find("\"Internal\", \"Word clock\""), std::string::npos);
  ASSERT_TRUE(world.ask("clock.feed", {{"rate_hz", 48'000}}));
  ASSERT_TRUE(world.ask("device.clock", {{"name", "Word clock"}}));
  const json device = world.ask("devices.list").value().at("devices").at(0);
  EXPECT_EQ(device.at("clock"), "Word clock");
  EXPECT_EQ(device.at("clock_sources"), (json{"Internal", "Word clock"}));
  EXPECT_EQ(device_rate(), 48'000U);
}

}  // namespace
}  // namespace asiodrv::service
