// Whole measurements on the fake driver, healthy and with each of its faults. Everything judged
// here goes by position, so a slow machine changes nothing.
#include "host/measurement.hpp"

#include <gtest/gtest.h>

#include "host/output.hpp"
#include "host/testing/fake_world.hpp"
#include "host/torture/case.hpp"

namespace asiodrv::host {
namespace {

constexpr std::int32_t kFrames = 64;

class HostMeasurement : public ::testing::Test {
 protected:
  Driver make_driver(const FakeOptions& options) {
    Driver driver = Driver::adopt(make_fake_driver(options, *fake_.clock, *fake_.threads),
                                  {"asio-fake", "", "asio-fake", "", true});
    EXPECT_NE(driver->init(nullptr), 0);
    return driver;
  }

  static MeasurementRequest request_of(std::int32_t frames) {
    MeasurementRequest request;
    request.stream.inputs = {0, 1};
    request.stream.outputs = {0, 1};
    request.stream.frames = frames;
    request.seconds = 0.8;
    request.floor = false;
    return request;
  }

  Measurement run(const FakeOptions& options) { return run(options, request_of(kFrames)); }
  Measurement run(const FakeOptions& options, const MeasurementRequest& request) {
    Driver driver = make_driver(options);
    const Result<Measurement> result = measure(fake_.world, driver, request);
    EXPECT_TRUE(result) << result.error().message;
    return result ? *result : Measurement{};
  }

