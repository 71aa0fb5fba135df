// asio-driver calibrate: its arguments, and its answers as text.
#include "cli/calibrate.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/command_line.hpp"

namespace asiodrv::cli {
namespace {

using nlohmann::json;

CalibrateOptions g_calibrate;
bool g_calibrate_called = false;

int run_calibrate(std::vector<std::string> arguments) {
  g_calibrate_called = false;
  g_calibrate = {};
  Actions actions{};
  actions.calibrate = [](const ClientOptions&, const CalibrateOptions& calibrate) {
    g_calibrate = calibrate;
    g_calibrate_called = true;
    return kDone;
  };
  arguments.insert(arguments.begin(), "calibrate");
  return run_command_line(std::move(arguments), actions);
}

TEST(calibrate_arguments, say_where_the_cable_is_and_at_what_to_measure) {
  EXPECT_EQ(
      run_calibrate({"--output", "out:2", "--input", "in:3", "--rate", "96000", "--period", "128"}),
      kDone);
  EXPECT_EQ(g_calibrate.output, "out:2");
  EXPECT_EQ(g_calibrate.input, "in:3");
  EXPECT_EQ(g_calibrate.rate_hz, 96'000U);
  EXPECT_EQ(g_calibrate.period_frames, 128U);
  EXPECT_EQ(run_calibrate({"--output", "out:1", "--input", "in:1", "--all-sizes"}), kDone);
  EXPECT_TRUE(g_calibrate.all_sizes);
}

TEST(calibrate_arguments, listing_and_forgetting_need_no_cable) {
  EXPECT_EQ(run_calibrate({"--list"}), kDone);
  EXPECT_TRUE(g_calibrate.list);
  EXPECT_EQ(run_calibrate({"--forget", "--period", "64"}), kDone);
  EXPECT_TRUE(g_calibrate.forget);
  EXPECT_EQ(g_calibrate.period_frames, 64U);
}

TEST(calibrate_arguments, what_contradicts_itself_is_wrong_usage) {
  const std::vector<std::vector<std::string>> wrong{
      {},
      {"--output", "out:1"},
      {"--input", "in:1"},
      {"--output", "out:1", "--input", "in:1", "--all-sizes", "--period", "64"},
      {"--forget", "--all-sizes"},
      {"--forget", "--list"},
      {"--output", "out:1", "--input", "in:1", "--rate", "0"}};
  for (const auto& arguments : wrong) {
    EXPECT_EQ(run_calibrate(arguments), kWrongUsage);
    EXPECT_FALSE(g_calibrate_called);
  }
}

json measured() {
  return {{"rate_hz", 48'000},    {"period_frames", 64}, {"measured_frames", 331.25},
          {"before_frames", 128}, {"after_frames", 331}, {"correction_frames", 203.25},
          {"level_db", -6.02},    {"inverted", false},   {"input", "in:1"}};
}

TEST(calibrate_text, shows_before_and_after) {
  const std::string text =
      calibrations_text({{"calibrations", {measured()}}, {"failures", json::array()}});
  for (const char* part : {"48000", "64", "331.25", "6.90", "128", "331 ", "+203.25", "-6.0"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  EXPECT_EQ(text.find("polarity"), std::string::npos);
}

TEST(calibrate_text, names_the_device_and_how_it_ran) {
  json each = measured();
  each["name"] = "Box";
  each["mode"] = "";
  const auto text_of = [&each] {
    return calibrations_text({{"calibrations", {each}}, {"failures", json::array()}});
  };
  EXPECT_EQ(text_of().find("Box:\n"), 0U) << text_of();
  each["mode"] = "shared";
  EXPECT_EQ(text_of().find("Box (shared):\n"), 0U) << text_of();
}

TEST(calibrate_text, names_a_reversed_polarity_and_sizes_that_failed) {
  json each = measured();
  each["inverted"] = true;
  const std::string text =
      calibrations_text({{"calibrations", {each}}, {"failures", {{{"period_frames", 32}}}}});
  EXPECT_NE(text.find("polarity is reversed on the way to in:1"), std::string::npos);
  EXPECT_NE(text.find("1 size could not"), std::string::npos);
}

TEST(calibrate_text, an_answer_of_another_version_does_not_end_it) {
  EXPECT_NE(calibrations_text({{"calibrations", {json::object(), 7}}}), "");
  EXPECT_NE(calibrations_text(json()), "");
  EXPECT_NE(corrections_text(json()), "");
  EXPECT_NE(corrections_text({{"corrections", {json::object()}}}), "");
}

TEST(calibrate_text, progress_stays_inside_its_bar_whatever_the_service_says) {
  EXPECT_EQ(progress_text("here", 0.5),
            "\r  here  [" + std::string(15, '#') + std::string(15, '.') + "]");
  EXPECT_EQ(progress_text("here", 1e300), progress_text("here", 1));
  EXPECT_EQ(progress_text("here", -7), progress_text("here", 0));
}

TEST(calibrate_text, lists_what_is_known) {
  const std::string text = corrections_text({{"corrections",
                                              {{{"name", "Box"},
                                                {"mode", ""},
                                                {"rate_hz", 44'100},
                                                {"period_frames", 256},
                                                {"correction_frames", 87.4},
                                                {"in_use", true}}}}});
  for (const char* part : {"Box", "44100", "256", "+87.40", "yes"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

}  // namespace
}  // namespace asiodrv::cli
