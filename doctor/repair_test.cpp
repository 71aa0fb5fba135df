// What --fix does, and what it leaves alone.
#include "doctor/repair.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "doctor/mend_configuration.hpp"
#include "platform/platform.hpp"
#include "service/config.hpp"
#include "service/file_lock.hpp"
#include "service/paths.hpp"
#include "service/testing/config_folder.hpp"

namespace asiodrv::doctor {
namespace {

using service::testing::ConfigFolder;

TEST(doctor_mend, what_is_right_in_a_configuration_stays_in_force) {
  const struct {
    const char* text;
    const char* left;
  } cases[] = {
      // a value, an unknown key, both at once
      {"[driver]\nsample_type = \"float64\"\nmax_frames = 1024\n",
       "[driver]\n# was wrong: sample_type = \"float64\"\nmax_frames = 1024\n"},
      {"[driver]\nmax_frames = 1024\nloudness = 3\nmin_frames = \"x\"\n",
       "[driver]\nmax_frames = 1024\n# was wrong: loudness = 3\n# was wrong: min_frames = \"x\"\n"},
      // no TOML, and a mistake behind it
      {"[driver]\nmax_frames 1024\nmin_frames = -1\n[engine]\nspin_us = 10",
       "[driver]\n# was wrong: max_frames 1024\n# was wrong: min_frames = -1\n[engine]\nspin_us = "
       "10"},
      // saved in another encoding
      {"[driver]\nmax_frames = 512\n[wasapi]\noutput = \"Ger\xE4t\"\n",
       "[driver]\nmax_frames = 512\n[wasapi]\n# was wrong: output = \"Ger?t\"\n"},
      // keys of a heading that is wrong do not fall to the one above
      {"[wasapi]\nmode = \"shared\"\n[wasappi]\noutput = \"A\"\n# mine\n[driver]\nmax_frames = "
       "512\n",
       "[wasapi]\nmode = \"shared\"\n# was wrong: [wasappi]\n# was wrong: output = \"A\"\n# mine\n"
       "[driver]\nmax_frames = 512\n"},
  };
  for (const auto& each : cases) {
    const auto left = without_mistakes(each.text, "C:\\a b\\config.toml");
    ASSERT_TRUE(left.has_value()) << each.text;
    EXPECT_EQ(*left, each.left);
    EXPECT_TRUE(service::parse_config(*left, "config.toml").has_value());
  }
}

TEST(doctor_mend, what_cannot_be_mended_line_by_line_is_not) {
  EXPECT_EQ(without_mistakes("", "c.toml"), std::nullopt);  // right alone
  EXPECT_EQ(without_mistakes("[driver]\nmax_frames = 1024\n", "c.toml"), std::nullopt);
  // Its second line would be a setting without the first.
  EXPECT_EQ(without_mistakes("wrong = \"\"\"\n[driver]\nmax_frames = 64\n\"\"\"\n", "c.toml"),
            std::nullopt);
}

TEST(doctor_mend, every_damage_ends_in_a_configuration_that_is_right_or_in_none) {
  const std::string whole =
      "[driver]\nmax_frames = 1024\n[channels]\noutputs = [\n 1,\n 2]\n"
      "[[member]]\noutput = 'a'\n";
  std::size_t mended = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char wrong : {'"', '[', '\n', '=', '\0', '\xFF'}) {
      std::string damaged = whole;
      damaged[at] = wrong;
      const auto left = without_mistakes(damaged, "c.toml");
      if (!left) continue;
      ++mended;
      EXPECT_TRUE(service::parse_config(*left, "c.toml").has_value()) << *left;
    }
  }
  EXPECT_GT(mended, whole.size() / 2);
}

TEST(doctor_mend, a_configuration_is_put_aside_under_a_free_name) {
  const ConfigFolder folder;
  const std::string config = folder.file("config.toml");
  folder.write("config.toml", "first mistake\n[driver]\nmax_frames = 512\n");
  const auto first = mend_configuration(config);
  ASSERT_TRUE(first.has_value()) << first.error().message;
  EXPECT_TRUE(first->aside.ends_with("config.toml.broken-1"));
  EXPECT_TRUE(first->kept_the_rest);
  EXPECT_EQ(service::load_config(config)->max_frames, Frames{512});
  folder.write("config.toml", "second = '''mistake");
  const auto second = mend_configuration(config);
  ASSERT_TRUE(second.has_value()) << second.error().message;
  EXPECT_TRUE(second->aside.ends_with("config.toml.broken-2"));
  EXPECT_FALSE(second->kept_the_rest);
  EXPECT_TRUE(service::load_config(config).has_value());
  EXPECT_EQ(folder.read("config.toml.broken-1"), "first mistake\n[driver]\nmax_frames = 512\n");
  EXPECT_EQ(folder.read("config.toml.broken-2"), "second = '''mistake");
}

