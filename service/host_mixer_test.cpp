#include "service/host_mixer.hpp"

#include <gtest/gtest.h>

namespace asiodrv::service {
namespace {

using engine::device_port;
using engine::GraphSpec;
using engine::Node;
using engine::Port;

constexpr HostMixer::Channels kThere{2, 4, 3, 5};

std::optional<Port> port_of(bool, std::uint32_t channel) { return device_port(channel); }

TEST(host_mixer, a_monitor_becomes_a_route_and_goes_again) {
  HostMixer mixer;
  ASSERT_TRUE(mixer.set_monitor({1, 2, wire::kUnityGain, 0, true}, kThere));
  GraphSpec graph;
  mixer.add_to(graph, {}, port_of);
  ASSERT_EQ(graph.routes.size(), 1U);
  EXPECT_EQ(graph.routes[0].source, device_port(1));
  EXPECT_EQ(graph.routes[0].sink, device_port(2));
  EXPECT_EQ(graph.routes[0].gain.factor, 1.0F) << "bit-exact on the left";
  ASSERT_TRUE(mixer.set_monitor({1, 2, wire::kUnityGain, 0, false}, kThere));
  EXPECT_TRUE(mixer.is_neutral());
}

TEST(host_mixer, pan_keeps_the_power_and_needs_a_second_output) {
  HostMixer mixer;
  ASSERT_TRUE(mixer.set_monitor({0, 0, wire::kUnityGain / 2, wire::kLevelMax / 2, true}, kThere));
  ASSERT_TRUE(mixer.set_monitor({0, 3, wire::kUnityGain, wire::kLevelMax, true}, kThere));
  GraphSpec graph;
  mixer.add_to(graph, {}, port_of);
  ASSERT_EQ(graph.routes.size(), 2U) << "the right side of the last output is nowhere";
  const float left = graph.routes[0].gain.factor, right = graph.routes[1].gain.factor;
  EXPECT_NEAR(left * left + right * right, 0.25F, 1e-6);
  EXPECT_NEAR(left, right, 1e-6);
}

TEST(host_mixer, a_device_without_inputs_is_not_said_to_have_some) {
  HostMixer mixer;
  const auto refused = mixer.set_monitor({0, 0, wire::kUnityGain, 0, true}, {0, 2, 0, 2});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "There is no input 0: the device has no inputs.");
  const auto beyond = mixer.set_monitor({2, 0, wire::kUnityGain, 0, true}, kThere);
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().message, "There is no input 2: numbers from 0 to 1 are there.");
}

TEST(host_mixer, all_inputs_at_once) {
  HostMixer mixer;
  ASSERT_TRUE(mixer.set_monitor({{}, 0, wire::kUnityGain, 0, true}, kThere));
  GraphSpec graph;
  mixer.add_to(graph, {}, port_of);
  EXPECT_EQ(graph.routes.size(), 2U);
  ASSERT_TRUE(mixer.set_monitor({{}, 0, wire::kUnityGain, 0, false}, kThere));
  EXPECT_TRUE(mixer.is_neutral());
}

TEST(host_mixer, gains_are_those_of_the_straight_connection) {
  HostMixer mixer;
  ASSERT_TRUE(mixer.set_gain({true, 1, wire::kUnityGain / 2}, kThere));
  ASSERT_TRUE(mixer.set_gain({false, 3, 2 * wire::kUnityGain}, kThere));
  const HostMixer::Session session{9, {device_port(0), device_port(1)}, {device_port(3)}};
  GraphSpec graph;
  graph.routes.push_back({{Node::client, 9, 0}, device_port(3), LinearGain{-0.5F}});
  mixer.add_to(graph, session, port_of);
  ASSERT_EQ(graph.routes.size(), 2U);
  EXPECT_EQ(graph.routes[0].gain.factor, -1.0F) << "a route of the user's is scaled";
  EXPECT_EQ(graph.routes[1].source, device_port(1));
  EXPECT_EQ(graph.routes[1].sink, (Port{Node::client, 9, 1}));
  EXPECT_EQ(graph.routes[1].gain.factor, 0.5F);
  ASSERT_TRUE(mixer.set_gain({true, 1, wire::kUnityGain}, kThere));
  ASSERT_TRUE(mixer.set_gain({false, 3, wire::kUnityGain}, kThere));
  EXPECT_TRUE(mixer.is_neutral());
}

TEST(host_mixer, channels_that_are_not_there_are_refused) {
  HostMixer mixer;
  EXPECT_FALSE(mixer.set_monitor({2, 0, 1, 0, true}, kThere));
  EXPECT_FALSE(mixer.set_monitor({0, 4, 1, 0, true}, kThere));
  EXPECT_FALSE(mixer.set_gain({true, 3, 1}, kThere));
  const auto refused = mixer.set_gain({false, 5, 1}, kThere);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("0 to 4"), std::string::npos);
  EXPECT_TRUE(mixer.is_neutral());
}

}  // namespace
}  // namespace asiodrv::service
