// The native build is no product: there is no registration, no service manager and no privacy
// setting to look at, and the facts say so.
#include <pwd.h>
#include <unistd.h>

#include <array>

#include "doctor/gather.hpp"
#include "doctor/privacy.hpp"
#include "doctor/probe.hpp"
#include "doctor/repair.hpp"
#include "service/paths.hpp"

namespace asiodrv::doctor {
namespace {

constexpr const char* kNotHere = "this system is not Windows";

}  // namespace

void gather_system(Facts& facts, const GatherOptions& /*options*/) {
  for (Registration& view : facts.registration) {
    view.listed = Known<bool>::unknown(kNotHere);
    view.load = Known<ProbeResult>::unknown(kNotHere);
  }
  facts.others_listed = Known<bool>::unknown(kNotHere);
  facts.service.start_mode = Known<std::string>::unknown(kNotHere);
  SystemFacts& system = facts.system;
  system.name = "linux";
  system.elevated = geteuid() == 0;
  for (Known<bool>* const fact :
       {&system.remote_session, &system.audio_service, &system.endpoint_builder}) {
    *fact = Known<bool>::unknown(kNotHere);
  }
  for (Known<std::string>* const fact :
       {&system.microphone_policy, &system.microphone_device, &system.microphone_user,
        &system.microphone_desktop, &system.power_plan}) {
    *fact = Known<std::string>::unknown(kNotHere);
  }
  system.processor_percent = system.reserved_percent = Known<std::uint32_t>::unknown(kNotHere);
}

PersonalNames personal_names() {
  PersonalNames names;
  names.folders.push_back(service::environment("HOME"));
  for (const char* const variable : {"USER", "LOGNAME"}) {
    names.users.push_back(service::environment(variable));
  }
  if (const passwd* const entry = getpwuid(geteuid())) {
    names.users.emplace_back(entry->pw_name);
    names.folders.emplace_back(entry->pw_dir);
    const std::string full = entry->pw_gecos == nullptr ? "" : entry->pw_gecos;
    names.users.push_back(full.substr(0, full.find(',')));
  }
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) == 0) {
    const std::string whole = host.data();
    names.computers = {whole, whole.substr(0, whole.find('.'))};
  }
  return names;
}

int run_probe_child(const std::string& /*driver_class*/, bool /*initialise*/) { return 1; }

Result<> register_driver(const std::string& /*program_path*/, unsigned /*bits*/) {
  return fail(ErrorCode::unsupported, "Drivers are registered on Windows only.");
}

}  // namespace asiodrv::doctor
