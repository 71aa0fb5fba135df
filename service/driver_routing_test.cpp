// Cables, routes, snapshots and meters as programs and the command line meet them.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <utility>

#include "service/testing/test_world.hpp"
#include "tests/support/text.hpp"

namespace asiodrv::service {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::contains;
using testing::TestWorld;
using wire::HostEventKind;

class driver_routing : public ::testing::Test {
 protected:
  void SetUp() override {
    folder =
        fs::path(::testing::TempDir()) /
        (std::string("routing-") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder);
    begin(world);
  }
  void TearDown() override { fs::remove_all(folder); }

  void begin(TestWorld& any) const {
    any.routing_path = (folder / "routing.json").string();
    any.begin();
  }

  json done(const char* method, const json& params = json::object()) {
    const auto answer = world.ask(method, params);
    EXPECT_TRUE(answer) << method << ": " << answer.error().message;
    return answer.value_or(json::object());
  }
  void refused(const char* method, const json& params, ErrorCode code, const std::string& words) {
    const auto answer = world.ask(method, params);
    ASSERT_FALSE(answer) << method;
    EXPECT_EQ(answer.error().code, code) << answer.error().message;
    EXPECT_TRUE(contains(answer.error().message, words)) << answer.error().message;
  }
  static json route(const char* from, const char* to, json more = json::object()) {
    more["from"] = from;
    more["to"] = to;
    return {{"routes", json::array({std::move(more)})}};
  }

  /// The ends of all routes, read page by page.
  std::set<std::string> listed_routes() {
    std::set<std::string> seen;
    std::size_t next = 0;
    for (std::size_t total = 1; next < total;) {
      const json page = done("routes.list", {{"from", next}});
      const std::size_t before = std::exchange(next, page.value("next", next));
      if (next <= before) {
        ADD_FAILURE() << "a page without an end";
        break;
      }
      total = page.at("total").get<std::size_t>();
      for (const json& each : page.at("routes")) {
        seen.insert(each.at("from").get<std::string>() + each.at("to").get<std::string>());
      }
    }
    return seen;
  }

