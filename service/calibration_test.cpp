// Calibrations through the whole service: a stepping device whose outputs are wired to its inputs
// and which reports 3 and 5 frames that it does not have.
#include "service/calibration.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "core/ports/virtual_clock.hpp"
#include "platform/platform.hpp"
#include "service/corrections.hpp"
#include "service/testing/mini_host.hpp"
#include "service/testing/test_world.hpp"

namespace asiodrv::service {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::MiniHost;
using testing::TestWorld;
using wire::HostEventKind;

constexpr std::uint32_t kPeriod = 512;

class calibration : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              (std::string("calibration-") +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    world.calibration_path = (folder_ / "calibration.json").string();
    world.config.config.preferred_frames = Frames{kPeriod};
  }
  void TearDown() override { fs::remove_all(folder_); }

  void connect() {
    control.emplace(*world.clock, *world.threads, world.transport);
    ASSERT_TRUE(control->connect(world.soon()));
  }
  Result<json> call(const char* method, const json& params = json::object()) {
    return control->call(method, params, world.soon());
  }
  Result<json> start(const char* output = "out:1", const char* input = "in:1",
                     json more = json::object()) {
    more["output"] = output;
    more["input"] = input;
    return call("calibrate.start", more);
  }

  /// Lets periods pass until there is a result: at most more than all shots take.
  Result<json> finish() {
    constexpr std::uint64_t kAtOnce = 16;
    for (int i = 0; i < 60; ++i) {
      const std::uint64_t before = world.device->committed;
      world.device->allow(kAtOnce);
      if (!world.device->wait_committed(before + kAtOnce)) break;
      auto answer = call("calibrate.result");
      if (!answer || answer->value("state", "") == "done") return answer;
    }
    return fail(ErrorCode::internal, "The test has waited long enough.");
  }

  void expect_refused(const Result<json>& answer, const char* part) {
    ASSERT_FALSE(answer) << answer->dump();
    EXPECT_NE(answer.error().message.find(part), std::string::npos) << answer.error().message;
  }

  /// The last program has left, and what it leaves open is closed by a thread of the service, which
  /// rings when it has done so.
  void await_closed_device() {
    const Instant deadline = world.soon();
    while (world.device->opens != world.device->closes) {
      ASSERT_LT(world.clock->now(), deadline);
      (void)world.idle->wait(world.clock->now() + std::chrono::milliseconds{50});
    }
  }

  /// What a new program at the device's format is told, both ways together.
  std::uint32_t told_round_trip(std::uint32_t frames) {
    const auto client = world.connected("daw.exe");
    const auto grant = client->create_session({Frames{frames}, {0}, {0}}, world.soon());
    if (!grant) {
      ADD_FAILURE() << grant.error().message;
      return 0;
    }
    return grant->input_latency.count + grant->output_latency.count;
  }

  TestWorld world;
  std::optional<ipc::ControlClient> control;

 private:
  fs::path folder_;
};

TEST_F(calibration, measures_the_cable_keeps_what_it_found_and_tells_programs) {
  world.begin();
  connect();
  EXPECT_EQ(told_round_trip(kPeriod), 2 * kPeriod + 8);
  ASSERT_TRUE(start());
  const auto result = finish();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_NEAR(result->at("measured_frames").get<double>(), 2 * kPeriod, 0.05);
  EXPECT_EQ(result->at("before_frames"), 2 * kPeriod + 8);
  EXPECT_EQ(result->at("after_frames"), 2 * kPeriod);
  EXPECT_NEAR(result->at("correction_frames").get<double>(), -8, 0.05);
  EXPECT_EQ(result->at("shots"), 5);
  EXPECT_EQ(world.device->opens, world.device->closes);
  EXPECT_EQ(told_round_trip(kPeriod), 2 * kPeriod);
  await_closed_device();  // or the next program would be adapted to the one that leaves
  EXPECT_EQ(told_round_trip(2 * kPeriod), 4 * kPeriod + 8) << "another size is not corrected";
  const LoadedCorrections kept = load_corrections(world.calibration_path);
  ASSERT_EQ(kept.corrections.all().size(), 1U);
  EXPECT_NEAR(kept.corrections.all()[0].frames, -8, 0.05);
}

