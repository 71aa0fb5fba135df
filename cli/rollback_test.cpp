#include "cli/rollback.hpp"

#include <gtest/gtest.h>

#include <map>

#include "cli/commands.hpp"

namespace asiodrv::cli {
namespace {

/// An installation that lives in a table.
class FakeSetupSystem final : public SetupSystem {
 public:
  std::map<std::string, std::string> files{
      {"C:\\p f\\previous\\previous.ini", "[previous]\r\nversion=0.9.1\r\n"},
      {"C:\\p f\\uninstall.exe", "program"}};
  Result<> copying{};
  Result<int> running = 0;
  std::string ran;

  std::string folder() override { return "C:\\p f\\"; }
  Result<std::string> read(const std::string& path) override {
    const auto found = files.find(path);
    if (found == files.end()) return fail(ErrorCode::not_found, path);
    return found->second;
  }
  Result<> copy(const std::string& from, const std::string& to) override {
    if (copying) files[to] = files[from];
    return copying;
  }
  void remove(const std::string& path) noexcept override { files.erase(path); }
  Result<int> run(const std::string& program, const std::string& arguments,
                  std::chrono::milliseconds /*limit*/) override {
    ran = program + " " + arguments;
    EXPECT_TRUE(files.contains(program));
    return running;
  }
};

TEST(rollback, a_copy_of_the_uninstaller_does_the_work_and_leaves) {
  FakeSetupSystem system;
  const auto before = system.files;
  EXPECT_EQ(run_rollback(system), kDone);
  EXPECT_EQ(system.ran,
            "C:\\p f\\rollback.exe /S /ROLLBACK /LOG=\"C:\\p f\\rollback.log\" _?=C:\\p f");
  EXPECT_EQ(system.files, before);
}

TEST(rollback, without_a_previous_version_nothing_is_started) {
  FakeSetupSystem system;
  for (const char* ini : {"", "version=", "[previous]\r\nversion=\r\n", "garbage"}) {
    system.files["C:\\p f\\previous\\previous.ini"] = ini;
    EXPECT_EQ(run_rollback(system), kFailed) << ini;
  }
  system.files.erase("C:\\p f\\previous\\previous.ini");
  EXPECT_EQ(run_rollback(system), kFailed);
  EXPECT_EQ(system.ran, "");
}

TEST(rollback, missing_rights_are_a_code_of_their_own) {
  FakeSetupSystem system;
  system.copying = fail(ErrorCode::access_denied, "no");
  EXPECT_EQ(run_rollback(system), kNotElevated);
  EXPECT_EQ(system.ran, "");
  system.copying = {};
  system.running = fail(ErrorCode::access_denied, "no");
  EXPECT_EQ(run_rollback(system), kNotElevated);
}

TEST(rollback, what_the_setup_program_refuses_fails_and_leaves_no_file_behind) {
  FakeSetupSystem system;
  const auto before = system.files;
  system.running = 1603;
  EXPECT_EQ(run_rollback(system), kFailed);
  EXPECT_EQ(system.files, before);
}

TEST(rollback, only_a_version_is_taken_from_the_file) {
  EXPECT_EQ(previous_version("[previous]\nversion=1.2.3\n"), "1.2.3");
  EXPECT_EQ(previous_version("version=1.2\" & evil"), "1.2");
  EXPECT_EQ(previous_version(std::string("\0\xFF", 2)), "");
  EXPECT_EQ(previous_version("version=1"), "1");
}

}  // namespace
}  // namespace asiodrv::cli
