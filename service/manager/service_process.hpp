// The process of the service, as the service manager leads it: from main to STOPPED.
//
//   main ---- dispatch ------------------------------------------------------- returns -> exit
//               |  ServiceMain thread: handler, START_PENDING, RUNNING, work ..., STOPPED
//               |  the main thread then carries controls: STOP_PENDING, and an order to the work
//
// Controls only leave an order for the work, which runs on another thread: they return at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "service/manager/orders.hpp"
#include "service/manager/service_control.hpp"
#include "service/manager/service_status.hpp"

namespace asiodrv::service::manager {

/// What the service manager sends, by its numbers.
namespace controls {
inline constexpr std::uint32_t kStop = 1;
inline constexpr std::uint32_t kInterrogate = 4;
inline constexpr std::uint32_t kShutdown = 5;
inline constexpr std::uint32_t kPower = 13;
inline constexpr std::uint32_t kSession = 14;
}  // namespace controls
namespace power_events {
inline constexpr std::uint32_t kSuspend = 0x4;
inline constexpr std::uint32_t kResumeBySystem = 0x12;  ///< always comes after a sleep
}  // namespace power_events
namespace session_events {
inline constexpr std::uint32_t kConsoleConnect = 1;
inline constexpr std::uint32_t kConsoleDisconnect = 2;
inline constexpr std::uint32_t kRemoteConnect = 3;
inline constexpr std::uint32_t kRemoteDisconnect = 4;
}  // namespace session_events

/// The service manager as a service process sees it. Windows' own, or a test's.
class ServiceConnection {
 public:
  virtual ~ServiceConnection() = default;

  /// Connects this process and returns when its service has ended. `service_main` runs once, on
  /// another thread. Error 1063, at once: nobody but a person started this program.
  [[nodiscard]] virtual Outcome<> dispatch(std::function<void()> service_main) = 0;
  /// From service_main, before anything else. `handler` gets a control and its event and returns
  /// one of the system's numbers, 0 is good; it runs on the thread that is in dispatch().
  [[nodiscard]] virtual Outcome<> handle(
      std::function<std::uint32_t(std::uint32_t control, std::uint32_t event)> handler) = 0;
  [[nodiscard]] virtual Outcome<> report(const StatusReport& report) = 0;
};

/// What runs as the service until an order says stop, or by itself; its exit code.
using ServiceWork = std::function<int(const std::shared_ptr<Orders>&)>;

/// Runs `work` under the service manager. Before `work` begins, nothing but `connection` is
/// touched: the manager gives a process 30 s to arrive, and no recovery to one that does not.
/// Nothing: this program was started by hand, or the manager would not have it; `work` never began.
[[nodiscard]] std::optional<int> run_as_service(ServiceConnection& connection,
                                                const ServiceWork& work);

/// The system's own; null where there is no such thing. One at a time.
[[nodiscard]] std::unique_ptr<ServiceConnection> make_service_connection();

}  // namespace asiodrv::service::manager
