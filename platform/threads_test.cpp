// Threads, signals and the mutex.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <vector>

#include "core/ports/mutex.hpp"
#include "platform/monotonic.hpp"
#include "platform/platform.hpp"
#include "platform/realtime.hpp"
#include "platform/test_peer.hpp"

#ifdef __SSE__
#include <xmmintrin.h>
#endif

namespace asiodrv::platform {
namespace {

using namespace std::chrono_literals;
using ports::ThreadRole;
using test::patience;

constexpr Instant kNever{std::numeric_limits<std::int64_t>::max()};

std::unique_ptr<ports::Thread> start(ThreadRole role, std::function<void()> body) {
  const auto threads = make_threads();
  auto thread = threads->start("test", role, std::move(body));
  EXPECT_TRUE(thread) << thread.error().message;
  return std::move(*thread);
}

TEST(threads, run_their_body_and_are_joined) {
  for (const ThreadRole role :
       {ThreadRole::control, ThreadRole::notifier, ThreadRole::audio, ThreadRole::engine}) {
    bool ran = false;
    const auto thread = start(role, [&ran] { ran = true; });
    ASSERT_TRUE(thread->join(patience()));
    EXPECT_TRUE(ran);
    EXPECT_TRUE(thread->join(monotonic_now())) << "a second join is harmless";
  }
}

TEST(threads, know_themselves) {
  std::atomic<const ports::Thread*> self{nullptr};
  bool is_itself = false;
  bool joined_itself = true;
  const auto ready = make_threads()->make_signal();
  const auto thread = start(ThreadRole::control, [&] {
    ASSERT_TRUE(ready->wait(patience()));
    auto* own = const_cast<ports::Thread*>(self.load());
    is_itself = own->is_current();
    joined_itself = own->join(patience());
  });
  EXPECT_FALSE(thread->is_current());
  self = thread.get();
  ready->signal();
  ASSERT_TRUE(thread->join(patience()));
  EXPECT_TRUE(is_itself);
  EXPECT_FALSE(joined_itself);
}

TEST(threads, join_gives_up_at_its_deadline_and_may_be_repeated) {
  const auto go = make_threads()->make_signal();
  const auto thread = start(ThreadRole::control, [&] { (void)go->wait(patience()); });
  const Instant deadline = monotonic_now() + 20ms;
  EXPECT_FALSE(thread->join(deadline));
  EXPECT_GE(monotonic_now(), deadline);
  go->signal();
  EXPECT_TRUE(thread->join(kNever));
}

TEST(threads, one_left_behind_keeps_its_own_state_alive) {
  const std::shared_ptr<ports::Signal> go = make_threads()->make_signal();
  const auto done = make_threads()->make_signal();
  auto witness = std::make_shared<int>(7);
  int seen = 0;
  {
    const auto thread = start(ThreadRole::control, [go, witness, &done, &seen] {
      (void)go->wait(patience());
      seen = *witness;
      done->signal();
    });
    EXPECT_FALSE(thread->join(monotonic_now()));
  }
  go->signal();
  ASSERT_TRUE(done->wait(patience()));
  EXPECT_EQ(seen, 7);
}

TEST(threads, release_what_the_body_captured_before_join_returns) {
  auto captured = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = captured;
  const auto thread = start(ThreadRole::notifier, [held = std::move(captured)] { (void)*held; });
  ASSERT_TRUE(thread->join(patience()));
  EXPECT_TRUE(watch.expired());
}

TEST(threads, only_audio_threads_are_real_time_and_flush_denormals) {
#ifdef __SSE__
  for (const ThreadRole role : {ThreadRole::control, ThreadRole::audio, ThreadRole::engine}) {
    const unsigned outside = _mm_getcsr();
    unsigned inside = 0;
    const auto thread = start(role, [&inside] { inside = _mm_getcsr(); });
    EXPECT_TRUE(is_realtime(role) || !thread->is_realtime());
    ASSERT_TRUE(thread->join(patience()));
    EXPECT_EQ((inside & 0x8040U) == 0x8040U, is_realtime(role));
    EXPECT_EQ(_mm_getcsr(), outside) << "the starting thread's state was changed";
  }
#else
  GTEST_SKIP() << "no SSE here";
#endif
}

TEST(threads, this_test_is_a_program_of_its_own) { EXPECT_TRUE(code_in_program()); }

using ThreadsDeathTest = testing::Test;

TEST_F(ThreadsDeathTest, dropping_a_running_thread_ends_the_program) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        const auto never = make_threads()->make_signal();
        (void)start(ThreadRole::control, [&] { (void)never->wait(kNever); });
      },
      "dropped while it ran");
}

TEST(signal, releases_exactly_one_wait_and_is_remembered_once) {
  const auto signal = make_threads()->make_signal();
  EXPECT_FALSE(signal->wait(monotonic_now()));
  signal->signal();
  signal->signal();
  EXPECT_TRUE(signal->wait(patience()));
  EXPECT_FALSE(signal->wait(monotonic_now()));
  EXPECT_FALSE(signal->wait({-5}));
}

TEST(signal, times_out_at_its_deadline_and_not_before) {
  const auto signal = make_threads()->make_signal();
  for (const nanoseconds wait : {nanoseconds{50us}, nanoseconds{1500us}, nanoseconds{20ms}}) {
    const Instant deadline = monotonic_now() + wait;
    EXPECT_FALSE(signal->wait(deadline));
    EXPECT_GE(monotonic_now(), deadline);
  }
}

TEST(signal, passes_back_and_forth_without_losing_one) {
  const auto threads = make_threads();
  const auto there = threads->make_signal();
  const auto back = threads->make_signal();
  constexpr int kTurns = 2000;
  const auto thread = start(ThreadRole::control, [&] {
    for (int turn = 0; turn < kTurns; ++turn) {
      ASSERT_TRUE(there->wait(patience()));
      back->signal();
    }
  });
  for (int turn = 0; turn < kTurns; ++turn) {
    there->signal();
    ASSERT_TRUE(back->wait(patience()));
  }
  EXPECT_TRUE(thread->join(patience()));
}

TEST(mutex, lets_one_thread_in_at_a_time) {
  ports::Mutex mutex;
  int total = 0;
  constexpr int kThreads = 4;
  constexpr int kTurns = 5000;
  std::vector<std::unique_ptr<ports::Thread>> threads;
  for (int index = 0; index < kThreads; ++index) {
    threads.push_back(start(ThreadRole::control, [&] {
      for (int turn = 0; turn < kTurns; ++turn) {
        const ports::MutexLock lock(mutex);
        ++total;
      }
    }));
  }
  for (const auto& thread : threads) ASSERT_TRUE(thread->join(patience()));
  EXPECT_EQ(total, kThreads * kTurns);
}

}  // namespace
}  // namespace asiodrv::platform
