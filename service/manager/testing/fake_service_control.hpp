// A service manager that keeps the documented rules and forgets no call. Strict on purpose: what
// Windows refuses it refuses, with Windows' number.
//
//   templates     only a sign-in makes instances; a template cannot be started; deleting it leaves
//                 its instances; with disabled start or without leave, a sign-in makes none that
//                 could run
//   instances     are copies of their template, and cannot be changed
//   deletion      marks; the name is free when the last handle is closed and the service stopped
//   rights        a handle can do what it was opened for; users are not given everything
//   a system without services per user refuses their type, as Wine does
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "service/manager/service_control.hpp"

namespace asiodrv::service::manager::testing {

struct FakeService {
  ServiceConfiguration configuration;
  ServiceState state;
  std::vector<ServiceOption> options;
  std::string mode;
  bool marked = false;
  bool allows_instances = true;
  int handles = 0;
};

class FakeServiceControl final : public ServiceControl {
 public:
  // --- the machine -------------------------------------------------------------------------------
  bool knows_user_services = true;
  bool elevated = true;
  /// Options that it does not know, by their index in ServiceOption; as Wine, error 124.
  std::set<std::size_t> unknown_options;
  /// At most so many services fit one page, whatever the room.
  std::size_t page_entries = 1000;
  /// Listed, and gone or closed to us by the time they are opened.
  std::set<std::string> vanishing;
  /// Services that were asked to stop do so after so many looks at their state.
  int looks_until_stopped = 1;
  /// Processes end so many looks after their service has stopped.
  int looks_until_gone = 1;
  /// Runs after every call; a test lets the world change there.
  std::function<void(const std::string& call)> after;
  /// What each start of a service leads to.
  std::function<std::uint32_t(const std::string& name)> on_start;

  std::map<std::string, FakeService> services;
  std::map<std::string, std::string> event_sources;
  std::vector<std::string> calls;  ///< "open asio-driver", "stop asio-driver_a1", ...

  /// A user signs in: each template gets an instance `<name>_<suffix>`.
  void sign_in(const std::string& suffix);
  /// A service of somebody else.
  void add_foreign(const std::string& name, std::uint32_t type, const std::string& command);
  [[nodiscard]] std::size_t index_of(const std::string& call) const;  ///< calls.size(): never

  // --- ServiceControl ----------------------------------------------------------------------------
  Outcome<std::unique_ptr<OpenedService>> create(const std::string& name,
                                                 const ServiceConfiguration& configuration,
                                                 std::uint32_t rights) override;
  Outcome<std::unique_ptr<OpenedService>> open(const std::string& name,
                                               std::uint32_t rights) override;
  Outcome<ServicePage> enumerate(std::uint32_t types, std::uint32_t room_bytes,
                                 std::uint32_t resume) override;
  Outcome<std::unique_ptr<WatchedProcess>> watch(std::uint32_t process_id) override;
  Outcome<> allow_instances(const std::string& name, bool allowed) override;
  Outcome<> note_mode(const std::string& name, const std::string& mode) override;
  std::string noted_mode(const std::string& name) override;
  Outcome<> register_events(const std::string& source, const std::string& program) override;
  Outcome<> unregister_events(const std::string& source) override;

 private:
  class Handle;
  class Process;
  void note(const std::string& call);
  void settle(const std::string& name);

  std::uint32_t next_process_ = 1000;
  std::map<std::uint32_t, int> ending_;  // process: looks that it still lives
};

}  // namespace asiodrv::service::manager::testing
