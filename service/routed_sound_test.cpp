// Cables and routes as they sound: the real engine, shared memory and a stepping device.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>

#include "service/testing/mini_host.hpp"

namespace asiodrv::service {
namespace {

using nlohmann::json;
using testing::kSecond;
using testing::MiniHost;
using testing::TestWorld;
using wire::CycleStamp;

class routed_sound : public ::testing::Test {
 protected:
  void SetUp() override { world.begin(); }

  void done(const char* method, const json& params) {
    const auto answer = world.ask(method, params);
    ASSERT_TRUE(answer) << answer.error().message;
  }
  void route(const char* from, const char* to, json more = json::object()) {
    more["from"] = from;
    more["to"] = to;
    done("routes.set", {{"routes", json::array({std::move(more)})}});
  }

  /// Puts `level` into every output and remembers the last sample of every input.
  static MiniHost::Behaviour steady(float level, std::vector<std::atomic<float>>& heard) {
    return [level, &heard](MiniHost& host, const CycleStamp& stamp, std::uint32_t count) {
      for (std::uint32_t i = 0; i < host.layout.outputs; ++i) {
        for (std::uint32_t f = 0; f < kSecond.count; ++f) {
          std::memcpy(host.bytes().data() + host.layout.output_offset(i, stamp.half) + f * 4,
                      &level, 4);
        }
      }
      for (std::uint32_t i = 0; i < host.layout.inputs; ++i) {
        float last = 0.0F;
        std::memcpy(&last,
                    host.bytes().data() + host.layout.input_offset(i, stamp.half) +
                        (kSecond.count - 1) * std::size_t{4},
                    4);
        heard[i] = last;
      }
      host.acknowledge(stamp, count);
    };
  }

  void pass(MiniHost& host, std::uint64_t periods) {
    const std::uint64_t before = host.cycles();
    world.device->allow(periods + 1);
    ASSERT_TRUE(host.wait_cycles(before + periods));
  }

  json meter_of(const std::string& port) {
    const json answer = world.ask("meters.get").value();
    for (const json& each : answer.at("meters")) {
      if (each.at("port") == port) return each;
    }
    return {};
  }

  TestWorld world;
};

TEST_F(routed_sound, a_cable_carries_sound_from_program_to_program) {
  done("cables.create", {{"name", "Talk"}, {"channels", 2}});
  std::vector<std::atomic<float>> from_device(2), from_cable(2);
  MiniHost speaker(world, "speaker.exe", kSecond, {4, 5});
  MiniHost listener(world, "listener.exe", kSecond, {4, 0});
  speaker.start(steady(0.25F, from_device));
  listener.start(steady(0.0F, from_cable));
  pass(listener, 6);
  EXPECT_EQ(from_cable[0], 0.25F);  // exact: one program feeds it, at unity
  EXPECT_EQ(from_cable[1], 0.0F);   // the device hears neither
  const json cables = world.ask("cables.list").value();
  EXPECT_EQ(cables.at("cables").at(0).at("used_by"), json::array({"speaker.exe", "listener.exe"}));
}

TEST_F(routed_sound, a_straight_connection_can_be_muted_and_comes_back) {
  std::vector<std::atomic<float>> heard(1);
  MiniHost host(world, "host.exe", kSecond, {0});
  host.start(steady(0.5F, heard));
  pass(host, 6);
  EXPECT_EQ(heard[0], 0.5F);
  route("host.exe/out:1", "out:1", {{"mute", true}});
  pass(host, 6);  // the change is ramped
  EXPECT_EQ(heard[0], 0.0F);
  done("routes.clear", json::object());
  pass(host, 6);
  EXPECT_EQ(heard[0], 0.5F);
}

TEST_F(routed_sound, a_route_made_before_its_program_sounds_when_the_program_comes) {
  route("speaker.exe/out:1", "listener.exe/in:2", {{"invert", true}});
  std::vector<std::atomic<float>> nobody(1), heard(2);
  MiniHost listener(world, "listener.exe", kSecond, {0, 1});
  listener.start(steady(0.0F, heard));
  pass(listener, 5);
  EXPECT_EQ(heard[1], 0.0F);
  MiniHost speaker(world, "Speaker.EXE", kSecond, {3});
  MiniHost other(world, "speaker.exe", kSecond, {0});
  other.start(steady(0.25F, nobody));
  pass(listener, 6);
  EXPECT_EQ(heard[1], -0.25F);
}

TEST_F(routed_sound, solo_leaves_only_the_soloed_program_at_an_output) {
  std::vector<std::atomic<float>> heard(1), unused(1);
  MiniHost first(world, "first.exe", kSecond, {0});
  MiniHost second(world, "second.exe", kSecond, {0});
  first.start(steady(0.5F, heard));
  second.start(steady(0.25F, unused));
  pass(first, 6);
  EXPECT_EQ(heard[0], 0.75F);
  route("second.exe/out:1", "out:1", {{"solo", true}});
  pass(first, 6);
  EXPECT_EQ(heard[0], 0.25F);
}

TEST_F(routed_sound, meters_show_what_flows) {
  std::vector<std::atomic<float>> heard(1);
  MiniHost host(world, "host.exe", kSecond, {0});
  host.start(steady(0.5F, heard));
  (void)meter_of("out:1");  // from now on it is measured
  pass(host, 6);
  const json output = meter_of("out:1");
  ASSERT_TRUE(output.at("peak_db").is_number()) << output;
  EXPECT_NEAR(output.at("peak_db").get<double>(), -6.0, 0.2);
  EXPECT_TRUE(meter_of("host.exe/out:1").at("peak_db").is_number());
  EXPECT_EQ(meter_of("out:2").at("peak_db"), nullptr);
}

}  // namespace
}  // namespace asiodrv::service
