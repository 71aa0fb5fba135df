#include "service/manager/start_mode.hpp"

#include "service/manager/names.hpp"

namespace asiodrv::service::manager {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct ModeName {
  StartMode mode;
  std::string_view name;
};
constexpr ModeName kModes[] = {{StartMode::demand, "demand"},
                               {StartMode::logon, "logon"},
                               {StartMode::machine, "machine"},
                               {StartMode::off, "off"}};

/// Never localised, no password.
constexpr const char* kLocalService = "NT AUTHORITY\\LocalService";

StartType start_type_of(StartMode mode) noexcept {
  switch (mode) {
    case StartMode::demand: return StartType::demand;
    case StartMode::logon:
    case StartMode::machine: return StartType::automatic;
    case StartMode::off: return StartType::disabled;
  }
  return StartType::demand;
}

}  // namespace

std::string_view mode_name(StartMode mode) noexcept {
  for (const ModeName& each : kModes) {
    if (each.mode == mode) return each.name;
  }
  return "";
}

std::optional<StartMode> parse_mode(std::string_view name) noexcept {
  for (const ModeName& each : kModes) {
    if (each.name == name) return each.mode;
  }
  return std::nullopt;
}

ServiceConfiguration configuration_for(StartMode mode, const std::string& program) {
  if (mode == StartMode::machine) return ordinary_configuration(mode, program);
  ServiceConfiguration wanted = ordinary_configuration(mode, program);
  wanted.type = service_type::kUserOwnProcess;
  wanted.account.reset();  // each instance gets its user's
  return wanted;
}

ServiceConfiguration ordinary_configuration(StartMode mode, const std::string& program) {
  // Quoted: a path with a blank would otherwise also name a program at its first word.
  return {service_type::kOwnProcess, start_type_of(mode), "\"" + program + "\" run --service",
          display_name(), kLocalService};
}

std::vector<NamedOption> options_for(const ServiceConfiguration& made) {
  std::vector<NamedOption> options{
      {"its description", Description{kServiceDescription}},
      {"who may start and change it", AccessList{kAccessList}},
      {"its restart after a crash",
       Recovery{{seconds{2}, seconds{10}, seconds{30}}, seconds{3600}}},
      {"its restart after an error", RecoveryAfterErrors{}}};
  if ((made.type & service_type::kPerUser) == 0) {
    options.push_back({"an identity of its own", OwnIdentity{}});
    options.push_back({"a smaller set of privileges",
                       RequiredPrivileges{{"SeChangeNotifyPrivilege", "SeCreateGlobalPrivilege"}}});
  }
  return options;
}

}  // namespace asiodrv::service::manager
