#include "service/config_file.hpp"

#include <gtest/gtest.h>

#ifndef _WIN32
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#endif

#include <nlohmann/json.hpp>

#include "service/file_lock.hpp"
#include "service/testing/config_folder.hpp"
#include "tests/support/text.hpp"

namespace asiodrv::service {
namespace {

using test::contains;

class config_file : public ::testing::Test {
 protected:
  static NamedKey named(const char* name) { return find_key(name).value(); }

  Result<FileChange> set(const char* name, const nlohmann::json& value) {
    return set_in_file(folder.places(), named(name), value);
  }

  testing::ConfigFolder folder;
};

TEST_F(config_file, set_makes_the_file_and_its_folder_and_unset_takes_the_key_out) {
  ConfigPlaces places = folder.places();
  places.top = folder.file("deep/er/config.toml");
  const auto made = set_in_file(places, named("engine.spin_us"), 7);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(made->changed);
  EXPECT_FALSE(made->before);
  EXPECT_EQ(load_layers(places).config.spin_us, 7U);
  const auto gone = unset_in_file(places, named("engine.spin_us"));
  ASSERT_TRUE(gone) << gone.error().message;
  EXPECT_TRUE(gone->changed);
  EXPECT_EQ(load_layers(places).config.spin_us, 20U);
}

TEST_F(config_file, what_it_says_already_is_not_written_again) {
  folder.write("user.toml", "[engine]\nspin_us = 7 # mine\n");
  EXPECT_FALSE(set("engine.spin_us", 7).value().changed);
  EXPECT_FALSE(unset_in_file(folder.places(), named("driver.min_frames")).value().changed);
  EXPECT_FALSE(folder.has("user.toml.new"));
}

TEST_F(config_file, a_change_that_would_make_the_file_wrong_is_not_written) {
  const std::string text = "[driver]\nmax_frames = 128\n";
  folder.write("user.toml", text);
  const auto refused = set("driver.preferred_frames", 256);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::malformed);
  EXPECT_TRUE(contains(refused.error().message, "driver.max_frames (128)"));
  EXPECT_EQ(folder.read("user.toml"), text);
}

TEST_F(config_file, other_mistakes_in_the_file_are_told_and_the_wrong_key_itself_can_be_mended) {
  folder.write("user.toml", "[engine]\nspin_us = 'x'\n");
  EXPECT_FALSE(set("driver.min_frames", 16));
  ASSERT_TRUE(set("engine.spin_us", 5));
  EXPECT_EQ(folder.read("user.toml"), "[engine]\nspin_us = 5\n");
}

TEST_F(config_file, wrong_files_below_do_not_stop_a_change) {
  folder.write("machine.toml", "[engine]\nspin_us = 'x'\n");
  EXPECT_TRUE(set("driver.min_frames", 16));
}

TEST_F(config_file, keys_of_members_are_left_to_people) {
  const auto refused = set("member.1.output", "A");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  EXPECT_TRUE(contains(refused.error().message, "user.toml"));
  EXPECT_FALSE(folder.has("user.toml"));
}

TEST_F(config_file, changes_can_be_taken_back) {
  const auto made = set("engine.spin_us", 7);
  ASSERT_TRUE(made);
  ASSERT_TRUE(take_back(*made));
  EXPECT_FALSE(folder.has("user.toml"));
  folder.write("user.toml", "# mine\n");
  const auto changed = set("engine.spin_us", 7);
  ASSERT_TRUE(changed);
  ASSERT_TRUE(take_back(*changed));
  EXPECT_EQ(folder.read("user.toml"), "# mine\n");
  const auto reset = reset_file(folder.places());
  ASSERT_TRUE(reset);
  ASSERT_TRUE(take_back(*reset));
  EXPECT_EQ(folder.read("user.toml"), "# mine\n");
}

TEST_F(config_file, what_somebody_has_changed_since_is_not_taken_back) {
  const auto mine = set("engine.spin_us", 7);
  ASSERT_TRUE(mine);
  ASSERT_TRUE(set("driver.min_frames", 16));
  const auto refused = take_back(*mine);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_state);
  EXPECT_TRUE(contains(folder.read("user.toml"), "min_frames = 16"));
}

