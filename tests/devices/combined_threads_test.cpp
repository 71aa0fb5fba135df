// A combined device on real threads and in real time: simulated devices, some of which hang.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/rt.hpp"
#include "devices/combined/combined_device.hpp"
#include "devices/combined/testing/gated_device.hpp"
#include "devices/simulated/simulated_device.hpp"
#include "platform/platform.hpp"

namespace asiodrv::devices {
namespace {

using test::Gate;

constexpr ports::DeviceFormat kFormat{{48'000}, {256}};
constexpr int kSecond = 48'000 / 256 + 1;  // in periods

/// What the calling thread has read last, so that a deadline can be compared with its origin.
class NotedClock final : public ports::Clock {
 public:
  [[nodiscard]] Instant now() const RT_SAFE override {
    const Instant at = real_->now();
    if (std::this_thread::get_id() == watched_ && first_.ns == 0) first_ = at;
    return at;
  }
  void sleep_until(Instant deadline) RT_SAFE override { real_->sleep_until(deadline); }
  /// Forgets; the next reading by the calling thread is first().
  void watch() { first_ = {}; }
  [[nodiscard]] Instant first() const { return first_; }

 private:
  std::unique_ptr<ports::Clock> real_ = platform::make_clock();
  const std::thread::id watched_ = std::this_thread::get_id();
  mutable Instant first_{};  // the watched thread's
};

/// Real threads; notes how long the test's own thread is willing to wait for a signal.
class NotedThreads final : public ports::Threads {
 public:
  Result<std::unique_ptr<ports::Thread>> start(const char* name, ports::ThreadRole role,
                                               std::function<void()> body) override {
    return real_->start(name, role, std::move(body));
  }
  std::unique_ptr<ports::Signal> make_signal() override {
    return std::make_unique<Noted>(*this, real_->make_signal());
  }
  Instant latest{};  // the test's thread's

 private:
  struct Noted final : ports::Signal {
    Noted(NotedThreads& the_threads, std::unique_ptr<ports::Signal> the_real)
        : threads(the_threads), real(std::move(the_real)) {}
    void signal() RT_SAFE override { real->signal(); }
    bool wait(Instant deadline) override {
      if (std::this_thread::get_id() == watched) {
        threads.latest = std::max(threads.latest, deadline);
      }
      return real->wait(deadline);
    }
    NotedThreads& threads;
    std::unique_ptr<ports::Signal> real;
    const std::thread::id watched = std::this_thread::get_id();
  };
  std::unique_ptr<ports::Threads> real_ = platform::make_threads();
};

class combined_threads : public ::testing::Test {
 protected:
  void SetUp() override {
    std::vector<CombinedMember> members;
    for (const char* id : {"a", "b", "c"}) {
      SimulatedOptions options;
      options.id = options.name = id;
      options.inputs = options.outputs = 2;
      options.offset_ppm = members.empty() ? 0 : 300;
      auto own = std::make_unique<SimulatedDevice>(clock, options);
      simulated.push_back(own.get());
      std::unique_ptr<ports::Device> given = std::move(own);
      if (members.size() == 1) {
        given = std::make_unique<test::GatedDevice>(std::move(given), gate);
      }
      members.push_back({std::move(given), "", {}, {}});
    }
    // Generous: a busy machine shall not be what is tested.
    CombinedOptions options;
    options.stall_allowance = std::chrono::milliseconds{50};
    auto made = CombinedDevice::make(clock, threads, std::move(members), options);
    ASSERT_TRUE(made) << made.error().message;
    device = std::move(*made);
  }

  void TearDown() override {
    gate->hold(0);
    if (device == nullptr) return;
    device.reset();
    EXPECT_TRUE(gate->await(Gate::kClose));  // its thread needs the clock
  }

  void run() {
    const Result<> opened = device->open(kFormat);
    ASSERT_TRUE(opened) << opened.error().message;
    const Result<> started = device->start();
    ASSERT_TRUE(started) << started.error().message;
  }

  /// One period with a constant on all channels.
  ports::PeriodStatus serve() {
    const RtScope scope;
    ports::DevicePeriod period;
    const ports::PeriodStatus status = device->wait_period(period);
    if (status != ports::PeriodStatus::ready) return status;
    for (std::uint32_t c = 0; c < period.render.channels; ++c) {
      std::fill_n(period.render.channel(c), period.render.frames.count, 0.5F);
    }
    for (std::size_t i = 0; i < 3; ++i) {
      heard[i] = period.capture.channel(static_cast<std::uint32_t>(2 * i))[128];
    }
    device->commit();
    return status;
  }
  /// Serves until `done`, for 20 s at most.
  bool serve_until(const std::function<bool()>& done) {
    for (int i = 0; i < 20 * kSecond; ++i) {
      if (done()) return true;
      if (serve() != ports::PeriodStatus::ready) return false;
    }
    return false;
  }
  [[nodiscard]] bool tracks(std::size_t member) const {
    return device->status(member).state == MemberState::tracking;
  }
  [[nodiscard]] bool both_track() const { return tracks(0) && tracks(1); }
  [[nodiscard]] MemberState state(std::size_t member) const { return device->status(member).state; }

  NotedClock clock;
  NotedThreads threads;
  std::shared_ptr<Gate> gate = std::make_shared<Gate>();  // of member 0
  std::vector<SimulatedDevice*> simulated;
  std::unique_ptr<CombinedDevice> device;
  float heard[3] = {};
};

TEST_F(combined_threads, members_lock_are_heard_and_start_again_after_a_stop) {
  for (int round = 0; round < 2; ++round) {
    ASSERT_NO_FATAL_FAILURE(run());
    ASSERT_TRUE(serve_until([&] { return both_track() && heard[1] != 0 && heard[2] != 0; }));
    EXPECT_EQ(device->status(0).returns, 0U);
    device->stop();
    EXPECT_EQ(state(0), MemberState::stopped);
    ASSERT_TRUE(device->start());
    ASSERT_TRUE(serve_until([&] { return both_track(); }));
    device->close();
  }
}

TEST_F(combined_threads, a_member_is_unplugged_while_all_play_and_comes_back) {
  ASSERT_NO_FATAL_FAILURE(run());
  ASSERT_TRUE(serve_until([&] { return both_track(); }));
  simulated[1]->unplug();
  ASSERT_TRUE(serve_until([&] { return state(0) == MemberState::lost && heard[1] == 0; }));
  EXPECT_NE(state(1), MemberState::lost);
  simulated[1]->replug();
  ASSERT_TRUE(serve_until([&] { return tracks(0) && heard[1] != 0; }));
  EXPECT_EQ(device->status(0).returns, 1U);
}

TEST_F(combined_threads, losing_the_master_loses_the_device_which_opens_again) {
  ASSERT_NO_FATAL_FAILURE(run());
  ASSERT_TRUE(serve_until([&] { return both_track(); }));
  simulated[0]->unplug();
  while (serve() == ports::PeriodStatus::ready) {
  }
  device->stop();
  device->close();
  const Result<> refused = device->open(kFormat);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::device_gone);
  simulated[0]->replug();
  ASSERT_NO_FATAL_FAILURE(run());
  ASSERT_TRUE(serve_until([&] { return both_track(); }));
}

/// The port: two seconds each, whatever a member does.
TEST_F(combined_threads, stop_and_close_give_up_a_member_that_hangs_within_two_seconds) {
  ASSERT_NO_FATAL_FAILURE(run());
  ASSERT_TRUE(serve_until([&] { return both_track(); }));
  gate->hold(Gate::kStop);
  clock.watch();
  threads.latest = {};
  device->stop();
  EXPECT_LE(threads.latest - clock.first(), std::chrono::seconds{2});
  EXPECT_TRUE(gate->inside(Gate::kStop)) << "it hangs still, and nobody waits for it";
  EXPECT_NE(device->trouble(0).find("left alone"), std::string::npos);
  clock.watch();
  threads.latest = {};
  device->close();
  EXPECT_LE(threads.latest - clock.first(), std::chrono::seconds{2});
  EXPECT_TRUE(gate->inside(Gate::kStop));

  // The others play without it; it comes back by itself once it can.
  ASSERT_NO_FATAL_FAILURE(run());
  ASSERT_TRUE(serve_until([&] { return tracks(1) && heard[2] != 0; }));
  EXPECT_EQ(state(0), MemberState::busy);
  gate->hold(0);
  ASSERT_TRUE(serve_until([&] { return tracks(0) && heard[1] != 0; }));
}

TEST_F(combined_threads, a_member_that_hangs_while_it_is_opened_joins_later) {
  gate->hold(Gate::kOpen);
  clock.watch();
  ASSERT_TRUE(device->open(kFormat));
  EXPECT_LE(threads.latest - clock.first(), std::chrono::seconds{2});
  clock.watch();
  threads.latest = {};
  ASSERT_TRUE(device->start());
  EXPECT_LE(threads.latest - clock.first(), std::chrono::seconds{2});
  EXPECT_EQ(state(0), MemberState::busy);
  ASSERT_TRUE(serve_until([&] { return tracks(1); }));
  gate->hold(0);
  ASSERT_TRUE(serve_until([&] { return tracks(0) && heard[1] != 0; }));
}

TEST_F(combined_threads, a_member_whose_thread_never_returns_costs_its_own_channels) {
  ASSERT_NO_FATAL_FAILURE(run());
  ASSERT_TRUE(serve_until([&] { return both_track() && heard[1] != 0; }));
  gate->hold(Gate::kWait);
  ASSERT_TRUE(serve_until([&] { return heard[1] == 0; }));
  EXPECT_TRUE(tracks(1));
  EXPECT_NE(heard[2], 0.0F);
  device->stop();
  EXPECT_TRUE(gate->inside(Gate::kWait));
  device->close();
  gate->forget();
}

}  // namespace
}  // namespace asiodrv::devices
