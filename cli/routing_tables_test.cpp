#include "cli/routing_tables.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/support/text.hpp"

namespace asiodrv::cli {
namespace {

using nlohmann::json;
using test::contains;

TEST(routing_tables, routes_show_gain_switches_and_why_they_rest) {
  const json routes{{"routes",
                     {{{"from", "in:1"},
                       {"to", "out:1"},
                       {"gain_db", -6.0},
                       {"mute", true},
                       {"solo", false},
                       {"invert", true},
                       {"state", "muted"}},
                      {{"from", "daw.exe/out:1"},
                       {"to", "out:2"},
                       {"gain_db", nullptr},
                       {"state", "rests"},
                       {"reason", "daw.exe has no buffers now."}}}}};
  EXPECT_EQ(routes_text(routes),
            "  from           to     gain dB  switches      state\n"
            "  in:1           out:1  -6.0     mute, invert  muted\n"
            "  daw.exe/out:1  out:2  -inf                   rests: daw.exe has no buffers now.\n");
}

TEST(routing_tables, clients_show_latencies_in_frames_and_milliseconds) {
  const json clients{{"clients",
                      {{{"program", "daw.exe"},
                        {"process_id", 9},
                        {"bits", 64},
                        {"rate_hz", 48'000},
                        {"buffer_frames", 48},
                        {"inputs", 2},
                        {"outputs", 4},
                        {"input_latency_frames", 48},
                        {"output_latency_frames", 96},
                        {"running", true},
                        {"late", 3},
                        {"away", 0}}}},
                     {"without_buffers", {{{"program", "idle.exe"}, {"process_id", 7}}}}};
  const std::string text = clients_text(clients);
  EXPECT_TRUE(contains(text, "48 (1.0 ms)")) << text;
  EXPECT_TRUE(contains(text, "96 (2.0 ms)")) << text;
  EXPECT_TRUE(contains(text, "2/4")) << text;
  EXPECT_TRUE(contains(text, "playing")) << text;
  EXPECT_TRUE(contains(text, "no buffers")) << text;
}

TEST(routing_tables, bars_are_solid_up_to_the_rms_and_thin_up_to_the_peak) {
  const json meters{{"meters",
                     {{{"port", "in:1"}, {"name", "Mic"}, {"peak_db", -30.0}, {"rms_db", -45.0}},
                      {{"port", "in:2"}, {"name", ""}, {"peak_db", 0.0}, {"rms_db", 0.0}},
                      {{"port", "in:3"}, {"peak_db", nullptr}, {"rms_db", nullptr}},
                      {{"port", "in:4"}, {"peak_db", 20.0}, {"rms_db", -200.0}}}}};
  MeterStyle style;
  style.bar_cells = 8;
  EXPECT_EQ(meters_text(meters, style),
            "  channel  name  peak dB  rms dB\n"
            "  in:1     Mic     -30.0   -45.0  ##--\n"
            "  in:2               0.0     0.0  ########!\n"
            "  in:3                 -       -\n"
            "  in:4              20.0  -200.0  --------!\n");
  style.unicode = true;
  EXPECT_TRUE(contains(meters_text(meters, style), "\u2588\u2588\u2591\u2591\n"));
}

TEST(routing_tables, a_small_screen_counts_what_it_does_not_show) {
  json list = json::array();
  for (int i = 1; i <= 10; ++i) list.push_back({{"port", "in:" + std::to_string(i)}});
  MeterStyle style;
  style.most_rows = 5;
  const std::string text = meters_text({{"meters", list}}, style);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5);
  EXPECT_TRUE(contains(text, "7 more channels")) << text;
  style.most_rows = 0;
  EXPECT_TRUE(contains(meters_text({{"meters", list}}, style), "10 more channels"));
}

TEST(routing_tables, a_screen_is_drawn_over_itself_without_scrolling) {
  EXPECT_EQ(screen_text("a\nb\n"), "\x1b[Ha\x1b[K\nb\x1b[K\x1b[J");
}

/// An answer of another version must not end the command line.
TEST(routing_tables, answers_of_any_shape_become_text) {
  const json shapes[] = {nullptr,
                         5,
                         json::array(),
                         json::object(),
                         {{"routes", {1, nullptr, {{"gain_db", "x"}, {"mute", 5}}}}},
                         {{"meters", {1, nullptr, {{"peak_db", "x"}, {"rms_db", {1}}}}}},
                         {{"clients", {1, nullptr, {{"rate_hz", 0}}}}, {"without_buffers", {7}}},
                         {{"cables", {nullptr, 3}}, {"snapshots", {nullptr, "x"}}}};
  for (const json& shape : shapes) {
    EXPECT_FALSE(routes_text(shape).empty());
    EXPECT_FALSE(cables_text(shape).empty());
    EXPECT_FALSE(snapshots_text(shape).empty());
    EXPECT_FALSE(clients_text(shape).empty());
    EXPECT_FALSE(meters_text(shape, {}).empty());
  }
}

}  // namespace
}  // namespace asiodrv::cli
