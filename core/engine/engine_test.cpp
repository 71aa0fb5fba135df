#include "core/engine/engine.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "core/engine/testing/engine_world.hpp"

namespace asiodrv::engine {
namespace {

using testing::FakeClient;
using testing::FakeClock;
using testing::FakeDevice;

constexpr Frames kEnginePeriod{64};
constexpr SampleRate kEngineRate{48'000};

/// What a client plays at an absolute sample position: exact in float, never zero, never repeated
/// within a test.
float tone(std::uint32_t client, std::uint64_t position) {
  return static_cast<float>(1 + position % 8'000'000) / 16'777'216.0F * (client % 2 ? 1.0F : -1.0F);
}

/// A host that plays tone() and keeps what it hears by sample position.
struct Ear {
  explicit Ear(std::uint32_t id) : client(id) {}
  std::uint32_t client;
  std::map<std::uint64_t, float> heard;  // position -> sample of channel 0
  std::vector<std::uint32_t> halves;
  std::vector<std::uint64_t> positions;

  void operator()(FakeClient& self, const ClientStamp& stamp) {
    halves.push_back(stamp.half);
    positions.push_back(stamp.sample_position);
    for (std::uint32_t i = 0; i < kEnginePeriod.count; ++i) {
      heard[stamp.sample_position + i] = self.input(0, stamp.half)[i];
      self.output(0, stamp.half)[i] = tone(client, stamp.sample_position + i);
    }
  }
};

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() : device(clock, 4, kEnginePeriod, kEngineRate), engine(clock, {}) {
    engine.set_device(&device, {kEngineRate, kEnginePeriod});
  }

  /// A client on channel `id - 1` both ways, started.
  FakeClient& join(std::uint32_t id) {
    ears.push_back(std::make_unique<Ear>(id));
    Ear* const ear = ears.back().get();
    clients.push_back(std::make_unique<FakeClient>(
        clock, id, std::vector{id - 1}, std::vector{id - 1}, kEnginePeriod,
        [ear](FakeClient& self, const ClientStamp& stamp) { (*ear)(self, stamp); }));
    EXPECT_TRUE(engine.add_client(clients.back()->setup()));
    EXPECT_TRUE(engine.start_client(id));
    return *clients.back();
  }

  /// A client on channel 0 that is played one period later; its id is 5.
  FakeClient& join_deferred() {
    FakeClient& client = join(1);
    engine.remove_client(1);
    client.setup().deferred = true;
    client.setup().id = 5;
    EXPECT_TRUE(engine.add_client(client.setup()));
    EXPECT_TRUE(engine.start_client(5));
    return client;
  }

  void cycles(int count) {
    for (int i = 0; i < count; ++i) ASSERT_EQ(engine.run_cycle(), ports::PeriodStatus::ready);
  }

  /// Positions at which client `id` did not hear what it played two periods before.
  std::vector<std::uint64_t> wrong(std::uint32_t id, std::uint64_t from = 2 * kEnginePeriod.count) {
    std::vector<std::uint64_t> positions;
    for (const auto& [position, sample] : ears[id - 1]->heard) {
      if (position < from) continue;
      if (sample != tone(id, position - 2 * kEnginePeriod.count)) positions.push_back(position);
    }
    return positions;
  }

  std::uint32_t causes(std::uint32_t client) {
    std::uint32_t found = 0;
    for (const XrunEvent& event : engine.flight().newest_events(FlightRecorder::kEvents)) {
      if (event.client == client) found |= event.causes;
    }
    return found;
  }
  static std::uint32_t bits(std::initializer_list<XrunCause> list) {
    std::uint32_t result = 0;
    for (const XrunCause cause : list) result |= static_cast<std::uint32_t>(cause);
    return result;
  }

  FakeClock clock;
  FakeDevice device;
  Engine engine;
  std::vector<std::unique_ptr<Ear>> ears;
  std::vector<std::unique_ptr<FakeClient>> clients;
};

TEST_F(EngineTest, a_loopback_takes_exactly_two_periods_bit_for_bit) {
  join(1);
  cycles(1000);
  EXPECT_GE(ears[0]->heard.size(), 990U * kEnginePeriod.count);
  EXPECT_TRUE(wrong(1).empty());
  EXPECT_EQ(engine.flight().events_written(), 0U);
}

TEST_F(EngineTest, halves_alternate_from_zero_and_positions_advance_by_the_period) {
  join(1);
  cycles(100);
  ASSERT_GE(ears[0]->halves.size(), 98U);
  for (std::size_t k = 0; k < ears[0]->halves.size(); ++k) {
    EXPECT_EQ(ears[0]->halves[k], k % 2);
    EXPECT_EQ(ears[0]->positions[k], k * kEnginePeriod.count);
  }
}

TEST_F(EngineTest, the_half_filled_before_start_is_played_just_before_the_first_callback_s) {
  auto client = std::make_unique<FakeClient>(
      clock, 7, std::vector<std::uint32_t>{0}, std::vector<std::uint32_t>{0}, kEnginePeriod,
      [&, heard = 0](FakeClient& self, const ClientStamp& stamp) mutable {
        // Position 64 hears what played one period before position 0: the pre-filled half.
        if (++heard == 2) {
          EXPECT_EQ(self.input(0, stamp.half)[5], 0.25F);
        }
        std::fill_n(self.output(0, stamp.half), kEnginePeriod.count, 0.0F);
      });
  std::fill_n(client->output(0, 1), kEnginePeriod.count, 0.25F);
  ASSERT_TRUE(engine.add_client(client->setup()));
  ASSERT_TRUE(engine.start_client(7));
  cycles(4);
  EXPECT_EQ(client->callbacks, 3U);
}

TEST_F(EngineTest, a_late_client_is_counted_by_name_and_nobody_else_hears_it) {
  FakeClient& slow = join(1);
  join(2);
  cycles(100);
  slow.callback_time = device.length() * 2;
  cycles(1);
  slow.callback_time = {};
  cycles(100);
  EXPECT_FALSE(wrong(1).empty());
  EXPECT_TRUE(wrong(2).empty());
  EXPECT_EQ(engine.counters(1).late, 1U);
  EXPECT_GE(engine.counters(1).away, 1U);
  EXPECT_EQ(engine.counters(2).late, 0U);
  EXPECT_EQ(causes(1), bits({XrunCause::late_client, XrunCause::client_away, XrunCause::recovery}));
  EXPECT_EQ(causes(2), 0U);
  EXPECT_EQ(causes(kNoClient), 0U);
}

TEST_F(EngineTest, every_damaged_sample_lies_in_a_period_that_an_event_names) {
  FakeClient& slow = join(1);
  cycles(50);
  for (int burst = 0; burst < 20; ++burst) {
    slow.callback_time = device.length() * (1 + burst % 5);
    if (burst % 4 == 3) device.oversleep = device.length() * (burst % 3) + device.length() / 2;
    cycles(1);
    slow.callback_time = {};
    cycles(17);
  }
  std::vector<bool> named(2000, false);
  for (const XrunEvent& event : engine.flight().newest_events(FlightRecorder::kEvents)) {
    for (std::uint32_t i = 0; i < event.periods; ++i) named[event.first_period + i] = true;
  }
  const std::uint64_t start = engine.counters(1).start_period;
  ASSERT_FALSE(wrong(1).empty());
  for (const std::uint64_t position : wrong(1)) {
    // A sample is damaged where it was to be played (two periods before) or where it was heard.
    const std::uint64_t heard = start + position / kEnginePeriod.count;
    EXPECT_TRUE(named[heard] || named[heard - 1] || named[heard - 2])
        << "position " << position << ", period " << heard;
  }
}

TEST_F(EngineTest, an_oversleeping_engine_thread_blames_the_scheduler_and_keeps_positions_true) {
  join(1);
  cycles(10);
  device.oversleep = device.length() * 5 + device.length() / 10;
  cycles(20);
  EXPECT_EQ(causes(kNoClient), bits({XrunCause::late_wake}));
  EXPECT_EQ(causes(1), 0U);
  const auto& positions = ears[0]->positions;
  bool jumped = false;
  for (std::size_t i = 1; i < positions.size(); ++i) {
    const std::uint64_t step = positions[i] - positions[i - 1];
    if (step != kEnginePeriod.count) {
      EXPECT_EQ(step, 6U * kEnginePeriod.count);
      jumped = true;
    }
  }
  EXPECT_TRUE(jumped);
}

TEST_F(EngineTest, a_block_that_the_device_refuses_in_time_is_the_device_s_gap) {
  join(1);
  cycles(10);
  device.refuses = true;
  cycles(1);
  device.refuses = false;
  cycles(10);
  EXPECT_EQ(causes(kNoClient), bits({XrunCause::device_gap}));
}

TEST_F(EngineTest, after_a_restart_of_the_device_no_old_block_is_played_again) {
  FakeClient& client = join(1);
  cycles(10);
  ears[0]->heard.clear();
  engine.set_device(nullptr, {});
  FakeDevice again(clock, 4, kEnginePeriod, kEngineRate);
  engine.set_device(&again, {kEngineRate, kEnginePeriod});
  cycles(4);
  ASSERT_GE(client.callbacks, 12U);
  for (const auto& [position, sample] : ears[0]->heard) {
    if (position >= 2 * kEnginePeriod.count) continue;
    EXPECT_EQ(sample, 0.0F) << "at " << position;
  }
}

TEST_F(EngineTest, a_dead_client_costs_one_deadline_and_is_forgotten_when_removed) {
  FakeClient& dead = join(1);
  join(2);
  cycles(10);
  dead.dead = true;
  cycles(5);
  EXPECT_EQ(engine.counters(1).late, 1U);  // rung once; afterwards it is away, not late again
  engine.remove_client(1);
  const std::uint64_t before = engine.flight().events_written();
  cycles(50);
  EXPECT_EQ(engine.flight().events_written(), before);
  EXPECT_TRUE(wrong(2).empty());
  EXPECT_EQ(engine.running_clients(), 1U);
}

TEST_F(EngineTest, not_a_number_from_one_client_never_reaches_another_s_mix) {
  join(1);
  const float poison[] = {std::numeric_limits<float>::quiet_NaN(),
                          std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity(), 1e30F};
  auto hostile = std::make_unique<FakeClient>(
      clock, 9, std::vector<std::uint32_t>{}, std::vector<std::uint32_t>{0}, kEnginePeriod,
      [&](FakeClient& self, const ClientStamp& stamp) {
        for (std::uint32_t i = 0; i < kEnginePeriod.count; ++i) {
          self.output(0, stamp.half)[i] = poison[i % 4];
        }
      });
  ASSERT_TRUE(engine.add_client(hostile->setup()));
  ASSERT_TRUE(engine.start_client(9));
  cycles(100);
  for (const auto& [position, sample] : ears[0]->heard) {
    ASSERT_TRUE(sample >= -1.0F && sample <= 1.0F) << "position " << position;
    if (position > 10 * kEnginePeriod.count && position % 4 == 0) {
      ASSERT_EQ(sample, tone(1, position - 2 * kEnginePeriod.count)) << "beside a NaN";
    }
  }
}

TEST_F(EngineTest, two_clients_on_one_output_are_summed_and_clipped_once) {
  const auto constant = [](float value) {
    return [value](FakeClient& self, const ClientStamp& stamp) {
      std::fill_n(self.output(0, stamp.half), kEnginePeriod.count, value);
    };
  };
  float heard = 0;
  std::vector<std::unique_ptr<FakeClient>> players;
  for (const auto& [id, value] :
       {std::pair{11U, 0.75F}, std::pair{12U, 0.75F}, std::pair{13U, -0.25F}}) {
    players.push_back(std::make_unique<FakeClient>(clock, id, std::vector<std::uint32_t>{},
                                                   std::vector<std::uint32_t>{0}, kEnginePeriod,
                                                   constant(value)));
  }
  FakeClient listener(
      clock, 14, {0}, {}, kEnginePeriod,
      [&](FakeClient& self, const ClientStamp& stamp) { heard = self.input(0, stamp.half)[0]; });
  for (const auto& player : players) {
    ASSERT_TRUE(engine.add_client(player->setup()));
    ASSERT_TRUE(engine.start_client(player->setup().id));
  }
  ASSERT_TRUE(engine.add_client(listener.setup()));
  ASSERT_TRUE(engine.start_client(14));
  cycles(10);
  EXPECT_EQ(heard, 1.0F);  // 0.75 + 0.75 - 0.25 = 1.25, clipped at the end, not on the way
  engine.stop_client(12);
  cycles(10);
  EXPECT_EQ(heard, 0.5F);
}

TEST_F(EngineTest, a_free_running_client_gets_no_audio_until_it_follows_again) {
  FakeClient& client = join(1);
  cycles(20);
  const std::uint64_t before = client.callbacks;
  client.reply_ = {1, true};
  cycles(1);  // the resync ring; the fake answers "following" to it
  EXPECT_EQ(client.callbacks, before);
  cycles(20);
  EXPECT_EQ(client.callbacks, before + 20);
  EXPECT_EQ(ears[0]->halves[before], 1U) << "the client named its next half";
}

TEST_F(EngineTest, a_client_that_finds_its_way_back_in_time_is_not_late) {
  FakeClient& client = join(1);
  cycles(20);
  client.reply_ = {1, true};
  cycles(20);
  EXPECT_EQ(engine.counters(1).late, 0U);
  const auto events = engine.flight().newest_events(10);
  ASSERT_EQ(events.size(), 2U) << "away for a period, and back";
  EXPECT_EQ(events[0].causes, static_cast<std::uint32_t>(XrunCause::client_away));
  EXPECT_EQ(events[1].causes, static_cast<std::uint32_t>(XrunCause::recovery));
}

TEST_F(EngineTest, a_deferring_client_is_played_one_period_later_and_never_waited_for) {
  FakeClient& client = join_deferred();
  client.callback_time = device.length() - std::chrono::microseconds{10};
  ears[0]->heard.clear();
  cycles(200);
  EXPECT_EQ(engine.flight().events_written(), 0U);
  std::size_t compared = 0;
  for (const auto& [position, sample] : ears[0]->heard) {
    if (position < 4 * kEnginePeriod.count) continue;
    ASSERT_EQ(sample, tone(1, position - 3 * kEnginePeriod.count));
    ++compared;
  }
  EXPECT_GT(compared, 10'000U);
}

TEST_F(EngineTest, what_a_deferring_client_gave_before_it_was_away_is_not_heard_afterwards) {
  FakeClient& client = join_deferred();
  cycles(20);
  const auto spoil = [&] {  // no tone of this test is as large
    std::fill_n(client.output(0, 0), kEnginePeriod.count, 0.5F);
    std::fill_n(client.output(0, 1), kEnginePeriod.count, 0.5F);
  };
  const auto largest_heard = [&] {
    ears[0]->heard.clear();
    cycles(10);
    float largest = 0.0F;
    for (const auto& [position, sample] : ears[0]->heard) largest = std::max(largest, sample);
    return largest;
  };
  (void)client.setup().ack->count();  // it has answered,
  client.reply_.free_running = true;  // goes its own way, and is back for the next ring
  cycles(1);
  spoil();
  EXPECT_LT(largest_heard(), 0.1F);

  client.callback_time = device.length() * 5 / 2;  // it is away for two periods
  cycles(3);
  client.callback_time = nanoseconds{0};
  ASSERT_TRUE((causes(5) & bits({XrunCause::client_away})) != 0);
  const std::uint64_t answered = client.callbacks;
  clock.advance(device.length() / 2);
  EXPECT_EQ(client.setup().ack->count(), client.setup().wake->count());
  EXPECT_EQ(client.callbacks, answered + 1);
  spoil();
  EXPECT_LT(largest_heard(), 0.1F);
}

TEST_F(EngineTest, a_cycle_is_not_given_up_because_the_machine_stood_still_in_it) {
  std::uint64_t looks = 0;
  FakeClient client(clock, 1, {0}, {0}, kEnginePeriod, [&](FakeClient&, const ClientStamp&) {
    if (looks > 0) return;
    clock.pause = std::chrono::seconds{5};
    const std::uint64_t before = clock.sleeps;
    EXPECT_TRUE(engine.set_graph({}));  // in a cycle that will not end before it has returned
    looks = clock.sleeps - before;
  });
  ASSERT_TRUE(engine.add_client(client.setup()));
  ASSERT_TRUE(engine.start_client(1));
  cycles(10);
  EXPECT_GT(looks, 1'000U);
}

TEST_F(EngineTest, bad_clients_are_refused_with_a_reason) {
  FakeClient outside(clock, 1, {4}, {0}, kEnginePeriod, [](auto&, auto&) {});
  EXPECT_EQ(engine.add_client(outside.setup()).error().code, ErrorCode::invalid_argument);
  FakeClient good(clock, 1, {0}, {0}, kEnginePeriod, [](auto&, auto&) {});
  ASSERT_TRUE(engine.add_client(good.setup()));
  EXPECT_EQ(engine.add_client(good.setup()).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(engine.start_client(99).error().code, ErrorCode::not_found);
  ASSERT_TRUE(engine.start_client(1));
  EXPECT_EQ(engine.start_client(1).error().code, ErrorCode::invalid_state);
  std::vector<std::unique_ptr<FakeClient>> crowd;
  for (std::uint32_t id = 100; engine.running_clients() == 1; ++id) {
    crowd.push_back(std::make_unique<FakeClient>(clock, id, std::vector<std::uint32_t>{},
                                                 std::vector<std::uint32_t>{0}, kEnginePeriod,
                                                 [](auto&, auto&) {}));
    const auto added = engine.add_client(crowd.back()->setup());
    if (!added) {
      EXPECT_EQ(added.error().code, ErrorCode::limit_reached);
      EXPECT_EQ(crowd.size(), Engine::kMaxClients);
      break;
    }
  }
}

TEST_F(EngineTest, a_lost_device_ends_run_with_false) {
  join(1);
  cycles(3);
  device.lost = true;
  EXPECT_FALSE(engine.run());
}

TEST_F(EngineTest, what_a_client_played_alone_before_its_first_period_is_not_heard) {
  FakeClient& client = join(1);
  std::fill_n(client.output(0, 1), kEnginePeriod.count, 0.5F);
  client.reply_.free_running = true;  // the engine came so late that it has gone its own way
  cycles(1);
  client.reply_.free_running = false;
  cycles(6);
  for (const auto& [position, sample] : ears[0]->heard) EXPECT_NE(sample, 0.5F) << position;
}

}  // namespace
}  // namespace asiodrv::engine
