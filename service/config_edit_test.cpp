#include "service/config_edit.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/text.hpp"

namespace asiodrv::service {
namespace {

using nlohmann::json;
using test::contains;

const ConfigKey& key_named(const char* name) { return *find_key(name)->key; }

std::string set(std::string_view text, const char* name, const json& value) {
  const auto after = with_value(text, "c.toml", key_named(name), value);
  return after ? *after : "(refused) " + after.error().message;
}

std::string unset(std::string_view text, const char* name) {
  const auto after = without_value(text, "c.toml", key_named(name));
  return after ? *after : "(refused) " + after.error().message;
}

constexpr const char* kFile =
    "# the studio\n"
    "\n"
    "[driver]   # what hosts see\n"
    "  min_frames=16\t# small \"ones\"\n"
    "  preferred_frames = 128\n"
    "\n"
    "# lazy programs\n"
    "[hosts]\n"
    "deferred = [   # two of them\n"
    "  \"a.exe\",    # ] not the end\n"
    "  'b].exe',\n"
    "] # both\n"
    "\n"
    "[[member]]\n"
    "output = \"A\"\n"
    "[[member]]\n"
    "output = \"B\"\n";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

TEST(config_edit, value_is_changed_where_it_stands) {
  EXPECT_EQ(set(kFile, "driver.min_frames", 32), replaced(kFile, "=16\t", "=32\t"));
  EXPECT_EQ(set(kFile, "driver.preferred_frames", 64), replaced(kFile, "= 128", "= 64"));
  EXPECT_EQ(set("driver.min_frames = 16 # x", "driver.min_frames", 32),
            "driver.min_frames = 32 # x");
  EXPECT_EQ(set("driver = { min_frames = 16, max_frames = 64 }", "driver.min_frames", 32),
            "driver = { min_frames = 32, max_frames = 64 }");
  EXPECT_EQ(set("[wasapi]\noutput = \"a # \\\" b\" # c\n", "wasapi.output", "x"),
            "[wasapi]\noutput = \"x\" # c\n");
  EXPECT_EQ(set("[wasapi]\noutput = '''a\n'b''''\ninput = ''\n", "wasapi.output", "x"),
            "[wasapi]\noutput = \"x\"\ninput = ''\n");
}

TEST(config_edit, list_over_several_lines_becomes_one_line) {
  const std::string after = set(kFile, "hosts.deferred", json::array({"c.exe"}));
  EXPECT_TRUE(contains(after, "[hosts]\ndeferred = [\"c.exe\"] # both\n\n[[member]]")) << after;
}

TEST(config_edit, new_key_goes_below_the_last_of_its_section) {
  EXPECT_EQ(set(kFile, "driver.max_frames", 512),
            replaced(kFile, "= 128\n", "= 128\n  max_frames = 512\n"));
  EXPECT_EQ(set("[driver]\n# empty\n[engine]\n", "driver.max_frames", 512),
            "[driver]\nmax_frames = 512\n# empty\n[engine]\n");
  EXPECT_EQ(set("[driver]", "driver.max_frames", 512), "[driver]\nmax_frames = 512\n");
  EXPECT_EQ(set("driver.min_frames = 16\n[engine]\n", "driver.max_frames", 512),
            "driver.min_frames = 16\ndriver.max_frames = 512\n[engine]\n");
  EXPECT_EQ(set("[channels]\ninputs = [\n 1,\n 2]", "channels.outputs", json::array({1})),
            "[channels]\ninputs = [\n 1,\n 2]\noutputs = [1]\n");
}

TEST(config_edit, new_section_goes_to_the_end) {
  EXPECT_EQ(set("", "engine.spin_us", 5), "[engine]\nspin_us = 5\n");
  EXPECT_EQ(set(kFile, "engine.spin_us", 5), std::string(kFile) + "\n[engine]\nspin_us = 5\n");
  EXPECT_EQ(set("# only a word", "engine.spin_us", 5), "# only a word\n\n[engine]\nspin_us = 5\n");
}

TEST(config_edit, line_ends_of_windows_stay) {
  EXPECT_EQ(set("[driver]\r\nmin_frames = 16\r\n", "driver.min_frames", 32),
            "[driver]\r\nmin_frames = 32\r\n");
  EXPECT_EQ(set("[driver]\r\nmin_frames = 16\r\n", "driver.max_frames", 32),
            "[driver]\r\nmin_frames = 16\r\nmax_frames = 32\r\n");
  EXPECT_EQ(set("[driver]\r\nmin_frames = 16\r\n", "engine.spin_us", 5),
            "[driver]\r\nmin_frames = 16\r\n\r\n[engine]\r\nspin_us = 5\r\n");
  EXPECT_EQ(unset("[driver]\r\nmin_frames = 16 # x\r\nmax_frames = 32\r\n", "driver.min_frames"),
            "[driver]\r\nmax_frames = 32\r\n");
}

TEST(config_edit, characters_of_several_bytes_before_a_value_do_not_shift_it) {
  EXPECT_EQ(set("wasapi = { output = 'S\xC3\xB6ngs', input = 'b' }", "wasapi.input", "c"),
            "wasapi = { output = 'S\xC3\xB6ngs', input = \"c\" }");
}

TEST(config_edit, unset_takes_the_whole_line_or_lines) {
  EXPECT_EQ(unset(kFile, "driver.min_frames"),
            replaced(kFile, "  min_frames=16\t# small \"ones\"\n", ""));
  EXPECT_TRUE(contains(unset(kFile, "hosts.deferred"), "# lazy programs\n[hosts]\n\n[[member]]"));
  EXPECT_EQ(unset(kFile, "engine.spin_us"), kFile);
  EXPECT_EQ(unset("[driver]\nmin_frames = 16", "driver.min_frames"), "[driver]\n");
  EXPECT_EQ(unset("driver.min_frames = 16\n", "driver.min_frames"), "");
}

TEST(config_edit, what_cannot_be_changed_alone_is_refused_with_its_line) {
  for (const std::string& refused :
       {unset("# first\ndriver = { min_frames = 16 } # keep me\n", "driver.min_frames"),
        unset("\ndriver = { min_frames = 16, max_frames = 64 }\n", "driver.min_frames"),
        set("\ndriver = { min_frames = 16 }\n", "driver.max_frames", 64)}) {
    EXPECT_TRUE(contains(refused, "(refused) c.toml:2: driver.m")) << refused;
    EXPECT_TRUE(contains(refused, "by hand")) << refused;
  }
}

TEST(config_edit, text_that_is_not_toml_is_refused_with_its_line) {
  EXPECT_TRUE(contains(set("[driver]\nmin_frames = =", "driver.min_frames", 16), "c.toml:2:"));
  EXPECT_TRUE(contains(set("driver = 5\n", "driver.min_frames", 16), "must be a section"));
  EXPECT_TRUE(contains(unset("[driver\n", "driver.min_frames"), "(refused) c.toml:1:"));
}

/// A wrong value can be mended by a right one: the text needs to be TOML, no more.
TEST(config_edit, wrong_value_of_any_type_is_replaced) {
  for (const char* const wrong : {"true", "[1, [2]]", "{ a = 1 }", "1979-05-27T07:32:00Z", "1e9",
                                  "\"\"\"a\n#b\"\"\"", "0x10", "[]", "'''it''s'''"}) {
    const std::string text = std::string("[engine]\nspin_us = ") + wrong + " # c\n[driver]\n";
    EXPECT_EQ(set(text, "engine.spin_us", 5), "[engine]\nspin_us = 5 # c\n[driver]\n") << wrong;
  }
}

/// Every key in every kind of file, set and taken out again: nothing else ever changes.
TEST(config_edit, set_and_unset_leave_everything_else_alone) {
  const std::string files[] = {"", kFile, "[engine]\n", "# c", "[simulated]\nplayer = 'x'\n\n\n"};
  for (const std::string& file : files) {
    for (const ConfigKey& key : config_keys()) {
      if (key.of_member()) continue;
      const auto once = with_value(file, "c.toml", key, default_of(key));
      ASSERT_TRUE(once) << key.path() << ": " << once.error().message;
      const auto twice = with_value(*once, "c.toml", key, default_of(key));
      ASSERT_TRUE(twice) << key.path();
      EXPECT_EQ(*twice, *once) << key.path();
      EXPECT_TRUE(without_value(*once, "c.toml", key)) << key.path();
    }
  }
}

}  // namespace
}  // namespace asiodrv::service