TEST(doctor_mend, a_configuration_that_is_missing_is_made) {
  const ConfigFolder folder;
  const auto mended = mend_configuration(folder.file("config.toml"));
  ASSERT_TRUE(mended.has_value()) << mended.error().message;
  EXPECT_EQ(mended->aside, "");
  EXPECT_TRUE(service::load_config(folder.file("config.toml")).has_value());
}

TEST(doctor_mend, a_configuration_that_cannot_be_replaced_stays_where_it_is) {
  const ConfigFolder folder;
  folder.write("config.toml", "mistake");
  // What is written first has this name, and a folder is no file.
  std::filesystem::create_directories(service::path_of(folder.file("config.toml.new/x")));
  EXPECT_FALSE(mend_configuration(folder.file("config.toml")).has_value());
  EXPECT_EQ(folder.read("config.toml"), "mistake");
  EXPECT_FALSE(folder.has("config.toml.broken-1"));
}

TEST(doctor_mend, who_is_changing_the_configuration_is_waited_for) {
  const ConfigFolder folder;
  folder.write("config.toml", "mistake");
  const auto clock = platform::make_clock();
  const service::FileLock others(folder.file("config.toml"));
  ASSERT_TRUE(others.held());
  const Instant began = clock->now();
  EXPECT_TRUE(mend_configuration(folder.file("config.toml")).has_value()) << "not for ever";
  EXPECT_TRUE(clock->now() - began >= std::chrono::seconds{2});
}

TEST(doctor_repair, an_administrators_rights_change_no_file_that_a_service_has_named) {
  const ConfigFolder folder;
  folder.write("config.toml", "mistake");
  Facts facts;
  facts.system.elevated = true;
  facts.configuration.path = folder.file("config.toml");
  Diagnosis diagnosis;
  diagnosis.findings.push_back({find_cause("configuration_broken"), "", "Mend it.", 0});
  auto repairs = repair(diagnosis, facts, {});
  ASSERT_EQ(repairs.size(), 1U);
  EXPECT_FALSE(repairs[0].done);
  EXPECT_EQ(folder.read("config.toml"), "mistake");
  // Named by whoever has these rights it is mended.
  GatherOptions named;
  named.config_path = folder.file("config.toml");
  repairs = repair(diagnosis, facts, named);
  EXPECT_TRUE(repairs[0].done) << repairs[0].said;
  EXPECT_EQ(folder.read("config.toml.broken-1"), "mistake");
}

TEST(doctor_repair, what_the_table_promises_is_tried_and_a_failure_says_what_to_do) {
  Facts facts;  // of no installation: nothing can be repaired, and nothing is touched
  GatherOptions nobody;
  nobody.instance = "doctor-test-" + std::to_string(platform::process_id());
  for (const Cause& cause : all_causes()) {
    if (!cause.ours) continue;
    Diagnosis diagnosis;
    diagnosis.findings.push_back({&cause, "", std::string(cause.fix), 0});
    const auto repairs = repair(diagnosis, facts, nobody);
    ASSERT_EQ(repairs.size(), 1U) << cause.id;
    EXPECT_EQ(repairs[0].cause, cause.id);
    EXPECT_FALSE(repairs[0].done) << cause.id;
    EXPECT_FALSE(repairs[0].said.empty()) << cause.id;
  }
}

TEST(doctor_repair, a_service_that_still_answers_is_not_called_repaired) {
  const Finding finding{find_cause("service_version"), "", "", 0};
  EXPECT_TRUE(service_asked_to_leave(finding, true).done);
  const Repair still = service_asked_to_leave(finding, false);
  EXPECT_EQ(still.cause, "service_version");
  EXPECT_FALSE(still.done);
  EXPECT_NE(still.said.find("still answers"), std::string::npos);
}

TEST(doctor_repair, nothing_is_done_about_what_belongs_to_others) {
  Diagnosis diagnosis;
  for (const Cause& cause : all_causes()) {
    if (!cause.ours) diagnosis.findings.push_back({&cause, "", std::string(cause.fix), 0});
  }
  EXPECT_TRUE(repair(diagnosis, Facts{}, {}).empty());
}

}  // namespace
}  // namespace asiodrv::doctor
