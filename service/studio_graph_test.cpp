// What the engine is told: each rule from people's words to factors.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "service/studio.hpp"
#include "service/testing/studio_world.hpp"
#include "tests/support/text.hpp"

namespace asiodrv::service {
namespace {

using engine::device_port;
using engine::GraphSpec;
using engine::Node;
using engine::Port;
using test::contains;
using testing::connect;
using testing::make_studio;
using testing::program_port;
using testing::session;
using testing::with_gain;
using testing::with_solo;

/// The factor between two ends, or nothing when the graph has no such route.
std::optional<float> factor(const GraphSpec& graph, const Port& source, const Port& sink) {
  for (const engine::Route& route : graph.routes) {
    if (route.source == source && route.sink == sink) return route.gain.factor;
  }
  return std::nullopt;
}

float compiled(const RouteChange& change) {
  Studio studio = make_studio();
  EXPECT_TRUE(connect(studio, "in:1", "out:2", change));
  const GraphSpec graph = studio.compile({});
  EXPECT_EQ(graph.routes.size(), 1U);
  return factor(graph, device_port(0), device_port(1)).value();
}

TEST(studio_graph, decibels_become_factors) {
  EXPECT_EQ(compiled(with_gain(0.0)), 1.0F);  // bit-exact
  EXPECT_NEAR(compiled(with_gain(-20.0)), 0.1F, 1e-6F);
  EXPECT_NEAR(compiled(with_gain(24.0)), 15.8489F, 1e-3F);
  EXPECT_LE(compiled(with_gain(24.0)), engine::kMaxRouteGain);
  EXPECT_EQ(compiled(with_gain(-std::numeric_limits<double>::infinity())), 0.0F);
  EXPECT_EQ(compiled(with_gain(-760.0)), 0.0F);  // no denormal numbers
}

TEST(studio_graph, mute_is_silence_and_invert_a_minus) {
  RouteChange change = with_gain(-20.0);
  change.invert = true;
  EXPECT_NEAR(compiled(change), -0.1F, 1e-6F);
  change.mute = true;
  EXPECT_EQ(compiled(change), 0.0F);
}

TEST(studio_graph, cables_are_told_by_their_own_numbers) {
  Studio studio = make_studio({{"Talk", 2}, {"Mix", 3}});
  ASSERT_TRUE(connect(studio, "Talk:2", "Mix:3"));
  const GraphSpec graph = studio.compile({});
  ASSERT_EQ(graph.cables.size(), 2U);
  EXPECT_EQ(graph.cables[1].channels, 3U);
  EXPECT_NE(graph.cables[0].id, 0U);
  EXPECT_NE(graph.cables[0].id, graph.cables[1].id);
  EXPECT_EQ(
      factor(graph, {Node::cable, graph.cables[0].id, 1}, {Node::cable, graph.cables[1].id, 2}),
      1.0F);
}

TEST(studio_graph, a_cable_made_anew_is_another_one) {
  Studio studio = make_studio({{"Talk", 2}});
  const std::uint32_t before = studio.cables()[0].id;
  ASSERT_TRUE(studio.remove_cable("Talk", {}));
  ASSERT_TRUE(studio.add_cable("Talk", 2));
  EXPECT_NE(studio.cables()[0].id, before);
}

TEST(studio_graph, a_programs_channel_is_found_by_its_place_in_the_session) {
  Studio studio = make_studio();
  ASSERT_TRUE(connect(studio, "DAW.exe/out:2", "out:1"));
  ASSERT_TRUE(connect(studio, "in:1", "daw.exe/in:4"));
  SessionPorts daw{9, "daw.EXE", {device_port(3)}, {device_port(1), device_port(0)}};
  GraphSpec graph = studio.compile({daw});
  EXPECT_EQ(factor(graph, program_port(9, 0), device_port(0)), 1.0F);
  EXPECT_EQ(factor(graph, device_port(0), program_port(9, 0)), 1.0F);
  daw.outputs = {device_port(0)};  // no buffer for its second output
  graph = studio.compile({daw});
  EXPECT_EQ(graph.routes.size(), 1U);
  const auto reports = studio.reports({daw});
  EXPECT_EQ(reports[0].state, RouteState::active);
  EXPECT_EQ(reports[1].state, RouteState::rests);
  EXPECT_TRUE(contains(reports[1].reason, "no buffer for DAW.exe/out:2")) << reports[1].reason;
}

TEST(studio_graph, every_session_of_a_program_is_meant) {
  Studio studio = make_studio();
  ASSERT_TRUE(connect(studio, "a/out:1", "b/in:1"));
  const GraphSpec graph = studio.compile(
      {session(studio, 1, "a", 0, 1), session(studio, 2, "A", 0, 1), session(studio, 3, "b", 1, 0),
       session(studio, 4, "b", 1, 0), session(studio, 5, "c", 1, 1)});
  EXPECT_EQ(graph.routes.size(), 4U);
  EXPECT_EQ(factor(graph, program_port(2, 0), program_port(3, 0)), 1.0F);
}

TEST(studio_graph, routes_of_programs_that_do_not_run_rest) {
  Studio studio = make_studio();
  ASSERT_TRUE(connect(studio, "daw.exe/out:1", "out:2"));
  EXPECT_TRUE(studio.compile({}).routes.empty());
  const auto reports = studio.reports({});
  EXPECT_EQ(reports[0].state, RouteState::rests);
  EXPECT_TRUE(contains(reports[0].reason, "daw.exe has no buffers")) << reports[0].reason;
}

TEST(studio_graph, a_straight_connection_is_turned_down_by_a_route_of_the_same_ends) {
  Studio studio = make_studio({{"Talk", 1}});
  ASSERT_TRUE(connect(studio, "daw/out:1", "out:1", with_gain(-20.0)));
  ASSERT_TRUE(connect(studio, "daw/out:3", "Talk:1", with_gain(-20.0)));
  const SessionPorts daw = session(studio, 1, "daw", 0, 3);
  const GraphSpec graph = studio.compile({daw});
  EXPECT_NEAR(*factor(graph, program_port(1, 0), daw.outputs[0]), 0.1F, 1e-6F);
  EXPECT_NEAR(*factor(graph, program_port(1, 2), daw.outputs[2]), 0.1F, 1e-6F);
}

// --- solo ----------------------------------------------------------------------------------------

TEST(studio_solo, only_soloed_routes_into_a_sink_sound_and_other_sinks_are_left_alone) {
  Studio studio = make_studio();
  ASSERT_TRUE(connect(studio, "in:1", "out:1", with_solo()));
  ASSERT_TRUE(connect(studio, "in:2", "out:1"));
  ASSERT_TRUE(connect(studio, "in:3", "out:1", with_solo()));
  ASSERT_TRUE(connect(studio, "in:2", "out:2"));
  GraphSpec graph = studio.compile({});
  EXPECT_EQ(factor(graph, device_port(0), device_port(0)), 1.0F);
  EXPECT_EQ(factor(graph, device_port(1), device_port(0)), 0.0F);
  EXPECT_EQ(factor(graph, device_port(2), device_port(0)), 1.0F);
  EXPECT_EQ(factor(graph, device_port(1), device_port(1)), 1.0F);
  const auto reports = studio.reports({});
  EXPECT_EQ(reports[1].state, RouteState::silenced);  // in:2 -> out:1
  EXPECT_EQ(reports[2].state, RouteState::active);

  ASSERT_TRUE(connect(studio, "in:1", "out:1", with_solo(false)));
  ASSERT_TRUE(connect(studio, "in:3", "out:1", with_solo(false)));
  graph = studio.compile({});
  EXPECT_EQ(factor(graph, device_port(1), device_port(0)), 1.0F);
}

TEST(studio_solo, what_is_connected_straight_to_a_soloed_sink_is_silent_too) {
  Studio studio = make_studio();
  ASSERT_TRUE(connect(studio, "in:1", "out:1", with_solo()));
  ASSERT_TRUE(connect(studio, "in:2", "daw/in:1", with_solo()));
  const SessionPorts daw = session(studio, 1, "daw", 2, 2);
  const GraphSpec graph = studio.compile({daw});
  EXPECT_EQ(factor(graph, program_port(1, 0), device_port(0)), 0.0F);
  EXPECT_EQ(factor(graph, program_port(1, 1), device_port(1)), std::nullopt);
  EXPECT_EQ(factor(graph, device_port(0), program_port(1, 0)), 0.0F);
  EXPECT_EQ(factor(graph, device_port(1), program_port(1, 0)), 1.0F);
}

TEST(studio_solo, a_soloed_straight_connection_keeps_its_gain) {
  Studio studio = make_studio();
  RouteChange change = with_gain(-20.0);
  change.solo = true;
  ASSERT_TRUE(connect(studio, "daw/out:1", "out:1", change));
  const GraphSpec graph =
      studio.compile({session(studio, 1, "daw", 0, 1), session(studio, 2, "other", 0, 1)});
  EXPECT_NEAR(*factor(graph, program_port(1, 0), device_port(0)), 0.1F, 1e-6F);
  EXPECT_EQ(factor(graph, program_port(2, 0), device_port(0)), 0.0F);
}

TEST(studio_solo, mute_wins_over_solo) {
  Studio studio = make_studio();
  RouteChange change = with_solo();
  change.mute = true;
  ASSERT_TRUE(connect(studio, "in:1", "out:1", change));
  ASSERT_TRUE(connect(studio, "in:2", "out:1"));
  const GraphSpec graph = studio.compile({});
  EXPECT_EQ(factor(graph, device_port(0), device_port(0)), 0.0F);
  EXPECT_EQ(factor(graph, device_port(1), device_port(0)), 0.0F);
  EXPECT_EQ(studio.reports({})[0].state, RouteState::muted);
}

TEST(studio_solo, a_resting_route_solos_nothing) {
  Studio studio = make_studio();
  ASSERT_TRUE(connect(studio, "gone.exe/out:1", "out:1", with_solo()));
  ASSERT_TRUE(connect(studio, "in:2", "out:1"));
  EXPECT_EQ(factor(studio.compile({}), device_port(1), device_port(0)), 1.0F);
}

}  // namespace
}  // namespace asiodrv::service
