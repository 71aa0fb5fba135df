#include "cli/config_commands.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "cli/config_text.hpp"
#include "platform/platform.hpp"
#include "service/testing/config_folder.hpp"
#include "tests/support/text.hpp"

namespace asiodrv::cli {
namespace {

using nlohmann::json;
using test::contains;

ClientOptions g_config_client;
ConfigOptions g_config;
int g_config_calls = 0;

int note_config(const ClientOptions& client, const ConfigOptions& config) {
  g_config_client = client;
  g_config = config;
  ++g_config_calls;
  return kDone;
}

int note_shown(const ClientOptions&, bool reload) { return reload ? 41 : 40; }

int parsed(std::vector<std::string> arguments) {
  Actions actions{};
  actions.config = note_shown;
  actions.edit_config = note_config;
  g_config = {};
  g_config_calls = 0;
  arguments.insert(arguments.begin(), "config");
  return run_command_line(std::move(arguments), actions);
}

TEST(config_arguments, each_command_reaches_its_verb) {
  EXPECT_EQ(parsed({}), 40);
  EXPECT_EQ(parsed({"--reload"}), 41);
  EXPECT_EQ(parsed({"get", "driver.min_frames", "--json"}), kDone);
  EXPECT_EQ(g_config.verb, ConfigVerb::get);
  EXPECT_EQ(g_config.key, "driver.min_frames");
  EXPECT_TRUE(g_config_client.json);
  EXPECT_EQ(parsed({"set", "simulated.offset_ppm", "-12", "--config", "x.toml"}), kDone);
  EXPECT_EQ(g_config.verb, ConfigVerb::set);
  EXPECT_EQ(g_config.value, "-12");
  EXPECT_EQ(g_config.config_path, "x.toml");
  EXPECT_EQ(parsed({"set", "channels.inputs", "[1, 2]"}), kDone);
  EXPECT_EQ(g_config.value, "[1, 2]");
  EXPECT_EQ(parsed({"set", "wasapi.output", ""}), kDone);
  EXPECT_EQ(g_config.value, "");
  EXPECT_EQ(parsed({"unset", "wasapi.output"}), kDone);
  EXPECT_EQ(g_config.verb, ConfigVerb::unset);
  EXPECT_EQ(parsed({"list"}), kDone);
  EXPECT_EQ(g_config.verb, ConfigVerb::list);
  EXPECT_EQ(parsed({"reset"}), kDone);
  EXPECT_EQ(g_config.verb, ConfigVerb::reset);
  EXPECT_EQ(parsed({"validate", "x.toml"}), kDone);
  EXPECT_EQ(g_config.file, "x.toml");
}

TEST(config_arguments, wrong_usage_is_2_and_calls_nothing) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{{"get"},
                                                                     {"set", "driver.min_frames"},
                                                                     {"set", "a", "b", "c"},
                                                                     {"dance"},
                                                                     {"--reload", "list"},
                                                                     {"get", "a", "unset", "b"}}) {
    EXPECT_EQ(parsed(arguments), kWrongUsage);
    EXPECT_EQ(g_config_calls, 0);
  }
}

/// On a file of its own, in an instance that has no service.
class config_commands : public ::testing::Test {
 protected:
  int run(ConfigVerb verb, const std::string& key = "", const std::string& value = "") {
    client.instance = "none-" + std::to_string(platform::process_id());
    ConfigOptions options{verb, key, value, file, folder.file("named.toml")};
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int code = run_config(client, options);
    out = ::testing::internal::GetCapturedStdout();
    err = ::testing::internal::GetCapturedStderr();
    return code;
  }

  service::testing::ConfigFolder folder;
  ClientOptions client;
  std::string file, out, err;
};

TEST_F(config_commands, set_get_and_unset_agree) {
  EXPECT_EQ(run(ConfigVerb::set, "driver.sample_type", "int24"), kDone) << err;
  EXPECT_TRUE(contains(out, "driver.sample_type = \"int24\" is set in ")) << out;
  EXPECT_TRUE(contains(out, "No service is running")) << out;
  EXPECT_EQ(folder.read("named.toml"), "[driver]\nsample_type = \"int24\"\n");
  EXPECT_EQ(run(ConfigVerb::get, "driver.sample_type"), kDone);
  EXPECT_EQ(out, "int24\n");
  EXPECT_EQ(run(ConfigVerb::set, "driver.sample_type", "int24"), kDone);
  EXPECT_TRUE(contains(out, "already")) << out;
  EXPECT_EQ(run(ConfigVerb::unset, "driver.sample_type"), kDone) << err;
  EXPECT_TRUE(contains(out, "\"float32\" now, from the defaults")) << out;
  EXPECT_EQ(run(ConfigVerb::get, "driver.sample_type"), kDone);
  EXPECT_EQ(out, "float32\n");
}

