// A new configuration in a running service, and another device under programs that play.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>

#include "service/testing/mini_host.hpp"

namespace asiodrv::service {
namespace {

using nlohmann::json;
using testing::kSecond;
using testing::MiniHost;
using testing::StepControl;
using testing::TestWorld;
using wire::CycleStamp;
using wire::HostEventKind;

constexpr float kLevel = 0.5F;

class driver_reload : public ::testing::Test {
 protected:
  void SetUp() override {
    world.begin();
    world.next_config = world.config;
    heard[0] = heard[1] = -1.0F;
  }

  /// Puts kLevel into every output and remembers the last sample of every input.
  MiniHost::Behaviour steady() {
    return [this](MiniHost& host, const CycleStamp& stamp, std::uint32_t count) {
      const std::size_t last = (kSecond.count - 1) * sizeof(float);
      for (std::uint32_t i = 0; i < 2; ++i) {
        std::byte* const output = host.bytes().data() + host.layout.output_offset(i, stamp.half);
        for (std::uint32_t f = 0; f < kSecond.count; ++f) {
          std::memcpy(output + f * sizeof(float), &kLevel, sizeof(float));
        }
        float sample = 0.0F;
        std::memcpy(&sample, host.bytes().data() + host.layout.input_offset(i, stamp.half) + last,
                    sizeof sample);
        heard[i] = sample;
      }
      host.acknowledge(stamp, count);
    };
  }

  void pass(MiniHost& host, std::uint64_t periods) {
    const std::uint64_t before = host.cycles();
    world.device->allow(periods + 2);  // a start takes up to two
    ASSERT_TRUE(host.wait_cycles(before + periods));
  }

  /// Devices made from now on answer to the returned one's successor in world.device.
  std::shared_ptr<StepControl> new_device(std::uint32_t channels) {
    auto fresh = std::make_shared<StepControl>(*world.clock, *world.threads);
    fresh->channels = channels;
    fresh->latency = {};
    return std::exchange(world.device, std::move(fresh));
  }

