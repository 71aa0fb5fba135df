// Brings up a service for a driver that found none: the one that is registered with the system
// where the user may start it, else an agent in the user's session.
//
// Asking the system may take long, and starting a service up to half a minute. Both happen on a
// thread of their own, so nobody who asks waits longer than kPatience, whatever lock he holds; he
// looks for the service's endpoint meanwhile.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "core/base/result.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/installed_service.hpp"
#include "core/ports/mutex.hpp"
#include "core/ports/thread.hpp"

namespace asiodrv::ipc {

/// Why a service is wanted.
enum class Need {
  fresh,  ///< a program opens the driver
  again   ///< one that plays has lost its service
};

class ServiceStart {
 public:
  /// Starts an agent without waiting for it; `reason` is one line for its log.
  using StartAgent = std::function<Result<>(std::string_view reason)>;

  /// The ports must outlive it and its thread. `installed` may be null: there is only the agent.
  ServiceStart(ports::Clock& clock, ports::Threads& threads,
               std::unique_ptr<ports::InstalledService> installed, StartAgent start_agent);
  /// Waits for its thread, 35 s at most; a process that lives in somebody else's never does.
  ~ServiceStart();
  ServiceStart(const ServiceStart&) = delete;
  ServiceStart& operator=(const ServiceStart&) = delete;

  /// Begins to bring up a service, or lets an attempt under way go on. A service that was started
  /// and is asked for again soon has not come up: then it is the agent. Any control thread; blocks
  /// for kPatience at most, beside what starting an agent takes. Errors: service_absent (it is
  /// switched off, or was stopped on purpose under a program that plays: only a person or a program
  /// that opens the driver starts it again), and the agent's.
  [[nodiscard]] Result<> operator()(Need need);

  /// Somebody serves: what was asked to come up has. Any control thread.
  void reached();

  /// For the system's answer about the service.
  static constexpr nanoseconds kPatience = std::chrono::milliseconds{500};

 private:
  struct State;

  [[nodiscard]] Result<> begin(Need need);
  [[nodiscard]] Result<> conclude();

  ports::Clock& clock_;
  ports::Threads& threads_;
  const StartAgent start_agent_;
  const std::shared_ptr<State> state_;  // shared with the thread

  ports::Mutex asking_;  // guards what follows: one who asks at a time, for kPatience at most
  std::unique_ptr<ports::Thread> thread_;
  Instant service_tried_{};  // when the registered service was asked to come up
  bool has_tried_ = false;
};

}  // namespace asiodrv::ipc
