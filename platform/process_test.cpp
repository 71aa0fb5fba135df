// Processes: who we are, and agents that outlive whoever starts them.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <set>

#include "platform/monotonic.hpp"
#include "platform/platform.hpp"
#include "platform/test_peer.hpp"

namespace asiodrv::platform {
namespace {

using namespace std::chrono_literals;
using test::patience;

TEST(random, fills_every_byte_and_never_twice_the_same) {
  std::set<std::byte> first_bytes;
  std::set<std::array<std::byte, 16>> seen;
  for (int turn = 0; turn < 256; ++turn) {
    std::array<std::byte, 16> bytes{};
    ASSERT_TRUE(random_bytes(bytes));
    EXPECT_TRUE(seen.insert(bytes).second);
    first_bytes.insert(bytes[15]);
  }
  EXPECT_GT(first_bytes.size(), 100U) << "the last byte hardly varies";
  EXPECT_TRUE(random_bytes({}));
}

TEST(process, knows_its_program_and_the_module_of_an_address) {
  EXPECT_TRUE(std::filesystem::exists(program_path())) << program_path();
  EXPECT_TRUE(std::filesystem::path(program_path()).is_absolute());
  EXPECT_EQ(module_path(reinterpret_cast<const void*>(&test::patience)), program_path());
  EXPECT_NE(process_id(), 0U);
}

/// Tells the listener on the first argument's instance its folder and its other arguments.
const test::RegisterRole report{
    "report", [](const std::vector<std::string>& arguments) {
      const auto connection = make_transport(arguments.at(0))->connect(patience());
      if (!connection) return 1;
      std::string text = std::filesystem::current_path().string() + "\n";
      for (std::size_t index = 1; index < arguments.size(); ++index)
        text += arguments[index] + "\n";
      text += test::describe_surroundings() + "\n.";
      const auto* first = reinterpret_cast<const std::byte*>(text.data());
      if (!(*connection)->send({first, text.size()}, patience())) return 2;
      std::byte end{};
      (void)(*connection)->receive({&end, 1}, patience());  // stays until the test has seen it
      return 0;
    }};

/// Starts `report` as an agent and leaves.
const test::RegisterRole starter{
    "starter", [](const std::vector<std::string>& arguments) {
      return start_detached(program_path(), {"--role", "report", arguments.at(0)}) ? 0 : 1;
    }};

std::string receive_report(ports::Connection& agent) {
  std::string text;
  while (!text.ends_with("\n.")) {
    std::array<std::byte, 256> part{};
    const auto got = agent.receive(part, patience());
    if (!got) return text + " (" + got.error().message + ")";
    text.append(reinterpret_cast<const char*>(part.data()), *got);
  }
  return text;
}

TEST(start_detached, passes_arguments_exactly_and_gives_clean_surroundings) {
  const std::string clean = test::expected_surroundings();
  const std::string instance = test::unique_instance();
  const auto listener = make_transport(instance)->listen();
  ASSERT_TRUE(listener) << listener.error().message;
  const std::vector<std::string> odd{
      "plain",    "two words", "",      "a\"quote\"", "back\\slash\\",
      "end \\\"", "%PATH%",    "$HOME", "*",          "tab\there"};
  std::vector<std::string> arguments{"--role", "report", instance};
  arguments.insert(arguments.end(), odd.begin(), odd.end());
  const auto started = start_detached(program_path(), arguments);
  ASSERT_TRUE(started) << started.error().message;
  const auto agent = (*listener)->accept(patience());
  ASSERT_TRUE(agent) << agent.error().message;

  std::string expected = std::filesystem::path(program_path()).parent_path().string() + "\n";
  for (const std::string& argument : odd) expected += argument + "\n";
  EXPECT_EQ(receive_report(**agent), expected + clean + "\n.");
  EXPECT_NE((*agent)->peer().process_id, process_id());
  (*agent)->shutdown();
  EXPECT_TRUE(test::wait_for_end((*agent)->peer().process_id, patience()));
}

TEST(start_detached, the_agent_outlives_whoever_started_it) {
  const std::string instance = test::unique_instance();
  const auto listener = make_transport(instance)->listen();
  ASSERT_TRUE(listener) << listener.error().message;
  const auto host = test::start_peer("starter", {instance});
  EXPECT_EQ(host->wait(patience()), 0);
  const auto agent = (*listener)->accept(patience());
  ASSERT_TRUE(agent) << agent.error().message;
  EXPECT_TRUE(receive_report(**agent).ends_with("\n."));
}

TEST(start_detached, says_what_is_wrong_with_a_program) {
  const std::string folder = test::temporary_folder();
  const auto missing = start_detached(folder + "no-such-program-here", {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found) << missing.error().message;
  EXPECT_NE(missing.error().message.find("no-such-program-here"), std::string::npos);
  EXPECT_EQ(start_detached("asio-driver", {}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(start_detached("", {}).error().code, ErrorCode::invalid_argument);
}

TEST(start_detached, works_from_a_real_time_thread) {
  const std::string clean = test::expected_surroundings();
  const std::string instance = test::unique_instance();
  const auto listener = make_transport(instance)->listen();
  ASSERT_TRUE(listener);
  bool started = false;
  auto thread = make_threads()->start("host", ports::ThreadRole::audio, [&] {
    started = start_detached(program_path(), {"--role", "report", instance}).has_value();
  });
  ASSERT_TRUE(thread);
  ASSERT_TRUE((*thread)->join(patience()));
  ASSERT_TRUE(started);
  const auto agent = (*listener)->accept(patience());
  ASSERT_TRUE(agent) << agent.error().message;
  const std::string text = receive_report(**agent);
  EXPECT_NE(text.find("\n" + clean + "\n."), std::string::npos) << text;
}

TEST(streaming_boost, nests_and_leaves) {
  const StreamingBoost outer;
  { const StreamingBoost inner; }
  { const StreamingBoost again; }
}

}  // namespace
}  // namespace asiodrv::platform
