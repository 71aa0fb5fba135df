// The ports of core/ports on fibers: clock, threads, signals. ports::Mutex is in mutex.cpp.
#pragma once

#include <memory>

#include "core/ports/clock.hpp"
#include "core/ports/thread.hpp"
#include "simulation/fibers/scheduler.hpp"

namespace asiodrv::simulation {

class FiberClock final : public ports::Clock {
 public:
  explicit FiberClock(Scheduler& scheduler) : scheduler_(scheduler) {}
  [[nodiscard]] Instant now() const RT_SAFE override { return scheduler_.now(); }
  void sleep_until(Instant deadline) RT_SAFE override { scheduler_.sleep_until(deadline); }

 private:
  Scheduler& scheduler_;
};

/// The threads of one process.
class FiberThreads final : public ports::Threads {
 public:
  FiberThreads(Scheduler& scheduler, Process& process) : scheduler_(scheduler), process_(process) {}
  [[nodiscard]] Result<std::unique_ptr<ports::Thread>> start(const char* name,
                                                             ports::ThreadRole role,
                                                             std::function<void()> body) override;
  [[nodiscard]] std::unique_ptr<ports::Signal> make_signal() override;

 private:
  Scheduler& scheduler_;
  Process& process_;
};

}  // namespace asiodrv::simulation
