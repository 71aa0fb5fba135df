// A bare timer beside a stream: the same period, the same kind of thread, no driver. What it
// suffers is what this machine does to everybody.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "host/system.hpp"
#include "host/timing.hpp"

namespace asiodrv::host {

class FloorTimer {
 public:
  /// Starts a thread with the audio role that wakes every `frames` / `rate` seconds and writes down
  /// when, up to `capacity` times. Errors: those of Threads::start.
  [[nodiscard]] static Result<std::unique_ptr<FloorTimer>> start(World& world, std::int32_t frames,
                                                                 double rate, std::size_t capacity);
  ~FloorTimer();
  FloorTimer(const FloorTimer&) = delete;
  FloorTimer& operator=(const FloorTimer&) = delete;

  /// Ends the thread, which takes a period at most.
  void stop();

  /// Wake-ups between two instants, after stop().
  [[nodiscard]] std::vector<Tick> ticks(std::int64_t from_ns, std::int64_t until_ns) const;
  /// Processor time of the thread, after stop().
  [[nodiscard]] nanoseconds cpu_time() const noexcept { return cpu_time_; }

 private:
  FloorTimer(World& world, double period_ns, std::size_t capacity);
  void run();

  World& world_;
  double period_ns_;
  std::vector<std::int64_t> woken_ns_;  ///< by period; touched beforehand
  std::size_t count_ = 0;
  nanoseconds cpu_time_{0};
  std::atomic<bool> stopping_{false};
  std::unique_ptr<ports::Thread> thread_;
};

}  // namespace asiodrv::host
