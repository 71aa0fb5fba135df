#include "trust/collect.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "trust/judge.hpp"
#include "trust/testing/pe_builder.hpp"

namespace asiodrv::trust {
namespace {

class CollectHere : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("asiodrv-trust-" +
               std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const testing::Bytes& content) {
    const auto path = folder_ / name;
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(content.data()),
               static_cast<std::streamsize>(content.size()));
    return path.string();
  }

  std::filesystem::path folder_;
};

TEST_F(CollectHere, a_file_is_looked_into_and_the_rest_is_said_to_be_unknown) {
  Question question;
  question.files = {write("a.dll", testing::library())};
  const auto all = collect(question);
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_EQ(all->size(), 1U);
  const Facts& facts = all->front();
  EXPECT_EQ(facts.file.structure->version.product, "Example ASIO");
  EXPECT_EQ(facts.file.sha256->size(), 64U);
  EXPECT_TRUE(facts.file.modified_s);
  EXPECT_FALSE(facts.file.signature);
  EXPECT_EQ(facts.file.signature.why_not(), "not known here, only on Windows");
  EXPECT_EQ(verdict_of(judge(facts, {})), Verdict::undecided);
}

TEST_F(CollectHere, what_is_no_file_is_an_error_or_not_known) {
  Question question;
  question.files = {(folder_ / "nothing.dll").string()};
  ASSERT_FALSE(collect(question));
  EXPECT_EQ(collect(question).error().code, ErrorCode::not_found);
  question.files = {folder_.string()};
  const auto all = collect(question);
  ASSERT_TRUE(all);
  EXPECT_FALSE(all->front().file.structure);
  question.files = {"/dev/zero"};
  const auto endless = collect(question);
  ASSERT_TRUE(endless);
  EXPECT_FALSE(endless->front().file.structure);
}

TEST_F(CollectHere, processes_and_drivers_are_for_windows) {
  Question question;
  question.processes = {1};
  EXPECT_EQ(collect(question).error().code, ErrorCode::unsupported);
  Question all;
  all.all = true;
  EXPECT_EQ(collect(all).error().code, ErrorCode::unsupported);
}

TEST_F(CollectHere, small_files_have_a_limit) {
  const std::string path = write("b", testing::Bytes(100, 'x'));
  EXPECT_EQ(read_small_file(path, 100)->size(), 100U);
  EXPECT_EQ(read_small_file(path, 99).error().code, ErrorCode::limit_reached);
  EXPECT_EQ(read_small_file(path + "x", 99).error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace asiodrv::trust