  fs::path folder;
  TestWorld world;
};

TEST_F(driver_routing, a_route_is_set_listed_changed_and_removed) {
  EXPECT_EQ(done("routes.set", route("in:1", "out:2", {{"gain_db", -6.5}})).at("changed"), 1);
  EXPECT_EQ(done("routes.set", route("in:1", "out:2", {{"mute", true}})).at("changed"), 1);
  const json expected = {{"from", "in:1"}, {"to", "out:2"},   {"gain_db", -6.5}, {"mute", true},
                         {"solo", false},  {"invert", false}, {"state", "muted"}};
  const json list = done("routes.list");
  EXPECT_EQ(list.at("routes"), json::array({expected}));
  EXPECT_EQ(list.at("total"), 1);
  EXPECT_EQ(done("routes.remove", route("in:1", "out:2")).at("removed"), 1);
  EXPECT_EQ(done("routes.list").at("total"), 0);
}

TEST_F(driver_routing, silence_is_null_going_out_and_null_or_a_word_coming_in) {
  done("routes.set", route("in:1", "out:1", {{"gain_db", nullptr}}));
  done("routes.set", route("in:2", "out:1", {{"gain_db", "-inf"}}));
  const json list = done("routes.list");
  ASSERT_EQ(list.at("total"), 2);
  for (const json& each : list.at("routes")) EXPECT_EQ(each.at("gain_db"), nullptr);
}

TEST_F(driver_routing, wrong_requests_are_refused_and_change_nothing) {
  done("cables.create", {{"name", "Talk"}, {"channels", 2}});
  done("routes.set", route("in:1", "out:1"));
  refused("routes.set", route("in:9", "out:1"), ErrorCode::not_found, "4 inputs");
  refused("routes.set", route("in:1", "out:1", {{"gain_db", 25}}), ErrorCode::invalid_argument,
          "+24 dB");
  refused("routes.set", route("in:1", "out:1", {{"gain_db", "loud"}}), ErrorCode::malformed,
          "gain_db");
  refused("routes.set", route("in:1", "out:1", {{"solo", 1}}), ErrorCode::malformed, "solo");
  refused("routes.set", route("Talk:1", "Talk:2"), ErrorCode::invalid_argument, "loop");
  refused("routes.set", json::object(), ErrorCode::malformed, "routes");
  refused("routes.set", {{"routes", {7}}}, ErrorCode::malformed, "routes[0]");
  refused("routes.remove", route("in:2", "out:1"), ErrorCode::not_found, "in:2 -> out:1");
  refused("routes.list", {{"from", -1}}, ErrorCode::malformed, "from");
  refused("cables.create", {{"name", "Talk"}, {"channels", 1}}, ErrorCode::already_exists, "Talk");
  refused("cables.create", {{"name", "Big"}, {"channels", 129}}, ErrorCode::invalid_argument,
          "128");
  refused("cables.create", {{"name", 5}, {"channels", 1}}, ErrorCode::malformed, "name");
  refused("cables.remove", {{"name", "None"}}, ErrorCode::not_found, "None");
  refused("snapshots.recall", {{"name", "None"}}, ErrorCode::not_found, "None");
  refused("snapshots.save", {{"name", ""}}, ErrorCode::invalid_argument, "name");
  refused("snapshots.delete", json::object(), ErrorCode::malformed, "name");
  EXPECT_EQ(done("routes.list").at("total"), 1);
  EXPECT_EQ(done("cables.list").at("cables").size(), 1U);
}

TEST_F(driver_routing, long_lists_come_in_pages_without_a_gap) {
  json routes = json::array();
  done("cables.create", {{"name", "A"}, {"channels", 128}});
  done("cables.create", {{"name", "B"}, {"channels", 128}});
  for (int from = 1; from <= 128; ++from) {
    for (int to = 1; to <= 8; ++to) {
      routes.push_back({{"from", "A:" + std::to_string(from)}, {"to", "B:" + std::to_string(to)}});
    }
  }
  done("routes.set", {{"routes", routes}});
  EXPECT_EQ(listed_routes().size(), 1024U);
  EXPECT_EQ(done("routes.clear").at("removed"), 1024);
}

/// An answer that is too long for a message ends its connection.
TEST_F(driver_routing, a_list_of_routes_can_be_read_however_long_the_names_of_programs_are) {
  const std::string name(Studio::kMaxProgramBytes - 3, '"');  // each takes two bytes in a message
  for (int begin = 100; begin < 400; begin += 100) {
    json routes = json::array();
    for (int i = begin; i < begin + 100; ++i) {
      routes.push_back({{"from", name + std::to_string(i) + "/out:1"}, {"to", name + "max/in:1"}});
    }
    done("routes.set", {{"routes", routes}});
  }
  EXPECT_EQ(listed_routes().size(), 300U);
}

TEST_F(driver_routing, routes_of_a_program_rest_until_it_has_buffers_and_again_afterwards) {
  done("routes.set", route("HOST.exe/out:1", "out:3"));
  const auto state = [this] { return done("routes.list").at("routes").at(0).at("state"); };
  EXPECT_EQ(state(), "rests");
  EXPECT_TRUE(contains(done("routes.list").at("routes").at(0).at("reason").get<std::string>(),
                       "no buffers"));
  const auto client = world.connected("host.exe");
  EXPECT_EQ(state(), "rests");
  ASSERT_TRUE(client->create_session({Frames{64}, {0, 1}, {0}}, world.soon()));
  EXPECT_EQ(state(), "active");
  ASSERT_TRUE(client->dispose_session(world.soon()));
  EXPECT_EQ(state(), "rests");
}

TEST_F(driver_routing, a_new_cable_follows_the_devices_channels_and_programs_are_told) {
  const auto client = world.connected("host.exe");
  ASSERT_TRUE(client->create_session({Frames{64}, {0}, {0}}, world.soon()));
  done("cables.create", {{"name", "Talk"}, {"channels", 2}});
  const auto event = client->next_event(world.soon());
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, HostEventKind::reset_request);