TEST_F(config_file, who_changes_it_keeps_others_from_doing_so) {
  const std::string path = folder.file("user.toml");
  {
    const FileLock mine(path);
    ASSERT_TRUE(mine.held());
    EXPECT_FALSE(FileLock(path, nanoseconds{0}).held());
  }
  ASSERT_TRUE(set("engine.spin_us", 7));
  EXPECT_TRUE(FileLock(path, nanoseconds{0}).held());  // it was let go of
  EXPECT_FALSE(folder.has("user.toml.lock"));
}

TEST_F(config_file, reset_puts_the_file_aside_under_the_first_free_number) {
  folder.write("user.toml", "# two\n");
  folder.write("user.toml.bak-1", "# one\n");
  const auto reset = reset_file(folder.places());
  ASSERT_TRUE(reset) << reset.error().message;
  EXPECT_EQ(reset->aside, folder.file("user.toml.bak-2"));
  EXPECT_EQ(folder.read("user.toml.bak-2"), "# two\n");
  EXPECT_EQ(folder.read("user.toml.bak-1"), "# one\n");
  EXPECT_FALSE(folder.has("user.toml"));
  EXPECT_FALSE(reset_file(folder.places()).value().changed);
}

TEST_F(config_file, a_named_file_is_replaced_by_an_empty_one) {
  folder.write("named.toml", "[engine]\nspin_us = 'x'\n");
  ASSERT_TRUE(reset_file(folder.named_places()));
  EXPECT_TRUE(load_layers(folder.named_places()).loaded);
  EXPECT_TRUE(folder.has("named.toml.bak-1"));
}

#ifndef _WIN32
TEST_F(config_file, a_link_stays_a_link) {
  folder.write("real.toml", "# real\n");
  std::filesystem::create_symlink(path_of(folder.file("real.toml")),
                                  path_of(folder.file("user.toml")));
  ASSERT_TRUE(set("engine.spin_us", 7));
  EXPECT_TRUE(std::filesystem::is_symlink(path_of(folder.file("user.toml"))));
  EXPECT_TRUE(contains(folder.read("real.toml"), "spin_us = 7"));
}

/// An administrator's file for all users must stay one.
TEST_F(config_file, who_could_read_it_still_can) {
  namespace fs = std::filesystem;
  const fs::perms for_all = fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read |
                            fs::perms::others_read;
  folder.write("user.toml", "# for all\n");
  fs::permissions(path_of(folder.file("user.toml")), for_all);
  ASSERT_TRUE(set("engine.spin_us", 7));
  EXPECT_EQ(fs::status(path_of(folder.file("user.toml"))).permissions(), for_all);
}

/// Two at once must not mix their texts: one writes, the other is told.
TEST_F(config_file, a_file_that_another_program_is_writing_is_left_to_it) {
  folder.write("user.toml", "# mine\n");
  folder.write("user.toml.new", "half a te");
  const int other = open(folder.file("user.toml.new").c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_GE(other, 0);
  ASSERT_EQ(flock(other, LOCK_EX), 0);
  const auto refused = set("engine.spin_us", 7);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(contains(refused.error().message, "another program")) << refused.error().message;
  EXPECT_EQ(folder.read("user.toml"), "# mine\n");
  EXPECT_EQ(folder.read("user.toml.new"), "half a te");
  close(other);  // it crashed: what it left is in nobody's way
  ASSERT_TRUE(set("engine.spin_us", 7));
  EXPECT_TRUE(contains(folder.read("user.toml"), "spin_us = 7"));
  EXPECT_FALSE(folder.has("user.toml.new"));
}
#endif

}  // namespace
}  // namespace asiodrv::service
