// Every way to sleep, also those that this machine would not choose.
#include "platform/windows/sleeper.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>

#include "platform/monotonic.hpp"
#include "platform/test_peer.hpp"

namespace asiodrv::platform {
namespace {

using namespace std::chrono_literals;

constexpr std::array kMethods{SleepMethod::native_delay, SleepMethod::fine_timer,
                              SleepMethod::coarse};

TEST(sleeper, every_method_sees_an_event_and_lets_go_of_a_deadline) {
  const UniqueHandle timer = make_fine_timer();
  const UniqueHandle event = make_event(false);
  for (const SleepMethod method : kMethods) {
    const HANDLE used = method == SleepMethod::fine_timer ? timer.get() : nullptr;
    SetEvent(event.get());
    EXPECT_TRUE(wait_event(method, event.get(), used, test::patience()));
    for (const nanoseconds wait :
         {nanoseconds{0}, nanoseconds{300us}, nanoseconds{5ms}, nanoseconds{30ms}}) {
      EXPECT_FALSE(wait_event(method, event.get(), used, monotonic_now() + wait));
    }
    SetEvent(event.get());
    EXPECT_TRUE(wait_event(method, event.get(), used, {0})) << "past the deadline, signalled";
  }
}

TEST(sleeper, every_method_sleeps) {
  const UniqueHandle timer = make_fine_timer();
  for (const SleepMethod method : kMethods) {
    const HANDLE used = method == SleepMethod::fine_timer ? timer.get() : nullptr;
    const Instant begin = monotonic_now();
    for (int nap = 0; nap < 5; ++nap) sleep_for(method, used, 4ms);
    EXPECT_GT(monotonic_now() - begin, 10ms);
  }
}

TEST(sleeper, wait_any_names_the_signalled_one) {
  const UniqueHandle first = make_event(true);
  const UniqueHandle second = make_event(true);
  const std::array<HANDLE, 2> both{first.get(), second.get()};
  EXPECT_EQ(wait_any(both.data(), 2, monotonic_now() + 2ms), -1);
  SetEvent(second.get());
  EXPECT_EQ(wait_any(both.data(), 2, test::patience()), 1);
  SetEvent(first.get());
  EXPECT_EQ(wait_any(both.data(), 2, {0}), 0);
}

}  // namespace
}  // namespace asiodrv::platform
