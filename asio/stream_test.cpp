// The stream in virtual time: the test is the engine and the clock.
#include "asio/stream.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>

#include "asio/testing/world.hpp"

namespace asiodrv::asio {
namespace {

using std::chrono::milliseconds;
using testing::kEpochMs;
using testing::Switch;
using testing::World;

constexpr nanoseconds kPeriod{64 * 1'000'000'000LL / 48'000};

std::uint64_t position(const Switch& seen) { return join64(seen.time.info.sample_position); }
// By value: the structure is packed, and a double in it may not be bound to a reference.
double rate_hz(const Switch& seen) { return seen.time.info.sample_rate; }
std::uint64_t system_ns(const Switch& seen) { return join64(seen.time.info.system_time); }

/// Lets time pass until a block is due without a ring, `blocks` times.
void run_alone(World& world, int blocks) {
  for (int served = 0; served < blocks;) {
    world.virtual_clock.sleep_until(world.front->next_due());
    if (world.front->serve_cycle()) ++served;
  }
}

void expect_alternation(const std::vector<Switch>& seen) {
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].half, static_cast<std::int32_t>(i % 2)) << i;
    EXPECT_EQ(seen[i].direct, 1);
  }
}

TEST(stream, a_loop_through_the_host_carries_each_block_in_its_half) {
  World world;
  world.host.on_switch = [&](std::int32_t half) {
    for (std::size_t c = 0; c < 2; ++c) {
      for (int i = 0; i < 64; ++i) {
        world.host_output(c, half)[i] = world.host_input(c, half)[i] * 2.0F;
      }
    }
  };
  world.reach(State::running);
  for (int k = 0; k < 10; ++k) {
    ASSERT_TRUE(world.cycle(static_cast<float>(k)));
    const auto session = world.service.session();
    EXPECT_TRUE(session->acknowledged());
    EXPECT_EQ(session->half, static_cast<std::uint32_t>(k % 2));
    EXPECT_EQ(session->output(1, session->half)[63], static_cast<float>(2 * k));
    const wire::CycleReply reply = session->reply();
    EXPECT_EQ(reply.next_half, static_cast<std::uint32_t>((k + 1) % 2));
    EXPECT_EQ(reply.mode, 0u);
  }
  expect_alternation(world.host.switches());
}

TEST(stream, what_the_host_wrote_before_start_stays_in_half_one) {
  World world;
  world.reach(State::prepared);
  world.host_output(0, 1)[5] = 0.5F;
  ASSERT_EQ(world.front->start(), kOk);
  EXPECT_EQ(world.service.session()->output(0, 1)[5], 0.5F);
}

/// Half 1 is played before the first callback, and few hosts clear it before they start again.
TEST(stream, what_was_played_last_is_not_played_again_by_the_next_start) {
  for (const bool inside : {false, true}) {
    World world;
    bool stop = false;
    world.host.on_switch = [&](std::int32_t half) {
      world.host_output(0, half)[5] = 0.5F;
      if (stop) {
        EXPECT_EQ(world.front->stop(), kOk);
      }
    };
    world.reach(State::running);
    ASSERT_TRUE(world.cycle());
    stop = inside;
    ASSERT_TRUE(world.cycle());
    ASSERT_EQ(world.front->stop(), kOk);
    ASSERT_EQ(world.front->start(), kOk);
    for (const std::uint32_t half : {0u, 1u}) {
      EXPECT_EQ(world.service.session()->output(0, half)[5], 0.0F) << inside;
    }
    ASSERT_EQ(world.front->stop(), kOk);
    world.host_output(0, 1)[5] = 0.25F;
    ASSERT_EQ(world.front->start(), kOk);
    EXPECT_EQ(world.service.session()->output(0, 1)[5], 0.25F) << inside;
  }
}

TEST(stream, without_a_ring_nobody_calls_the_host) {
  World world;
  world.reach(State::running);
  EXPECT_FALSE(world.front->serve_cycle());
  world.virtual_clock.advance(milliseconds{19});
  EXPECT_FALSE(world.front->serve_cycle());
  EXPECT_TRUE(world.host.switches().empty());
}

