#include "core/engine/flight_recorder.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace asiodrv::engine {
namespace {

FlightRecord record_of(std::uint64_t number) {
  FlightRecord record{};
  record.device_period = number;
  record.boundary_ns = static_cast<std::int64_t>(number * 3);
  record.busy_ns = static_cast<std::uint32_t>(number * 7);
  return record;
}

TEST(flight_recorder, gives_the_newest_records_oldest_first) {
  FlightRecorder recorder;
  EXPECT_TRUE(recorder.newest_records(10).empty());
  for (std::uint64_t n = 0; n < 3 * FlightRecorder::kRecords + 5; ++n) {
    recorder.write(record_of(n));
  }
  const auto records = recorder.newest_records(10);
  ASSERT_EQ(records.size(), 10U);
  EXPECT_EQ(records.back().device_period, 3 * FlightRecorder::kRecords + 4U);
  EXPECT_EQ(records.front().device_period, 3 * FlightRecorder::kRecords - 5U);
  EXPECT_EQ(recorder.records_written(), 3 * FlightRecorder::kRecords + 5U);
  EXPECT_LE(recorder.newest_records(~0U).size(), FlightRecorder::kRecords);
}

/// The writer laps the reader again and again; no record that comes out is a mixture of two.
TEST(flight_recorder, never_hands_out_a_torn_record) {
  FlightRecorder recorder;
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (std::uint64_t n = 1; n < 600'000; ++n) recorder.write(record_of(n));
    done = true;
  });
  std::size_t seen = 0;
  while (!done) {
    for (const FlightRecord& record : recorder.newest_records(FlightRecorder::kRecords)) {
      ASSERT_EQ(record.boundary_ns, static_cast<std::int64_t>(record.device_period * 3));
      ASSERT_EQ(record.busy_ns, static_cast<std::uint32_t>(record.device_period * 7));
      ++seen;
    }
    std::this_thread::yield();  // where all have one real-time priority, the writer needs a turn
  }
  writer.join();
  EXPECT_EQ(recorder.newest_records(1).at(0).device_period, 599'999U);
}

TEST(flight_recorder, names_every_cause) {
  EXPECT_EQ(cause_name(XrunCause::late_wake), "late_wake");
  EXPECT_EQ(cause_name(XrunCause::recovery), "recovery");
}

}  // namespace
}  // namespace asiodrv::engine
