// What the service manager and the event log keep in the registry without a call for it.
#pragma once

#include <string>

#include "service/manager/service_control.hpp"

namespace asiodrv::service::manager::keys {

/// UserServiceFlags of a template: 0 keeps sign-ins from making instances; absent is the default.
[[nodiscard]] Outcome<> allow_instances(const std::string& name, bool allowed);

/// The value StartMode under the service's own key Parameters, which goes with the service.
[[nodiscard]] Outcome<> note_mode(const std::string& name, const std::string& mode);
[[nodiscard]] std::string noted_mode(const std::string& name);

/// HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\<source>
[[nodiscard]] Outcome<> register_events(const std::string& source, const std::string& program);
[[nodiscard]] Outcome<> unregister_events(const std::string& source);

}  // namespace asiodrv::service::manager::keys
