// What the service tells of Windows' devices, on a Windows made of arithmetic.
#include "service/device_list.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "devices/wasapi/fake/endpoint.hpp"
#include "devices/wasapi/fake/world.hpp"

namespace asiodrv::service {
namespace {

namespace fake = devices::wasapi::fake;
using devices::wasapi::Flow;
using nlohmann::json;

/// A speaker and a microphone; eight converters behind a mixer of two channels.
std::shared_ptr<fake::World> make_world() {
  auto world = std::make_shared<fake::World>();
  for (const Flow flow : {Flow::render, Flow::capture}) {
    fake::EndpointSpec spec = make_spec(fake::Personality::plain, flow);
    spec.knobs.exclusive.channels = {2, 8};
    world->add_endpoint(spec);
  }
  return world;
}

void expect_nothing_broken(const fake::World& world) {
  EXPECT_EQ(world.violations(), std::vector<std::string>{});
  EXPECT_EQ(world.leaks(), std::vector<std::string>{});
}

TEST(device_list, each_endpoint_has_its_modes_with_their_channels) {
  const std::shared_ptr<fake::World> world = make_world();
  std::weak_ptr<void> hanging;
  const json list = list_wasapi(world, hanging);
  ASSERT_EQ(list.size(), 2U) << list;
  for (const json& device : list) {
    EXPECT_EQ(device.at("state"), "active");
    ASSERT_EQ(device.at("modes").size(), 3U) << device;
    for (const json& mode : device.at("modes")) {
      EXPECT_EQ(mode.at("channels"), mode.at("mode") == "exclusive" ? 8 : 2) << mode;
      EXPECT_FALSE(mode.at("rates").empty());
    }
  }
  EXPECT_EQ(world->calls("client.initialize"), 0U) << "nobody is disturbed";
  expect_nothing_broken(*world);
}

TEST(device_list, a_driver_that_hangs_is_left_alone_and_told_of) {
  const std::shared_ptr<fake::World> world = make_world();
  world->before_next("client.mix_format", [&] { world->hang(std::chrono::seconds{60}); });
  const Instant before = world->now();
  std::weak_ptr<void> hanging;
  const json list = list_wasapi(world, hanging);
  EXPECT_GT(world->now() - before, std::chrono::seconds{1}) << "nothing has hung";
  EXPECT_LE(world->now() - before, std::chrono::milliseconds{3'500});
  ASSERT_FALSE(list.empty());
  EXPECT_TRUE(list.back().at("problem").is_string());
  EXPECT_EQ(list.back().at("backend"), "wasapi");
  expect_nothing_broken(*world);
}

TEST(device_list, while_one_question_hangs_no_other_is_begun_beside_it) {
  const std::shared_ptr<fake::World> world = make_world();
  const auto one_that_hangs = std::make_shared<int>();
  std::weak_ptr<void> hanging = one_that_hangs;
  const json list = list_wasapi(world, hanging);
  ASSERT_EQ(list.size(), 1U) << list;
  EXPECT_TRUE(list.back().at("problem").is_string());
  EXPECT_EQ(world->calls("client.mix_format"), 0U);
  expect_nothing_broken(*world);
}

}  // namespace
}  // namespace asiodrv::service
