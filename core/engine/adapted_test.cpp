// Clients with their own buffer size or rate, through the whole engine in virtual time.
#include <gtest/gtest.h>

#include <map>

#include "core/engine/engine.hpp"
#include "core/engine/testing/engine_world.hpp"

namespace asiodrv::engine {
namespace {

using testing::FakeClient;
using testing::FakeClock;
using testing::FakeDevice;

constexpr Frames kPeriod{64};
constexpr SampleRate kRate{48'000};

float tone(std::uint64_t position) {
  return static_cast<float>(1 + position % 8'000'000) / 16'777'216.0F;
}

class AdaptedTest : public ::testing::Test {
 protected:
  AdaptedTest() : device(clock, 4, kPeriod, kRate), engine(clock, {}) {
    engine.set_device(&device, {kRate, kPeriod});
  }

  /// Plays tone() by position on channel `id - 1`, keeps what it hears there.
  FakeClient& join(std::uint32_t id, Frames frames, SampleRate rate = kRate) {
    auto& heard = ears[id];
    clients.push_back(std::make_unique<FakeClient>(
        clock, id, std::vector{id - 1}, std::vector{id - 1}, frames,
        [&heard, frames, this](FakeClient& self, const ClientStamp& stamp) {
          stamps.push_back(stamp);
          for (std::uint32_t i = 0; i < frames.count; ++i) {
            heard[stamp.sample_position + i] = self.input(0, stamp.half)[i];
            self.output(0, stamp.half)[i] = tone(stamp.sample_position + i);
          }
        }));
    clients.back()->setup().frames = frames;
    clients.back()->setup().rate = rate;
    const auto added = engine.add_client(clients.back()->setup());
    EXPECT_TRUE(added) << added.error().message;
    EXPECT_TRUE(engine.start_client(id));
    return *clients.back();
  }

  void cycles(int count) {
    for (int i = 0; i < count; ++i) ASSERT_EQ(engine.run_cycle(), ports::PeriodStatus::ready);
  }

  std::uint64_t round_trip(std::uint32_t id) {
    const ClientLatency latency = engine.latency(id);
    return std::uint64_t{latency.input.count} + latency.output.count;
  }

  /// Frames from `from` on that are not what was played one reported round trip before.
  std::uint64_t wrong(std::uint32_t id, std::uint64_t from = 0) {
    std::uint64_t count = 0;
    const std::uint64_t delay = round_trip(id);
    for (const auto& [position, sample] : ears[id]) {
      if (position < from + delay) continue;
      if (sample != tone(position - delay)) ++count;
    }
    return count;
  }

  FakeClock clock;
  FakeDevice device;
  Engine engine;
  std::map<std::uint32_t, std::map<std::uint64_t, float>> ears;
  std::vector<ClientStamp> stamps;
  std::vector<std::unique_ptr<FakeClient>> clients;
};

TEST_F(AdaptedTest, every_buffer_size_is_bit_exact_at_the_reported_round_trip) {
  for (const std::uint32_t frames : {16U, 32U, 128U, 256U, 1024U, 48U, 96U, 480U}) {
    join(1, Frames{frames});
    cycles(400);
    EXPECT_GE(ears[1].size(), 390U * kPeriod.count - 2 * frames) << frames;
    EXPECT_EQ(wrong(1), 0U) << frames;
    EXPECT_EQ(engine.flight().events_written(), 0U) << frames;
    if (frames >= 64 && frames % 64 == 0) {
      EXPECT_EQ(round_trip(1), 2 * frames);
    }
    engine.remove_client(1);
    ears.clear();
  }
}

TEST_F(AdaptedTest, clients_of_all_sizes_share_the_device_without_touching_each_other) {
  join(1, Frames{128});
  join(2, Frames{64});
  join(3, Frames{32});
  join(4, Frames{512});
  cycles(600);
  for (std::uint32_t id = 1; id <= 4; ++id) {
    EXPECT_FALSE(ears[id].empty());
    EXPECT_EQ(wrong(id), 0U) << id;
  }
  EXPECT_EQ(engine.flight().events_written(), 0U);
}

TEST_F(AdaptedTest, a_large_buffer_may_be_computed_for_nearly_its_whole_length) {
  FakeClient& slow = join(1, Frames{512});
  join(2, Frames{64});
  slow.callback_time = device.length() * 7;  // of 8 periods
  cycles(400);
  EXPECT_EQ(wrong(1), 0U);
  EXPECT_EQ(wrong(2), 0U);
  EXPECT_EQ(engine.flight().events_written(), 0U);
}

TEST_F(AdaptedTest, a_late_block_is_blamed_on_its_client_and_the_delay_stays) {
  FakeClient& slow = join(1, Frames{256});
  join(2, Frames{64});
  cycles(100);
  slow.callback_time = device.length() * 6;
  cycles(20);
  slow.callback_time = nanoseconds{0};
  cycles(5);
  const std::uint64_t recovered = ears[1].rbegin()->first + 1024;
  cycles(200);
  EXPECT_GT(wrong(1), 0U);
  EXPECT_EQ(wrong(1, recovered), 0U) << "the timeline moved";
  EXPECT_EQ(wrong(2), 0U);
  EXPECT_GT(engine.counters(1).late + engine.counters(1).away, 0U);
  EXPECT_EQ(engine.counters(2).late, 0U);
  for (const XrunEvent& event : engine.flight().newest_events(FlightRecorder::kEvents)) {
    EXPECT_EQ(event.client, 1U);
  }
}

TEST_F(AdaptedTest, small_buffers_are_served_while_another_client_is_late) {
  FakeClient& hung = join(1, kPeriod);
  FakeClient& small = join(2, Frames{16});
  FakeClient& hung_too = join(3, Frames{32});
  FakeClient& small_too = join(4, Frames{16});
  // Some time, or they would answer even after the deadline has come.
  small.callback_time = small_too.callback_time = device.length() / 64;
  cycles(50);
  hung.callback_time = hung_too.callback_time = device.length() * 3;
  cycles(50);
  EXPECT_GT(engine.counters(1).late, 0U);
  EXPECT_GT(engine.counters(3).late, 0U);
  for (const std::uint32_t id : {2U, 4U}) {
    EXPECT_EQ(engine.counters(id).late + engine.counters(id).away, 0U) << id;
    EXPECT_EQ(wrong(id), 0U) << id;
  }
}

TEST_F(AdaptedTest, stamps_of_another_rate_are_a_smooth_line) {
  join(1, Frames{128}, SampleRate{44'100});
  cycles(600);
  ASSERT_GT(stamps.size(), 100U);
  const double length_ns = 128.0 / 44'100 * 1e9;
  for (std::size_t k = 1; k < stamps.size(); ++k) {
    EXPECT_EQ(stamps[k].sample_position, k * 128);
    EXPECT_EQ(stamps[k].rate_hz, 44'100.0);
    EXPECT_NEAR(static_cast<double>((stamps[k].boundary - stamps[k - 1].boundary).count()),
                length_ns, 200.0);
    EXPECT_NE(stamps[k].half, stamps[k - 1].half);
  }
}

TEST_F(AdaptedTest, a_client_that_goes_its_own_way_is_heard_again_later) {
  FakeClient& client = join(1, Frames{256});
  cycles(50);
  client.reply_.free_running = true;
  cycles(60);
  const std::uint64_t settled = ears[1].rbegin()->first;
  cycles(200);
  EXPECT_EQ(wrong(1, settled), 0U);
  EXPECT_GT(ears[1].rbegin()->first, settled + 5000);
}

TEST_F(AdaptedTest, what_a_client_loses_on_its_way_back_is_recorded) {
  for (const std::uint32_t frames : {16U, 32U, 128U, 256U}) {
    FakeClient& client = join(1, Frames{frames});
    cycles(50);
    const std::uint64_t before = engine.flight().events_written();
    client.reply_.free_running = true;
    cycles(60);
    EXPECT_GT(wrong(1), 0U) << frames;
    const std::vector<XrunEvent> events = engine.flight().newest_events(
        static_cast<std::uint32_t>(engine.flight().events_written() - before));
    // Without audio in either direction, whatever the client answers: silence is not its sound.
    ASSERT_EQ(events.size(), 1U) << frames;
    EXPECT_EQ(events[0].causes, static_cast<std::uint32_t>(XrunCause::client_away));
    EXPECT_EQ(events[0].client, 1U);
    engine.remove_client(1);
    ears.clear();
  }
}

TEST_F(AdaptedTest, lost_periods_leave_the_round_trip_as_it_was) {
  join(1, Frames{128});
  cycles(100);
  device.oversleep = device.length() * 3;
  cycles(20);
  const std::uint64_t settled = ears[1].rbegin()->first;
  cycles(200);
  EXPECT_EQ(wrong(1, settled), 0U);
}

TEST_F(AdaptedTest, a_host_that_defers_pays_for_it_and_is_told_how_much) {
  FakeClient& plain = join(1, Frames{256});
  engine.remove_client(1);
  plain.setup().deferred = true;
  plain.setup().id = 2;
  ASSERT_TRUE(engine.add_client(plain.setup()));
  EXPECT_EQ(round_trip(2), 2 * 256U + kPeriod.count);
}

TEST_F(AdaptedTest, a_host_that_defers_is_refused_buffers_shorter_than_a_period) {
  FakeClient client(clock, 9, {0}, {0}, Frames{32}, [](FakeClient&, const ClientStamp&) {});
  client.setup().frames = Frames{32};
  client.setup().deferred = true;
  const auto refused = engine.add_client(client.setup());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("larger buffer size"), std::string::npos);
}

TEST_F(AdaptedTest, buffers_that_a_move_of_the_device_made_too_short_are_not_started) {
  FakeClient client(clock, 9, {0}, {0}, kPeriod, [](FakeClient&, const ClientStamp&) {});
  client.setup().frames = kPeriod;
  client.setup().deferred = true;
  ASSERT_TRUE(engine.add_client(client.setup()));
  FakeDevice longer(clock, 4, Frames{128}, kRate);
  engine.set_device(&longer, {kRate, Frames{128}});
  EXPECT_TRUE(engine.counters(9).rests);
  EXPECT_EQ(engine.start_client(9).error().code, ErrorCode::format_refused);
  engine.set_device(&device, {kRate, kPeriod});
  EXPECT_FALSE(engine.counters(9).rests);
  EXPECT_TRUE(engine.start_client(9));
}

TEST_F(AdaptedTest, the_device_moves_under_a_client_that_keeps_its_buffers) {
  join(1, Frames{128});
  cycles(100);
  EXPECT_EQ(wrong(1), 0U);
  FakeDevice other(clock, 4, Frames{32}, kRate);
  engine.set_device(&other, {kRate, Frames{32}});
  ears[1].clear();
  cycles(400);
  EXPECT_EQ(round_trip(1), 256U);
  EXPECT_GT(ears[1].size(), 10'000U);
  EXPECT_EQ(wrong(1), 0U);
}

}  // namespace
}  // namespace asiodrv::engine
