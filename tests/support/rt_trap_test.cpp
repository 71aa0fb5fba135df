// Canaries: the trap must fire, and must not fire where it should not.
#include "tests/support/rt_trap.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "core/base/rt.hpp"

#ifdef __linux__
#include <pthread.h>
#include <time.h>
#endif

namespace asiodrv::test {
namespace {

TEST(rt_trap, catches_an_allocation_inside_a_scope) {
  if (!trap_abilities().allocation) GTEST_SKIP() << "this build does not arm the trap";
  const ExpectViolations violations;
  {
    const RtScope scope;
    auto* volatile block = ::operator new(16);
    ::operator delete(block);
  }
  EXPECT_GE(violations.count(), 2U);
}

TEST(rt_trap, is_silent_outside_a_scope_and_inside_a_permit) {
  const ExpectViolations violations;
  auto outside = std::make_unique<int>(1);
  {
    const RtScope scope;
    const RtPermit permit;
    outside = std::make_unique<int>(2);
  }
  EXPECT_EQ(violations.count(), 0U);
}

#ifdef __linux__
TEST(rt_trap, catches_locks_and_sleeps_inside_a_scope) {
  if (!trap_abilities().locks_and_system_calls) {
    GTEST_SKIP() << "sanitizer builds intercept allocation only";
  }
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  const timespec moment{0, 1};  // a deadline long ago, and a short sleep
  const ExpectViolations violations;
  {
    const RtScope scope;
    pthread_mutex_lock(&mutex);
    EXPECT_EQ(pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &moment), ETIMEDOUT);
    pthread_mutex_unlock(&mutex);
    nanosleep(&moment, nullptr);
  }
  EXPECT_EQ(violations.count(), 3U);
  EXPECT_STREQ(violations.last(), "nanosleep");
}
#endif

using RtTrapDeathTest = testing::Test;

TEST_F(RtTrapDeathTest, ends_the_program_on_an_unexpected_violation) {
  if (!trap_abilities().armed) GTEST_SKIP() << "this build does not arm the trap";
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        const RtScope scope;
        auto* volatile block = ::operator new(16);
        ::operator delete(block);
      },
      "real-time trap");
}

}  // namespace
}  // namespace asiodrv::test