  const auto description = world.make_client("later.exe")->connect(false, world.soon());
  ASSERT_TRUE(description);
  const std::vector<std::string> expected{"In 1", "In 2", "In 3", "In 4", "Talk 1", "Talk 2"};
  EXPECT_EQ(description->input_names, expected);
  EXPECT_EQ(description->output_names.back(), "Talk 2");
  const json cable = done("cables.list").at("cables").at(0);
  EXPECT_EQ(cable.at("first_input"), 5);
  EXPECT_EQ(cable.at("first_output"), 5);
  EXPECT_EQ(cable.at("used_by"), json::array());
}

TEST_F(driver_routing, channels_beyond_all_cables_are_refused_with_the_numbers) {
  done("cables.create", {{"name", "Talk"}, {"channels", 2}});
  const auto client = world.connected("host.exe");
  const auto outcome = client->create_session({Frames{64}, {6}, {}}, world.soon());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::invalid_argument);
  EXPECT_TRUE(contains(outcome.error().message, "6 inputs")) << outcome.error().message;
}

TEST_F(driver_routing, cables_are_not_removed_under_programs_unless_last_and_unused) {
  done("cables.create", {{"name", "Talk"}, {"channels", 2}});
  done("cables.create", {{"name", "Mix"}, {"channels", 2}});
  const auto client = world.connected("host.exe");
  ASSERT_TRUE(client->create_session({Frames{64}, {0}, {0}}, world.soon()));
  refused("cables.remove", {{"name", "Talk"}}, ErrorCode::invalid_state, "host.exe");
  done("routes.set", route("in:1", "Mix:1"));
  EXPECT_EQ(done("cables.remove", {{"name", "Mix"}}).at("removed_routes"), 1);
  ASSERT_TRUE(client->dispose_session(world.soon()));
  done("cables.remove", {{"name", "Talk"}});
}

TEST_F(driver_routing, snapshots_are_saved_listed_recalled_and_deleted) {
  done("routes.set", route("in:1", "out:2"));
  EXPECT_EQ(done("snapshots.save", {{"name", "Show"}}).at("routes"), 1);
  done("routes.clear");
  const json list = done("snapshots.list").at("snapshots");
  EXPECT_EQ(list, json::array({{{"name", "Show"}, {"routes", 1}, {"device", "Step device"}}}));
  EXPECT_EQ(done("snapshots.recall", {{"name", "show"}}).at("routes"), 1);
  EXPECT_EQ(done("routes.list").at("total"), 1);
  done("snapshots.delete", {{"name", "Show"}});
  EXPECT_EQ(done("snapshots.list").at("snapshots"), json::array());
}

TEST_F(driver_routing, cables_routes_and_snapshots_survive_the_service) {
  done("cables.create", {{"name", "Talk"}, {"channels", 2}});
  done("routes.set", route("host.exe/out:5", "out:1", {{"gain_db", -3}}));
  done("snapshots.save", {{"name", "Show"}});
  world.server->stop(world.soon());
  world.service.reset();

  TestWorld later;
  begin(later);
  EXPECT_EQ(later.ask("cables.list")->at("cables").at(0).at("name"), "Talk");
  const json kept = later.ask("routes.list")->at("routes").at(0);
  EXPECT_EQ(kept.at("from"), "host.exe/out:5");
  EXPECT_EQ(kept.at("gain_db"), -3);
  EXPECT_EQ(later.ask("snapshots.list")->at("snapshots").size(), 1U);
  EXPECT_EQ(later.log_text(), "");
}

TEST_F(driver_routing, a_damaged_file_is_logged_and_the_service_runs_without_routes) {
  fs::create_directories(folder);
  std::ofstream(folder / "routing.json") << "{\"version\": 1,\n oops";
  TestWorld later;
  begin(later);
  EXPECT_EQ(later.ask("routes.list")->at("total"), 0);
  EXPECT_TRUE(contains(later.log_text(), "routing.json: line 2")) << later.log_text();
  EXPECT_TRUE(later.ask("cables.create", {{"name", "Talk"}, {"channels", 2}}));
  EXPECT_TRUE(fs::exists(folder / "routing.json"));
  EXPECT_TRUE(fs::exists(folder / "routing.json.bad"));
}

