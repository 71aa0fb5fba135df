#include "cli/command_line.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <nlohmann/json.hpp>

#include "cli/conversation.hpp"
#include "cli/exit_code.hpp"

namespace asiodrv::cli {
namespace {

// What the fake actions were given last. Plain functions are all that Actions holds.
service::RunOptions g_run;
ClientOptions g_client;
std::uint32_t g_records = 0;
bool g_reload = false;
DeviceOptions g_device;
std::string g_called;

const Actions kFakes{[](const service::RunOptions& options) {
                       g_run = options;
                       g_called = "run";
                       return kDone;
                     },
                     [](const ClientOptions& options) {
                       g_client = options;
                       g_called = "status";
                       return kDone;
                     },
                     [](const ClientOptions& options, std::uint32_t records) {
                       g_client = options;
                       g_records = records;
                       g_called = "flight";
                       return kDone;
                     },
                     [](const ClientOptions& options, const DeviceOptions& device) {
                       g_client = options;
                       g_device = device;
                       g_called = "devices";
                       return kNotRunning;
                     },
                     [](const ClientOptions& options, bool reload) {
                       g_client = options;
                       g_reload = reload;
                       g_called = "config";
                       return kDone;
                     },
                     [](const ClientOptions& options) {
                       g_client = options;
                       g_called = "stop";
                       return kFailed;
                     }};

int run(std::vector<std::string> arguments) {
  g_called.clear();
  g_run = {};
  g_client = {};
  return run_command_line(std::move(arguments), kFakes);
}

TEST(command_line, run_takes_its_options) {
  EXPECT_EQ(run({"run", "--agent", "--instance", "test-1", "--config", "/a b.toml",
                 "--idle-seconds", "0"}),
            kDone);
  EXPECT_TRUE(g_run.agent);
  EXPECT_EQ(g_run.instance, "test-1");
  EXPECT_EQ(g_run.config_path, "/a b.toml");
  EXPECT_EQ(g_run.idle_seconds, 0U);
}

TEST(command_line, idle_seconds_are_unset_unless_given) {
  EXPECT_EQ(run({"run"}), kDone);
  EXPECT_FALSE(g_run.agent);
  EXPECT_FALSE(g_run.idle_seconds);
}

TEST(command_line, every_command_reaches_its_action_and_returns_its_code) {
  EXPECT_EQ(run({"status", "--json"}), kDone);
  EXPECT_EQ(g_called, "status");
  EXPECT_TRUE(g_client.json);
  EXPECT_EQ(run({"flight", "--records", "7"}), kDone);
  EXPECT_EQ(g_records, 7U);
  EXPECT_EQ(run({"devices", "--instance", "x"}), kNotRunning);
  EXPECT_EQ(g_client.instance, "x");
  EXPECT_EQ(run({"config", "--reload"}), kDone);
  EXPECT_TRUE(g_reload);
  EXPECT_EQ(run({"stop"}), kFailed);
}

TEST(command_line, wrong_usage_is_2_and_calls_nothing) {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"dance"},
                                             {"status", "--jsn"},
                                             {"run", "--idle-seconds", "-1"},
                                             {"run", "--idle-seconds"},
                                             {"run", "--instance", "a/b"},
                                             {"run", "--instance", std::string(33, 'a')},
                                             {"flight", "--records", "many"},
                                             {"status", "stop"},
                                             {"status", "extra"}}) {
    EXPECT_EQ(run(arguments), kWrongUsage);
    EXPECT_EQ(g_called, "");
  }
}

TEST(command_line, help_and_version_succeed) {
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(run({"--help"}), kDone);
  EXPECT_EQ(run({"flight", "--help"}), kDone);
  EXPECT_EQ(run({"--version"}), kDone);
  const std::string text = ::testing::internal::GetCapturedStdout();
  EXPECT_NE(text.find("Exit codes:"), std::string::npos);
  EXPECT_NE(text.find("--records"), std::string::npos);
}

TEST(command_line, an_answer_that_nobody_understands_is_said_to_be_of_another_version) {
  Actions actions{};
  actions.status = [](const ClientOptions&) -> int {
    (void)nlohmann::json::array().at("service");
    return kDone;
  };
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run_command_line({"status"}, actions), kFailed);
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("another version"), std::string::npos) << text;
}

TEST(command_line, a_service_that_lacks_a_command_is_said_to_be_of_another_version) {
  const auto said = [](const Error& error) {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(report(error), kFailed);
    return ::testing::internal::GetCapturedStderr();
  };
  EXPECT_NE(
      said({ErrorCode::unsupported, "There is no method \"calibrate.list\"."}).find("version"),
      std::string::npos);
  EXPECT_EQ(said({ErrorCode::unsupported, "No rate of that kind."}), "No rate of that kind.\n");
}

TEST(command_line, a_list_is_read_page_by_page_and_not_without_end) {
  const auto paged = [](std::uint64_t total, std::uint32_t& asked) {
    return [total, &asked](std::uint64_t from) -> Result<nlohmann::json> {
      ++asked;
      const auto rows = nlohmann::json::array({from});
      return nlohmann::json{{"rows", rows}, {"next", from + 1}, {"total", total}};
    };
  };
  std::uint32_t asked = 0;
  const auto whole = gather_pages(paged(5, asked), "rows", "total", 2);
  ASSERT_TRUE(whole);
  EXPECT_EQ(*whole, (nlohmann::json{2, 3, 4}));
  EXPECT_EQ(asked, 3U);
  asked = 0;
  const auto endless = gather_pages(paged(UINT64_MAX, asked), "rows", "total", 0);
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().code, ErrorCode::limit_reached);
  EXPECT_EQ(asked, kMostPages);
}

TEST(command_line, devices_are_moved_by_rate_and_period) {
  EXPECT_EQ(run({"devices", "--rate", "96000", "--period", "128"}), kNotRunning);
  EXPECT_EQ(g_device.rate_hz, 96'000U);
  EXPECT_EQ(g_device.period_frames, 128U);
  EXPECT_EQ(run({"devices", "--rate", "fast"}), kWrongUsage);
  EXPECT_EQ(run({"devices", "--period", "0"}), kWrongUsage);
}

TEST(command_line, a_report_that_was_cut_off_does_not_look_whole) {
  for (const int code : {kDone, kSuspicious, kDangerous, kUndecided, kFound}) {
    EXPECT_EQ(exit_code_after(code, false), kFailed) << code;
    EXPECT_EQ(exit_code_after(code, true), code);
  }
  for (const int code : {kFailed, kWrongUsage, kNotRunning, kNotElevated}) {
    EXPECT_EQ(exit_code_after(code, false), code) << "it has failed already";
    EXPECT_EQ(exit_code_after(code, true), code);
  }
}

}  // namespace
}  // namespace asiodrv::cli
