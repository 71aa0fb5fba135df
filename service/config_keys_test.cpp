#include "service/config_keys.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "tests/support/text.hpp"

namespace asiodrv::service {
namespace {

using nlohmann::json;
using test::contains;

Config with_two_members() {
  Config config;
  config.members.resize(2);
  return config;
}

TEST(config_keys, each_is_there_once_and_says_what_it_is) {
  std::set<std::string> paths;
  for (const ConfigKey& key : config_keys()) {
    EXPECT_TRUE(paths.insert(key.path()).second) << key.path();
    EXPECT_NE(std::string(key.meaning), "") << key.path();
    EXPECT_NE(std::string(key.meaning).back(), '.') << key.path();
    EXPECT_FALSE(key.accepted.empty()) << key.path();
  }
  EXPECT_GE(paths.size(), 38U);
}

TEST(config_keys, defaults_are_accepted_and_shown_as_they_were_taken) {
  for (const ConfigKey& key : config_keys()) {
    Config config = with_two_members();
    const json value = default_of(key);
    EXPECT_TRUE(key.take(config, 1, value)) << key.path() << " = " << value;
    EXPECT_EQ(key.show(config, 1), value) << key.path();
  }
}

TEST(config_keys, refused_values_change_nothing) {
  for (const ConfigKey& key : config_keys()) {
    for (const json& value : {json(nullptr), json::object(), json(1e300), json(-1'000'000),
                              json::array({true}), json::array({json::array()})}) {
      Config config = with_two_members();
      const json before = key.show(config, 0);
      EXPECT_FALSE(key.take(config, 0, value)) << key.path() << " = " << value;
      EXPECT_EQ(key.show(config, 0), before) << key.path();
    }
  }
}

TEST(config_keys, a_member_is_changed_and_its_neighbour_is_not) {
  const auto key = find_key("member.2.output");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->member, 1U);
  Config config = with_two_members();
  EXPECT_TRUE(key->key->take(config, key->member, "Box"));
  EXPECT_EQ(config.members[1].wasapi.output, "Box");
  EXPECT_EQ(config.members[0].wasapi.output, "default");
}

TEST(config_keys, to_json_has_every_key_and_no_other) {
  const json values = to_json(with_two_members());
  std::set<std::string> shown, known;
  for (const auto& [section, keys] : values.items()) {
    for (const auto& [name, value] : (keys.is_array() ? keys.at(0) : keys).items()) {
      shown.insert(section + "." + name);
    }
  }
  for (const ConfigKey& key : config_keys()) known.insert(key.path());
  EXPECT_EQ(shown, known);
}

TEST(config_keys, names_are_found) {
  for (const ConfigKey& key : config_keys()) {
    const std::string name = key.of_member() ? "member.8." + std::string(key.name) : key.path();
    const auto found = find_key(name);
    ASSERT_TRUE(found) << name;
    EXPECT_EQ(found->key, &key);
    EXPECT_EQ(found->member, key.of_member() ? 7U : 0U);
  }
}

TEST(config_keys, unknown_name_suggests_the_nearest) {
  const std::pair<const char*, const char*> cases[] = {
      {"driver.sampletype", "\"driver.sample_type\""},
      {"spin_us", "\"engine.spin_us\""},
      {"Driver.min_frames", "\"driver.min_frames\""},
      {"member.1.outptu", "\"member.1.output\""},
      {"services.idle_second", "\"service.idle_seconds\""}};
  for (const auto& [name, suggested] : cases) {
    const auto found = find_key(name);
    ASSERT_FALSE(found) << name;
    EXPECT_EQ(found.error().code, ErrorCode::invalid_argument);
    EXPECT_TRUE(contains(found.error().message, suggested)) << found.error().message;
  }
}

TEST(config_keys, a_member_needs_its_number) {
  for (const char* const name : {"member.output", "member.0.output", "member.9x.output",
                                 "member.10.output", "member..output", "member.1.", "", "."}) {
    EXPECT_FALSE(find_key(name)) << name;
  }
  EXPECT_TRUE(contains(find_key("member.output").error().message, "member.1.output"));
}

TEST(config_keys, endless_names_are_answered_soon) {
  const auto found = find_key(std::string(1 << 20, 'x'));
  ASSERT_FALSE(found);
  EXPECT_LT(found.error().message.size(), 300U);
}

}  // namespace
}  // namespace asiodrv::service
