#include "service/config.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace asiodrv::service {
namespace {

std::string error_of(std::string_view text) {
  const auto config = parse_config(text, "/c/config.toml");
  if (config) return "(accepted)";
  EXPECT_EQ(config.error().code, ErrorCode::malformed);
  return config.error().message;
}

TEST(config, empty_file_gives_the_defaults) {
  const auto config = parse_config("", "config.toml");
  ASSERT_TRUE(config);
  EXPECT_EQ(to_json(*config), to_json(Config{}));
}

TEST(config, every_key_is_read) {
  const auto config = parse_config(R"(
[driver]
sample_type = "int24"
min_frames = 16
max_frames = 8192
preferred_frames = 256
[engine]
deadline_fraction = 0.5
spin_us = 200
[service]
idle_seconds = 0
[hosts]
deferred = ["Lazy.exe", "other"]
[device]
backend = "combined"
[wasapi]
output = "Speakers"
input = ""
mode = "exclusive"
prefer_exclusive = true
dither = true
clocks = "two"
[combined]
name = "All"
stall_ms = 5
[[member]]
output = "A"
prefix = "A: "
[[member]]
backend = "simulated"
[channels]
inputs = [2, 1]
outputs = [1]
input_names = ["Voice", ""]
output_names = ["Left"]
[simulated]
inputs = 1
outputs = 1024
rate = 96000
offset_ppm = -12
jitter_us = 1000
wires = "none"
player = "in.wav"
recorder = "/abs/out.wav"
)",
                                   "/c/config.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->sample_type, SampleType::int24);
  EXPECT_EQ(config->min_frames.count, 16U);
  EXPECT_EQ(config->max_frames.count, 8192U);
  EXPECT_EQ(config->preferred_frames.count, 256U);
  EXPECT_EQ(config->deadline_fraction, 0.5);
  EXPECT_EQ(config->spin_us, 200U);
  EXPECT_EQ(config->idle_seconds, 0U);
  EXPECT_TRUE(is_deferred(*config, "lazy.EXE"));
  EXPECT_FALSE(is_deferred(*config, "lazy"));
  EXPECT_EQ(config->backend, Backend::combined);
  EXPECT_EQ(config->wasapi.output, "Speakers");
  EXPECT_EQ(config->wasapi.input, "");
  EXPECT_EQ(config->wasapi.mode, WasapiMode::exclusive);
  EXPECT_TRUE(config->wasapi.prefer_exclusive);
  EXPECT_TRUE(config->wasapi.dither);
  EXPECT_EQ(config->wasapi.clocks, Clocks::two);
  EXPECT_EQ(config->combined.name, "All");
  EXPECT_EQ(config->combined.stall_ms, 5U);
  ASSERT_EQ(config->members.size(), 2U);
  EXPECT_EQ(config->members[0].wasapi.output, "A");
  EXPECT_EQ(config->members[0].prefix, "A: ");
  EXPECT_EQ(config->members[1].backend, Backend::simulated);
  EXPECT_EQ(config->channels.inputs, (std::vector<std::uint32_t>{1, 0}));
  EXPECT_EQ(config->channels.output_names, (std::vector<std::string>{"Left"}));
  EXPECT_EQ(config->simulated.inputs, 1U);
  EXPECT_EQ(config->simulated.outputs, 1024U);
  EXPECT_EQ(config->simulated.rate_hz, 96'000U);
  EXPECT_EQ(config->simulated.offset_ppm, -12.0);
  EXPECT_EQ(config->simulated.jitter_us, 1000U);
  EXPECT_EQ(config->simulated.wires, Wires::none);
  EXPECT_NE(config->simulated.player.find("in.wav"), std::string::npos);
  EXPECT_GT(config->simulated.player.size(), std::string("in.wav").size());  // beside the file
  EXPECT_NE(config->simulated.recorder.find("abs"), std::string::npos);
}

TEST(config, mistakes_name_file_line_key_and_what_is_accepted) {
  EXPECT_EQ(error_of("[driver]\nsample_type = \"float64\""),
            "/c/config.toml:2: driver.sample_type must be \"float32\" or \"int32\" or \"int24\" or "
            "\"int16\".");
  EXPECT_EQ(error_of("[engine]\n\nspin_us = 201"),
            "/c/config.toml:3: engine.spin_us must be a whole number from 0 to 200.");
  EXPECT_EQ(error_of("[engine]\ndeadline_fraction = nan"),
            "/c/config.toml:2: engine.deadline_fraction must be a number from 0.3 to 0.95.");
  EXPECT_EQ(error_of("[driver]\nmax_frames = 100"),
            "/c/config.toml:2: driver.max_frames must be a power of two from 16 to 8192.");
  EXPECT_EQ(error_of("[engine]\nspin = 5"),
            "/c/config.toml:2: unknown key \"engine.spin\"; [engine] accepts deadline_fraction, "
            "spin_us.");
  EXPECT_EQ(
      error_of("\n[engines]"),
      "/c/config.toml:2: unknown section or key \"engines\"; accepted are [channels], [combined], "
      "[device], [driver], [engine], [hosts], [service], [simulated], [wasapi], [[member]].");
  EXPECT_EQ(error_of("[[member]]\nprefx = 'A'"),
            "/c/config.toml:2: unknown key \"member.prefx\"; [member] accepts output, input, mode, "
            "prefer_exclusive, clocks, dither, backend, prefix.");
  EXPECT_EQ(error_of("[device]\nbackend = 'combined'\n[[member]]"),
            "/c/config.toml:1: device.backend = \"combined\" needs 2 to 8 sections [[member]]; "
            "there is 1.");
  EXPECT_EQ(error_of("[channels]\ninputs = [1, 2, 1]"),
            "/c/config.toml:2: channels.inputs must be a list of different channel numbers from 1 "
            "to 1024, like [3, 4, 1, 2].");
  EXPECT_EQ(error_of("driver = 5"), "/c/config.toml:1: [driver] must be a section.");
  EXPECT_EQ(
      error_of("[driver]\npreferred_frames = 16"),
      "/c/config.toml:1: driver.preferred_frames (16) must lie between driver.min_frames (32) "
      "and driver.max_frames (2048).");
}

TEST(config, wrong_types_are_refused_for_every_key) {
  for (const char* const key : {"driver.sample_type",  "driver.min_frames",
                                "driver.max_frames",   "driver.preferred_frames",
                                "driver.formats",      "engine.deadline_fraction",
                                "engine.spin_us",      "service.idle_seconds",
                                "hosts.deferred",      "device.backend",
                                "simulated.inputs",    "simulated.outputs",
                                "simulated.rate",      "simulated.offset_ppm",
                                "simulated.jitter_us", "simulated.wires",
                                "simulated.player",    "simulated.recorder",
                                "driver.buffer_sizes", "wasapi.output",
                                "wasapi.input",        "wasapi.mode",
                                "wasapi.clocks",       "combined.name",
                                "combined.stall_ms"}) {
    for (const char* const value : {"true", "{}", "[1]", "-1e9", "1979-05-27"}) {
      const std::string text = std::string(key) + " = " + value;
      EXPECT_NE(error_of(text), "(accepted)") << text;
    }
  }
}

TEST(config, several_mistakes_are_all_named) {
  const std::string error = error_of("[engine]\nspin_us = -1\nx = 1\n[device]\nbackend = \"asio\"");
  EXPECT_NE(error.find(":2:"), std::string::npos);
  EXPECT_NE(error.find(":3:"), std::string::npos);
  EXPECT_NE(error.find(":5:"), std::string::npos);
}

TEST(config, text_that_is_not_toml_names_the_line) {
  EXPECT_EQ(error_of("[driver]\nmin_frames = = 3").find("/c/config.toml:2:"), 0U);
  EXPECT_NE(error_of("\xFF\xFE"), "(accepted)");
  EXPECT_NE(error_of("[driver]\n[driver]"), "(accepted)");
  for (const char* const heading : {"[=driver]", "[\ndriver]", "[[[driver]]"}) {
    EXPECT_EQ(error_of(heading).find("/c/config.toml:1:"), 0U) << error_of(heading);
  }
}

TEST(config, missing_file_is_not_found) {
  const auto config = load_config("/no/such/folder/config.toml");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace asiodrv::service
