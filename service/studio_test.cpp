// Edits: what is accepted, and that what is refused changes nothing.
#include "service/studio.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "core/wire/section.hpp"
#include "service/testing/studio_world.hpp"
#include "tests/support/text.hpp"

namespace asiodrv::service {
namespace {

using test::contains;
using testing::connect;
using testing::make_studio;
using testing::session;
using testing::with_gain;

/// The edit was refused with `code` and `words`, and nothing else happened.
void expect_refused(const Studio& before, const Studio& after, const Result<>& outcome,
                    ErrorCode code, const std::string& words) {
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, code) << outcome.error().message;
  EXPECT_TRUE(contains(outcome.error().message, words)) << outcome.error().message;
  EXPECT_EQ(before.to_json(), after.to_json());
}

// --- ports ---------------------------------------------------------------------------------------

TEST(studio_ports, every_form_is_read_and_written_back) {
  const Studio studio = make_studio({{"Talk", 2}, {"Mix", 2}});
  for (const char* const text : {"in:1", "in:4", "Talk:2", "daw.exe/out:2", "a b/c.exe/out:4"}) {
    const auto end = studio.parse_end(text, Role::source);
    ASSERT_TRUE(end) << end.error().message;
    EXPECT_EQ(studio.text(*end, Role::source), text);
  }
  for (const char* const text : {"out:1", "Mix:1", "daw.exe/in:8"}) {
    const auto end = studio.parse_end(text, Role::sink);
    ASSERT_TRUE(end) << end.error().message;
    EXPECT_EQ(studio.text(*end, Role::sink), text);
  }
}

TEST(studio_ports, a_programs_channel_counts_the_devices_first_and_then_the_cables) {
  const Studio studio = make_studio({{"Talk", 2}, {"Mix", 2}});
  const auto text = [&](const char* given, Role role) {
    return studio.text(studio.parse_end(given, role).value(), role);
  };
  EXPECT_EQ(text("daw/out:out:2", Role::source), "daw/out:2");
  EXPECT_EQ(text("daw/out:Talk:1", Role::source), "daw/out:3");  // the device has 2 outputs
  EXPECT_EQ(text("daw/in:mix:2", Role::sink), "daw/in:8");       // and 4 inputs
  EXPECT_EQ(studio.parse_end("daw/out:4", Role::source)->cable, "Talk");
}

TEST(studio_ports, what_is_no_port_is_refused) {
  const Studio studio = make_studio({{"Talk", 2}});
  for (const char* const text :
       {"", "in", "in:", "in:0", "in:-1", "in:+1", "in:1x", "in:99999999999", ":1", "/out:1",
        "daw/:1", "daw/out", "daw/out:", "daw/out:0", "daw/out:in:1", "daw/out:a:b:1", "Talk",
        "Talk:1\n", "daw/side:1"}) {
    const auto end = studio.parse_end(text, Role::source);
    ASSERT_FALSE(end) << text;
    EXPECT_EQ(end.error().code, ErrorCode::malformed) << text;
  }
  EXPECT_FALSE(studio.parse_end(std::string(300, 'a') + ":1", Role::source));
  EXPECT_FALSE(studio.parse_end(std::string(201, 'a') + "/out:1", Role::source));
}

TEST(studio_ports, a_sink_is_no_source_and_a_source_no_sink) {
  const Studio studio = make_studio();
  for (const auto& [text, role] : {std::pair{"out:1", Role::source},
                                   {"in:1", Role::sink},
                                   {"daw/in:1", Role::source},
                                   {"daw/out:1", Role::sink}}) {
    const auto end = studio.parse_end(text, role);
    ASSERT_FALSE(end) << text;
    EXPECT_EQ(end.error().code, ErrorCode::invalid_argument);
    EXPECT_TRUE(contains(end.error().message, text)) << end.error().message;
  }
}

// --- routes --------------------------------------------------------------------------------------

TEST(studio_routes, routes_to_nowhere_are_refused_and_say_how_many_there_are) {
  Studio studio = make_studio({{"Talk", 2}});
  const Studio before = studio;
  const auto refused = [&](const char* from, const char* to, const char* words) {
    expect_refused(before, studio, connect(studio, from, to), ErrorCode::not_found, words);
  };
  refused("in:5", "out:1", "4 inputs");
  refused("in:1", "out:3", "2 outputs");
  refused("in:1", "Talk:3", "2 channels");
  refused("Walk:1", "out:1", "the cables are Talk");
  refused("daw.exe/out:5", "out:1", "Programs see 4 outputs");
  refused("in:1", "daw.exe/in:7", "Programs see 6 inputs");
  refused("daw.exe/out:out:3", "Talk:1", "2 outputs");
  refused("daw.exe/out:Talk:3", "out:1", "2 channels");
}

TEST(studio_routes, gains_that_are_no_number_or_too_high_are_refused) {
  Studio studio = make_studio();
  const Studio before = studio;
  for (const double gain : {24.1, 1e300, std::numeric_limits<double>::infinity(),
                            std::numeric_limits<double>::quiet_NaN()}) {
    expect_refused(before, studio, connect(studio, "in:1", "out:1", with_gain(gain)),
                   ErrorCode::invalid_argument, "at most +24 dB");
  }
  EXPECT_TRUE(connect(studio, "in:1", "out:1", with_gain(24.0)));
  EXPECT_TRUE(
      connect(studio, "in:1", "out:1", with_gain(-std::numeric_limits<double>::infinity())));
}

TEST(studio_routes, one_wrong_route_refuses_all_of_them) {
  Studio studio = make_studio();
  const Studio before = studio;
  const auto end = [&](const char* text, Role role) {
    return studio.parse_end(text, role).value();
  };
  RouteChange good, bad;
  good.ends = {end("in:1", Role::source), end("out:1", Role::sink)};
  bad.ends = {end("in:9", Role::source), end("out:1", Role::sink)};
  expect_refused(before, studio, studio.set_routes({good, bad}), ErrorCode::not_found, "in:9");
  ASSERT_TRUE(studio.set_routes({good}));
  const Studio one = studio;
  expect_refused(one, studio, studio.remove_routes({good.ends, bad.ends}), ErrorCode::not_found,
                 "in:9 -> out:1");
}

TEST(studio_routes, a_change_keeps_what_it_does_not_name) {
  Studio studio = make_studio();
  ASSERT_TRUE(connect(studio, "in:1", "out:1", with_gain(-6.0)));
  RouteChange mute;
  mute.mute = true;
  ASSERT_TRUE(connect(studio, "IN:1", "OUT:1", mute));
  ASSERT_EQ(studio.routes().size(), 1U);
  EXPECT_EQ(studio.routes().begin()->second.gain_db, -6.0);
  EXPECT_TRUE(studio.routes().begin()->second.mute);
}

TEST(studio_routes, names_match_whatever_their_letter_case) {
  Studio studio = make_studio({{"Talk", 2}});
  ASSERT_TRUE(connect(studio, "DAW.exe/out:1", "talk:1"));
  ASSERT_TRUE(connect(studio, "daw.EXE/OUT:1", "TALK:1"));
  ASSERT_EQ(studio.routes().size(), 1U);
  EXPECT_EQ(studio.text(studio.routes().begin()->first), "DAW.exe/out:1 -> Talk:1");
}

TEST(studio_routes, a_route_that_rests_can_still_be_changed_and_removed) {
  Studio studio = make_studio();
  ASSERT_TRUE(connect(studio, "in:4", "out:2"));
  ASSERT_TRUE(connect(studio, "daw/out:2", "out:1"));
  studio.set_device({"small", "Small", 1, 1});
  for (const RouteReport& report : studio.reports({})) EXPECT_EQ(report.state, RouteState::rests);
  EXPECT_TRUE(connect(studio, "in:4", "out:2", with_gain(-3.0)));
  std::vector<Ends> all;
  for (const auto& [ends, settings] : studio.routes()) {
    const auto source = studio.parse_end(studio.text(ends.source, Role::source), Role::source);
    const auto sink = studio.parse_end(studio.text(ends.sink, Role::sink), Role::sink);
    ASSERT_TRUE(source && sink);
    all.push_back({*source, *sink});
  }
  EXPECT_TRUE(studio.remove_routes(all));
  EXPECT_TRUE(studio.routes().empty());
}

TEST(studio_routes, the_number_of_routes_is_limited) {
  Studio studio = make_studio({{"A", 64}, {"B", 64}});
  std::vector<RouteChange> changes;
  for (std::uint32_t from = 0; from < 64; ++from) {
    for (std::uint32_t to = 0; to < 64; ++to) {
      changes.push_back(
          {{{EndKind::cable, {}, "A", from}, {EndKind::cable, {}, "B", to}}, {}, {}, {}, {}});
    }
  }
  ASSERT_EQ(changes.size(), Studio::kMaxRoutes);
  ASSERT_TRUE(studio.set_routes(changes));
  const Studio full = studio;
  expect_refused(full, studio, connect(studio, "in:1", "out:1"), ErrorCode::limit_reached, "4096");
}

// --- loops ---------------------------------------------------------------------------------------

TEST(studio_loops, cables_in_a_ring_are_refused_with_their_path) {
  Studio studio = make_studio({{"Talk", 2}, {"Mix", 2}, {"Aux", 2}});
  ASSERT_TRUE(connect(studio, "Talk:1", "Mix:1"));
  Studio before = studio;
  expect_refused(before, studio, connect(studio, "Mix:1", "Talk:1"), ErrorCode::invalid_argument,
                 "Talk:1");
  const auto refused = connect(studio, "Mix:1", "Talk:1");
  EXPECT_TRUE(contains(refused.error().message, "Talk:1 -> Mix:1 -> Talk:1") ||
              contains(refused.error().message, "Mix:1 -> Talk:1 -> Mix:1"))
      << refused.error().message;
  ASSERT_TRUE(connect(studio, "Mix:1", "Aux:1"));
  before = studio;
  expect_refused(before, studio, connect(studio, "Aux:1", "Talk:1"), ErrorCode::invalid_argument,
                 "Aux:1 -> Talk:1 -> Mix:1 -> Aux:1");
}

TEST(studio_loops, a_ring_over_other_channels_of_the_same_cables_is_a_ring_too) {
  Studio studio = make_studio({{"Talk", 2}, {"Mix", 2}});
  const Studio before = studio;
  expect_refused(before, studio, connect(studio, "Talk:1", "Talk:1"), ErrorCode::invalid_argument,
                 "Talk:1 -> Talk:1");
  expect_refused(before, studio, connect(studio, "Talk:1", "Talk:2"), ErrorCode::invalid_argument,
                 "Talk:1 -> Talk:2");
  ASSERT_TRUE(connect(studio, "Talk:1", "Mix:1"));
  const auto refused = connect(studio, "Mix:2", "Talk:2");
  ASSERT_FALSE(refused);
  EXPECT_TRUE(contains(refused.error().message, "Mix:2 -> Talk:2, Talk:1 -> Mix:1"))
      << refused.error().message;
}

TEST(studio_loops, a_program_may_not_feed_itself_straight_and_may_through_others) {
  Studio studio = make_studio({{"Talk", 2}});
  const Studio before = studio;
  expect_refused(before, studio, connect(studio, "daw.exe/out:1", "DAW.EXE/in:2"),
                 ErrorCode::invalid_argument, "daw.exe/out:1 -> DAW.EXE/in:2");
  EXPECT_TRUE(connect(studio, "daw.exe/out:1", "other.exe/in:1"));
  EXPECT_TRUE(connect(studio, "other.exe/out:1", "daw.exe/in:1"));
  EXPECT_TRUE(connect(studio, "daw.exe/out:1", "Talk:1"));
  EXPECT_TRUE(connect(studio, "Talk:1", "daw.exe/in:1"));
}

TEST(studio_loops, a_diamond_is_no_ring) {
  Studio studio = make_studio({{"A", 1}, {"B", 1}, {"C", 1}, {"D", 1}});
  for (const auto& [from, to] :
       {std::pair{"A:1", "B:1"}, {"A:1", "C:1"}, {"B:1", "D:1"}, {"C:1", "D:1"}}) {
    EXPECT_TRUE(connect(studio, from, to));
  }
  EXPECT_FALSE(connect(studio, "D:1", "A:1"));
}

// --- cables --------------------------------------------------------------------------------------

TEST(studio_cables, wrong_names_and_sizes_are_refused) {
  Studio studio = make_studio({{"Talk", 2}});
  const Studio before = studio;
  for (const std::string& name :
       {std::string(), std::string(25, 'x'), std::string("a/b"), std::string("a:b"),
        std::string("a\tb"), std::string("a\x7F"), std::string(" a"), std::string("a "),
        std::string("in"), std::string("OUT"), std::string(1, '\0')}) {
    expect_refused(before, studio, studio.add_cable(name, 2), ErrorCode::invalid_argument, "");
  }
  for (const std::uint32_t channels : {0U, 129U, 4'000'000'000U}) {
    expect_refused(before, studio, studio.add_cable("x", channels), ErrorCode::invalid_argument,
                   "1 to 128");
  }
  expect_refused(before, studio, studio.add_cable("TALK", 1), ErrorCode::already_exists, "Talk");
  EXPECT_TRUE(studio.add_cable(std::string(24, 'x'), 128));
}

TEST(studio_cables, sixty_four_and_what_programs_can_see_are_the_limits) {
  Studio studio = make_studio();
  for (int i = 0; i < 64; ++i) ASSERT_TRUE(studio.add_cable("c" + std::to_string(i), 1));
  const Studio full = studio;
  expect_refused(full, studio, studio.add_cable("more", 1), ErrorCode::limit_reached, "64");

  Studio wide = make_studio();
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(wide.add_cable("c" + std::to_string(i), 128));
  const Studio before = wide;
  expect_refused(before, wide, wide.add_cable("more", 125), ErrorCode::limit_reached, "1024");
  EXPECT_TRUE(wide.add_cable("more", 124));
}

TEST(studio_cables, names_of_their_channels_fit_what_asio_shows) {
  Studio studio = make_studio();
  ASSERT_TRUE(studio.add_cable(std::string(24, 'x'), 128));
  const auto names = studio.cable_channel_names(Role::sink);
  ASSERT_EQ(names.size(), 128U);
  EXPECT_LE(names.back().size(), 31U);
  EXPECT_EQ(names.back(), std::string(24, 'x') + " 128");
}

TEST(studio_cables, a_device_that_leaves_no_room_hides_the_last_channels) {
  Studio studio = make_studio({{"Talk", 8}});
  studio.set_device({"huge", "Huge", wire::kMaxChannels - 2, wire::kMaxChannels});
  EXPECT_EQ(studio.program_channels(Role::sink), wire::kMaxChannels);
  EXPECT_EQ(studio.cable_channel_names(Role::sink).size(), 2U);
  EXPECT_TRUE(studio.cable_channel_names(Role::source).empty());
  EXPECT_FALSE(studio.partner(Role::sink, wire::kMaxChannels));
}

TEST(studio_cables, removal_takes_routes_along_and_is_refused_under_programs) {
  Studio studio = make_studio({{"Talk", 2}, {"Mix", 2}, {"Aux", 2}});
  ASSERT_TRUE(connect(studio, "in:1", "Aux:1"));
  ASSERT_TRUE(connect(studio, "daw/out:Aux:1", "out:1"));
  ASSERT_TRUE(connect(studio, "in:1", "out:1"));
  const SessionPorts user = session(studio, 1, "daw.exe", 6, 2);  // the last two are Talk's
  const auto refused = [&](const char* name, const char* words) {
    const auto outcome = studio.remove_cable(name, {user});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ErrorCode::invalid_state);
    EXPECT_TRUE(contains(outcome.error().message, words)) << outcome.error().message;
  };
  refused("talk", "daw.exe uses the cable Talk");
  refused("Mix", "other numbers");
  EXPECT_EQ(studio.remove_cable("None", {}).error().code, ErrorCode::not_found);
  EXPECT_EQ(studio.remove_cable("aux", {user}).value(), 2U);
  EXPECT_EQ(studio.routes().size(), 1U);
  EXPECT_EQ(studio.remove_cable("Talk", {}).value(), 0U);
}

TEST(studio_cables, a_programs_route_follows_its_cable_when_another_one_goes) {
  Studio studio = make_studio({{"Talk", 2}, {"Mix", 2}});
  ASSERT_TRUE(connect(studio, "daw/out:5", "out:1"));  // Mix 1
  ASSERT_TRUE(studio.remove_cable("Talk", {}));
  EXPECT_EQ(studio.text(studio.routes().begin()->first), "daw/out:3 -> out:1");
}

// --- snapshots -----------------------------------------------------------------------------------

TEST(studio_snapshots, recall_brings_the_routes_back) {
  Studio studio = make_studio({{"Talk", 2}});
  ASSERT_TRUE(connect(studio, "in:1", "Talk:1", with_gain(-6.0)));
  ASSERT_TRUE(studio.save_snapshot("Show"));
  EXPECT_EQ(studio.clear_routes(), 1U);
  ASSERT_TRUE(connect(studio, "in:2", "out:2"));
  ASSERT_TRUE(studio.recall_snapshot("show"));
  ASSERT_EQ(studio.routes().size(), 1U);
  EXPECT_EQ(studio.text(studio.routes().begin()->first), "in:1 -> Talk:1");
  EXPECT_EQ(studio.routes().begin()->second.gain_db, -6.0);
  EXPECT_TRUE(studio.delete_snapshot("SHOW"));
  EXPECT_EQ(studio.recall_snapshot("Show").error().code, ErrorCode::not_found);
  EXPECT_EQ(studio.delete_snapshot("Show").error().code, ErrorCode::not_found);
}

TEST(studio_snapshots, recall_names_the_cable_the_channel_and_the_device_that_are_gone) {
  Studio studio = make_studio({{"Talk", 2}, {"Mix", 2}});
  ASSERT_TRUE(connect(studio, "Mix:2", "Talk:1"));
  ASSERT_TRUE(studio.save_snapshot("cables"));
  ASSERT_TRUE(studio.clear_routes() == 1);
  ASSERT_TRUE(connect(studio, "in:4", "out:1"));
  ASSERT_TRUE(studio.save_snapshot("device"));

  ASSERT_TRUE(studio.remove_cable("Mix", {}));
  Studio before = studio;
  expect_refused(before, studio, studio.recall_snapshot("cables"), ErrorCode::not_found, "\"Mix\"");
  ASSERT_TRUE(studio.add_cable("Mix", 1));
  before = studio;
  expect_refused(before, studio, studio.recall_snapshot("cables"), ErrorCode::not_found, "Mix:2");

  studio.set_device({"box-1", "Box", 3, 2});
  before = studio;
  expect_refused(before, studio, studio.recall_snapshot("device"), ErrorCode::not_found, "in:4");
  studio.set_device({"other", "Other", 4, 2});
  before = studio;
  expect_refused(before, studio, studio.recall_snapshot("device"), ErrorCode::not_found, "Box");
  studio.set_device({"box-1", "Box", 4, 2});
  EXPECT_TRUE(studio.recall_snapshot("device"));
}

TEST(studio_snapshots, names_and_numbers_are_limited) {
  Studio studio = make_studio();
  for (const std::string& name : {std::string(), std::string(65, 'x'), std::string("a\nb")}) {
    EXPECT_EQ(studio.save_snapshot(name).error().code, ErrorCode::invalid_argument);
  }
  for (int i = 0; i < 64; ++i) ASSERT_TRUE(studio.save_snapshot(std::to_string(i)));
  EXPECT_EQ(studio.save_snapshot("more").error().code, ErrorCode::limit_reached);
  EXPECT_TRUE(studio.save_snapshot("63"));  // replaces
}

// --- any edits -----------------------------------------------------------------------------------

/// A second opinion on loops: cables that can be taken away one by one, each when nothing leads
/// into it any more.
bool has_ring(const Studio& studio) {
  std::set<std::string> left;
  for (const Cable& cable : studio.cables()) left.insert(cable.name);
  for (bool removed = true; removed;) {
    removed = false;
    for (const std::string& name : left) {
      const bool fed =
          std::any_of(studio.routes().begin(), studio.routes().end(), [&](const auto& route) {
            const Ends& ends = route.first;
            return ends.source.kind == EndKind::cable && ends.sink.kind == EndKind::cable &&
                   ends.sink.cable == name && left.count(ends.source.cable) > 0;
          });
      if (fed) continue;
      left.erase(name);
      removed = true;
      break;
    }
  }
  return !left.empty();
}

/// The ends of each compiled route exist, and no pair comes twice.
void expect_sound_graph(const Studio& studio, const std::vector<SessionPorts>& sessions) {
  const engine::GraphSpec graph = studio.compile(sessions);
  std::set<std::pair<engine::Port, engine::Port>> seen;
  const auto exists = [&](const engine::Port& port, Role role) {
    const DeviceShape& device = studio.device();
    if (port.node == engine::Node::device) {
      return port.channel < (role == Role::source ? device.inputs : device.outputs);
    }
    if (port.node == engine::Node::cable) {
      return std::any_of(graph.cables.begin(), graph.cables.end(), [&](const auto& cable) {
        return cable.id == port.owner && port.channel < cable.channels;
      });
    }
    return std::any_of(sessions.begin(), sessions.end(), [&](const SessionPorts& each) {
      const auto& channels = role == Role::source ? each.outputs : each.inputs;
      return each.id == port.owner && port.channel < channels.size();
    });
  };
  for (const engine::Route& route : graph.routes) {
    EXPECT_TRUE(exists(route.source, Role::source));
    EXPECT_TRUE(exists(route.sink, Role::sink));
    EXPECT_TRUE(seen.emplace(route.source, route.sink).second);
    EXPECT_LE(std::abs(route.gain.factor), engine::kMaxRouteGain);
  }
}

std::string random_end(std::mt19937& random, Role role) {
  const auto number = [&](unsigned most) { return std::to_string(random() % most + 1); };
  const char* const programs[] = {"daw.exe", "Chat.exe", "gone.exe"};
  switch (random() % 3) {
    case 0: return (role == Role::source ? "in:" : "out:") + number(5);
    case 1: return std::string(1, static_cast<char>('A' + random() % 6)) + ":" + number(3);
    default:
      return std::string(programs[random() % 3]) + (role == Role::source ? "/out:" : "/in:") +
             number(12);
  }
}

TEST(studio_any, random_edits_leave_no_loop_and_no_end_that_is_not_there) {
  for (const std::uint32_t seed : {1U, 2U, 3U, 4U}) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    Studio studio = make_studio();
    std::size_t accepted = 0;
    std::size_t refused = 0;
    for (int step = 0; step < 600; ++step) {
      const Studio before = studio;
      bool done = false;
      switch (random() % 12) {
        case 0: {
          const std::string name(1, static_cast<char>('A' + random() % 6));
          done = studio.add_cable(name, static_cast<std::uint32_t>(random() % 3 + 1)).has_value();
          break;
        }
        case 1: {
          const std::string name(1, static_cast<char>('A' + random() % 6));
          done = studio.remove_cable(name, {}).has_value();
          break;
        }
        case 2: done = studio.save_snapshot(std::to_string(random() % 3)).has_value(); break;
        case 3: done = studio.recall_snapshot(std::to_string(random() % 3)).has_value(); break;
        default: {
          RouteChange change = with_gain(static_cast<double>(random() % 60) - 30.0);
          change.solo = random() % 4 == 0;
          change.mute = random() % 4 == 0;
          done = connect(studio, random_end(random, Role::source), random_end(random, Role::sink),
                         change)
                     .has_value();
        }
      }
      ++(done ? accepted : refused);
      if (!done) {
        ASSERT_EQ(before.to_json(), studio.to_json());
      }
      ASSERT_FALSE(has_ring(studio)) << "step " << step;
      if (step % 10 != 0) continue;
      const std::uint32_t inputs = studio.program_channels(Role::sink);
      expect_sound_graph(
          studio, {session(studio, 5, "daw.exe", inputs, 2), session(studio, 6, "chat.exe", 1, 1),
                   session(studio, 7, "DAW.EXE", 2, 2)});
      const auto again = Studio::from_json(studio.to_json(), studio.device(), "again");
      ASSERT_TRUE(again) << again.error().message;
      ASSERT_EQ(again->to_json(), studio.to_json());
    }
    EXPECT_GT(accepted, 50U);  // the walk is not one long refusal
    EXPECT_GT(refused, 50U);
  }
}

}  // namespace
}  // namespace asiodrv::service
