// A service manager as a service process sees it, on one thread: dispatch() runs ServiceMain, and
// the test sends controls from within the work. Writes down what it was told, in order.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "service/manager/service_process.hpp"

namespace asiodrv::service::manager::testing {

class FakeConnection final : public ServiceConnection {
 public:
  std::optional<std::uint32_t> refuses_dispatch;  ///< 1063: this program was started by hand
  std::optional<std::uint32_t> refuses_handler;
  std::vector<std::string> told;  ///< "dispatch", "handle", "running", ...
  std::vector<StatusReport> reports;

  std::uint32_t send(std::uint32_t control, std::uint32_t event = 0) {
    return handler_(control, event);
  }

  Outcome<> dispatch(std::function<void()> service_main) override {
    told.emplace_back("dispatch");
    if (refuses_dispatch) return tl::unexpected(SystemError{*refuses_dispatch});
    service_main();
    return {};
  }
  Outcome<> handle(std::function<std::uint32_t(std::uint32_t, std::uint32_t)> handler) override {
    told.emplace_back("handle");
    if (refuses_handler) return tl::unexpected(SystemError{*refuses_handler});
    handler_ = std::move(handler);
    return {};
  }
  Outcome<> report(const StatusReport& report) override {
    static constexpr const char* kNames[] = {"?", "stopped", "start_pending", "stop_pending",
                                             "running"};
    told.emplace_back(kNames[static_cast<std::size_t>(report.state)]);
    reports.push_back(report);
    return {};
  }

 private:
  std::function<std::uint32_t(std::uint32_t, std::uint32_t)> handler_;
};

}  // namespace asiodrv::service::manager::testing