TEST_F(driver_routing, a_change_that_cannot_be_kept_holds_and_comes_with_a_warning) {
  done("routes.set", route("in:1", "out:1"));
  fs::create_directory(folder / "routing.json.new");
  const json answer = done("routes.set", route("in:2", "out:1"));
  ASSERT_TRUE(answer.contains("warning")) << answer;
  EXPECT_EQ(done("routes.list").at("total"), 2);
  EXPECT_TRUE(contains(world.log_text(), "lost with the service")) << world.log_text();
}

TEST_F(driver_routing, meters_name_every_channel_there_is) {
  done("cables.create", {{"name", "Talk"}, {"channels", 1}});
  const auto client = world.connected("host.exe");
  ASSERT_TRUE(client->create_session({Frames{64}, {3}, {1, 0}}, world.soon()));
  std::vector<std::string> ports;
  const json answer = done("meters.get");
  for (const json& each : answer.at("meters")) {
    ports.push_back(each.at("port").get<std::string>());
    EXPECT_TRUE(each.contains("peak_db") && each.contains("rms_db"));
  }
  const std::vector<std::string> expected{
      "in:1",  "in:2",  "in:3",   "in:4",          "out:1",          "out:2",
      "out:3", "out:4", "Talk:1", "host.exe/in:4", "host.exe/out:2", "host.exe/out:1"};
  EXPECT_EQ(ports, expected);
}

TEST_F(driver_routing, status_says_what_each_program_has) {
  const auto client = world.connected("host.exe");
  ASSERT_TRUE(client->create_session({Frames{64}, {0, 1}, {0}}, world.soon()));
  const auto idle = world.connected("idle.exe");
  const json status = done("status");
  const json& shown = status.at("clients").at(0);
  EXPECT_EQ(shown.at("bits"), 64);
  EXPECT_EQ(shown.at("inputs"), 2);
  EXPECT_EQ(shown.at("outputs"), 1);
  EXPECT_EQ(shown.at("input_latency_frames"), 67);
  EXPECT_EQ(shown.at("output_latency_frames"), 69);
  EXPECT_EQ(shown.at("rate_hz"), 8'000);
  EXPECT_EQ(status.at("service").at("without_buffers").at(0).at("program"), "idle.exe");
}

TEST_F(driver_routing, hosts_set_monitors_and_gains_of_channels_that_exist) {
  const auto host = world.connected("host.exe");
  ASSERT_TRUE(host->create_session({Frames{64}, {0}, {1}}, world.soon()));
  EXPECT_TRUE(host->set_monitor({0, 3, wire::kUnityGain, 0, true}, world.soon()));
  EXPECT_TRUE(host->set_monitor({{}, 0, wire::kUnityGain, 0, true}, world.soon()));
  EXPECT_TRUE(host->set_gain({false, 1, 0}, world.soon()));
  const auto nowhere = host->set_monitor({4, 0, wire::kUnityGain, 0, true}, world.soon());
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, ErrorCode::invalid_argument);
  EXPECT_TRUE(contains(nowhere.error().message, "0 to 3"));
  EXPECT_FALSE(host->set_gain({true, 4, 0}, world.soon()));
  const auto before = host->levels(world.soon());
  ASSERT_TRUE(before);
  EXPECT_EQ(before->inputs.size(), 4U);
  done("cables.create", {{"name", "Talk"}, {"channels", 2}});
  EXPECT_TRUE(host->set_gain({true, 5, 0}, world.soon())) << "a cable's channel";
  EXPECT_EQ(host->levels(world.soon())->outputs.size(), 6U);
  EXPECT_EQ(done("routes.list").at("total"), 0) << "people's routes are not touched";
}

}  // namespace
}  // namespace asiodrv::service
