#include "service/manager/service_process.hpp"

#include <utility>

namespace asiodrv::service::manager {
namespace {

using std::chrono::seconds;

constexpr nanoseconds kStartHint = seconds{3};
constexpr nanoseconds kStopHint = seconds{4};  // twice what a stop takes at most
constexpr int kNoHandler = 1;

/// One service in one process, while dispatch() lasts.
class RunningService {
 public:
  RunningService(ServiceConnection& connection, const ServiceWork& work)
      : connection_(connection),
        work_(work),
        status_([&connection](const StatusReport& report) { return connection.report(report); }) {}

  void service_main() {
    const auto handled = connection_.handle(
        [this](std::uint32_t control, std::uint32_t event) { return take(control, event); });
    if (!handled) {  // it cannot be reported either: that needs the handler
      exit_code_ = kNoHandler;
      return;
    }
    (void)status_.start_pending(kStartHint);
    // Running before the work begins: what it opens may take longer than the manager likes, and
    // its failure after this is one that recovery sees.
    (void)status_.running();
    exit_code_ = work_(orders_);
    (void)status_.stopped(*exit_code_);  // nothing of ours runs any more
  }

  [[nodiscard]] std::optional<int> exit_code() const noexcept { return exit_code_; }

 private:
  std::uint32_t take(std::uint32_t control, std::uint32_t event) {
    switch (control) {
      case controls::kInterrogate: (void)status_.repeat(); return 0;
      case controls::kStop:
      case controls::kShutdown:
        (void)status_.stop_pending(kStopHint);  // refused when it is stopping already
        orders_->give(Order::stop);
        return 0;
      case controls::kPower:
        if (event == power_events::kSuspend) orders_->give(Order::suspend);
        if (event == power_events::kResumeBySystem) orders_->give(Order::resume);
        return 0;
      case controls::kSession:
        // Connecting to a session from elsewhere, or back, exchanges its sound devices.
        if (event >= session_events::kConsoleConnect &&
            event <= session_events::kRemoteDisconnect) {
          orders_->give(Order::look_at_devices);
        }
        return 0;
      default: return system_errors::kNotImplemented;
    }
  }

  ServiceConnection& connection_;
  const ServiceWork& work_;
  const std::shared_ptr<Orders> orders_ = std::make_shared<Orders>();
  ServiceStatus status_;
  std::optional<int> exit_code_;  // of the ServiceMain thread; read after dispatch()
};

}  // namespace

std::optional<int> run_as_service(ServiceConnection& connection, const ServiceWork& work) {
  RunningService service(connection, work);
  const auto dispatched = connection.dispatch([&service] { service.service_main(); });
  if (!dispatched) return std::nullopt;
  return service.exit_code().value_or(0);
}

}  // namespace asiodrv::service::manager