  FakeWorld fake_;
};

TEST_F(HostMeasurement, a_perfect_wire_is_two_buffers_long_and_intact_in_every_sample_type) {
  for (const std::int32_t type : {16, 17, 18, 19, 20, 2, 24}) {
    const Measurement result = run({.type = type});
    EXPECT_EQ(result.round_trip.frames, 2 * kFrames) << type;
    EXPECT_EQ(result.reported_input_frames + result.reported_output_frames, 2 * kFrames);
    EXPECT_EQ(result.comparison.mismatched_frames, 0U) << type;
    EXPECT_TRUE(result.intact()) << type;
    EXPECT_EQ(result.untimed_callbacks, 0U);
  }
}

TEST_F(HostMeasurement, a_driver_without_time_info_is_measured_by_asking_it_for_the_position) {
  const Measurement result = run({.time_info = 0, .skip_every = 100});
  EXPECT_EQ(result.round_trip.frames, 2 * kFrames);
  EXPECT_FALSE(result.continuity.gaps.empty());
}

TEST_F(HostMeasurement, a_round_trip_that_the_driver_does_not_report_is_found) {
  const Measurement result = run({.extra_delay = 37});
  EXPECT_EQ(result.round_trip.frames, 2 * kFrames + 37);
  EXPECT_EQ(result.reported_input_frames + result.reported_output_frames, 2 * kFrames);
  EXPECT_TRUE(result.intact());
}

TEST_F(HostMeasurement, a_dropped_block_is_found_where_it_happened) {
  const Measurement result = run({.drop_every = 200});
  EXPECT_FALSE(result.intact());
  ASSERT_FALSE(result.comparison.mismatches.empty());
  for (std::size_t k = 0; k < result.comparison.mismatches.size(); ++k) {
    const Stretch& stretch = result.comparison.mismatches[k];
    const std::int64_t dropped = static_cast<std::int64_t>(k + 1) * 200;
    EXPECT_GE(stretch.position, (dropped + 2) * kFrames);
    EXPECT_LE(stretch.position + stretch.frames, (dropped + 3) * kFrames);
    EXPECT_GT(stretch.frames, kFrames / 2);
  }
}

TEST_F(HostMeasurement, a_single_wrong_bit_is_found) {
  const Measurement result = run({.type = 17, .flip_every = 200});
  ASSERT_FALSE(result.comparison.mismatches.empty());
  EXPECT_EQ(result.comparison.mismatches[0], (Stretch{200 * kFrames, 1}));
  EXPECT_EQ(result.comparison.mismatched_frames, result.comparison.mismatches.size());
}

TEST_F(HostMeasurement, lost_periods_are_gaps_and_not_mismatches) {
  const Measurement result = run({.skip_every = 200});
  ASSERT_FALSE(result.continuity.gaps.empty());
  EXPECT_EQ(result.continuity.gaps[0], (Stretch{200 * kFrames, 2 * kFrames}));
  EXPECT_EQ(result.comparison.mismatched_frames, 0U);
  EXPECT_EQ(result.punctuality.skipped, 2 * result.continuity.gaps.size());
  EXPECT_GE(result.punctuality.late, result.punctuality.skipped);
  EXPECT_FALSE(result.intact());
}

TEST_F(HostMeasurement, a_repeated_half_index_is_noticed) {
  const Measurement result = run({.repeat_half_every = 200});
  EXPECT_GT(result.continuity.repeated_halves, 0U);
  EXPECT_FALSE(result.intact());
}

TEST_F(HostMeasurement, swapped_wires_are_not_a_round_trip) {
  const Measurement result = run({.swap = 1});
  EXPECT_FALSE(result.round_trip.frames);
  EXPECT_FALSE(result.intact());
}

TEST_F(HostMeasurement, late_callbacks_are_counted) {
  MeasurementRequest request = request_of(1024);
  request.seconds = 2;
  const Measurement result = run({.late_every = 10}, request);
  EXPECT_GE(result.punctuality.late, result.callbacks / 10 / 2);
}

TEST_F(HostMeasurement, the_bare_timer_covers_the_same_window) {
  MeasurementRequest request = request_of(256);
  request.floor = true;
  const Measurement result = run({}, request);
  ASSERT_TRUE(result.floor_measured);
  EXPECT_NEAR(static_cast<double>(result.floor.callbacks), result.seconds * result.rate_hz / 256,
              3.0);
}

TEST_F(HostMeasurement, a_file_of_another_rate_is_refused) {
  Driver driver = make_driver({});
  MeasurementRequest request = request_of(kFrames);
  request.payload = {{1, 2, 3}};
  request.payload_hz = 44100;
  const Result<Measurement> result = measure(fake_.world, driver, request);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::invalid_argument);
}

TEST_F(HostMeasurement, what_no_memory_holds_is_refused_however_long_and_without_inputs_too) {
  for (const double seconds : {1e7, 1e12, 1e300}) {
    for (const bool listens : {true, false}) {
      Driver driver = make_driver({});
      MeasurementRequest request = request_of(kFrames);
      request.seconds = seconds;
      if (!listens) request.stream.inputs.clear();
      const Result<Measurement> result = measure(fake_.world, driver, request);
      ASSERT_FALSE(result) << seconds;
      EXPECT_EQ(result.error().code, ErrorCode::limit_reached) << seconds;
    }
  }
}

TEST_F(HostMeasurement, a_sine_is_judged_by_its_noise_and_its_phase) {
  MeasurementRequest request = request_of(kFrames);
  request.sine_hz = 997;
  for (const std::int32_t type : {17, 18, 19}) {
    const Measurement result = run({.type = type, .extra_delay = 37}, request);
    ASSERT_TRUE(result.sine) << type;
    EXPECT_GT(result.sine->snr_db.value(), 130) << type;
    EXPECT_NEAR(result.sine->round_trip_frames.value(), 2 * kFrames + 37, 0.001) << type;
    EXPECT_TRUE(result.sine->damaged.empty()) << type;
    const Json json = to_json(result);
    EXPECT_EQ(json.at("sine_hz"), 997);
    EXPECT_EQ(json.at("sine_windows"), result.sine->windows);
    EXPECT_TRUE(json.at("sine_damaged").empty());
    EXPECT_FALSE(json.contains("mismatched_frames"));  // nothing was compared
  }
}

TEST_F(HostMeasurement, damage_to_a_sine_is_found) {
  MeasurementRequest request = request_of(kFrames);
  request.sine_hz = 997;
  const Measurement result = run({.drop_every = 200}, request);
  ASSERT_TRUE(result.sine);
  ASSERT_FALSE(result.sine->damaged.empty());
  const Stretch& first = result.sine->damaged[0];
  // Block 200 is still a marker; block 400 is heard two blocks later.
  EXPECT_LE(first.position, 402 * kFrames);
  EXPECT_GE(first.position + first.frames, 403 * kFrames);
}

TEST_F(HostMeasurement, a_sine_that_cannot_be_measured_is_refused) {
  Driver driver = make_driver({});
  MeasurementRequest request = request_of(kFrames);
  request.sine_hz = 20'000;
  const Result<Measurement> result = measure(fake_.world, driver, request);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::invalid_argument);
}