  TestWorld world;
  std::atomic<float> heard[2];
};

TEST_F(driver_reload, new_settings_hold_and_programs_are_asked_for_a_reset) {
  const auto client = world.connected("host.exe");
  world.next_config.config.sample_type = SampleType::int16;
  ASSERT_TRUE(world.ask("config.reload"));
  EXPECT_EQ(client->next_event(world.soon())->kind, HostEventKind::reset_request);
  EXPECT_EQ(world.make_client("x")->connect(false, world.soon())->sample_type, SampleType::int16);
}

TEST_F(driver_reload, sound_goes_on_through_another_device) {
  MiniHost host(world, "host.exe", kSecond, {0, 3});
  host.start(steady());
  pass(host, 6);
  EXPECT_EQ(heard[0], kLevel);
  EXPECT_EQ(heard[1], kLevel);
  const auto old = new_device(2);
  const auto reloaded = world.ask("config.reload");
  ASSERT_TRUE(reloaded) << reloaded.error().message;
  EXPECT_EQ(old->closes, 1);
  heard[0] = heard[1] = -1.0F;
  pass(host, 6);
  EXPECT_EQ(heard[0], kLevel);
  EXPECT_EQ(heard[1], 0.0F);  // there is no channel 3 any more
  EXPECT_EQ(host.link->next_event(world.soon())->kind, HostEventKind::reset_request);
  EXPECT_EQ(world.make_client("x")->connect(false, world.soon())->input_names.size(), 2U);
  EXPECT_TRUE(world.ask("status").value().at("device").at("running"));
}

TEST_F(driver_reload, device_that_does_not_open_leaves_the_old_one_in_force) {
  MiniHost host(world, "host.exe", kSecond, {0, 3});
  host.start(steady());
  pass(host, 3);
  const auto old = new_device(2);
  world.device->refuse_open = true;
  world.next_config.config.preferred_frames = Frames{512};
  const auto refused = world.ask("config.reload");
  EXPECT_EQ(refused.error().code, ErrorCode::device_busy);
  world.device = old;
  pass(host, 6);
  EXPECT_EQ(heard[1], kLevel);
  EXPECT_EQ(world.ask("config.get").value().at("values").at("driver").at("preferred_frames"), 64);
}

TEST_F(driver_reload, device_for_which_there_is_no_memory_leaves_the_old_one_in_force) {
  MiniHost host(world, "host.exe", kSecond, {0, 3});
  host.start(steady());
  pass(host, 3);
  const auto old = new_device(2);
  world.device->no_memory = true;
  const auto refused = world.ask("config.reload");
  EXPECT_EQ(refused.error().code, ErrorCode::out_of_memory);
  world.device = old;
  pass(host, 6);
  EXPECT_EQ(heard[1], kLevel);
  EXPECT_FALSE(world.ask("status").value().at("device").at("lost"));
}

TEST_F(driver_reload, lost_device_is_replaced_by_one_that_is_there) {
  MiniHost host(world, "host.exe", kSecond, {0, 3});
  host.start(steady());
  pass(host, 3);
  world.device->unplug();
  while (!world.ask("status").value().at("device").at("lost").get<bool>()) {
  }
  (void)new_device(4);
  ASSERT_TRUE(world.ask("config.reload"));
  pass(host, 6);
  EXPECT_EQ(heard[1], kLevel);
  EXPECT_FALSE(world.ask("status").value().at("device").at("lost"));
}

/// Only under a loss do programs get buffers for a device that does not open, and silence.
TEST_F(driver_reload, loss_is_over_when_another_device_has_taken_the_lost_one_s_place) {
  {
    MiniHost host(world, "host.exe", kSecond, {0, 3});
    host.start(steady());
    pass(host, 3);
    world.device->unplug();
    const Instant limit = world.soon();
    while (world.losses == 0 && world.clock->now() < limit) world.do_chores();
    ASSERT_EQ(world.losses, 1);
    (void)new_device(4);
    ASSERT_TRUE(world.ask("config.reload"));
  }
  ASSERT_TRUE(world.idle->wait(world.soon())) << "the host has not been forgotten";
  world.device->refuse_open = true;
  const auto link = world.connected("other.exe");
  const auto refused = link->create_session({kSecond, {0}, {0}}, world.soon());
  ASSERT_FALSE(refused) << "it got buffers that nobody plays";
  EXPECT_EQ(refused.error().code, ErrorCode::device_busy);
}

TEST_F(driver_reload, engine_for_which_there_is_no_memory_leaves_the_old_one_in_force) {
  const std::uint32_t before = world.config.config.spin_us;
  world.next_config.config.spin_us = before + 5;
  world.no_memory_for_an_engine = true;
  ASSERT_FALSE(world.ask("config.reload"));
  ASSERT_FALSE(world.no_memory_for_an_engine) << "no other engine was made";
  world.do_chores();
  const auto spins = [this] {
    return world.ask("config.get").value().at("values").at("engine").at("spin_us");
  };
  EXPECT_EQ(spins(), before);
  {
    MiniHost host(world, "host.exe", kSecond, {0, 3});
    host.start(steady());
    pass(host, 3);
  }
  ASSERT_TRUE(world.idle->wait(world.soon())) << "the host has not been forgotten";
  ASSERT_TRUE(world.ask("config.reload"));
  EXPECT_EQ(spins(), before + 5);
}

TEST_F(driver_reload, changed_engine_section_waits_until_nobody_plays) {
  const auto client = world.connected("host.exe");
  ASSERT_TRUE(client->create_session({Frames{64}, {0}, {0}}, world.soon()));
  world.next_config.config.spin_us = 5;
  const auto refused = world.ask("config.reload");
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_state);
  EXPECT_NE(refused.error().message.find("[engine]"), std::string::npos);
  ASSERT_TRUE(client->dispose_session(world.soon()));
  EXPECT_TRUE(world.ask("config.reload"));
}

}  // namespace
}  // namespace asiodrv::service
