#include "trust/files_below.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace asiodrv::trust {
namespace {

namespace fs = std::filesystem;

class FilesBelowFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() /
              ("asiodrv-below-" +
               std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "one" / "two");
    for (const char* const name : {"a", "one/b", "one/two/c"}) std::ofstream(folder_ / name) << "x";
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path folder_;
};

TEST_F(FilesBelowFolder, files_at_every_depth_are_found) {
  auto found = files_below(folder_, 100);
  std::sort(found.files.begin(), found.files.end());
  EXPECT_EQ(found.files, (std::vector<fs::path>{folder_ / "a", folder_ / "one" / "b",
                                                folder_ / "one" / "two" / "c"}));
  EXPECT_EQ(found.closed, 0U);
  EXPECT_FALSE(found.more);
}

TEST_F(FilesBelowFolder, what_is_more_than_was_asked_for_is_said) {
  EXPECT_FALSE(files_below(folder_, 5).more) << "three files in two folders";
  EXPECT_TRUE(files_below(folder_, 4).more);
}

TEST_F(FilesBelowFolder, what_is_not_there_is_empty_and_what_cannot_be_listed_is_counted) {
  const auto nothing = files_below(folder_ / "nothing", 100);
  EXPECT_TRUE(nothing.files.empty());
  EXPECT_EQ(nothing.closed, 0U);
  EXPECT_EQ(files_below(folder_ / "a", 100).closed, 1U) << "a file is no folder";
}

}  // namespace
}  // namespace asiodrv::trust
