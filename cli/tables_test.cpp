#include "cli/tables.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/text.hpp"

namespace asiodrv::cli {
namespace {

using nlohmann::json;
using test::contains;

TEST(tables, columns_are_as_wide_as_their_widest_cell_and_numbers_align_right) {
  EXPECT_EQ(table({"name", "n"}, {{"a", "5"}, {"Söngs", "1234"}}),
            "  name      n\n"
            "  a         5\n"
            "  Söngs  1234\n");
}

TEST(tables, status_names_device_and_clients) {
  const json status{
      {"service",
       {{"version", "1.0"}, {"process_id", 7}, {"uptime_seconds", 75.2}, {"realtime", true}}},
      {"device",
       {{"name", "Box"},
        {"mode", "shared"},
        {"rate_hz", 48'000},
        {"period_frames", 48},
        {"open", true},
        {"running", true},
        {"notes", {"Not exclusive: it is held by another program.", 7}}}},
      {"clients",
       {{{"id", 1},
         {"program", "daw.exe"},
         {"process_id", 9},
         {"buffer_frames", 48},
         {"sample_type", "int24"},
         {"running", true},
         {"cycles", 100},
         {"late", 2},
         {"away", 0}}}}};
  const std::string text = status_text(status);
  EXPECT_TRUE(contains(text, "up 1 min 15 s")) << text;
  EXPECT_TRUE(contains(text, "Box: shared, 48000 Hz, periods of 48 frames (1.00 ms), running"))
      << text;
  EXPECT_TRUE(contains(text, "\n  Not exclusive: it is held by another program.\n")) << text;
  EXPECT_TRUE(contains(text, "daw.exe")) << text;
}

TEST(tables, flight_tells_who_heard_each_xrun) {
  const json flight{{"sessions", {{{"id", 3}, {"program", "daw.exe"}, {"ended", true}}}},
                    {"events_written", 2},
                    {"xruns",
                     {{{"first_period", 10},
                       {"periods", 1},
                       {"causes", {"late_client"}},
                       {"client", 3},
                       {"duration_us", 12.34}},
                      {{"first_period", 20},
                       {"periods", 2},
                       {"causes", {"late_wake"}},
                       {"client", 0},
                       {"duration_us", 9.0}}}}};
  const std::string text = flight_text(flight);
  EXPECT_TRUE(contains(text, "late_client  daw.exe")) << text;
  EXPECT_TRUE(contains(text, "late_wake    everyone")) << text;
  EXPECT_TRUE(contains(text, "12.3")) << text;
}

TEST(tables, wrong_configuration_shows_its_mistakes) {
  const std::string text = config_text({{"path", "/c.toml"},
                                        {"loaded", false},
                                        {"error", "/c.toml:3: no."},
                                        {"values", {{"engine", {{"spin_us", 20}}}}}});
  EXPECT_TRUE(contains(text, "/c.toml: not in use"));
  EXPECT_TRUE(contains(text, "/c.toml:3: no."));
  EXPECT_TRUE(contains(text, "[engine]\nspin_us = 20"));
}

/// An answer of another version must not end the command line.
TEST(tables, answers_of_any_shape_become_text) {
  const json shapes[] = {
      nullptr,
      5,
      "x",
      json::array(),
      json::object(),
      {{"clients", 5}},
      {{"service", {1, 2}}, {"device", nullptr}, {"clients", {nullptr, 1, {{"id", {1}}}}}},
      {{"xruns", {1, {{"causes", 5}}}},
       {"sessions", {{{"id", nullptr}}}},
       {"records", {7, nullptr}}},
      {{"devices", {{{"rates_hz", "x"}}}}},
      {{"service", {{"uptime_seconds", 1e300}}}},
      {{"values", {{"a", 1}}}, {"error", 5}}};
  for (const json& shape : shapes) {
    EXPECT_FALSE(status_text(shape).empty());
    EXPECT_FALSE(flight_text(shape).empty());
    EXPECT_FALSE(devices_text(shape).empty());
    EXPECT_FALSE(config_text(shape).empty());
  }
}

}  // namespace
}  // namespace asiodrv::cli
