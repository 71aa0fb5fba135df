// The four ways in which the service comes to run, and what each is to the service manager.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/manager/service_control.hpp"

namespace asiodrv::service::manager {

enum class StartMode {
  demand,   ///< the driver starts it when a program needs it
  logon,    ///< with every user who signs in
  machine,  ///< with the machine, under LocalService, for machines that play without a user
  off       ///< nobody may start it; the driver says that it is not present
};

[[nodiscard]] std::string_view mode_name(StartMode mode) noexcept;
[[nodiscard]] std::optional<StartMode> parse_mode(std::string_view name) noexcept;

/// A per-user service; in the mode `machine` an ordinary one. `program`: absolute path, UTF-8.
[[nodiscard]] ServiceConfiguration configuration_for(StartMode mode, const std::string& program);

/// Where the system knows no per-user services: an ordinary one, with no more rights than needed.
[[nodiscard]] ServiceConfiguration ordinary_configuration(StartMode mode,
                                                          const std::string& program);

/// An option with the words for it in "Windows did not accept <what>".
struct NamedOption {
  std::string what;
  ServiceOption option;
};
/// An ordinary service, whatever it stands in for, has an identity of its own and few privileges:
/// it shares its account with others. One per user is its user.
[[nodiscard]] std::vector<NamedOption> options_for(const ServiceConfiguration& made);

/// Users may query and start it; only administrators and the system may stop or change it. Nobody
/// but those may send it controls of one's own: another user could send them too.
inline constexpr const char* kAccessList =
    "D:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BA)(A;;CCLCSWRPLORC;;;IU)"
    "(A;;CCLCSWLORC;;;SU)";

}  // namespace asiodrv::service::manager