TEST_F(HostMeasurement, a_recording_that_does_not_fit_is_refused) {
  Driver driver = make_driver({});
  MeasurementRequest request = request_of(kFrames);
  request.seconds = 1e7;
  const Result<Measurement> result = measure(fake_.world, driver, request);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::limit_reached);
}

TEST_F(HostMeasurement, a_channel_or_size_that_does_not_exist_is_named) {
  Driver driver = make_driver({});
  MeasurementRequest request = request_of(kFrames);
  request.stream.inputs = {0, 7};
  Result<Measurement> result = measure(fake_.world, driver, request);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("input 7"), std::string::npos);
  request = request_of(63);
  result = measure(fake_.world, driver, request);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("16 to 4096"), std::string::npos);
}

TEST_F(HostMeasurement, the_light_run_only_counts) {
  MeasurementRequest request = request_of(kFrames);
  request.light = true;
  const Measurement result = run({}, request);
  EXPECT_GT(result.callbacks, 0U);
  EXPECT_EQ(result.comparison.compared_frames, 0U);
  const Json json = to_json(result);
  EXPECT_FALSE(json.contains("late"));
}

TEST_F(HostMeasurement, the_document_has_every_promised_field) {
  MeasurementRequest request = request_of(256);
  request.floor = true;
  const Measurement result = run({}, request);
  const Json json = to_json(result);
  for (const char* field : {"driver",
                            "process_id",
                            "rate_hz",
                            "buffer_frames",
                            "sample_type",
                            "seconds",
                            "rtl_frames",
                            "reported_rtl_frames",
                            "reported_input_frames",
                            "reported_output_frames",
                            "callbacks",
                            "late",
                            "floor_callbacks",
                            "floor_late",
                            "p50_us",
                            "p99_us",
                            "max_us",
                            "floor_p50_us",
                            "floor_p99_us",
                            "callback_p50_us",
                            "callback_p99_us",
                            "compared_frames",
                            "mismatched_frames",
                            "mismatches",
                            "gaps",
                            "overloads",
                            "resyncs",
                            "resets",
                            "rate_changes",
                            "cpu_us_per_period",
                            "interval_p50_us",
                            "interval_p99_us",
                            "interval_max_us",
                            "interval_histogram",
                            "floor_interval_histogram"}) {
    EXPECT_TRUE(json.contains(field)) << field;
  }
  std::uint64_t intervals = 0;
  for (const Json& bin : json["interval_histogram"]) intervals += bin["count"].get<std::uint64_t>();
  EXPECT_EQ(intervals, result.punctuality.callbacks - 1);
}

/// The torture runs a case again for which the machine may be to blame, and no other.
TEST_F(HostMeasurement, a_failed_case_is_disturbed_only_if_the_bare_timer_was_late_too) {
  const Options options;
  const CaseContext context{fake_.world, options, {}, true};
  struct Run {
    std::uint64_t callbacks, mismatched, floor_late;
    Outcome outcome;
    bool disturbed;
  };
  for (const Run& run :
       {Run{1'000, 0, 0, Outcome::pass, false}, Run{1'000, 6'000, 0, Outcome::pass, false},
        Run{1'000, 0, 500, Outcome::pass, false}, Run{1'000, 7'000, 0, Outcome::fail, false},
        Run{1'000, 7'000, 20, Outcome::fail, false}, Run{1'000, 7'000, 21, Outcome::fail, true},
        Run{890, 0, 0, Outcome::fail, false}, Run{890, 0, 100, Outcome::fail, true}}) {
    Measurement result;
    result.rate_hz = 64'000;
    result.buffer_frames = 64;
    result.callbacks = run.callbacks;
    result.comparison.compared_frames = 64'000;
    result.comparison.mismatched_frames = run.mismatched;
    result.floor.callbacks = 990;
    result.floor.skipped = 10;
    result.floor.late = run.floor_late;
    Checks checks(context);
    const Verdict verdict = judge_stream(checks, result, 1.0, true, "heard");
    EXPECT_EQ(verdict.outcome, run.outcome) << verdict.reason;
    EXPECT_EQ(verdict.disturbed, run.disturbed) << verdict.reason;
  }
}

}  // namespace
}  // namespace asiodrv::host
