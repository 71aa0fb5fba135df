#include "service/manager/service_status.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace asiodrv::service::manager {
namespace {

using std::chrono::seconds;

constexpr RunState kAll[] = {RunState::stopped, RunState::start_pending, RunState::stop_pending,
                             RunState::running};

class service_status : public ::testing::Test {
 protected:
  Result<> say(RunState state) {
    switch (state) {
      case RunState::start_pending: return status.start_pending(seconds{3});
      case RunState::running: return status.running();
      case RunState::stop_pending: return status.stop_pending(seconds{3});
      case RunState::stopped: return status.stopped(0);
    }
    return {};
  }

  std::vector<StatusReport> reports;
  std::uint32_t refusal = 0;
  ServiceStatus status{[this](const StatusReport& report) -> Outcome<> {
    reports.push_back(report);
    if (refusal != 0) return tl::unexpected(SystemError{refusal});
    return {};
  }};
};

/// The graph that Windows documents, without pausing.
bool documented(std::optional<RunState> from, RunState to) {
  if (!from) return to == RunState::start_pending;
  if (*from == RunState::stopped) return false;
  if (to == RunState::stopped) return true;
  if (to == RunState::stop_pending) return true;
  if (to == RunState::running) return *from == RunState::start_pending;
  return *from == RunState::start_pending;
}

TEST(service_status_graph, rule_13_every_step_is_allowed_or_refused_as_documented) {
  for (const RunState to : kAll) {
    EXPECT_EQ(ServiceStatus::is_legal(std::nullopt, to), documented(std::nullopt, to));
    for (const RunState from : kAll) {
      EXPECT_EQ(ServiceStatus::is_legal(from, to), documented(from, to))
          << static_cast<int>(from) << " to " << static_cast<int>(to);
    }
  }
}

TEST_F(service_status, rule_13_every_sequence_of_four_calls_reports_a_path_of_the_graph) {
  for (int code = 0; code < 4 * 4 * 4 * 4; ++code) {
    std::vector<StatusReport> said;
    ServiceStatus machine([&said](const StatusReport& report) -> Outcome<> {
      said.push_back(report);
      return {};
    });
    for (int rest = code, call = 0; call < 4; ++call, rest /= 4) {
      const std::size_t before = said.size();
      Result<> answer;
      switch (kAll[rest % 4]) {
        case RunState::start_pending: answer = machine.start_pending(seconds{1}); break;
        case RunState::running: answer = machine.running(); break;
        case RunState::stop_pending: answer = machine.stop_pending(seconds{1}); break;
        case RunState::stopped: answer = machine.stopped(0); break;
      }
      EXPECT_EQ(said.size(), before + (answer ? 1 : 0)) << "a refused step was reported";
    }
    std::optional<RunState> from;
    for (const StatusReport& report : said) {
      EXPECT_TRUE(documented(from, report.state));
      from = report.state;
    }
  }
}

TEST_F(service_status, pending_states_accept_nothing_have_a_hint_and_rising_numbers) {
  ASSERT_TRUE(say(RunState::start_pending));
  ASSERT_TRUE(say(RunState::start_pending));
  ASSERT_TRUE(say(RunState::running));
  ASSERT_TRUE(say(RunState::stop_pending));
  ASSERT_TRUE(say(RunState::stop_pending));
  ASSERT_TRUE(say(RunState::stopped));
  ASSERT_EQ(reports.size(), 6U);
  const std::uint32_t checkpoints[] = {1, 2, 0, 1, 2, 0};
  for (std::size_t each = 0; each < reports.size(); ++each) {
    const bool running = reports[each].state == RunState::running;
    const bool stopped = reports[each].state == RunState::stopped;
    EXPECT_EQ(reports[each].accepts_controls, running);
    EXPECT_EQ(reports[each].checkpoint, checkpoints[each]);
    EXPECT_EQ(reports[each].wait_hint.count() > 0, !running && !stopped);
  }
}

TEST_F(service_status, after_stopped_nothing_is_said) {
  ASSERT_TRUE(say(RunState::start_pending));
  ASSERT_TRUE(say(RunState::stopped));
  for (const RunState state : kAll) EXPECT_FALSE(say(state));
  EXPECT_FALSE(status.repeat());
  EXPECT_EQ(reports.size(), 2U);
}

TEST_F(service_status, an_exit_code_of_ours_is_a_service_specific_error) {
  ASSERT_TRUE(say(RunState::start_pending));
  ASSERT_TRUE(status.stopped(1));
  EXPECT_EQ(reports.back().exit_code, 1066U);
  EXPECT_EQ(reports.back().own_exit_code, 1U);
}

TEST_F(service_status, what_the_system_refuses_is_an_error_with_its_number) {
  refusal = 6;
  const auto refused = say(RunState::start_pending);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find('6'), std::string::npos);
}

}  // namespace
}  // namespace asiodrv::service::manager
