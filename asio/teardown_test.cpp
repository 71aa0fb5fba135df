// The end, from anywhere and at any moment, with the real threads.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include "asio/driver_shell.hpp"
#include "asio/graveyard.hpp"
#include "asio/testing/world.hpp"

namespace asiodrv::asio {
namespace {

using std::chrono::seconds;
using testing::Stepping;
using testing::World;

/// A door that a test opens for a callback that waits.
class Door {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds{30}, [&] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

/// Counts callbacks that are inside the host at the same time.
class Overlap {
 public:
  void enter() {
    if (inside_.fetch_add(1) != 0) seen_ = true;
  }
  void leave() { inside_.fetch_sub(1); }
  [[nodiscard]] bool seen() const { return seen_; }

 private:
  std::atomic<int> inside_{0};
  std::atomic<bool> seen_{false};
};

wire::HostEvent reset_event() {
  return {.kind = wire::HostEventKind::reset_request,
          .rate = {},
          .input_latency = {},
          .output_latency = {}};
}

TEST(teardown, the_stream_thread_follows_the_service) {
  World world(Stepping::threads);
  world.host.on_switch = [&](std::int32_t half) {
    world.host_output(0, half)[0] = world.host_input(0, half)[0];
    (void)world.front->output_ready();
  };
  world.reach(State::running);
  for (int k = 0; k < 50; ++k) {
    world.service.ring(static_cast<float>(k));
    ASSERT_TRUE(world.service.await_ack());
  }
  ASSERT_EQ(world.front->stop(), kOk);
  const std::size_t count = world.host.switches().size();
  EXPECT_GE(count, 50u);
  world.service.ring();
  world.front->shutdown();
  EXPECT_EQ(world.host.switches().size(), count);
}

TEST(teardown, a_hundred_starts_and_stops) {
  World world(Stepping::threads);
  world.reach(State::prepared);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(world.front->start(), kOk);
    if (i % 3 == 0) {
      world.service.ring();
      ASSERT_TRUE(world.service.await_ack());
    }
    if (i % 7 == 0) {
      ASSERT_EQ(world.front->dispose_buffers(), kOk);
      ASSERT_EQ(world.create(), kOk);
    } else {
      ASSERT_EQ(world.front->stop(), kOk);
    }
  }
}

/// Nobody would end such a stream, and it would call the host beside the next one.
TEST(teardown, a_start_that_memory_cuts_short_leaves_no_stream_behind) {
  bool boost_throws = true;
  World world(Stepping::threads);
  FrontPorts ports = world.ports();
  ports.boost = [&]() -> std::shared_ptr<void> {
    if (boost_throws) throw std::bad_alloc();
    return nullptr;
  };
  world.front = AsioFront::create(std::move(ports), {});
  world.reach(State::prepared);
  EXPECT_THROW((void)world.front->start(), std::bad_alloc);
  EXPECT_EQ(world.front->state(), State::prepared);
  boost_throws = false;
  world.service.start_throws = true;
  EXPECT_THROW((void)world.front->start(), std::bad_alloc);
  EXPECT_EQ(world.front->state(), State::prepared);
  world.service.start_throws = false;
  ASSERT_EQ(world.front->start(), kOk);
  for (int k = 0; k < 10; ++k) {
    world.service.ring(static_cast<float>(k));
    ASSERT_TRUE(world.service.await_ack());
  }
}

/// The service hears of it by the end of the conversation.
TEST(teardown, an_end_that_memory_cuts_short_is_an_end_all_the_same) {
  World world(Stepping::threads);
  world.reach(State::running);
  world.service.end_throws = true;
  ASSERT_EQ(world.front->stop(), kOk);
  EXPECT_EQ(world.front->state(), State::prepared);
  EXPECT_EQ(world.service.calls("disconnect"), 1);
  ASSERT_EQ(world.front->start(), kOk);
  ASSERT_EQ(world.front->dispose_buffers(), kOk);
  EXPECT_EQ(world.front->state(), State::initialized);
  EXPECT_EQ(world.service.calls("disconnect"), 2);
  ASSERT_EQ(world.create(), kOk);
  ASSERT_EQ(world.front->dispose_buffers(), kOk);
  EXPECT_EQ(world.service.calls("disconnect"), 3);
  ASSERT_EQ(world.create(), kOk);
  ASSERT_EQ(world.front->start(), kOk);
  for (int k = 0; k < 10; ++k) {
    world.service.ring(static_cast<float>(k));
    ASSERT_TRUE(world.service.await_ack());
  }
}

TEST(teardown, stop_waits_for_the_callback_that_is_inside_the_host) {
  Door inside;
  std::atomic<bool> left{false};
  World world(Stepping::threads);
  world.host.on_switch = [&](std::int32_t) {
    inside.open();
    const Instant until = world.clock.now() + std::chrono::milliseconds{50};
    world.clock.sleep_until(until);
    left = true;
  };
  world.reach(State::running);
  world.service.ring();
  ASSERT_TRUE(inside.wait());
  EXPECT_EQ(world.front->stop(), kOk);
  EXPECT_TRUE(left);
}

TEST(teardown, stop_ends_while_its_caller_holds_what_the_callback_wants) {
  Door inside, done;
  std::mutex hosts_lock;
  World world(Stepping::threads);
  world.host.on_switch = [&](std::int32_t half) {
    inside.open();
    const std::lock_guard lock(hosts_lock);
    world.host_output(0, half)[0] = 1.0F;  // late, and still safe
    done.open();
  };
  world.reach(State::running);
  {
    const std::lock_guard lock(hosts_lock);
    world.service.ring();
    ASSERT_TRUE(inside.wait());
    EXPECT_EQ(world.front->stop(), kOk);
    EXPECT_EQ(world.front->dispose_buffers(), kOk);
  }
  EXPECT_TRUE(done.wait());
  EXPECT_EQ(world.create(), kOk);
}

TEST(teardown, a_callback_that_never_returns_stops_nobody_and_is_never_joined_by_a_second) {
  Door inside, leave;
  Overlap overlap;
  std::atomic<int> calls{0};
  World world(Stepping::threads);
  world.host.on_switch = [&](std::int32_t) {
    overlap.enter();
    if (calls.fetch_add(1) == 0) {
      inside.open();
      (void)leave.wait();
    }
    overlap.leave();
  };
  world.reach(State::running);
  world.service.ring();
  ASSERT_TRUE(inside.wait());
  EXPECT_EQ(world.front->stop(), kOk);
  EXPECT_EQ(world.front->start(), kOk);  // its callbacks wait until the first one is out
  world.service.ring();
  EXPECT_EQ(calls, 1);
  leave.open();
  EXPECT_TRUE(world.service.await_ack());
  EXPECT_EQ(world.front->stop(), kOk);
  EXPECT_FALSE(overlap.seen());
}

TEST(teardown, shutdown_ends_although_a_callback_never_returns) {
  Door inside, leave;
  std::atomic<bool> left{false};
  World world(Stepping::threads);
  world.host.on_switch = [&](std::int32_t half) {
    inside.open();
    (void)leave.wait();
    static_cast<float*>(world.infos[2].buffers[half])[0] = 1.0F;
    left = true;
  };
  world.reach(State::running);
  world.service.ring();
  ASSERT_TRUE(inside.wait());
  world.front->shutdown();
  EXPECT_EQ(world.service.calls("dispose"), 1);
  EXPECT_EQ(world.service.calls("disconnect"), 1);
  const std::weak_ptr<AsioFront> gone = world.front;
  world.front.reset();
  EXPECT_TRUE(gone.expired());
  EXPECT_FALSE(left);
  leave.open();
}

TEST(teardown, stop_and_start_inside_the_callback_do_not_overlap) {
  Overlap overlap;
  std::atomic<int> calls{0};
  World world(Stepping::threads);
  world.host.on_switch = [&](std::int32_t half) {
    overlap.enter();
    if (calls.fetch_add(1) == 0) {
      EXPECT_EQ(half, 0);
      EXPECT_EQ(world.front->stop(), kOk);
      EXPECT_EQ(world.front->start(), kOk);
    }
    overlap.leave();
  };
  world.reach(State::running);
  world.service.ring();
  ASSERT_TRUE(world.service.await_calls("start", 2));
  world.service.ring();
  ASSERT_TRUE(world.service.await_ack());
  EXPECT_EQ(world.front->stop(), kOk);
  EXPECT_FALSE(overlap.seen());
}

TEST(teardown, dispose_inside_the_callback_keeps_its_memory) {
  Door done;
  World world(Stepping::threads);
  world.host.on_switch = [&](std::int32_t half) {
    EXPECT_EQ(world.front->dispose_buffers(), kOk);
    world.host_output(0, half)[0] = 1.0F;
    done.open();
  };
  world.reach(State::running);
  world.service.ring();
  ASSERT_TRUE(done.wait());
  EXPECT_EQ(world.create(), kOk);
}

TEST(teardown, the_last_release_inside_the_callback_is_survived) {
  Door done;
  World world(Stepping::threads);
  AsioDriver* driver = make_driver(world.ports());
  ASSERT_EQ(driver->init(nullptr), 1);
  world.infos = world.all_channels();
  Callbacks callbacks = testing::FakeHost::callbacks();
  ASSERT_EQ(driver->createBuffers(world.infos.data(), 4, 64, &callbacks), kOk);
  world.host.on_switch = [&](std::int32_t half) {
    EXPECT_EQ(driver->Release(), 0u);
    world.host_output(0, half)[0] = 1.0F;
    done.open();
  };
  ASSERT_EQ(driver->start(), kOk);
  world.service.ring();
  ASSERT_TRUE(done.wait());
  EXPECT_EQ(world.service.calls("dispose"), 1);
  EXPECT_EQ(live_drivers(), 0);
}

TEST(teardown, the_last_release_inside_a_message_is_survived) {
  Door done;
  World world(Stepping::threads);
  AsioDriver* driver = make_driver(world.ports());
  ASSERT_EQ(driver->init(nullptr), 1);
  world.infos = world.all_channels();
  Callbacks callbacks = testing::FakeHost::callbacks();
  ASSERT_EQ(driver->createBuffers(world.infos.data(), 4, 64, &callbacks), kOk);
  ASSERT_EQ(driver->start(), kOk);
  world.host.on_message = [&](std::int32_t) {
    EXPECT_EQ(driver->stop(), kOk);
    EXPECT_EQ(driver->disposeBuffers(), kOk);
    EXPECT_EQ(driver->Release(), 0u);
    done.open();
  };
  world.service.send(reset_event());
  ASSERT_TRUE(done.wait());
  EXPECT_EQ(world.service.calls("disconnect"), 1);
}

TEST(teardown, the_last_release_inside_create_buffers_is_survived) {
  World world(Stepping::threads);
  static AsioDriver* driver = nullptr;
  driver = make_driver(world.ports());
  ASSERT_EQ(driver->init(nullptr), 1);
  Callbacks callbacks = testing::FakeHost::callbacks();
  callbacks.message = [](std::int32_t, std::int32_t, void*, double*) -> std::int32_t {
    if (driver != nullptr) std::exchange(driver, nullptr)->Release();
    return 0;
  };
  auto infos = world.all_channels();
  EXPECT_EQ(driver->createBuffers(infos.data(), 4, 64, &callbacks), kInvalidMode);
  EXPECT_EQ(live_drivers(), 0);
}

TEST(teardown, dispose_waits_for_the_message_that_is_inside_the_host) {
  Door inside;
  std::atomic<bool> left{false};
  World world(Stepping::threads);
  world.host.on_message = [&](std::int32_t) {
    inside.open();
    world.clock.sleep_until(world.clock.now() + std::chrono::milliseconds{50});
    left = true;
  };
  world.reach(State::running);
  world.service.send(reset_event());
  ASSERT_TRUE(inside.wait());
  EXPECT_EQ(world.front->dispose_buffers(), kOk);
  EXPECT_TRUE(left);
}

TEST(teardown, an_event_that_comes_while_the_service_is_asked_anew_is_not_forgotten) {
  std::atomic<int> connects{0};
  World world(Stepping::threads);
  world.service.on_connect = [&] {
    if (++connects != 2) return;
    world.service.send(reset_event());
    (void)world.service.await_taken();
  };
  world.reach(State::prepared);
  world.service.send(reset_event());
  wire::HostEvent last = reset_event();
  last.kind = wire::HostEventKind::resync;
  world.service.send(last);
  ASSERT_TRUE(world.host.await_messages(2));  // the notifier has nothing else to do
  ASSERT_EQ(world.front->dispose_buffers(), kOk);
  EXPECT_TRUE(world.service.await_calls("connect", 3));
}

TEST(teardown, stop_breaks_off_an_attempt_to_reconnect) {
  World world(Stepping::threads);
  world.reach(State::running);
  world.service.connect_takes = seconds{25};  // an attempt that ends by itself says nothing of it
  world.service.die();
  ASSERT_TRUE(world.service.await_calls("connect", 2));
  EXPECT_EQ(world.front->stop(), kOk);
  EXPECT_GE(world.service.calls("broken off"), 1);
  EXPECT_LT(world.service.calls("connect"), 4);
  world.service.connect_takes = {};
}

TEST(teardown, stop_breaks_off_an_attempt_to_reconnect_that_has_asked_nobody_yet) {
  World world(Stepping::threads);
  world.reach(State::running);
  world.service.hold_connects = true;
  world.service.die();
  ASSERT_TRUE(world.service.await_calls("held", 1));
  EXPECT_EQ(world.front->stop(), kOk);
  EXPECT_EQ(world.service.calls("held"), 1);
  EXPECT_EQ(world.service.calls("connect"), 1);
  world.service.hold_connects = false;
}

TEST(teardown, the_threads_bring_a_lost_service_back) {
  World world(Stepping::threads);
  world.reach(State::running);
  world.service.ring(1.0F);
  ASSERT_TRUE(world.service.await_ack());
  world.service.die();
  ASSERT_TRUE(world.host.await_switches(10));  // silence goes on
  world.service.revive();
  ASSERT_TRUE(world.service.await_calls("start", 2));
  world.service.ring(0.0F, wire::kStampResync);
  ASSERT_TRUE(world.service.await_ack());
  for (int k = 0; k < 10; ++k) {
    world.service.ring(static_cast<float>(k));
    ASSERT_TRUE(world.service.await_ack());
  }
  ASSERT_EQ(world.front->stop(), kOk);
  const auto seen = world.host.switches();
  for (std::size_t i = 0; i < seen.size(); ++i) {
    ASSERT_EQ(seen[i].half, static_cast<std::int32_t>(i % 2));
  }
}

TEST(teardown, calls_from_several_threads_at_once_end_well) {
  World world(Stepping::threads);
  world.reach(State::running);
  std::vector<std::unique_ptr<ports::Thread>> callers;
  for (int i = 0; i < 3; ++i) {
    auto caller = world.threads->start("caller", ports::ThreadRole::control, [&] {
      for (int k = 0; k < 30; ++k) {
        std::int32_t input = 0, output = 0;
        U64Pair position{}, time{};
        (void)world.front->stop();
        (void)world.front->get_latencies(&input, &output);
        (void)world.front->output_ready();
        (void)world.front->start();
        (void)world.front->get_sample_position(&position, &time);
        (void)world.message();
      }
    });
    ASSERT_TRUE(caller);
    callers.push_back(std::move(*caller));
  }
  for (const auto& caller : callers) {
    EXPECT_TRUE(caller->join(world.clock.now() + seconds{50}));
  }
  (void)world.front->stop();
  EXPECT_EQ(world.front->state(), State::prepared);
}

}  // namespace
}  // namespace asiodrv::asio
