#include "service/xrun_watch.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

namespace asiodrv::service {
namespace {

using engine::FlightRecorder;
using engine::XrunCause;
using engine::XrunEvent;

XrunEvent one_late_period(std::uint64_t number) {
  return {number, 1, static_cast<std::uint32_t>(XrunCause::late_wake), engine::kNoClient, 1'000};
}

/// What all lines together say: each begins with how many periods were damaged.
class Told {
 public:
  Log log() {
    return [this](LogLevel, const std::string& line) {
      ++lines_;
      periods_ += std::stoull(line);
    };
  }
  [[nodiscard]] int lines() const { return lines_; }
  [[nodiscard]] std::uint64_t periods() const { return periods_; }

 private:
  int lines_ = 0;
  std::uint64_t periods_ = 0;
};

TEST(xrun_watch, names_each_cause_of_a_set_in_order) {
  const std::uint32_t both = static_cast<std::uint32_t>(XrunCause::late_wake) |
                             static_cast<std::uint32_t>(XrunCause::recovery);
  EXPECT_EQ(cause_names(0).size(), 0U);
  EXPECT_EQ(cause_names(both).size(), 2U);
  EXPECT_EQ(cause_words(both), "late_wake, recovery");
}

TEST(xrun_watch, tells_in_one_line_what_came_while_it_had_to_be_quiet) {
  FlightRecorder flight;
  SessionHistory history;
  Told told;
  XrunWatch watch(told.log());
  flight.write(one_late_period(1));
  watch.begin(flight);
  EXPECT_FALSE(watch.pending(flight));
  Instant now{1};
  flight.write(one_late_period(2));
  watch.report(flight, history, now);
  EXPECT_EQ(told.periods(), 1U);
  for (std::uint64_t number = 3; number < 6; ++number) flight.write(one_late_period(number));
  watch.report(flight, history, now);
  EXPECT_EQ(told.lines(), 1);
  EXPECT_TRUE(watch.pending(flight));
  now = now + XrunWatch::kInterval;
  watch.report(flight, history, now);
  EXPECT_EQ(told.lines(), 2);
  EXPECT_EQ(told.periods(), 4U);
  EXPECT_FALSE(watch.pending(flight));
}

/// As many as the recorder keeps, so that none is overwritten before it is told.
TEST(xrun_watch, tells_of_each_event_once_while_the_engine_writes) {
  FlightRecorder flight;
  SessionHistory history;
  Told told;
  XrunWatch watch(told.log());
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (std::uint64_t number = 0; number < FlightRecorder::kEvents; ++number) {
      flight.write(one_late_period(number));
    }
    done = true;
  });
  Instant now{1};
  while (!done || watch.pending(flight)) {
    watch.report(flight, history, now);
    now = now + XrunWatch::kInterval;
    std::this_thread::yield();  // where all have one real-time priority, the writer needs a turn
  }
  writer.join();
  EXPECT_EQ(told.periods(), FlightRecorder::kEvents);
}

}  // namespace
}  // namespace asiodrv::service
