// What a system sends to a program that shall end: SIGTERM and SIGINT, console events.
#pragma once

#include <functional>
#include <memory>

#include "core/ports/clock.hpp"
#include "core/ports/thread.hpp"

namespace asiodrv::service {

/// One at a time. Make it first thing in main, before any other thread: threads that exist earlier
/// would take the signals. `stop` runs on a thread of its own, possibly several times.
class StopRequests {
 public:
  StopRequests(ports::Clock& clock, ports::Threads& threads, std::function<void()> stop);
  /// The program has stopped; a console event that waits for it may end the process now.
  ~StopRequests();
  StopRequests(const StopRequests&) = delete;
  StopRequests& operator=(const StopRequests&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace asiodrv::service
