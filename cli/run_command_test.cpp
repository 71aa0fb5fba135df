#include "cli/run_command.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "service/manager/testing/fake_connection.hpp"

namespace asiodrv::cli {
namespace {

using service::manager::testing::FakeConnection;

// Plain functions are all that RunParts holds. What happens is written into the manager's own list,
// so that one order holds for all.
FakeConnection* g_manager = nullptr;
service::RunOptions g_ran;

void note(const char* what) { g_manager->told.emplace_back(what); }

class run_command_order : public ::testing::Test {
 protected:
  void SetUp() override {
    g_ran = {};
    g_manager = &manager;
  }
  int run(bool as_service) {
    service::RunOptions options;
    options.as_service = as_service;
    options.instance = "test";
    return run_with(
        {&manager,
         [](const service::RunOptions& given) {
           note("run");  // files, registry and devices from here on
           g_ran = given;
           return 7;
         },
         [] { note("terminal"); },
         [] {
           note("events");
           return service::manager::EventSink([](service::manager::Event, const std::string&) {});
         }},
        options);
  }

  FakeConnection manager;
};

using Order = std::vector<std::string>;

TEST_F(run_command_order, rule_4_the_service_manager_is_reached_before_anything_is_touched) {
  EXPECT_EQ(run(true), 7);
  EXPECT_EQ(manager.told,
            (Order{"dispatch", "handle", "start_pending", "running", "events", "run", "stopped"}));
  EXPECT_TRUE(g_ran.as_service);
  EXPECT_EQ(g_ran.instance, "test");
  EXPECT_NE(g_ran.orders, nullptr);
  EXPECT_TRUE(g_ran.events);
}

TEST_F(run_command_order, rule_5_started_by_hand_it_is_a_plain_run_in_the_terminal) {
  manager.refuses_dispatch = service::manager::system_errors::kNotStartedAsService;
  EXPECT_EQ(run(true), 7);
  EXPECT_EQ(manager.told, (Order{"dispatch", "terminal", "run"}));
  EXPECT_FALSE(g_ran.as_service);
  EXPECT_EQ(g_ran.orders, nullptr);
}

TEST_F(run_command_order, without_service_the_manager_is_not_spoken_to) {
  EXPECT_EQ(run(false), 7);
  EXPECT_EQ(manager.told, Order{"run"});
}

}  // namespace
}  // namespace asiodrv::cli