TEST_F(config_commands, wrong_values_and_unknown_keys_are_2_and_write_nothing) {
  EXPECT_EQ(run(ConfigVerb::set, "driver.max_frames", "100"), kWrongUsage);
  EXPECT_EQ(err, "driver.max_frames must be a power of two from 16 to 8192.\n");
  EXPECT_EQ(run(ConfigVerb::set, "driver.max_frame", "128"), kWrongUsage);
  EXPECT_TRUE(contains(err, "did you mean \"driver.max_frames\"")) << err;
  EXPECT_EQ(run(ConfigVerb::set, "member.1.output", "A"), kWrongUsage);
  EXPECT_EQ(run(ConfigVerb::get, "x"), kWrongUsage);
  EXPECT_EQ(run(ConfigVerb::unset, "x"), kWrongUsage);
  EXPECT_FALSE(folder.has("named.toml"));
}

TEST_F(config_commands, get_of_a_wrong_file_shows_the_default_and_fails) {
  folder.write("named.toml", "[engine]\nspin_us = 'x'\n");
  EXPECT_EQ(run(ConfigVerb::get, "engine.spin_us"), kFailed);
  EXPECT_EQ(out, "20\n");
  EXPECT_TRUE(contains(err, "named.toml:2: engine.spin_us")) << err;
}

TEST_F(config_commands, get_reads_members) {
  folder.write("named.toml", "[[member]]\noutput = 'A'\n[[member]]\nprefix = 'B: '\n");
  EXPECT_EQ(run(ConfigVerb::get, "member.2.prefix"), kDone);
  EXPECT_EQ(out, "B: \n");
  EXPECT_EQ(run(ConfigVerb::get, "member.3.prefix"), kFailed);
  EXPECT_EQ(err, "There are 2 sections [[member]].\n");
}

TEST_F(config_commands, list_tells_value_origin_and_default_of_every_key) {
  folder.write("named.toml", "[engine]\nspin_us = 3\n[[member]]\n");
  client.json = true;
  EXPECT_EQ(run(ConfigVerb::list), kDone) << err;
  const json list = json::parse(out);
  std::size_t known = 0;
  for (const json& entry : list["keys"]) {
    if (entry["key"] == "engine.spin_us") {
      EXPECT_EQ(entry["value"], 3);
      EXPECT_EQ(entry["default"], 20);
      EXPECT_EQ(entry["layer"], "named");
      EXPECT_EQ(entry["file"], folder.file("named.toml"));
    } else if (entry["key"] == "engine.deadline_fraction") {
      EXPECT_EQ(entry["layer"], "default");
      EXPECT_EQ(entry["file"], nullptr);
    }
    ++known;
  }
  EXPECT_EQ(known, service::config_keys().size());
  client.json = false;
  EXPECT_EQ(run(ConfigVerb::list), kDone);
  EXPECT_TRUE(contains(out, "member.1.output")) << out;
  EXPECT_TRUE(contains(out, "busy waiting before the engine sleeps for an answer (us)")) << out;
}

TEST_F(config_commands, validate_says_what_is_wrong_in_any_file_and_changes_nothing) {
  folder.write("other.toml", "[driver]\nmin_frames = 17\n");
  file = folder.file("other.toml");
  EXPECT_EQ(run(ConfigVerb::validate), kFailed);
  EXPECT_TRUE(contains(out, "other.toml:2: driver.min_frames must be")) << out;
  folder.write("other.toml", "");
  EXPECT_EQ(run(ConfigVerb::validate), kDone) << out << err;
  file = folder.file("missing.toml");
  client.json = true;
  EXPECT_EQ(run(ConfigVerb::validate), kFailed);
  EXPECT_EQ(json::parse(out)["ok"], false);
}

TEST_F(config_commands, reset_says_where_the_file_is) {
  folder.write("named.toml", "[engine]\nspin_us = 'x'\n");
  EXPECT_EQ(run(ConfigVerb::reset), kDone) << err;
  EXPECT_TRUE(contains(out, "named.toml.bak-1")) << out;
  EXPECT_EQ(run(ConfigVerb::get, "engine.spin_us"), kDone);
}

}  // namespace
}  // namespace asiodrv::cli
