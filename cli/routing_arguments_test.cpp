// From arguments to what the commands are asked to do.
#include <gtest/gtest.h>

#include <cmath>

#include "cli/command_line.hpp"

namespace asiodrv::cli {
namespace {

// What the fake actions were given last. Plain functions are all that Actions holds.
RouteOptions g_route;
CableOptions g_cable;
MeterOptions g_meters;
ClientOptions g_routing_client;
std::string g_routing_called;

int no_client(const ClientOptions&) { return kFailed; }

const Actions kRoutingFakes{
    .run = [](const service::RunOptions&) { return kFailed; },
    .status = no_client,
    .flight = [](const ClientOptions&, std::uint32_t) { return kFailed; },
    .devices = [](const ClientOptions&, const DeviceOptions&) { return kDone; },
    .config = [](const ClientOptions&, bool) { return kFailed; },
    .stop = no_client,
    .route =
        [](const ClientOptions& client, const RouteOptions& route) {
          g_routing_client = client;
          g_route = route;
          g_routing_called = "route";
          return kDone;
        },
    .virtual_cables =
        [](const ClientOptions& client, const CableOptions& cable) {
          g_routing_client = client;
          g_cable = cable;
          g_routing_called = "virtual";
          return kDone;
        },
    .clients =
        [](const ClientOptions& client) {
          g_routing_client = client;
          g_routing_called = "clients";
          return kNotRunning;
        },
    .meters =
        [](const ClientOptions& client, const MeterOptions& meters) {
          g_routing_client = client;
          g_meters = meters;
          g_routing_called = "meters";
          return kDone;
        }};

int run_routing(std::vector<std::string> arguments) {
  g_routing_called.clear();
  g_routing_client = {};
  return run_command_line(std::move(arguments), kRoutingFakes);
}

TEST(routing_arguments, route_alone_lists_and_every_verb_is_reached) {
  EXPECT_EQ(run_routing({"route"}), kDone);
  EXPECT_EQ(g_route.verb, RouteVerb::list);
  const std::pair<const char*, RouteVerb> plain[] = {
      {"list", RouteVerb::list}, {"clear", RouteVerb::clear}, {"snapshots", RouteVerb::snapshots}};
  for (const auto& [word, verb] : plain) {
    EXPECT_EQ(run_routing({"route", word, "--json", "--instance", "x"}), kDone);
    EXPECT_EQ(g_route.verb, verb);
    EXPECT_TRUE(g_routing_client.json);
    EXPECT_EQ(g_routing_client.instance, "x");
  }
  const std::pair<const char*, RouteVerb> named[] = {
      {"save", RouteVerb::save}, {"recall", RouteVerb::recall}, {"forget", RouteVerb::forget}};
  for (const auto& [word, verb] : named) {
    EXPECT_EQ(run_routing({"route", word, "My show"}), kDone);
    EXPECT_EQ(g_route.verb, verb);
    EXPECT_EQ(g_route.name, "My show");
  }
}

TEST(routing_arguments, ends_and_settings_arrive_as_they_were_given) {
  EXPECT_EQ(
      run_routing({"route", "add", "in:1", "daw.exe/in:2", "--gain", "-6.5", "--mute", "--invert"}),
      kDone);
  EXPECT_EQ(g_route.verb, RouteVerb::add);
  ASSERT_EQ(g_route.pairs.size(), 1U);
  EXPECT_EQ(g_route.pairs[0].first, "in:1");
  EXPECT_EQ(g_route.pairs[0].second, "daw.exe/in:2");
  EXPECT_EQ(g_route.gain_db, -6.5);
  EXPECT_EQ(g_route.mute, true);
  EXPECT_EQ(g_route.solo, std::nullopt);
  EXPECT_EQ(g_route.invert, true);

  EXPECT_EQ(run_routing({"route", "set", "in:1", "out:1", "--gain=-inf", "--no-mute", "--no-solo"}),
            kDone);
  EXPECT_EQ(g_route.verb, RouteVerb::set);
  EXPECT_TRUE(std::isinf(g_route.gain_db.value()));
  EXPECT_EQ(g_route.mute, false);
  EXPECT_EQ(g_route.solo, false);
  EXPECT_EQ(g_route.invert, std::nullopt);
}

TEST(routing_arguments, ranges_are_connected_pairwise) {
  EXPECT_EQ(run_routing({"route", "remove", "in:1-3", "Talk:7-9"}), kDone);
  EXPECT_EQ(g_route.verb, RouteVerb::remove);
  const std::vector<std::pair<std::string, std::string>> expected{
      {"in:1", "Talk:7"}, {"in:2", "Talk:8"}, {"in:3", "Talk:9"}};
  EXPECT_EQ(g_route.pairs, expected);
}

TEST(routing_arguments, a_dash_in_a_name_is_no_range) {
  const auto pairs = pair_ports("my-cable:1", "a-1-2.exe/in:2");
  ASSERT_TRUE(pairs);
  EXPECT_EQ(pairs->at(0).first, "my-cable:1");
  EXPECT_EQ(pairs->at(0).second, "a-1-2.exe/in:2");
}

TEST(routing_arguments, gains_are_numbers_or_minus_infinity) {
  EXPECT_EQ(parse_gain("-6").value(), -6.0);
  EXPECT_EQ(parse_gain("+1.5e1").value(), 15.0);
  EXPECT_TRUE(std::isinf(parse_gain("-inf").value()));
  for (const char* const text : {"", "nan", "inf", "+inf", "6dB", "1 2", "0x10", "--6", "1e999"}) {
    EXPECT_FALSE(parse_gain(text)) << text;
  }
}

TEST(routing_arguments, cables_clients_and_meters_arrive) {
  EXPECT_EQ(run_routing({"virtual"}), kDone);
  EXPECT_EQ(g_cable.verb, CableVerb::list);
  EXPECT_EQ(run_routing({"virtual", "add", "Talk", "--channels", "8"}), kDone);
  EXPECT_EQ(g_cable.verb, CableVerb::add);
  EXPECT_EQ(g_cable.name, "Talk");
  EXPECT_EQ(g_cable.channels, 8U);
  EXPECT_EQ(run_routing({"virtual", "add", "Talk"}), kDone);
  EXPECT_EQ(g_cable.channels, 2U);
  EXPECT_EQ(run_routing({"virtual", "remove", "Talk", "--json"}), kDone);
  EXPECT_EQ(g_cable.verb, CableVerb::remove);
  EXPECT_EQ(run_routing({"clients", "--json"}), kNotRunning);
  EXPECT_TRUE(g_routing_client.json);
  EXPECT_EQ(run_routing({"meters"}), kDone);
  EXPECT_FALSE(g_meters.once || g_meters.ascii || g_meters.seconds);
  EXPECT_EQ(run_routing({"meters", "--once", "--ascii", "--seconds", "1.5"}), kDone);
  EXPECT_TRUE(g_meters.once && g_meters.ascii);
  EXPECT_EQ(g_meters.seconds, 1.5);
}

TEST(routing_arguments, wrong_usage_is_2_and_calls_nothing) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"route", "dance"},
           {"route", "add"},
           {"route", "add", "in:1"},
           {"route", "add", "in:1", "out:1", "out:2"},
           {"route", "add", "in:1", "out:1", "--gain"},
           {"route", "add", "in:1", "out:1", "--gain", "loud"},
           {"route", "add", "in:1", "out:1", "--gain", "nan"},
           {"route", "add", "in:1-2", "out:1"},
           {"route", "add", "in:2-1", "out:2-1"},
           {"route", "add", "in:1-9999", "out:1-9999"},
           {"route", "set", "in:1", "out:1", "--mute", "--no-mute"},
           {"route", "remove", "in:1", "out:1", "--gain", "1"},
           {"route", "save"},
           {"route", "list", "clear"},
           {"virtual", "add"},
           {"virtual", "add", "x", "--channels", "-1"},
           {"virtual", "remove"},
           {"virtual", "remove", "x", "--channels", "1"},
           {"clients", "extra"},
           {"meters", "--seconds", "-1"},
           {"meters", "--seconds", "long"}}) {
    EXPECT_EQ(run_routing(arguments), kWrongUsage) << ::testing::PrintToString(arguments);
    EXPECT_EQ(g_routing_called, "") << ::testing::PrintToString(arguments);
  }
}

TEST(routing_arguments, help_shows_examples) {
  ::testing::internal::CaptureStdout();
  for (const char* const command : {"route", "virtual", "clients", "meters"}) {
    EXPECT_EQ(run_routing({command, "--help"}), kDone);
  }
  EXPECT_EQ(run_routing({"route", "add", "--help"}), kDone);
  const std::string text = ::testing::internal::GetCapturedStdout();
  for (const char* const part :
       {"asio-driver route add in:1-2", "asio-driver virtual add Talk", "asio-driver clients",
        "asio-driver meters --once", "--gain", "--no-solo"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part;
  }
}

}  // namespace
}  // namespace asiodrv::cli