/// An answer that is too long for a message ends its connection.
TEST_F(calibration, a_list_of_very_many_comes_in_pages) {
  constexpr std::uint32_t kMany = 2'000;
  Corrections corrections;
  Correction each;
  each.key = {std::string(100, 'd'), "exclusive", SampleRate{8'000}, {}};
  each.name = "Step";
  for (each.key.period = {1}; each.key.period.count <= kMany; ++each.key.period.count) {
    ASSERT_TRUE(corrections.set(each));
  }
  ASSERT_TRUE(save_corrections(world.calibration_path, corrections));
  world.begin();
  connect();
  std::size_t rows = 0;
  while (rows < kMany) {
    const auto page = call("calibrate.list", {{"from", rows}});
    ASSERT_TRUE(page) << page.error().message;
    ASSERT_FALSE(page->at("corrections").empty());
    EXPECT_EQ(page->at("corrections").front().at("period_frames"), rows + 1);
    EXPECT_EQ(page->at("total"), kMany);
    rows += page->at("corrections").size();
    EXPECT_EQ(page->at("next"), rows);
  }
}

TEST_F(calibration, the_next_service_knows_it_and_forgetting_undoes_it) {
  Corrections corrections;
  Correction known;
  known.key = {"step", {}, SampleRate{8'000}, Frames{kPeriod}};
  known.name = "Step";
  known.frames = 100.4;
  ASSERT_TRUE(corrections.set(known));
  ASSERT_TRUE(save_corrections(world.calibration_path, corrections));
  world.begin();
  connect();
  EXPECT_EQ(told_round_trip(kPeriod), 2 * kPeriod + 108);
  const auto list = call("calibrate.list");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->at("corrections").size(), 1U);
  EXPECT_EQ(list->at("periods_frames").front(), 32);
  EXPECT_EQ(call("calibrate.forget", {{"frames", 64}})->at("forgotten"), 0);
  EXPECT_EQ(call("calibrate.forget")->at("forgotten"), 1);
  EXPECT_EQ(told_round_trip(kPeriod), 2 * kPeriod + 8);
  EXPECT_TRUE(load_corrections(world.calibration_path).corrections.all().empty());
}

TEST_F(calibration, programs_play_on_undisturbed_and_hear_of_the_correction) {
  world.begin();
  connect();
  MiniHost host(world, "daw.exe", Frames{kPeriod}, {2, 3});
  host.start();
  ASSERT_TRUE(start());
  const auto result = finish();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_NEAR(result->at("measured_frames").get<double>(), 2 * kPeriod, 0.05);
  const auto event = host.link->next_event(world.soon());
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, HostEventKind::latencies_changed);
  EXPECT_EQ(event->input_latency.count + event->output_latency.count, 2 * kPeriod);
  host.leave();
  EXPECT_GT(host.cycles(), 100U);
  EXPECT_EQ(host.wrong(), 0U);
}

TEST_F(calibration, a_program_on_the_same_channels_does_not_spoil_it) {
  world.begin();
  connect();
  MiniHost host(world, "daw.exe", Frames{kPeriod}, {0, 1});
  host.start();
  ASSERT_TRUE(start());
  const auto result = finish();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_NEAR(result->at("measured_frames").get<double>(), 2 * kPeriod, 0.2);
}

TEST_F(calibration, without_a_cable_nothing_is_kept) {
  world.begin();
  connect();
  ASSERT_TRUE(start("out:1", "in:2"));
  expect_refused(finish(), "Nothing of what out:1 plays comes back at in:2");
  EXPECT_TRUE(load_corrections(world.calibration_path).corrections.all().empty());
  EXPECT_EQ(world.device->opens, world.device->closes);
  expect_refused(call("calibrate.result"), "No calibration");
}

TEST_F(calibration, ports_that_no_cable_fits_are_refused_by_name) {
  world.begin();
  connect();
  expect_refused(start("out:5", "in:1"), "choose out:1 to out:4, not out:5");
  expect_refused(start("out:1", "in:0"), "in:0");
  expect_refused(start("in:1", "in:1"), "in:1");
  expect_refused(start("Talk:1", "in:1"), "Talk:1");
  expect_refused(start("daw.exe/in:1", "in:1"), "daw.exe/in:1");
  expect_refused(call("calibrate.start", {{"output", 1}, {"input", "in:1"}}), "output");
  EXPECT_EQ(world.device->opens, 0);
}

TEST_F(calibration, another_format_waits_until_programs_have_left) {
  world.begin();
  connect();
  {
    MiniHost host(world, "daw.exe", Frames{kPeriod}, {2});
    host.start();
    expect_refused(start("out:1", "in:1", {{"frames", 64}}), "Close them");
    expect_refused(start("out:1", "in:1", {{"rate_hz", 48'000}}), "8000 Hz with periods of 512");
    ASSERT_TRUE(start("out:1", "in:1", {{"frames", kPeriod}, {"rate_hz", 8'000}}));
    ASSERT_TRUE(finish());
    host.leave();
  }
  await_closed_device();
  world.device->refuse_open = true;
  expect_refused(start(), "It is taken.");
  world.device->refuse_open = false;
  ASSERT_TRUE(start("out:1", "in:1", {{"frames", 1024}, {"rate_hz", 48'000}}));
  const auto result = finish();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_NEAR(result->at("measured_frames").get<double>(), 2048, 0.05);
  EXPECT_EQ(world.ask("status")->at("device").at("rate_hz"), 8'000) << "programs keep their rate";
}

TEST_F(calibration, one_at_a_time_and_it_ends_with_its_connection) {
  world.begin();
  connect();
  ASSERT_TRUE(start());
  const auto second = world.ask("calibrate.start", {{"output", "out:1"}, {"input", "in:1"}});
  expect_refused(second, "under way already");
  expect_refused(world.ask("calibrate.result"), "No calibration of this connection");
  control.reset();
  await_closed_device();
  connect();
  EXPECT_TRUE(start());
}

TEST_F(calibration, a_program_that_moves_the_device_ends_it) {
  world.begin();
  connect();
  ASSERT_TRUE(start());
  const auto client = world.connected("daw.exe");
  world.device->allow(4);
  ASSERT_TRUE(client->create_session({Frames{64}, {0}, {0}}, world.soon()));
  expect_refused(finish(), "was moved");
  EXPECT_EQ(world.ask("status")->at("device").at("period_frames"), 64);
}

TEST_F(calibration, a_device_that_goes_away_ends_it) {
  world.begin();
  connect();
  ASSERT_TRUE(start());
  world.device->unplug();
  Result<json> answer = call("calibrate.result");
  for (int i = 0; answer && i < 1000; ++i)
    answer = call("calibrate.result");  // until it is noticed
  expect_refused(answer, "went away");
  world.device->replug();
  EXPECT_TRUE(start());
}

TEST(calibration_run, a_device_that_delivers_nothing_is_not_waited_for_without_end) {
  const auto real = platform::make_clock();
  const auto threads = platform::make_threads();
  ports::VirtualClock clock{real->now()};
  const auto device = std::make_shared<testing::StepControl>(*real, *threads);
  EngineHost host({clock, *threads}, std::make_unique<testing::StepDevice>(device), {});
  const ports::DeviceFormat format{SampleRate{8'000}, Frames{kPeriod}};
  ASSERT_TRUE(host.prepare(format));
  Calibration each(clock, host, {7, 0, 0, "out:1", "in:1", format});
  ASSERT_TRUE(each.start());
  const auto at_first = each.look();
  ASSERT_TRUE(at_first);
  EXPECT_EQ(*at_first, Calibration::State::running);
  clock.advance(std::chrono::seconds{4});
  EXPECT_FALSE(each.is_forgotten());
  const auto later = each.look();
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, ErrorCode::timed_out);
  clock.advance(std::chrono::seconds{11});
  EXPECT_TRUE(each.is_forgotten());
}

}  // namespace
}  // namespace asiodrv::service
