#include "service/manager/service_process.hpp"

#include <gtest/gtest.h>

#include "service/manager/event_log.hpp"
#include "service/manager/testing/fake_connection.hpp"

namespace asiodrv::service::manager {
namespace {

using testing::FakeConnection;

using Told = std::vector<std::string>;

TEST(service_process, rule_13_a_life_is_reported_in_order_and_stopped_comes_last) {
  FakeConnection manager;
  const auto code = run_as_service(manager, [&](const std::shared_ptr<Orders>& orders) {
    manager.told.emplace_back("work");
    EXPECT_EQ(manager.send(controls::kStop), 0U);
    EXPECT_EQ(orders->take(), std::vector{Order::stop});
    manager.told.emplace_back("done");
    return 0;
  });
  EXPECT_EQ(code, 0);
  EXPECT_EQ(manager.told, (Told{"dispatch", "handle", "start_pending", "running", "work",
                                "stop_pending", "done", "stopped"}));
  EXPECT_EQ(manager.reports.back().exit_code, 0U);
}

TEST(service_process, rule_5_a_program_that_was_started_by_hand_is_told_so) {
  FakeConnection manager;
  manager.refuses_dispatch = system_errors::kNotStartedAsService;
  bool worked = false;
  const auto code = run_as_service(manager, [&](const std::shared_ptr<Orders>&) {
    worked = true;
    return 0;
  });
  EXPECT_EQ(code, std::nullopt);
  EXPECT_FALSE(worked);
  EXPECT_EQ(manager.told, Told{"dispatch"});
}

TEST(service_process, a_failure_is_reported_after_running_so_that_recovery_sees_it) {
  FakeConnection manager;
  EXPECT_EQ(run_as_service(manager, [](const std::shared_ptr<Orders>&) { return 1; }), 1);
  EXPECT_EQ(manager.told, (Told{"dispatch", "handle", "start_pending", "running", "stopped"}));
  EXPECT_EQ(manager.reports.back().exit_code, system_errors::kServiceSpecific);
  EXPECT_EQ(manager.reports.back().own_exit_code, 1U);
}

TEST(service_process, without_a_handler_nothing_runs_unled) {
  FakeConnection manager;
  manager.refuses_handler = 1060;
  bool worked = false;
  const auto code = run_as_service(manager, [&](const std::shared_ptr<Orders>&) {
    worked = true;
    return 0;
  });
  EXPECT_NE(code.value_or(0), 0);
  EXPECT_FALSE(worked);
}

TEST(service_process, controls_become_orders_and_the_handler_does_nothing_else) {
  FakeConnection manager;
  (void)run_as_service(manager, [&](const std::shared_ptr<Orders>& orders) {
    const struct {
      std::uint32_t control, event;
      std::vector<Order> expected;
    } cases[] = {{controls::kPower, power_events::kSuspend, {Order::suspend}},
                 {controls::kPower, power_events::kResumeBySystem, {Order::resume}},
                 {controls::kPower, 0x7, {}},  // resumed with a user: came as the one above too
                 {controls::kPower, 0x9, {}},  // a battery
                 {controls::kSession, session_events::kRemoteConnect, {Order::look_at_devices}},
                 {controls::kSession, session_events::kConsoleDisconnect, {Order::look_at_devices}},
                 {controls::kSession, 7, {}},   // locked
                 {controls::kSession, 6, {}}};  // somebody signed out
    for (const auto& each : cases) {
      EXPECT_EQ(manager.send(each.control, each.event), 0U);
      EXPECT_EQ(orders->take(), each.expected) << each.control << " " << each.event;
    }
    return 0;
  });
}

TEST(service_process, unknown_controls_are_refused_and_never_harm) {
  FakeConnection manager;
  (void)run_as_service(manager, [&](const std::shared_ptr<Orders>& orders) {
    constexpr std::uint32_t kPreshutdown = 15;  // it would hold up every shutdown
    for (const std::uint32_t control : {2U, 3U, 6U, 11U, kPreshutdown, 128U, 255U}) {
      EXPECT_EQ(manager.send(control), system_errors::kNotImplemented) << control;
    }
    EXPECT_TRUE(orders->take().empty());
    return 0;
  });
}

TEST(service_process, an_interrogation_repeats_and_a_shutdown_stops) {
  FakeConnection manager;
  (void)run_as_service(manager, [&](const std::shared_ptr<Orders>& orders) {
    EXPECT_EQ(manager.send(controls::kInterrogate), 0U);
    EXPECT_EQ(manager.send(controls::kShutdown), 0U);
    EXPECT_EQ(orders->take(), std::vector{Order::stop});
    EXPECT_EQ(manager.send(controls::kStop), 0U);  // again: it is on its way
    return 0;
  });
  EXPECT_EQ(manager.told, (Told{"dispatch", "handle", "start_pending", "running", "running",
                                "stop_pending", "stop_pending", "stopped"}));
  EXPECT_EQ(manager.reports[4].checkpoint, 2U);
}

TEST(orders, whoever_takes_them_is_woken_also_for_those_that_came_before) {
  Orders orders;
  int wakes = 0;
  orders.give(Order::suspend);
  orders.on_given([&] { ++wakes; });
  EXPECT_EQ(wakes, 1);
  orders.give(Order::stop);
  EXPECT_EQ(wakes, 2);
  EXPECT_EQ(orders.take(), (std::vector{Order::suspend, Order::stop}));
  EXPECT_TRUE(orders.take().empty());
  orders.on_given({});
  orders.give(Order::stop);
  EXPECT_EQ(wakes, 2);
}

TEST(event_log, numbers_carry_their_severity) {
  EXPECT_EQ(event_identifier(Event::started), 0x40000001U);
  EXPECT_EQ(event_identifier(Event::stopped), 0x40000002U);
  EXPECT_EQ(event_identifier(Event::device_lost), 0x80000003U);
  EXPECT_EQ(event_identifier(Event::client_refused), 0x80000004U);
  EXPECT_EQ(event_identifier(Event::failed), 0xC0000005U);
}

}  // namespace
}  // namespace asiodrv::service::manager
