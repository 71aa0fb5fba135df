// Starting, stopping and removing.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "service/manager/installation.hpp"
#include "service/manager/names.hpp"
#include "service/manager/refusals.hpp"
#include "service/manager/service_targets.hpp"

namespace asiodrv::service::manager {
namespace {

using std::chrono::seconds;

constexpr nanoseconds kStartBound = seconds{10};
constexpr nanoseconds kStopBound = seconds{30};    // for all processes together
constexpr nanoseconds kVanishBound = seconds{10};  // of a removed service's name

bool is_gone(SystemError error) noexcept { return error.number == system_errors::kNoSuchService; }

}  // namespace

// --- start ---------------------------------------------------------------------------------------

Result<Sentences> Installation::start() {
  auto present = require(rights::kQueryConfig);
  if (!present) return refusal(present);
  if (present->configuration.start == StartType::disabled) {
    return refused("The service cannot be started", {system_errors::kDisabled});
  }
  auto services = targets(present->configuration);
  if (!services) return refusal(services);
  if (services->empty()) {
    return fail(ErrorCode::invalid_state,
                "No user has a service yet: Windows makes one at each sign-in. Sign out and in "
                "again, or just open a program that uses the driver.");
  }
  Sentences said;
  for (const ServiceEntry& each : *services) {
    if (auto started = start_one(each.name, said); !started) return refusal(started);
  }
  return said;
}

Result<> Installation::start_one(const std::string& name, Sentences& said) {
  const std::string what = "The service " + name + " cannot be started";
  auto opened = control_.open(name, rights::kQueryStatus | rights::kStart);
  if (!opened) return refused(what, opened.error());
  auto started = (*opened)->start();
  if (!started && started.error().number == system_errors::kAlreadyRunning) {
    said.push_back("The service " + name + " is running already.");
    return {};
  }
  if (!started) return refused(what, started.error());
  const Instant deadline = within(kStartBound);
  for (;;) {
    const auto now = (*opened)->state();
    if (!now) return refused(what, now.error());
    if (now->state == RunState::running) {
      said.push_back(fmt::format("The service {} runs as process {}.", name, now->process_id));
      return {};
    }
    if (now->state == RunState::stopped) {
      return fail(ErrorCode::internal,
                  fmt::format("The service {} ended at once, with error {}. Its log says why; "
                              "\"asio-driver run\" shows it in a terminal.",
                              name, now->exit_code));
    }
    if (clock_.now() >= deadline) {
      return fail(ErrorCode::timed_out,
                  "The service " + name + " has been starting for 10 s. Look at its log.");
    }
    pause();
  }
}

// --- stop ----------------------------------------------------------------------------------------

Result<Sentences> Installation::stop() {
  auto present = require(rights::kQueryConfig);
  if (!present) return refusal(present);
  Sentences said;
  if (auto stopped = stop_all(present->configuration, said); !stopped) return refusal(stopped);
  return said;
}

Result<Sentences> Installation::restart() {
  auto stopped = stop();
  if (!stopped) return stopped;
  auto started = start();
  if (!started) return started;
  stopped->insert(stopped->end(), started->begin(), started->end());
  return stopped;
}

Result<> Installation::stop_all(const ServiceConfiguration& known, Sentences& said) {
  auto services = targets(known);
  if (!services) return refusal(services);
  if (services->empty()) said.push_back("No user has a service that could run.");
  const Instant deadline = within(kStopBound);
  for (const ServiceEntry& each : *services) {
    if (auto stopped = stop_one(each.name, deadline, said); !stopped) return stopped;
  }
  return {};
}

/// A service is stopped when its process has gone: STOPPED is reported earlier, and until then the
/// program's file is in use.
Result<> Installation::stop_one(const std::string& name, Instant deadline, Sentences& said) {
  const std::string what = "The service " + name + " cannot be stopped";
  auto opened = control_.open(name, rights::kQueryStatus | rights::kStop);
  if (!opened && is_gone(opened.error())) return {};  // its user has signed out
  if (!opened) return refused(what, opened.error());
  OpenedService& service = **opened;
  const auto before = service.state();
  if (!before) return refused(what, before.error());
  if (before->state == RunState::stopped) {
    said.push_back("The service " + name + " is not running.");
    return {};
  }
  // Before the stop: the number may be another program's afterwards. And once more after opening:
  // it may have been another program's already.
  std::unique_ptr<WatchedProcess> process;
  if (before->process_id != 0) {
    auto watched = control_.watch(before->process_id);
    const auto again = service.state();
    if (watched && again && again->process_id == before->process_id) process = std::move(*watched);
  }
  for (bool asked = false;;) {
    const auto now = service.state();
    if (!now) return refused(what, now.error());
    const bool another =
        now->process_id != 0 && before->process_id != 0 && now->process_id != before->process_id;
    if (now->state == RunState::stopped || another) {
      if (process == nullptr || process->has_ended()) {
        said.push_back("The service " + name + " has stopped.");
        if (another) said.push_back("A program that needs it has started it again since.");
        return {};
      }
    } else if (!asked && now->state != RunState::start_pending) {
      const auto stopping = service.stop();
      const std::uint32_t number = stopping ? 0 : stopping.error().number;
      const bool passing =
          number == system_errors::kNotActive || number == system_errors::kCannotAcceptControl;
      if (!stopping && !passing) return refused(what, stopping.error());
      asked = stopping.has_value();
    }
    if (clock_.now() >= deadline) {
      return fail(ErrorCode::timed_out, "The service " + name +
                                            " does not end. Its log may say why; the Task Manager "
                                            "can end its process.");
    }
    pause();
  }
}

// --- remove --------------------------------------------------------------------------------------

Result<Sentences> Installation::remove() {
  Sentences said;
  auto found = find(rights::kRegister | rights::kStop);
  if (!found) return refusal(found);
  std::optional<ServiceConfiguration> known;
  if (*found && !names_our_program((*found)->configuration.command)) {
    said.push_back(fmt::format("The service {} is another program's and is left alone: {}",
                               service_name(), (*found)->configuration.command));
    found->reset();
  }
  if (*found) {
    known = (*found)->configuration;
    if (!same_command(known->command, configuration_for(StartMode::demand, program_).command)) {
      // One machine has one service of the product, whichever copy has registered it.
      said.push_back("The service was registered by another copy: " + known->command);
    }
    block_new_instances(**found, said);
  }
  auto of_users = instances(known ? &*known : nullptr);
  if (!of_users) return refusal(of_users);
  const Instant deadline = within(kStopBound);
  for (const ServiceEntry& each : *of_users) {
    if (auto removed = remove_one(each.name, deadline, said); !removed) return refusal(removed);
  }
  if (*found) {
    found->reset();  // while a handle of ours is open, a removed service stays marked
    if ((known->type & service_type::kPerUser) == 0) {
      if (auto stopped = stop_one(service_name(), deadline, said); !stopped)
        return refusal(stopped);
    }
    if (auto removed = remove_one(service_name(), deadline, said); !removed)
      return refusal(removed);
  }
  if (auto left = check_no_instance_is_left(known ? &*known : nullptr, *of_users); !left) {
    return refusal(left);
  }
  if (known) {
    if (auto gone = await_removal(within(kVanishBound), said); !gone) return refusal(gone);
  }
  const auto forgotten = control_.unregister_events(event_source());
  if (!forgotten && forgotten.error().number == system_errors::kAccessDenied && !known) {
    return refused("The service cannot be removed", forgotten.error());
  }
  if (!forgotten) {
    said.push_back(
        fmt::format("The event log keeps its explanations (error {}).", forgotten.error().number));
  }
  if (!known && said.empty()) said.push_back("No service was registered.");
  return said;
}

/// From here on no sign-in makes an instance, and no program starts one.
void Installation::block_new_instances(Registration& present, Sentences& said) {
  ServiceConfiguration disabled = present.configuration;
  disabled.start = StartType::disabled;
  if (auto changed = present.service->change(disabled); !changed) {
    said.push_back(
        fmt::format("The service could not be switched off before its removal (error "
                    "{}).",
                    changed.error().number));
  }
  if ((present.configuration.type & service_type::kPerUser) == 0) return;
  if (auto blocked = control_.allow_instances(service_name(), false); !blocked) {
    said.push_back(fmt::format("Sign-ins could not be kept from making instances (error {}).",
                               blocked.error().number));
  }
}

Result<> Installation::remove_one(const std::string& name, Instant deadline, Sentences& said) {
  const bool is_instance = name != service_name();
  if (is_instance) {
    if (auto stopped = stop_one(name, deadline, said); !stopped) return stopped;
  }
  const auto opened = control_.open(name, rights::kDelete);
  if (!opened && is_gone(opened.error())) return {};
  if (!opened) return refused("The service " + name + " cannot be removed", opened.error());
  const auto removed = (*opened)->remove();
  if (!removed && removed.error().number != system_errors::kMarkedForDelete) {
    return refused("The service " + name + " cannot be removed", removed.error());
  }
  said.push_back("The service " + name + " is removed.");
  return {};
}

/// What we have removed is listed as long as somebody has it open; anything else is news.
Result<> Installation::check_no_instance_is_left(const ServiceConfiguration* known,
                                                 const std::vector<ServiceEntry>& removed) {
  auto left = instances(known);
  if (!left) return refusal(left);
  for (const ServiceEntry& each : *left) {
    const bool expected = std::any_of(removed.begin(), removed.end(), [&](const ServiceEntry& one) {
      return one.name == each.name;
    });
    if (expected) continue;
    return fail(ErrorCode::invalid_state,
                "A user has signed in while the service was removed, and has got " + each.name +
                    ". Run \"asio-driver service remove\" again.");
  }
  return {};
}

Result<> Installation::await_removal(Instant deadline, Sentences& said) {
  for (;;) {
    const auto opened = control_.open(service_name(), rights::kQueryStatus);
    if (!opened && is_gone(opened.error())) return {};
    if (clock_.now() >= deadline) {
      said.push_back(
          "Windows finishes the removal when no program has the service open any more: close the "
          "Services window and the Task Manager.");
      return {};
    }
    pause();
  }
}

}  // namespace asiodrv::service::manager
