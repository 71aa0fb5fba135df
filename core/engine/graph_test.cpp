// Cables, routes and levels, in virtual time.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "core/engine/engine.hpp"
#include "core/engine/testing/engine_world.hpp"

namespace asiodrv::engine {
namespace {

using testing::FakeClient;
using testing::FakeClock;
using testing::FakeDevice;

constexpr Frames kGraphPeriod{64};
constexpr SampleRate kGraphRate{48'000};
constexpr std::uint32_t kCable = 7;
constexpr std::int64_t kNever = -1000;

Port cable_port(std::uint32_t channel) { return {Node::cable, kCable, channel}; }
Port client_port(std::uint32_t id, std::uint32_t channel) { return {Node::client, id, channel}; }

/// A client with one input and one output. It plays `play(k)` in every frame of device period k and
/// keeps the first and last sample that it hears in each period.
struct Player {
  using Play = std::function<float(std::int64_t period)>;
  std::unique_ptr<FakeClient> client;
  std::map<std::int64_t, std::pair<float, float>> heard;
};

class GraphTest : public ::testing::Test {
 protected:
  GraphTest() : device(clock, 4, kGraphPeriod, kGraphRate), engine(clock, {}) {
    engine.set_device(&device, {kGraphRate, kGraphPeriod});
  }

  Player& add(std::uint32_t id, Port input, Port output, Player::Play play) {
    players.push_back(std::make_unique<Player>());
    Player& player = *players.back();
    player.client = std::make_unique<FakeClient>(
        clock, id, std::vector{0U}, std::vector{0U}, kGraphPeriod,
        [this, &player, play = std::move(play)](FakeClient& self, const ClientStamp& stamp) {
          const std::int64_t period = (stamp.boundary - begin) / device.length() - 1;
          player.heard[period] = {self.input(0, stamp.half)[0],
                                  self.input(0, stamp.half)[kGraphPeriod.count - 1]};
          for (std::uint32_t i = 0; i < kGraphPeriod.count; ++i) {
            self.output(0, stamp.half)[i] = play(period);
          }
        });
    player.client->setup().inputs[0] = input;
    player.client->setup().outputs[0] = output;
    EXPECT_TRUE(engine.add_client(player.client->setup()));
    return player;
  }

  void cycles(int count) {
    for (int i = 0; i < count; ++i) ASSERT_EQ(engine.run_cycle(), ports::PeriodStatus::ready);
  }

  static float count_up(std::int64_t period) { return static_cast<float>(period + 1) / 4096.0F; }
  static float half(std::int64_t) { return 0.5F; }
  static float nothing(std::int64_t) { return 0.0F; }

  std::string refusal(const GraphSpec& graph) {
    const auto result = engine.set_graph(graph);
    return result ? "(accepted)" : result.error().message;
  }

  FakeClock clock;
  const Instant begin = clock.now();
  FakeDevice device;
  Engine engine;
  std::vector<std::unique_ptr<Player>> players;
};

TEST_F(GraphTest, a_cable_delays_by_one_period_whoever_starts_first) {
  for (const bool writer_first : {true, false}) {
    ASSERT_TRUE(engine.set_graph({{{kCable, 1}}, {}}));
    Player& writer = add(writer_first ? 1 : 3, device_port(0), cable_port(0), count_up);
    Player& reader = add(writer_first ? 2 : 4, cable_port(0), device_port(1), nothing);
    const std::uint32_t w = writer.client->setup().id, r = reader.client->setup().id;
    ASSERT_TRUE(engine.start_client(writer_first ? w : r));
    cycles(5);
    ASSERT_TRUE(engine.start_client(writer_first ? r : w));
    cycles(20);
    ASSERT_GE(reader.heard.size(), 10U);
    std::size_t compared = 0;
    for (const auto& [period, samples] : reader.heard) {
      if (!writer.heard.contains(period - 1)) continue;
      EXPECT_EQ(samples.first, count_up(period - 1)) << period;
      EXPECT_EQ(samples.second, count_up(period - 1)) << period;
      ++compared;
    }
    EXPECT_GE(compared, 15U);
    engine.remove_client(w);
    engine.remove_client(r);
  }
}

TEST_F(GraphTest, a_client_hears_another_one_period_later_without_a_cable) {
  Player& writer = add(1, device_port(0), device_port(0), count_up);
  Player& reader = add(2, device_port(1), device_port(1), nothing);
  ASSERT_TRUE(engine.set_graph({{}, {{client_port(1, 0), client_port(2, 0), LinearGain{1.0F}}}}));
  ASSERT_TRUE(engine.start_client(1));
  ASSERT_TRUE(engine.start_client(2));
  cycles(20);
  for (std::int64_t period = 5; period < 18; ++period) {
    EXPECT_EQ(reader.heard.at(period).first, count_up(period - 1)) << period;
  }
  EXPECT_FALSE(writer.heard.empty());
}

TEST_F(GraphTest, an_output_in_two_places_is_bit_exact_in_both) {
  Player& player = add(1, device_port(0), device_port(0), count_up);
  ASSERT_TRUE(engine.set_graph({{}, {{client_port(1, 0), device_port(2), LinearGain{1.0F}}}}));
  Player& listener = add(2, device_port(2), device_port(3), nothing);
  ASSERT_TRUE(engine.start_client(1));
  ASSERT_TRUE(engine.start_client(2));
  cycles(20);
  for (std::int64_t period = 5; period < 18; ++period) {
    EXPECT_EQ(player.heard.at(period).second, count_up(period - 2));
    EXPECT_EQ(listener.heard.at(period).second, count_up(period - 2));
  }
}

TEST_F(GraphTest, a_new_gain_is_reached_by_a_ramp_without_steps) {
  Player& player = add(1, device_port(0), device_port(0), half);
  ASSERT_TRUE(engine.start_client(1));
  cycles(10);
  ASSERT_TRUE(engine.set_graph({{}, {{client_port(1, 0), device_port(0), LinearGain{-0.25F}}}}));
  cycles(40);
  // 1 to -0.25 in 20 ms per unit, in frames: no step between neighbours is larger than that.
  const float largest = 0.5F * static_cast<float>(kGraphPeriod.count) / (0.02F * 48'000.0F);
  float last = 0.5F;
  bool moved = false;
  for (std::int64_t period = 6; period < 48; ++period) {
    const auto [first, end] = player.heard.at(period);
    EXPECT_LE(std::fabs(first - last), largest) << period;
    EXPECT_LE(std::fabs(end - first), largest + 1e-6F) << period;
    moved = moved || (end < 0.4F && end > -0.1F);
    last = end;
  }
  EXPECT_TRUE(moved) << "there was no ramp";
  EXPECT_EQ(last, -0.125F);
}

TEST_F(GraphTest, a_route_that_is_removed_runs_out_and_goes) {
  Player& player = add(1, device_port(1), device_port(0), half);
  ASSERT_TRUE(engine.set_graph({{}, {{client_port(1, 0), device_port(1), LinearGain{1.0F}}}}));
  ASSERT_TRUE(engine.start_client(1));
  cycles(10);
  EXPECT_EQ(player.heard.rbegin()->second.second, 0.5F);
  ASSERT_TRUE(engine.set_graph({}));
  cycles(4);
  const float on_the_way = player.heard.rbegin()->second.second;
  EXPECT_GT(on_the_way, 0.0F);
  EXPECT_LT(on_the_way, 0.5F);
  cycles(40);
  EXPECT_EQ(player.heard.rbegin()->second.second, 0.0F);
}

TEST_F(GraphTest, an_input_is_monitored_without_any_program) {
  ASSERT_TRUE(engine.set_graph({{}, {{device_port(0), device_port(1), LinearGain{1.0F}}}}));
  Player& source = add(1, device_port(3), device_port(0), half);
  Player& listener = add(2, device_port(1), device_port(2), nothing);
  ASSERT_TRUE(engine.start_client(1));
  ASSERT_TRUE(engine.start_client(2));
  cycles(60);
  EXPECT_EQ(listener.heard.rbegin()->second.second, 0.5F);
  EXPECT_FALSE(source.heard.empty());
}

TEST_F(GraphTest, loud_sums_are_clipped_once_at_the_device) {
  ASSERT_TRUE(engine.set_graph({{{kCable, 1}},
                                {{cable_port(0), device_port(0), LinearGain{4.0F}},
                                 {cable_port(0), device_port(1), LinearGain{0.25F}}}}));
  Player& player = add(1, device_port(0), cable_port(0), half);
  Player& other = add(2, device_port(1), device_port(2), nothing);
  ASSERT_TRUE(engine.start_client(1));
  ASSERT_TRUE(engine.start_client(2));
  cycles(120);
  EXPECT_EQ(player.heard.rbegin()->second.second, 1.0F);
  EXPECT_EQ(other.heard.rbegin()->second.second, 0.125F);
}

TEST_F(GraphTest, levels_are_those_of_the_sound) {
  ASSERT_TRUE(
      engine.set_graph({{{kCable, 2}}, {{client_port(1, 0), cable_port(1), LinearGain{1.0F}}}}));
  add(1, device_port(0), device_port(0), half);
  ASSERT_TRUE(engine.start_client(1));
  (void)engine.levels();
  for (int i = 0; i < 20; ++i) {
    cycles(100);
    (void)engine.levels();
  }
  const Levels levels = engine.levels();
  ASSERT_EQ(levels.outputs.size(), 4U);
  EXPECT_FLOAT_EQ(levels.outputs[0].peak, 0.5F);
  EXPECT_NEAR(levels.outputs[0].rms, 0.5F, 0.005F);
  EXPECT_EQ(levels.outputs[1].peak, 0.0F);
  EXPECT_FLOAT_EQ(levels.inputs.at(0).peak, 0.5F);
  ASSERT_EQ(levels.cables.size(), 1U);
  EXPECT_FLOAT_EQ(levels.cables[0].inputs.at(1).peak, 0.5F);
  ASSERT_EQ(levels.clients.size(), 1U);
  EXPECT_FLOAT_EQ(levels.clients[0].inputs.at(0).peak, 0.5F);
  EXPECT_FLOAT_EQ(levels.clients[0].outputs.at(0).peak, 0.5F);
}

TEST_F(GraphTest, levels_fall_again_after_a_sample_beyond_all_measure) {
  ASSERT_TRUE(
      engine.set_graph({{{kCable, 1}}, {{client_port(1, 0), cable_port(0), LinearGain{1.0F}}}}));
  add(1, device_port(0), device_port(0),
      [](std::int64_t period) { return period == 10 ? 1e30F : 0.5F; });
  ASSERT_TRUE(engine.start_client(1));
  const auto level = [this] { return engine.levels().cables.at(0).inputs.at(0); };
  (void)level();
  cycles(20);
  EXPECT_GT(level().rms, 1.0F);
  EXPECT_GT(level().peak, 1.0F);
  for (int i = 0; i < 80; ++i) {
    cycles(100);
    (void)level();
  }
  EXPECT_NEAR(level().rms, 0.5F, 0.005F);
  EXPECT_FLOAT_EQ(level().peak, 0.5F);
}

TEST_F(GraphTest, what_cannot_be_is_refused_and_changes_nothing) {
  ASSERT_TRUE(engine.set_graph({{{kCable, 2}}, {}}));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NE(refusal({{{kCable, 129}}, {}}).find("128"), std::string::npos);
  EXPECT_NE(refusal({{{kCable, 0}}, {}}), "(accepted)");
  EXPECT_NE(refusal({{{0, 1}}, {}}), "(accepted)");
  EXPECT_NE(refusal({{{kCable, 1}, {kCable, 1}}, {}}), "(accepted)");
  EXPECT_NE(refusal({{}, {{device_port(0), device_port(0), LinearGain{nan}}}}), "(accepted)");
  EXPECT_NE(refusal({{}, {{device_port(0), device_port(0), LinearGain{16.0F}}}}), "(accepted)");
  EXPECT_NE(refusal({{}, {{device_port(0), cable_port(0), {}}}}), "(accepted)");
  EXPECT_NE(refusal({{{kCable, 2}}, {{device_port(0), cable_port(2), {}}}}), "(accepted)");
  EXPECT_NE(
      refusal({{}, {{device_port(0), device_port(0), {}}, {device_port(0), device_port(0), {}}}}),
      "(accepted)");
  EXPECT_NE(refusal({{{kCable, 2}},
                     {{cable_port(0), cable_port(1), {}}, {cable_port(1), cable_port(0), {}}}}),
            "(accepted)");
  Player& player = add(1, cable_port(1), cable_port(1), half);  // the cable is still there
  ASSERT_TRUE(engine.start_client(1));
  cycles(10);
  EXPECT_EQ(player.heard.rbegin()->second.second, 0.5F);
}

TEST_F(GraphTest, clients_come_and_go_while_routes_stay) {
  ASSERT_TRUE(engine.set_graph({{}, {{client_port(1, 0), device_port(1), LinearGain{0.5F}}}}));
  add(1, device_port(1), device_port(0), half);
  for (int round = 0; round < 5; ++round) {
    ASSERT_TRUE(engine.start_client(1));
    cycles(6);
    EXPECT_EQ(players[0]->heard.rbegin()->second.first, 0.25F) << "from the first sample on";
    engine.stop_client(1);
    cycles(3);
  }
}

}  // namespace
}  // namespace asiodrv::engine
