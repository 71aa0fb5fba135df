// The service as something that is registered, changed, started and removed. Knows the rules of the
// service manager, and no system call.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/ports/clock.hpp"
#include "service/manager/service_control.hpp"
#include "service/manager/start_mode.hpp"

namespace asiodrv::service::manager {

/// What was done, one sentence each, for the person who asked.
using Sentences = std::vector<std::string>;

/// What is registered, and what of it runs.
struct Installed {
  bool registered = false;
  StartMode mode = StartMode::demand;
  bool per_user = false;
  std::string command;                 ///< the image path with its arguments
  std::vector<ServiceEntry> services;  ///< what can run: the service, or its users' instances
};

/// One thread. Every method ends within a minute, whatever the system does, but for a StartService
/// that Windows holds up (30 s each). Errors of all: access_denied (not elevated), not_found
/// (nothing is registered), timed_out, internal; with the system's number in the sentence.
class Installation {
 public:
  /// `program`: the absolute path of the program that is the service, UTF-8.
  Installation(ServiceControl& control, ports::Clock& clock, std::string program);

  /// Registers the service, or brings what is registered to this program and `mode`. An option that
  /// the system does not accept is said and left out. Error: already_exists (another program's
  /// service has the name).
  [[nodiscard]] Result<Sentences> install(StartMode mode);
  /// Stops and removes everything of ours. That nothing is there is no failure, and neither is
  /// another program's service of the name, which stays. Error:
  /// invalid_state (somebody signed in meanwhile and has got an instance; run it again).
  [[nodiscard]] Result<Sentences> remove();
  /// The service, or all instances that there are. What runs already is fine.
  [[nodiscard]] Result<Sentences> start();
  /// Returns when the processes have gone.
  [[nodiscard]] Result<Sentences> stop();
  [[nodiscard]] Result<Sentences> restart();
  [[nodiscard]] Result<Sentences> set_start(StartMode mode);
  [[nodiscard]] Result<Installed> status();

 private:
  struct Registration {
    std::unique_ptr<OpenedService> service;
    ServiceConfiguration configuration;
  };

  [[nodiscard]] Result<std::optional<Registration>> find(std::uint32_t rights);
  [[nodiscard]] Result<Registration> require(std::uint32_t rights);
  [[nodiscard]] Result<std::vector<ServiceEntry>> targets(const ServiceConfiguration& known);
  [[nodiscard]] Result<std::vector<ServiceEntry>> instances(const ServiceConfiguration* known);
  [[nodiscard]] StartMode mode_of(const ServiceConfiguration& configuration);

  [[nodiscard]] Result<Sentences> apply(StartMode mode);
  [[nodiscard]] Result<Sentences> apply_once(StartMode mode);
  [[nodiscard]] Result<> create(StartMode mode, Sentences& said);
  [[nodiscard]] Result<> rewrite(Registration& present, StartMode mode, Sentences& said);
  void set_options(OpenedService& service, const ServiceConfiguration& made, StartMode mode,
                   Sentences& said);
  void say_what_is_next(StartMode mode, bool per_user, Sentences& said);

  [[nodiscard]] Result<> start_one(const std::string& name, Sentences& said);
  [[nodiscard]] Result<> stop_one(const std::string& name, Instant deadline, Sentences& said);
  [[nodiscard]] Result<> stop_all(const ServiceConfiguration& known, Sentences& said);
  [[nodiscard]] Result<> remove_one(const std::string& name, Instant deadline, Sentences& said);
  void block_new_instances(Registration& present, Sentences& said);
  [[nodiscard]] Result<> await_removal(Instant deadline, Sentences& said);
  [[nodiscard]] Result<> check_no_instance_is_left(const ServiceConfiguration* known,
                                                   const std::vector<ServiceEntry>& removed);
  void pause();
  [[nodiscard]] Instant within(nanoseconds bound) const { return clock_.now() + bound; }

  ServiceControl& control_;
  ports::Clock& clock_;
  const std::string program_;
};

}  // namespace asiodrv::service::manager
