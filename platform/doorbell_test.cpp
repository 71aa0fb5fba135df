// The doorbell within one process and between two.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <limits>
#include <thread>

#include "core/base/rt.hpp"
#include "platform/monotonic.hpp"
#include "platform/platform.hpp"
#include "platform/test_peer.hpp"
#include "platform/word_doorbell.hpp"

namespace asiodrv::platform {
namespace {

using namespace std::chrono_literals;
using ports::ThreadRole;
using test::patience;

constexpr std::size_t kRegionBytes = 4096;
constexpr std::size_t kWake = 64;
constexpr std::size_t kAck = 256;
constexpr std::size_t kPayload = 1024;

std::uint32_t* word_at(const ports::SharedRegion& region, std::size_t offset) {
  return reinterpret_cast<std::uint32_t*>(region.bytes().data() + offset);
}

/// A region as its creator and as its peer see it, with the "wake" doorbell of both.
class doorbell : public testing::Test {
 protected:
  void SetUp() override {
    const auto regions = make_shared_regions();
    auto made = regions->create(kRegionBytes);
    ASSERT_TRUE(made) << made.error().message;
    region_ = std::move(*made);
    ringer_ = take(region_->doorbell(kWake, "wake"));
    auto opened = regions->open(region_->token(), kRegionBytes);
    ASSERT_TRUE(opened) << opened.error().message;
    peer_region_ = std::move(*opened);
    waiter_ = take(peer_region_->doorbell(kWake, "wake"));
  }

  static std::unique_ptr<ports::Doorbell> take(Result<std::unique_ptr<ports::Doorbell>> made) {
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }

  std::unique_ptr<ports::Thread> start(std::function<void()> body) {
    auto thread = threads_->start("test", ThreadRole::control, std::move(body));
    EXPECT_TRUE(thread);
    return std::move(*thread);
  }

  /// Writes as fast as it can until `stop`. It yields all the same: where every thread has one
  /// real-time priority, one that never does keeps the others of its processor from running.
  std::unique_ptr<ports::Thread> start_vandal(const std::atomic<bool>& stop,
                                              std::function<void()> write) {
    return start([&stop, write = std::move(write)] {
      while (!stop.load()) {
        for (int burst = 0; burst < 64; ++burst) write();
        std::this_thread::yield();
      }
    });
  }

