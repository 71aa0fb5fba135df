// Registering and reporting. Starting, stopping and removing are in installation_run.cpp.
#include "service/manager/installation.hpp"

#include <fmt/format.h>

#include <utility>

#include "service/manager/names.hpp"
#include "service/manager/refusals.hpp"
#include "service/manager/service_targets.hpp"

namespace asiodrv::service::manager {
namespace {

constexpr nanoseconds kRemovalBound = std::chrono::seconds{10};
constexpr nanoseconds kPollPause = std::chrono::milliseconds{50};

bool is_per_user(const ServiceConfiguration& configuration) noexcept {
  return (configuration.type & service_type::kPerUser) != 0;
}

}  // namespace

Installation::Installation(ServiceControl& control, ports::Clock& clock, std::string program)
    : control_(control), clock_(clock), program_(std::move(program)) {}

void Installation::pause() { clock_.sleep_until(within(kPollPause)); }

// --- what there is -------------------------------------------------------------------------------

Result<std::optional<Installation::Registration>> Installation::find(std::uint32_t rights) {
  auto opened = control_.open(service_name(), rights);
  if (!opened) {
    if (opened.error().number == system_errors::kNoSuchService) return std::nullopt;
    return refused("The service cannot be opened", opened.error());
  }
  auto configuration = (*opened)->configuration();
  if (!configuration) return refused("The service cannot be read", configuration.error());
  return Registration{std::move(*opened), std::move(*configuration)};
}

Result<Installation::Registration> Installation::require(std::uint32_t rights) {
  auto found = find(rights);
  if (!found) return refusal(found);
  if (!*found) return not_registered();
  return std::move(**found);
}

Result<std::vector<ServiceEntry>> Installation::instances(const ServiceConfiguration* known) {
  std::vector<std::string> commands{configuration_for(StartMode::demand, program_).command};
  if (known != nullptr) commands.push_back(known->command);
  auto found = find_instances(control_, service_name(), commands);
  if (!found) return refused("The services of this machine cannot be listed", found.error());
  return std::move(*found);
}

/// What can run: a template itself never does.
Result<std::vector<ServiceEntry>> Installation::targets(const ServiceConfiguration& known) {
  if (is_per_user(known)) return instances(&known);
  const auto opened = control_.open(service_name(), rights::kQueryStatus);
  if (!opened) return refused("The service cannot be opened", opened.error());
  const auto state = (*opened)->state();
  if (!state) return refused("The service's state cannot be read", state.error());
  return std::vector<ServiceEntry>{{service_name(), *state}};
}

/// By the system's start type; the note decides where that is ambiguous: an ordinary service that
/// stands in for one per user looks like one for the machine.
StartMode Installation::mode_of(const ServiceConfiguration& configuration) {
  const auto noted = parse_mode(control_.noted_mode(service_name()));
  switch (configuration.start) {
    case StartType::disabled: return StartMode::off;
    case StartType::demand: return StartMode::demand;
    case StartType::automatic: break;
  }
  if (is_per_user(configuration)) return StartMode::logon;
  return noted == StartMode::logon ? StartMode::logon : StartMode::machine;
}

Result<Installed> Installation::status() {
  auto found = find(rights::kQueryConfig | rights::kQueryStatus);
  if (!found) return refusal(found);
  Installed answer;
  if (!*found) return answer;
  const ServiceConfiguration& configuration = (*found)->configuration;
  answer.registered = true;
  answer.mode = mode_of(configuration);
  answer.per_user = is_per_user(configuration);
  answer.command = configuration.command;
  auto services = targets(configuration);
  if (!services) return refusal(services);
  answer.services = std::move(*services);
  return answer;
}

// --- registering ---------------------------------------------------------------------------------

Result<Sentences> Installation::install(StartMode mode) {
  Sentences said;
  const auto explained = control_.register_events(event_source(), program_);
  if (!explained) {
    auto why = refused("The event log cannot be told about the service", explained.error());
    if (why.value().code == ErrorCode::access_denied) {
      return refused("The service cannot be registered", explained.error());
    }
    said.push_back(why.value().message + " Everything else goes on.");
  }
  auto applied = apply(mode);
  if (!applied) return applied;
  said.insert(said.end(), applied->begin(), applied->end());
  return said;
}

Result<Sentences> Installation::set_start(StartMode mode) {
  auto present = require(rights::kRegister | rights::kStop);
  if (!present) return refusal(present);
  const ServiceConfiguration configuration = present->configuration;
  present->service.reset();
  auto said = apply(mode);
  if (!said || mode != StartMode::off) return said;
  if (auto stopped = stop_all(configuration, *said); !stopped) return refusal(stopped);
  return said;
}

Result<Sentences> Installation::apply(StartMode mode) {
  const Instant deadline = within(kRemovalBound);
  for (;;) {
    auto said = apply_once(mode);
    // A service that is being removed can be opened, and frees its name when all have closed it.
    if (said || said.error().code != ErrorCode::timed_out || clock_.now() >= deadline) return said;
    pause();
  }
}

Result<Sentences> Installation::apply_once(StartMode mode) {
  Sentences said;
  auto found = find(rights::kRegister | rights::kStop);
  if (!found) return refusal(found);
  if (!*found) {
    if (auto created = create(mode, said); !created) return refusal(created);
    return said;
  }
  Registration& present = **found;
  // An ordinary service that was noted for users stands in for one per user: it stays one.
  const auto noted = parse_mode(control_.noted_mode(service_name()));
  const bool for_users =
      is_per_user(present.configuration) || (noted && *noted != StartMode::machine);
  if (for_users == (mode != StartMode::machine)) {
    if (auto written = rewrite(present, mode, said); !written) return refusal(written);
    return said;
  }
  // The type cannot be changed: the other kind of service takes this one's place.
  found->reset();
  auto removed = remove();
  if (!removed) return removed;
  if (auto explained = control_.register_events(event_source(), program_); !explained) {
    said.push_back("The event log will not explain the service's entries.");
  }
  if (auto created = create(mode, said); !created) return refusal(created);
  return said;
}

Result<> Installation::create(StartMode mode, Sentences& said) {
  ServiceConfiguration wanted = configuration_for(mode, program_);
  auto created = control_.create(service_name(), wanted, rights::kRegister);
  if (!created && is_per_user(wanted) &&
      created.error().number == system_errors::kInvalidParameter) {
    wanted = ordinary_configuration(mode, program_);
    created = control_.create(service_name(), wanted, rights::kRegister);
    if (created) {
      said.push_back(fmt::format(
          "This system has no services per user (error {}): an ordinary service was registered "
          "instead{}.",
          system_errors::kInvalidParameter,
          mode == StartMode::logon ? ", which starts with the machine" : ""));
    }
  }
  if (created) {
    said.insert(said.begin(), fmt::format("The service {} is registered, start mode {}.",
                                          service_name(), mode_name(mode)));
    set_options(**created, wanted, mode, said);
    say_what_is_next(mode, is_per_user(wanted), said);
    return {};
  }
  if (created.error().number != system_errors::kServiceExists) {
    return refused("The service cannot be registered", created.error());
  }
  // Somebody registered it between our look and our attempt.
  auto present = require(rights::kRegister | rights::kStop);
  if (!present) return refusal(present);
  return rewrite(*present, mode, said);
}

/// What is registered may be of another version, in another folder, or half removed.
Result<> Installation::rewrite(Registration& present, StartMode mode, Sentences& said) {
  if (!names_our_program(present.configuration.command)) {
    return fail(ErrorCode::already_exists,
                fmt::format("A service named {} is there already and runs another program: {}. "
                            "Remove it first, with the program that it belongs to.",
                            service_name(), present.configuration.command));
  }
  const bool per_user = is_per_user(present.configuration);
  const ServiceConfiguration wanted =
      per_user ? configuration_for(mode, program_) : ordinary_configuration(mode, program_);
  if (auto changed = present.service->change(wanted); !changed) {
    return refused("The service cannot be changed", changed.error());
  }
  said.push_back(
      fmt::format("The service {} was registered already and is brought up to date, "
                  "start mode {}.",
                  service_name(), mode_name(mode)));
  if (per_user) {
    if (auto allowed = control_.allow_instances(service_name(), true); !allowed) {
      said.push_back(
          refused("Windows may make no instances of it", allowed.error()).value().message);
    }
  }
  set_options(*present.service, wanted, mode, said);
  say_what_is_next(mode, per_user, said);
  return {};
}

void Installation::set_options(OpenedService& service, const ServiceConfiguration& made,
                               StartMode mode, Sentences& said) {
  for (const NamedOption& each : options_for(made)) {
    const auto set = service.set_option(each.option);
    if (set) continue;
    said.push_back(fmt::format("Windows did not accept {} (error {}); the service works without.",
                               each.what, set.error().number));
  }
  const auto noted = control_.note_mode(service_name(), std::string(mode_name(mode)));
  if (!noted) {
    said.push_back(
        fmt::format("The start mode could not be noted (error {}).", noted.error().number));
  }
}

void Installation::say_what_is_next(StartMode mode, bool per_user, Sentences& said) {
  switch (mode) {
    case StartMode::demand:
    case StartMode::logon:
      if (per_user) {
        said.push_back(
            "Windows makes each user's own service at the next sign-in. Until then programs start "
            "the driver's service by themselves; nothing has to be done.");
      }
      return;
    case StartMode::machine:
      said.push_back(
          "In this mode it runs without a user. Windows gives no microphone to such services, and "
          "Windows' own sound devices may be missing there.");
      return;
    case StartMode::off:
      said.push_back("It is switched off: programs will be told that no driver is present.");
      return;
  }
}

}  // namespace asiodrv::service::manager
