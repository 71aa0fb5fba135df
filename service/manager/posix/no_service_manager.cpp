// This system has no service manager of this kind, and no such event log.
#include "service/manager/event_log.hpp"
#include "service/manager/service_control.hpp"
#include "service/manager/service_process.hpp"

namespace asiodrv::service::manager {

std::unique_ptr<ServiceControl> make_service_control() { return nullptr; }

std::unique_ptr<ServiceConnection> make_service_connection() { return nullptr; }

EventSink make_event_sink(const std::string& /*source*/) {
  return [](Event, const std::string&) {};
}

}  // namespace asiodrv::service::manager
