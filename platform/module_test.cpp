// The same code inside a module of a foreign host.
#include <gtest/gtest.h>

#include <atomic>

#include "platform/monotonic.hpp"
#include "platform/platform.hpp"
#include "platform/test_peer.hpp"

namespace asiodrv::platform {
namespace {

using Where = int();
using LeaveThread = int(int, std::atomic<int>*);

TEST(module, knows_that_it_is_a_guest_and_where_its_file_is) {
  const auto module = test::load_module("platform_test_module");
  ASSERT_TRUE(module);
  EXPECT_EQ(reinterpret_cast<Where*>(module->symbol("asiodrv_test_where"))(), 0);
}

TEST(module, a_thread_left_behind_survives_the_hosts_unloading_and_cannot_end_the_host) {
  static std::atomic<int> finished{0};
  {
    const auto module = test::load_module("platform_test_module");
    ASSERT_TRUE(module);
    auto* leave = reinterpret_cast<LeaveThread*>(module->symbol("asiodrv_test_leave_thread"));
    ASSERT_EQ(leave(30, &finished), 0);
  }
  const auto clock = make_clock();
  const Instant deadline = test::patience();
  while (finished.load() == 0 && clock->now() < deadline) {
    clock->sleep_until(clock->now() + nanoseconds{1'000'000});
  }
  EXPECT_EQ(finished.load(), 1);
  EXPECT_TRUE(test::module_is_loaded("platform_test_module")) << "it was not pinned";
  clock->sleep_until(clock->now() + nanoseconds{20'000'000});  // the exception comes now
}

}  // namespace
}  // namespace asiodrv::platform
