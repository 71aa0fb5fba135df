// What of ours is registered: the service itself, or a template and the instances that sign-ins
// made of it.
#pragma once

#include <string>
#include <vector>

#include "service/manager/service_control.hpp"

namespace asiodrv::service::manager {

/// All services of the machine with a bit of `types`; page after page. What left meanwhile or may
/// not be queried is not in it.
[[nodiscard]] Outcome<std::vector<ServiceEntry>> list_services(ServiceControl& control,
                                                               std::uint32_t types);

/// The instances of the template `name`: its name, '_', hexadecimal digits, the type's bit, and one
/// of `commands` as image path. A foreign service that has only the beginning of the name is none.
[[nodiscard]] Outcome<std::vector<ServiceEntry>> find_instances(
    ServiceControl& control, const std::string& name, const std::vector<std::string>& commands);

/// Paths of this system do not depend on the case of letters.
[[nodiscard]] bool same_command(const std::string& a, const std::string& b) noexcept;

/// True when the image path `command` has our program's file name, in whatever folder. One that
/// was lost counts as ours.
[[nodiscard]] bool names_our_program(const std::string& command) noexcept;

}  // namespace asiodrv::service::manager
