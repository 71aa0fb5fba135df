// What --fix does, and what it leaves alone.
#include "doctor/repair.hpp"

#include <gtest/gtest.h>

#include <string>

#include "platform/platform.hpp"
#include "service/config.hpp"
#include "service/testing/config_folder.hpp"

namespace asiodrv::doctor {
namespace {

using service::testing::ConfigFolder;

TEST(doctor_repair, a_configuration_is_put_aside_under_a_free_name_and_an_empty_one_is_left) {
  const ConfigFolder folder;
  const std::string config = folder.file("config.toml");
  folder.write("config.toml", "first mistake");
  const auto first = put_configuration_aside(config);
  ASSERT_TRUE(first.has_value()) << first.error().message;
  EXPECT_TRUE(first->ends_with("config.toml.broken-1"));
  EXPECT_EQ(folder.read("config.toml.broken-1"), "first mistake");
  EXPECT_TRUE(service::load_config(config).has_value());
  folder.write("config.toml", "second mistake");
  const auto second = put_configuration_aside(config);
  ASSERT_TRUE(second.has_value()) << second.error().message;
  EXPECT_TRUE(second->ends_with("config.toml.broken-2"));
  EXPECT_EQ(folder.read("config.toml.broken-1"), "first mistake");
  EXPECT_EQ(folder.read("config.toml.broken-2"), "second mistake");
}

TEST(doctor_repair, a_configuration_that_is_missing_is_made) {
  const ConfigFolder folder;
  const auto aside = put_configuration_aside(folder.file("config.toml"));
  ASSERT_TRUE(aside.has_value()) << aside.error().message;
  EXPECT_EQ(*aside, "");
  EXPECT_TRUE(service::load_config(folder.file("config.toml")).has_value());
}

TEST(doctor_repair, what_the_table_promises_is_tried_and_a_failure_says_what_to_do) {
  Facts facts;  // of no installation: nothing can be repaired, and nothing is touched
  GatherOptions nobody;
  nobody.instance = "doctor-test-" + std::to_string(platform::process_id());
  for (const Cause& cause : all_causes()) {
    if (!cause.ours) continue;
    Diagnosis diagnosis;
    diagnosis.findings.push_back({&cause, "", std::string(cause.fix)});
    const auto repairs = repair(diagnosis, facts, nobody);
    ASSERT_EQ(repairs.size(), 1U) << cause.id;
    EXPECT_EQ(repairs[0].cause, cause.id);
    EXPECT_FALSE(repairs[0].done) << cause.id;
    EXPECT_FALSE(repairs[0].said.empty()) << cause.id;
  }
}

TEST(doctor_repair, nothing_is_done_about_what_belongs_to_others) {
  Diagnosis diagnosis;
  for (const Cause& cause : all_causes()) {
    if (!cause.ours) diagnosis.findings.push_back({&cause, "", std::string(cause.fix)});
  }
  EXPECT_TRUE(repair(diagnosis, Facts{}, {}).empty());
}

}  // namespace
}  // namespace asiodrv::doctor
