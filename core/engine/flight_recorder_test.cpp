#include "core/engine/flight_recorder.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <utility>

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

TEST(flight_recorder, gives_a_page_from_any_number_on_or_from_the_oldest) {
  constexpr std::uint32_t kRecords = FlightRecorder::kRecords;
  FlightRecorder recorder;
  EXPECT_EQ(recorder.records_from(7, 10).first, 0U);
  for (std::uint64_t n = 0; n < kRecords + 100; ++n) recorder.write(record_of(n));
  const auto numbers = [&](std::uint64_t from) {
    const auto page = recorder.records_from(from, 10);
    for (std::size_t i = 0; i < page.entries.size(); ++i) {
      EXPECT_EQ(page.entries[i].device_period, page.first + i);
    }
    return std::pair{page.first, page.entries.size()};
  };
  EXPECT_EQ(numbers(200), (std::pair{std::uint64_t{200}, std::size_t{10}}));
  EXPECT_EQ(numbers(0), (std::pair{std::uint64_t{100}, std::size_t{10}}));
  EXPECT_EQ(numbers(kRecords + 95), (std::pair{std::uint64_t{kRecords} + 95, std::size_t{5}}));
  EXPECT_EQ(numbers(~std::uint64_t{0}), (std::pair{std::uint64_t{kRecords} + 100, std::size_t{0}}));
}

/// Whoever reads page by page while the engine runs misses nothing and reads nothing twice.
TEST(flight_recorder, numbers_of_a_page_are_true_while_the_writer_goes_on) {
  FlightRecorder recorder;
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (std::uint64_t n = 0; n < 600'000; ++n) recorder.write(record_of(n));
    done = true;
  });
  while (!done) {
    const auto page = recorder.records_from(0, FlightRecorder::kRecords);
    for (std::size_t i = 0; i < page.entries.size(); ++i) {
      ASSERT_EQ(page.entries[i].device_period, page.first + i);
    }
    std::this_thread::yield();  // where all have one real-time priority, the writer needs a turn
  }
  writer.join();
}

TEST(flight_recorder, names_every_cause) {
  EXPECT_EQ(cause_name(XrunCause::late_wake), "late_wake");
  EXPECT_EQ(cause_name(XrunCause::recovery), "recovery");
}

}  // namespace
}  // namespace asiodrv::engine
