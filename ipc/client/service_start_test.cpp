#include "ipc/client/service_start.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "platform/platform.hpp"

namespace asiodrv::ipc {
namespace {

/// What the system says, and how long it takes.
struct Script {
  explicit Script(ports::Threads& threads)
      : go_on(threads.make_signal()), entered(threads.make_signal()) {}
  Result<ports::InstalledServiceFacts> facts = ports::InstalledServiceFacts{.can_start = true};
  Result<> started{};
  bool start_hangs = false;  ///< until go_on
  bool look_hangs = false;
  std::unique_ptr<ports::Signal> go_on, entered;
  std::atomic<int> looks{0}, starts{0};
};

class ScriptedInstallation final : public ports::InstalledService {
 public:
  ScriptedInstallation(ports::Clock& clock, std::shared_ptr<Script> script)
      : clock_(clock), script_(std::move(script)) {}
  Result<ports::InstalledServiceFacts> look() override {
    ++script_->looks;
    if (script_->look_hangs) wait();
    return script_->facts;
  }
  Result<> start() override {
    ++script_->starts;
    if (script_->start_hangs) wait();
    return script_->started;
  }

 private:
  void wait() {
    script_->entered->signal();
    (void)script_->go_on->wait(clock_.now() + std::chrono::seconds{30});
  }
  ports::Clock& clock_;
  const std::shared_ptr<Script> script_;
};

class service_start : public ::testing::Test {
 protected:
  std::unique_ptr<ServiceStart> make() {
    return std::make_unique<ServiceStart>(*clock, *threads,
                                          std::make_unique<ScriptedInstallation>(*clock, script),
                                          [this](std::string_view reason) -> Result<> {
                                            agents.emplace_back(reason);
                                            return agent_answer;
                                          });
  }

  std::unique_ptr<ports::Clock> clock = platform::make_clock();
  std::unique_ptr<ports::Threads> threads = platform::make_threads();
  std::shared_ptr<Script> script = std::make_shared<Script>(*threads);
  std::vector<std::string> agents;
  Result<> agent_answer{};
};

TEST_F(service_start, a_registered_service_is_started_and_no_agent) {
  const auto start = make();
  EXPECT_TRUE((*start)(Need::fresh));
  EXPECT_EQ(script->starts, 1);
  EXPECT_TRUE(agents.empty());
}

TEST_F(service_start, rule_11_access_denied_leads_to_the_agent_with_one_line) {
  script->started = fail(ErrorCode::access_denied, "no");
  const auto start = make();
  EXPECT_TRUE((*start)(Need::fresh));
  ASSERT_EQ(agents.size(), 1U);
  EXPECT_NE(agents[0].find("does not let this user start"), std::string::npos);
  EXPECT_EQ(agents[0].find('\n'), std::string::npos);
}

TEST_F(service_start, rule_11_without_a_registered_service_it_is_the_agent_with_one_line) {
  script->facts = fail(ErrorCode::not_found, "none");
  const auto start = make();
  EXPECT_TRUE((*start)(Need::fresh));
  ASSERT_EQ(agents.size(), 1U);
  EXPECT_NE(agents[0].find("no service is registered"), std::string::npos);
  EXPECT_EQ(script->starts, 0);
}

TEST_F(service_start, a_user_without_an_instance_gets_the_agent) {
  script->facts = ports::InstalledServiceFacts{};
  const auto start = make();
  EXPECT_TRUE((*start)(Need::fresh));
  ASSERT_EQ(agents.size(), 1U);
  EXPECT_NE(agents[0].find("sign-in"), std::string::npos);
}

TEST_F(service_start, switched_off_nobody_is_started_and_the_reason_fits_a_host) {
  script->facts = ports::InstalledServiceFacts{.switched_off = true};
  const auto start = make();
  for (const Need need : {Need::fresh, Need::again}) {
    const auto refused = (*start)(need);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::service_absent);
    EXPECT_NE(refused.error().message.find("switched off"), std::string::npos);
    EXPECT_LE(refused.error().message.size(), 123U);
  }
  EXPECT_TRUE(agents.empty());
  EXPECT_EQ(script->starts, 0);
}

TEST_F(service_start, stopped_on_purpose_it_is_left_alone_by_programs_that_play) {
  script->facts = ports::InstalledServiceFacts{.can_start = true, .was_stopped = true};
  const auto start = make();
  const auto refused = (*start)(Need::again);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::service_absent);
  EXPECT_LE(refused.error().message.size(), 123U);
  EXPECT_TRUE(agents.empty());
  EXPECT_EQ(script->starts, 0);
  EXPECT_TRUE((*start)(Need::fresh));  // somebody opens the driver
  EXPECT_EQ(script->starts, 1);
}

TEST_F(service_start, a_service_that_does_not_come_up_gives_way_to_the_agent) {
  const auto start = make();
  EXPECT_TRUE((*start)(Need::fresh));
  EXPECT_TRUE((*start)(Need::fresh));
  EXPECT_EQ(script->starts, 1);
  EXPECT_EQ(agents.size(), 1U);
}

TEST_F(service_start, a_service_that_was_there_since_is_started_again) {
  const auto start = make();
  EXPECT_TRUE((*start)(Need::fresh));
  start->reached();
  EXPECT_TRUE((*start)(Need::again));
  EXPECT_EQ(script->starts, 2);
  EXPECT_TRUE(agents.empty());
}

TEST_F(service_start, one_that_runs_for_others_gives_way_too) {
  script->facts = ports::InstalledServiceFacts{.can_start = true, .running = true};
  const auto start = make();
  EXPECT_TRUE((*start)(Need::fresh));
  EXPECT_TRUE(agents.empty()) << "it may just be coming up";
  EXPECT_TRUE((*start)(Need::fresh));
  EXPECT_EQ(agents.size(), 1U);
  EXPECT_EQ(script->starts, 0);
}

TEST_F(service_start, a_start_that_blocks_holds_nobody_up) {
  script->start_hangs = true;
  const auto start = make();
  const Instant before = clock->now();
  EXPECT_TRUE((*start)(Need::fresh));
  EXPECT_LT(clock->now() - before, std::chrono::seconds{10});  // the start takes 30
  EXPECT_TRUE((*start)(Need::fresh));
  EXPECT_EQ(agents.size(), 1U) << "the agent must serve meanwhile";
  EXPECT_EQ(script->starts, 1) << "one attempt at a time";
  script->go_on->signal();
}

TEST_F(service_start, a_service_manager_that_does_not_answer_holds_nobody_up) {
  script->look_hangs = true;
  const auto start = make();
  const Instant before = clock->now();
  EXPECT_TRUE((*start)(Need::fresh));
  EXPECT_LT(clock->now() - before, std::chrono::seconds{10});
  EXPECT_TRUE((*start)(Need::fresh));
  EXPECT_EQ(agents.size(), 1U);
  script->go_on->signal();
}

TEST_F(service_start, what_the_agent_answers_is_the_answer) {
  script->facts = fail(ErrorCode::not_found, "none");
  agent_answer = fail(ErrorCode::access_denied, "elevated");
  const auto start = make();
  EXPECT_EQ((*start)(Need::fresh).error().message, "elevated");
}

TEST_F(service_start, where_there_is_no_service_manager_it_is_the_agent_at_once) {
  ServiceStart start(*clock, *threads, nullptr, [this](std::string_view reason) -> Result<> {
    agents.emplace_back(reason);
    return {};
  });
  EXPECT_TRUE(start(Need::fresh));
  EXPECT_EQ(agents, std::vector<std::string>{""});
}

}  // namespace
}  // namespace asiodrv::ipc
