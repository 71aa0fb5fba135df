#include "cli/verify.hpp"

#include <gtest/gtest.h>

#include "cli/command_line.hpp"

namespace asiodrv::cli {
namespace {

VerifyOptions g_verify;
ClientOptions g_verify_client;
int g_verify_calls = 0;

int verify_with(std::vector<std::string> arguments) {
  Actions actions{};
  actions.verify = [](const ClientOptions& options, const VerifyOptions& verify) {
    g_verify = verify;
    g_verify_client = options;
    ++g_verify_calls;
    return kSuspicious;
  };
  g_verify = {};
  arguments.insert(arguments.begin(), "verify");
  return run_command_line(std::move(arguments), actions);
}

TEST(verify_arguments, files_processes_and_options_arrive) {
  EXPECT_EQ(verify_with({"C:\\a b.dll", "42", "--signer", "A, Inc.", "--signer", "B", "--json",
                         "--seconds", "2.5", "--release-hashes", "h.txt", "--details"}),
            kSuspicious);
  EXPECT_EQ(g_verify.subjects, (std::vector<std::string>{"C:\\a b.dll", "42"}));
  EXPECT_EQ(g_verify.signers, (std::vector<std::string>{"A, Inc.", "B"}));
  EXPECT_EQ(g_verify.release_hashes_path, "h.txt");
  EXPECT_DOUBLE_EQ(g_verify.seconds, 2.5);
  EXPECT_TRUE(g_verify.details);
  EXPECT_TRUE(g_verify_client.json);
  EXPECT_FALSE(g_verify.all);
}

TEST(verify_arguments, one_of_three_kinds_of_subjects) {
  EXPECT_EQ(verify_with({"--all"}), kSuspicious);
  EXPECT_EQ(verify_with({"--facts", "x.json"}), kSuspicious);
  const int before = g_verify_calls;
  for (const auto& wrong : std::vector<std::vector<std::string>>{{},
                                                                 {"--all", "x.dll"},
                                                                 {"--all", "--facts", "x"},
                                                                 {"x.dll", "--facts", "x"},
                                                                 {""},
                                                                 {"99999999999"},
                                                                 {"x.dll", "--seconds", "0"},
                                                                 {"x.dll", "--seconds", "nan"}}) {
    EXPECT_EQ(verify_with(wrong), kWrongUsage);
  }
  EXPECT_EQ(g_verify_calls, before);
}

TEST(verify_arguments, digits_are_processes) {
  EXPECT_TRUE(is_process_id("0"));
  EXPECT_TRUE(is_process_id("4294967295"));
  for (const char* const text : {"", "-1", "1a", "./1", " 1"}) {
    EXPECT_FALSE(is_process_id(text)) << text;
  }
}

}  // namespace
}  // namespace asiodrv::cli