  std::unique_ptr<ports::Threads> threads_ = make_threads();
  std::unique_ptr<ports::SharedRegion> region_, peer_region_;
  std::unique_ptr<ports::Doorbell> ringer_, waiter_;
};

TEST_F(doorbell, returns_at_once_when_the_count_differs_already) {
  ringer_->ring(5);
  EXPECT_EQ(waiter_->count(), 5U);
  EXPECT_EQ(waiter_->wait_change(4, patience(), 0ns), 5U);
  EXPECT_EQ(waiter_->wait_change(4, {0}, 0ns), 5U) << "also past the deadline";
}

TEST_F(doorbell, waits_for_its_deadline_and_not_less) {
  for (const nanoseconds wait :
       {nanoseconds{1us}, nanoseconds{200us}, nanoseconds{2500us}, nanoseconds{150ms}}) {
    for (const nanoseconds spin : {nanoseconds{0}, nanoseconds{20us}}) {
      const Instant deadline = monotonic_now() + wait;
      EXPECT_EQ(waiter_->wait_change(0, deadline, spin), 0U);
      EXPECT_GE(monotonic_now(), deadline);
    }
  }
  EXPECT_EQ(waiter_->wait_change(0, {std::numeric_limits<std::int64_t>::min()}, 1us), 0U);
}

TEST_F(doorbell, wakes_a_sleeper) {
  std::atomic<std::uint32_t> seen{0};
  const auto thread = start([&] { seen = waiter_->wait_change(0, patience(), 0ns); });
  // No way to know that it sleeps: the word says that it is about to, and a wake-up is remembered.
  auto sleepers = std::atomic_ref<std::uint32_t>{*word_at(*region_, kWake + 4)};
  while (sleepers.load() == 0) std::this_thread::yield();
  ringer_->ring(77);
  ASSERT_TRUE(thread->join(patience()));
  EXPECT_EQ(seen, 77U);
}

TEST_F(doorbell, rings_and_waits_inside_a_real_time_scope) {
  const RtScope scope;
  ringer_->ring(1);
  waiter_->interrupt();
  const RtPermit permit;  // bounded: the count has changed
  (void)waiter_->wait_change(0, {0}, 0ns);
}

TEST_F(doorbell, an_interrupt_ends_a_wait_and_leaves_the_count) {
  std::atomic<std::uint32_t> seen{99};
  const auto thread = start([&] { seen = waiter_->wait_change(0, patience(), 0ns); });
  waiter_->interrupt();
  ASSERT_TRUE(thread->join(patience()));
  EXPECT_EQ(seen, 0U);
  EXPECT_EQ(waiter_->count(), 0U);
}

TEST_F(doorbell, an_interrupt_before_the_wait_is_remembered_once) {
  waiter_->interrupt();
  const Instant begin = monotonic_now();
  EXPECT_EQ(waiter_->wait_change(0, begin + 30s, 0ns), 0U);
  EXPECT_LT(monotonic_now() - begin, 29s);
  const Instant deadline = monotonic_now() + 2ms;
  EXPECT_EQ(waiter_->wait_change(0, deadline, 0ns), 0U);
  EXPECT_GE(monotonic_now(), deadline) << "the second wait was not interrupted";
}

TEST_F(doorbell, an_interrupt_is_never_lost_whenever_it_comes) {
  constexpr int kRounds = 3000;
  const auto returned = threads_->make_signal();
  const auto thread = start([&] {
    for (int round = 0; round < kRounds; ++round) {
      (void)waiter_->wait_change(0, patience(), nanoseconds{round % 3 * 2000});
      returned->signal();
    }
  });
  int slow = 0;  // a lost interrupt is found again at the end of a sleep slice
  for (int round = 0; round < kRounds; ++round) {
    for (int delay = 0; delay < round % 700; ++delay) cpu_pause();  // walks through the window
    const Instant begin = monotonic_now();
    waiter_->interrupt();
    ASSERT_TRUE(returned->wait(patience()));
    if (monotonic_now() - begin > kSleepSlice * 9 / 10) ++slow;
  }
  ASSERT_TRUE(thread->join(patience()));
  EXPECT_LE(slow, 10) << "a stalled machine delays a few rounds, a lost wake-up many";
}

TEST_F(doorbell, a_peer_that_scribbles_gains_nothing_but_early_and_late_wake_ups) {
  std::atomic<bool> stop{false};
  const auto vandal =
      start_vandal(stop, [words = word_at(*peer_region_, kWake), value = 1U]() mutable {
        value = value * 1664525U + 1013904223U;
        std::atomic_ref<std::uint32_t>{words[0]}.store(value >> 24U);
        std::atomic_ref<std::uint32_t>{words[1]}.store(value & 3U);
      });
  const Instant begin = monotonic_now();
  for (int turn = 0; turn < 300; ++turn) {
    const std::uint32_t seen = waiter_->wait_change(waiter_->count(), monotonic_now() + 1ms, 0ns);
    ringer_->ring(seen + 1);
  }
  EXPECT_LT(monotonic_now() - begin, 30s) << "its deadlines bound every wait";
  stop = true;
  ASSERT_TRUE(vandal->join(patience()));
}

TEST_F(doorbell, a_scribbled_sleepers_word_delays_an_interrupt_by_one_slice_at_most) {
  std::atomic<bool> stop{false};
  const auto vandal = start_vandal(stop, [sleepers = word_at(*peer_region_, kWake + 4)] {
    std::atomic_ref<std::uint32_t>{*sleepers}.store(1);
  });
  for (int turn = 0; turn < 20; ++turn) {
    waiter_->interrupt();
    EXPECT_EQ(waiter_->wait_change(0, patience(), 0ns), 0U);
  }
  stop = true;
  ASSERT_TRUE(vandal->join(patience()));
}

TEST_F(doorbell, needs_aligned_words_inside_the_section_and_a_plain_name) {
  for (const std::size_t offset : {std::size_t{4}, kRegionBytes - 4, kRegionBytes, SIZE_MAX - 7}) {
    EXPECT_FALSE(region_->doorbell(offset, "wake")) << offset;
  }
  EXPECT_TRUE(region_->doorbell(kRegionBytes - 8, "last"));
  EXPECT_FALSE(region_->doorbell(kWake, "..\\x"));
}

TEST_F(doorbell, may_be_made_again_for_the_same_words) {
  ringer_.reset();
  ringer_ = take(region_->doorbell(kWake, "wake"));
  const auto thread = start([&] { ringer_->ring(3); });
  EXPECT_EQ(waiter_->wait_change(0, patience(), 0ns), 3U);
  ASSERT_TRUE(thread->join(patience()));
}

/// Echoes every count from "wake" to "ack", doubling the payload: token, turns.
const test::RegisterRole echo{
    "echo", [](const std::vector<std::string>& arguments) {
      auto region = make_shared_regions()->open(arguments.at(0), kRegionBytes);
      if (!region) return 1;
      auto wake = (*region)->doorbell(kWake, "wake");
      auto ack = (*region)->doorbell(kAck, "ack");
      if (!wake || !ack) return 2;
      const auto turns = static_cast<std::uint32_t>(std::stoul(arguments.at(1)));
      auto* const payload = word_at(**region, kPayload);
      for (std::uint32_t turn = 0; turn < turns; ++turn) {
        if ((*wake)->wait_change(turn, patience(), nanoseconds{turn % 2 * 20'000}) != turn + 1)
          return 3;
        payload[0] *= 2;  // plain accesses: the doorbells order them
        (*ack)->ring(turn + 1);
      }
      return 0;
    }};

TEST_F(doorbell, carries_payload_and_count_between_two_processes_without_losing_a_ring) {
  constexpr std::uint32_t kTurns = 3000;
  auto ack = take(region_->doorbell(kAck, "ack"));
  const auto peer = test::start_peer("echo", {region_->token(), std::to_string(kTurns)});
  auto* const payload = word_at(*region_, kPayload);
  for (std::uint32_t turn = 0; turn < kTurns; ++turn) {
    payload[0] = turn * 31;
    ringer_->ring(turn + 1);
    ASSERT_EQ(ack->wait_change(turn, patience(), nanoseconds{turn % 3 * 10'000}), turn + 1);
    ASSERT_EQ(payload[0], turn * 62);
  }
  EXPECT_EQ(peer->wait(patience()), 0);
}

}  // namespace
}  // namespace asiodrv::platform
