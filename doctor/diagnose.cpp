#include "doctor/diagnose.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace asiodrv::doctor {

void Judge::find(const char* id, std::string detail, std::string fix) {
  const Cause* const cause = find_cause(id);
  assert(cause != nullptr);
  if (fix.empty()) fix = cause->fix;
  diagnosis_.findings.push_back({cause, std::move(detail), std::move(fix)});
}

void Judge::find_for(unsigned bits, const char* id, std::string detail) {
  find(id, std::move(detail));
  diagnosis_.findings.back().bits = bits;
}

std::string undecided_sentence(const std::string& about, const std::string& why) {
  return about + ": " + why + (why.ends_with('.') ? "" : ".");
}

bool Judge::has(const char* id) const noexcept {
  return std::any_of(diagnosis_.findings.begin(), diagnosis_.findings.end(),
                     [&](const Finding& each) { return each.cause->id == id; });
}

Diagnosis Judge::take() {
  // All causes are in one array: their addresses are in the order of likelihood.
  std::stable_sort(diagnosis_.findings.begin(), diagnosis_.findings.end(),
                   [](const Finding& a, const Finding& b) { return a.cause < b.cause; });
  return std::move(diagnosis_);
}

void Judge::service() {
  const ServiceFacts& service = facts_.service;
  if (decided(service.start_mode, "Whether the service is switched off") &&
      service.start_mode.is("disabled")) {
    find("service_off", "Windows' service manager has it as disabled.");
  }
  if (!decided(service.reach, "Whether the service answers")) return;
  if (service.reach.is("refused")) find("service_refused", service.reach_error);
  if (service.reach.is("silent")) find("service_silent", service.reach_error);
  if (service.version.is_not(facts_.program_version)) {
    find("service_version", fmt::format("The service is version {}, this program {}.",
                                        *service.version, facts_.program_version));
  }
  if (service.reach.is("absent") && facts_.system.elevated.is(true) &&
      facts_.system.name == "windows" && service.start_mode.is_not("automatic")) {
    find("elevated",
         "This command runs as administrator and no service runs; one that a program with these "
         "rights starts would be closed to all others, so it is not started.");
  }
}

void Judge::configuration() {
  const ConfigurationFacts& config = facts_.configuration;
  if (!decided(config.state, "Whether the configuration is right")) return;
  if (config.state.is("broken")) find("configuration_broken", config.error);
  // Another version may have other keys: whether it is the same configuration cannot be told.
  if (config.state.is_not("broken") && config.in_force.is(false) && !has("service_version")) {
    find("configuration_old", fmt::format("{} was changed after the service had read it.",
                                          config.path.empty() ? "The file" : config.path));
  }
}

void Judge::other_drivers() {
  if (!decided(facts_.others_listed, "Which other ASIO drivers there are")) return;
  for (const OtherDriver& other : facts_.others) {
    const std::string what = fmt::format("'{}' ({}-bit, {})", other.name, other.bits,
                                         other.path.empty() ? "no file" : other.path);
    if (other.probe.known() && other.probe->end == "crashed") {
      find("other_driver_crashes", fmt::format("{}: {}.", what, other.probe->detail),
           fmt::format("Update or uninstall the driver '{}'.", other.name));
    } else if (other.probe.known() && other.probe->end == "hung") {
      find("other_driver_hangs", fmt::format("{}: {}.", what, other.probe->detail),
           fmt::format("Update or uninstall the driver '{}'.", other.name));
    } else if (other.file_exists.is(false)) {
      find("other_driver_broken", what + ": the file does not exist.",
           fmt::format("Install the driver '{}' again, or uninstall it.", other.name));
    } else if (other.machine.known() && *other.machine != (other.bits == 64 ? "x64" : "x86") &&
               !(other.bits == 64 && *other.machine == "arm64")) {
      find("other_driver_broken",
           fmt::format("{}: the file is for {}.", what,
                       other.machine->empty() ? "no machine at all" : *other.machine),
           fmt::format("Install the driver '{}' again, or uninstall it.", other.name));
    } else if (!other.probe.known()) {
      diagnosis_.undecided.push_back(
          undecided_sentence(fmt::format("Whether {} crashes programs", what), other.probe.why()));
    }
  }
}

void Judge::system() {
  constexpr std::uint32_t kNothingLeft = 100;  // percent; then Windows' scheduler for sound is off
  const SystemFacts& system = facts_.system;
  if (system.audio_service.is(false)) {
    find("audio_service_stopped", "The service Audiosrv is stopped.");
  } else if (system.endpoint_builder.is(false)) {
    find("audio_service_stopped", "The service AudioEndpointBuilder is stopped.",
         "Start \"Windows Audio Endpoint Builder\" and \"Windows Audio\" in Windows' list of "
         "services, or restart Windows.");
  } else if (decided(system.audio_service, "Whether the Windows Audio service runs")) {
    decided(system.endpoint_builder, "Whether the Windows Audio Endpoint Builder runs");
  }
  if (decided(system.remote_session, "Whether this is a remote session") &&
      system.remote_session.is(true)) {
    find("remote_session", "Windows says that this session is a remote one.");
  }
  microphone();
  if (decided(system.power_plan, "Which power plan is active") && system.power_plan.is("saver")) {
    find("power_saver", "The power plan \"Power saver\" is active.");
  }
  if (system.processor_percent.known() && *system.processor_percent < 100) {
    find("processor_slowed", fmt::format("The plan allows {} % at most while the machine is "
                                         "plugged in.",
                                         *system.processor_percent));
  }
  if (system.reserved_percent.known() && *system.reserved_percent >= kNothingLeft) {
    find("precedence_off",
         fmt::format(
             "SystemResponsiveness is {} in HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows "
             "NT\\CurrentVersion\\Multimedia\\SystemProfile.",
             *system.reserved_percent));
  }
}

/// What the administrator forces counts before what users chose; what nobody has written is
/// allowed.
void Judge::microphone() {
  const SystemFacts& system = facts_.system;
  if (!wants_windows_sound() || facts_.configuration.input.empty()) return;
  if (!decided(system.microphone_policy, "Whether the microphone is allowed")) return;
  if (system.microphone_policy.is("allow")) return;
  if (system.microphone_policy.is("deny")) {
    find("microphone_denied", "The administrator of this computer forbids it by a policy.",
         "Ask the administrator to allow it, or set input = \"\" under [wasapi] to play without "
         "inputs.");
  } else if (system.microphone_device.is("deny")) {
    find("microphone_denied", "It is switched off for the whole computer.",
         "Switch \"Microphone access\" on under Settings, Privacy, Microphone.");
  } else if (system.microphone_user.is("deny")) {
    find("microphone_denied", "It is switched off for all programs of this user.",
         "Switch \"Let apps access your microphone\" on under Settings, Privacy, Microphone.");
  } else if (system.microphone_desktop.is("deny")) {
    find("microphone_denied", "It is switched off for desktop programs of this user.",
         "Switch \"Let desktop apps access your microphone\" on under Settings, Privacy, "
         "Microphone.");
  } else {
    decided(system.microphone_device, "Whether the microphone is allowed on this computer");
    decided(system.microphone_user, "Whether the microphone is allowed to this user's programs");
    decided(system.microphone_desktop, "Whether the microphone is allowed to desktop programs");
  }
}

Diagnosis diagnose(const Facts& facts) {
  Judge judge(facts);
  judge.system();
  judge.service();
  judge.registration();
  judge.configuration();
  judge.endpoints();
  judge.device();
  judge.other_drivers();
  return judge.take();
}

}  // namespace asiodrv::doctor
