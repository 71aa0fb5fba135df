// The program as a whole, over the system's own transport, in an instance of its own.
#include "service/run_service.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "ipc/client/control_client.hpp"
#include "platform/platform.hpp"

namespace asiodrv::service {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

class run_service_program : public ::testing::Test {
 protected:
  void SetUp() override {
    static std::atomic<int> count{0};
    instance = "test-" + std::to_string(platform::process_id()) + "-" + std::to_string(++count);
#ifndef _WIN32
    // The user's own log folder and configuration stay out of the test.
    setenv("XDG_STATE_HOME", ::testing::TempDir().c_str(), 1);
    setenv("XDG_CONFIG_HOME", ::testing::TempDir().c_str(), 1);
#endif
    transport = platform::make_transport(instance);
  }

  void TearDown() override {
    if (!thread) return;
    ask("shutdown");
    EXPECT_TRUE(thread->join(soon()));
    EXPECT_EQ(exit_code, 0);
  }

  void start(RunOptions options) {
    options.instance = instance;
    thread = *threads->start("service", ports::ThreadRole::control,
                             [this, options] { exit_code = run_service(options); });
    ipc::ControlClient client(*clock, *threads, *transport);
    while (!client.connect(soon())) {  // until it listens; bounded by the test's time limit
      clock->sleep_until(clock->now() + milliseconds{1});
    }
  }

  Result<json> ask(const char* method) {
    ipc::ControlClient client(*clock, *threads, *transport);
    if (auto reached = client.connect(soon()); !reached) {
      return tl::unexpected<Error>(reached.error());
    }
    return client.call(method, json::object(), soon());
  }

  [[nodiscard]] Instant soon() const { return clock->now() + std::chrono::seconds{20}; }

  std::string instance;
  std::unique_ptr<ports::Clock> clock = platform::make_clock();
  std::unique_ptr<ports::Threads> threads = platform::make_threads();
  std::unique_ptr<ports::Transport> transport;
  std::unique_ptr<ports::Thread> thread;
  std::atomic<int> exit_code{-1};
};

RunOptions managed(const std::shared_ptr<manager::Orders>& orders) {
  RunOptions options;
  options.as_service = true;
  options.orders = orders;
  return options;
}

RunOptions agent(std::uint32_t idle_seconds) {
  RunOptions options;
  options.agent = true;
  options.idle_seconds = idle_seconds;
  return options;
}

TEST_F(run_service_program, idle_agent_leaves_with_0) {
  RunOptions options = agent(0);
  options.instance = instance;
  EXPECT_EQ(run_service(options), 0);
}

TEST_F(run_service_program, answers_until_it_is_asked_to_leave) {
  start({});
  const auto status = ask("status");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->at("service").at("process_id"), platform::process_id());
  ASSERT_TRUE(ask("shutdown"));
  EXPECT_TRUE(thread->join(soon()));
  EXPECT_EQ(exit_code, 0);
  EXPECT_EQ(ask("status").error().code, ErrorCode::service_absent);
  thread.reset();
}

TEST_F(run_service_program, second_service_is_refused_and_a_second_agent_steps_aside) {
  start(agent(3600));
  RunOptions second;
  second.instance = instance;
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run_service(second), 1);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("already"), std::string::npos) << said;
  second.agent = true;
  EXPECT_EQ(run_service(second), 0);
  EXPECT_TRUE(ask("status"));
}

TEST_F(run_service_program, the_systems_service_ends_when_it_is_ordered_to) {
  const auto orders = std::make_shared<manager::Orders>();
  start(managed(orders));
  ASSERT_TRUE(ask("status"));
  orders->give(manager::Order::suspend);
  orders->give(manager::Order::resume);
  orders->give(manager::Order::look_at_devices);
  ASSERT_TRUE(ask("status"));
  const Instant before = clock->now();
  orders->give(manager::Order::stop);
  EXPECT_TRUE(thread->join(soon()));
  EXPECT_LT(clock->now() - before, std::chrono::seconds{10});
  EXPECT_EQ(exit_code, 0);
  thread.reset();
}

TEST_F(run_service_program, an_order_that_came_before_the_service_is_kept) {
  const auto orders = std::make_shared<manager::Orders>();
  orders->give(manager::Order::stop);
  RunOptions options = managed(orders);
  options.instance = instance;
  EXPECT_EQ(run_service(options), 0);
}

TEST_F(run_service_program, two_engines_never_serve_one_session_and_the_service_takes_over) {
  start(agent(3600));
  const auto orders = std::make_shared<manager::Orders>();
  RunOptions options = managed(orders);
  options.instance = instance;
  std::atomic<int> started{0};
  options.events = [&](manager::Event event, const std::string&) {
    if (event == manager::Event::started) ++started;
  };
  std::atomic<int> service_code{-1};
  auto service = *threads->start("managed", ports::ThreadRole::control,
                                 [&] { service_code = run_service(options); });
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(ask("status"));
  EXPECT_EQ(started, 0) << "the service served beside the agent";
  ASSERT_TRUE(ask("shutdown"));
  ASSERT_TRUE(thread->join(soon()));
  thread.reset();
  while (!ask("status")) {  // until it has taken over; bounded by the test's time limit
    clock->sleep_until(clock->now() + milliseconds{1});
  }
  EXPECT_EQ(started, 1);
  orders->give(manager::Order::stop);
  EXPECT_TRUE(service->join(soon()));
  EXPECT_EQ(service_code, 0);
}

TEST_F(run_service_program, a_waiting_service_can_be_stopped) {
  start(agent(3600));
  const auto orders = std::make_shared<manager::Orders>();
  RunOptions options = managed(orders);
  options.instance = instance;
  std::atomic<int> service_code{-1};
  auto service = *threads->start("managed", ports::ThreadRole::control,
                                 [&] { service_code = run_service(options); });
  orders->give(manager::Order::stop);
  EXPECT_TRUE(service->join(soon()));
  EXPECT_EQ(service_code, 0);
}

TEST_F(run_service_program, agent_leaves_while_it_is_only_looked_at) {
  start(agent(1));
  while (ask("status")) {  // until it is gone; bounded by the test's time limit
  }
  EXPECT_TRUE(thread->join(soon()));
  EXPECT_EQ(exit_code, 0);
  thread.reset();
}

TEST_F(run_service_program, wrong_configuration_stops_a_terminal_service_and_not_an_agent) {
  RunOptions options;
  options.instance = instance;
  options.config_path = "/no/such/config.toml";
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run_service(options), 1);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("/no/such/config.toml"), std::string::npos) << said;
  options.agent = true;
  options.idle_seconds = 3600;
  start(options);
  const auto config = ask("config.get");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->at("loaded"), false);
  EXPECT_NE(config->at("error"), nullptr);
}

}  // namespace
}  // namespace asiodrv::service