TEST(stream, each_start_begins_with_half_zero_and_position_zero) {
  World world;
  world.host.wants_time_info = 1;
  world.reach(State::running);
  for (int run = 0; run < 3; ++run) {
    const std::size_t before = world.host.switches().size();
    for (int k = 0; k < 3; ++k) ASSERT_TRUE(world.cycle());
    const auto seen = world.host.switches();
    for (std::size_t k = 0; k < 3; ++k) {
      EXPECT_EQ(seen[before + k].half, static_cast<std::int32_t>(k % 2));
      EXPECT_EQ(position(seen[before + k]), k * 64);
    }
    ASSERT_EQ(world.front->stop(), kOk);
    ASSERT_EQ(world.front->start(), kOk);
  }
}

TEST(stream, time_info_tells_the_boundary_in_the_hosts_epoch) {
  World world;
  world.host.wants_time_info = 1;
  world.reach(State::running);
  const Instant anchor = world.clock.now();
  world.virtual_clock.advance(nanoseconds{1'234'567});
  const Instant boundary = world.clock.now();
  world.service.ring();
  world.virtual_clock.advance(nanoseconds{400'000});  // we come late; the boundary counts
  ASSERT_TRUE(world.front->serve_cycle());
  const Switch seen = world.host.switches().front();
  ASSERT_TRUE(seen.time_info);
  EXPECT_EQ(system_ns(seen),
            kEpochMs * 1'000'000 + static_cast<std::uint64_t>((boundary - anchor).count()));
  EXPECT_EQ(rate_hz(seen), 48'000.0);
  EXPECT_EQ(seen.time.info.flags,
            std::uint32_t{kSystemTimeValid | kSamplePositionValid | kSampleRateValid});
  EXPECT_EQ(double{seen.time.info.speed}, 0.0);
  EXPECT_EQ(seen.time.code.flags, 0u);
}

/// Machines that sleep instead of being shut down reach it: the host's clock has 32 bits of
/// milliseconds, and what it is told must stay comparable.
TEST(stream, system_time_begins_anew_where_the_hosts_clock_does) {
  constexpr std::uint64_t kTurnMs = std::uint64_t{1} << 32;
  HostTime time(3 * kTurnMs - 1, Instant{5'000});
  EXPECT_EQ(time.at(Instant{5'000}), (kTurnMs - 1) * 1'000'000);
  EXPECT_EQ(time.at(Instant{5'000 + 999'999}), kTurnMs * 1'000'000 - 1);
  EXPECT_EQ(time.at(Instant{5'000 + 1'000'007}), 7u);
  EXPECT_EQ(time.at(Instant{5'000}), 7u);  // not back across it
}

/// A period may have begun before start(), and the host's clock hardly earlier.
TEST(stream, an_instant_before_the_anchor_does_not_stop_the_system_time) {
  HostTime time(0, Instant{5'000});
  EXPECT_EQ(time.at(Instant{4'000}), 0u);
  EXPECT_EQ(time.at(Instant{5'008}), 8u);
}

TEST(stream, time_info_is_used_only_if_the_host_says_yes_and_has_the_callback) {
  struct Case {
    std::int32_t answer;
    bool pointer, message, expected;
  };
  for (const Case& each :
       {Case{0, true, true, false}, Case{1, false, true, false}, Case{1, true, false, false},
        Case{2, true, true, false}, Case{1, true, true, true}}) {
    World world;
    world.host.understood.insert(kSupportsTimeInfo);  // a yes to this question counts for nothing
    world.host.wants_time_info = each.answer;
    world.reach(State::initialized);
    Callbacks callbacks = testing::FakeHost::callbacks();
    if (!each.pointer) callbacks.buffer_switch_time_info = nullptr;
    if (!each.message) callbacks.message = nullptr;
    auto infos = world.all_channels();
    ASSERT_EQ(world.front->create_buffers(infos.data(), 4, 64, &callbacks), kOk);
    callbacks = {};
    ASSERT_EQ(world.front->start(), kOk);
    ASSERT_TRUE(world.cycle());
    EXPECT_EQ(world.host.switches().front().time_info, each.expected);
  }
}

TEST(stream, flags_of_the_stamp_reach_the_host_once) {
  World world;
  world.host.wants_time_info = 1;
  world.reach(State::running);
  world.service.description.rate = {96'000};
  world.service.ring(0, wire::kStampRateChanged | wire::kStampClockChanged);
  ASSERT_TRUE(world.front->serve_cycle());
  ASSERT_TRUE(world.cycle());
  const auto seen = world.host.switches();
  const std::uint32_t changes = kSampleRateChanged | kClockSourceChanged;
  EXPECT_EQ(seen[0].time.info.flags & changes, changes);
  EXPECT_EQ(rate_hz(seen[0]), 96'000.0);
  EXPECT_EQ(seen[1].time.info.flags & changes, 0u);
}

TEST(stream, get_sample_position_is_the_present_block_inside_the_callback) {
  World world;
  std::vector<std::uint64_t> positions, times;
  world.host.on_switch = [&](std::int32_t) {
    U64Pair at{}, time{};
    EXPECT_EQ(world.front->get_sample_position(&at, &time), kOk);
    positions.push_back(join64(at));
    times.push_back(join64(time));
    double rate = 0;
    std::int32_t input = 0, output = 0;
    EXPECT_EQ(world.front->get_sample_rate(&rate), kOk);
    EXPECT_EQ(world.front->get_latencies(&input, &output), kOk);
    EXPECT_EQ(world.front->future(kCanTimeInfo, nullptr), kFutureSuccess);
  };
  world.reach(State::running);
  U64Pair at{7, 7}, time{};
  EXPECT_EQ(world.front->get_sample_position(&at, &time), kOk);
  EXPECT_EQ(join64(at), 0u);
  for (int k = 0; k < 4; ++k) {
    world.virtual_clock.advance(kPeriod);
    ASSERT_TRUE(world.cycle());
  }
  EXPECT_EQ(positions, (std::vector<std::uint64_t>{0, 64, 128, 192}));
  EXPECT_EQ(times[3] - times[0], static_cast<std::uint64_t>(3 * kPeriod.count()));
  EXPECT_EQ(world.front->get_sample_position(nullptr, &time), kInvalidParameter);
}

TEST(stream, output_ready_acknowledges_early_and_once) {
  World world;
  bool early = false;
  std::uint32_t half_at_ack = 9;
  world.host.on_switch = [&](std::int32_t half) {
    const auto session = world.service.session();
    EXPECT_FALSE(session->acknowledged());
    world.host_output(0, half)[0] = 1.0F;
    EXPECT_EQ(world.front->output_ready(), kOk);
    early = session->acknowledged();
    half_at_ack = session->reply().next_half;
    EXPECT_EQ(world.front->output_ready(), kOk);
    // The service may ring again before the host has returned.
    world.service.ring();
  };
  world.reach(State::running);
  ASSERT_TRUE(world.cycle());
  EXPECT_TRUE(early);
  EXPECT_EQ(half_at_ack, 1u);
  EXPECT_FALSE(world.service.session()->acknowledged());  // the second ring is not answered yet
  world.host.on_switch = nullptr;
  ASSERT_TRUE(world.front->serve_cycle());
  EXPECT_TRUE(world.service.session()->acknowledged());
  expect_alternation(world.host.switches());
}

TEST(stream, output_ready_outside_a_callback_changes_nothing) {
  World world;
  for (const State state : {State::loaded, State::initialized, State::prepared, State::running}) {
    world.reach(state);
    EXPECT_EQ(world.front->output_ready(), kOk);
  }
  world.service.ring();
  EXPECT_EQ(world.front->output_ready(), kOk);
  EXPECT_FALSE(world.service.session()->acknowledged());
}

TEST(stream, a_silent_service_is_replaced_after_20_ms_at_the_nominal_pace) {
  World world;
  world.host.wants_time_info = 1;
  world.reach(State::running);
  for (int k = 0; k < 3; ++k) {
    world.virtual_clock.advance(kPeriod);
    ASSERT_TRUE(world.cycle(9.0F));
  }
  const Instant last = world.clock.now();
  std::vector<Instant> moments;
  world.host.on_switch = [&](std::int32_t half) {
    moments.push_back(world.clock.now());
    EXPECT_EQ(world.host_input(0, half)[0], 0.0F);
    EXPECT_EQ(world.service.session()->reply().mode, 1u);  // announced before the half is touched
  };
  run_alone(world, 5);
  EXPECT_EQ(moments[0] - last, nanoseconds{milliseconds{20}});
  for (std::size_t i = 1; i < moments.size(); ++i) EXPECT_EQ(moments[i] - moments[i - 1], kPeriod);
  const auto seen = world.host.switches();
  expect_alternation(seen);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(position(seen[i]), i * 64);
}

TEST(stream, patience_is_three_periods_when_these_are_long) {
  World world;
  world.reach(State::initialized);
  ASSERT_EQ(world.create(2048), kOk);
  ASSERT_EQ(world.front->start(), kOk);
  ASSERT_TRUE(world.cycle());
  const Instant last = world.clock.now();
  EXPECT_EQ(world.front->next_due() - last, nanoseconds{2048 * 1'000'000'000LL / 48'000} * 3);
}

TEST(stream, a_service_that_rings_again_is_followed_after_one_silent_cycle) {
  World world;
  world.host.wants_time_info = 1;
  std::vector<float> heard;
  world.host.on_switch = [&](std::int32_t half) { heard.push_back(world.host_input(0, half)[0]); };
  world.reach(State::running);
  ASSERT_TRUE(world.cycle(1.0F));
  (void)world.front->serve_cycle();
  run_alone(world, 2);
  ASSERT_TRUE(world.cycle(5.0F));  // rung with resync: no audio
  EXPECT_TRUE(world.service.session()->acknowledged());
  EXPECT_EQ(world.service.session()->reply().mode, 0u);
  ASSERT_TRUE(world.cycle(6.0F));
  EXPECT_EQ(heard, (std::vector<float>{1.0F, 0.0F, 0.0F, 0.0F, 6.0F}));
  const auto seen = world.host.switches();
  expect_alternation(seen);
  for (std::size_t i = 1; i < seen.size(); ++i) EXPECT_GT(position(seen[i]), position(seen[i - 1]));
}

TEST(stream, a_ring_that_crosses_the_announcement_loses_no_audio) {
  World world;
  std::vector<float> heard;
  world.host.on_switch = [&](std::int32_t half) { heard.push_back(world.host_input(0, half)[0]); };
  world.reach(State::running);
  ASSERT_TRUE(world.cycle(1.0F));
  (void)world.front->serve_cycle();
  world.virtual_clock.sleep_until(world.front->next_due());
  world.service.ring(2.0F);  // as late as can be: the front would go on alone now
  ASSERT_TRUE(world.front->serve_cycle());
  EXPECT_EQ(heard, (std::vector<float>{1.0F, 2.0F}));
}

TEST(stream, lost_periods_make_the_position_jump_and_nothing_makes_it_go_back) {
  World world;
  world.host.wants_time_info = 1;
  world.reach(State::running);
  const auto ring_at = [&](std::uint64_t at) {
    wire::CycleStamp stamp{};
    stamp.sample_position = at;
    stamp.boundary_ns = world.clock.now().ns;
    stamp.half = world.service.session()->reply().next_half;
    stamp.rate_hz = 48'000;
    world.service.ring_stamp(stamp);
    ASSERT_TRUE(world.front->serve_cycle());
  };
  for (const std::uint64_t at :
       {std::uint64_t{0}, std::uint64_t{64}, std::uint64_t{320}, std::uint64_t{128},
        std::uint64_t{192}, ~std::uint64_t{0}, std::uint64_t{0}}) {
    ring_at(at);
  }
  std::vector<std::uint64_t> positions;
  for (const Switch& each : world.host.switches()) positions.push_back(position(each));
  EXPECT_EQ(positions, (std::vector<std::uint64_t>{0, 64, 320, 384, 448, 512, 576}));
}

/// A service that writes anything into a stamp hurts nobody but its own sound.
TEST(stream, hostile_stamps_are_judged) {
  World world;
  world.host.wants_time_info = 1;
  world.reach(State::running);
  const double rates[] = {std::numeric_limits<double>::quiet_NaN(), 1e300, -1.0, 0.0, 48'000.0};
  const std::int64_t moments[] = {INT64_MIN, INT64_MAX, 0, -1, 5};
  for (std::uint32_t k = 0; k < 50; ++k) {
    world.virtual_clock.advance(kPeriod);
    wire::CycleStamp stamp{};
    stamp.sample_position = std::uint64_t{k} << 58;
    stamp.boundary_ns = moments[k % 5];
    stamp.period_ns = moments[(k + 2) % 5];
    stamp.half = k * 0x9E3779B9u;
    stamp.flags = k * 0x85EBCA6Bu;
    stamp.rate_hz = rates[k % 5];
    world.service.ring_stamp(stamp);
    ASSERT_TRUE(world.front->serve_cycle());
  }
  const auto seen = world.host.switches();
  expect_alternation(seen);
  for (std::size_t i = 1; i < seen.size(); ++i) {
    EXPECT_GT(position(seen[i]), position(seen[i - 1]));
    EXPECT_GE(system_ns(seen[i]), system_ns(seen[i - 1]));
    EXPECT_LT(system_ns(seen[i]) - system_ns(seen[i - 1]), 1'000'000'000u);
    const double rate = rate_hz(seen[i]);
    EXPECT_TRUE(rate == 0.0 || rate == 48'000.0) << rate;
  }
}

TEST(stream, a_long_stall_of_ours_is_not_made_up_for_block_by_block) {
  World world;
  world.reach(State::running);
  ASSERT_TRUE(world.cycle());
  (void)world.front->serve_cycle();
  run_alone(world, 1);
  world.virtual_clock.advance(std::chrono::seconds{60});
  std::size_t burst = 0;
  while (world.front->serve_cycle()) ++burst;
  EXPECT_LE(burst, 2u);
}

TEST(stream, stop_inside_the_callback_works_and_start_follows) {
  World world;
  bool stop = true;
  world.host.on_switch = [&](std::int32_t) {
    if (stop) {
      EXPECT_EQ(world.front->stop(), kOk);
    }
  };
  world.reach(State::running);
  ASSERT_TRUE(world.cycle());
  EXPECT_EQ(world.front->state(), State::prepared);
  EXPECT_FALSE(world.front->serve_cycle());
  stop = false;
  EXPECT_EQ(world.front->start(), kOk);
  ASSERT_TRUE(world.cycle());
  EXPECT_EQ(world.host.switches()[1].half, 0);
}

TEST(stream, dispose_and_shutdown_inside_the_callback_work) {
  for (const bool all : {false, true}) {
    World world;
    world.host.on_switch = [&](std::int32_t half) {
      if (all) {
        world.front->shutdown();
      } else {
        EXPECT_EQ(world.front->dispose_buffers(), kOk);
      }
      world.host_output(0, half)[0] = 1.0F;  // the memory is still there
    };
    world.reach(State::running);
    ASSERT_TRUE(world.cycle());
    EXPECT_FALSE(world.front->serve_cycle());
    EXPECT_EQ(world.service.calls("dispose"), 1);
  }
}

TEST(stream, positions_are_read_whole_while_they_change) {
  const auto threads = platform::make_threads();
  const auto clock = platform::make_clock();
  PositionBoard board;
  std::atomic<bool> stop{false};
  auto writer = threads->start("writer", ports::ThreadRole::control, [&] {
    for (std::uint64_t k = 1; !stop; ++k) board.write({k, k * 3});
  });
  ASSERT_TRUE(writer);
  bool whole = true;
  for (int i = 0; i < 200'000; ++i) {
    const Moment moment = board.read();
    whole = whole && moment.system_ns == moment.position * 3;
  }
  stop = true;
  EXPECT_TRUE((*writer)->join(clock->now() + std::chrono::seconds{20}));
  EXPECT_TRUE(whole);
}

}  // namespace
}  // namespace asiodrv::asio
