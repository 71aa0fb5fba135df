// The service manager of Windows as our logic sees it: one method per thing that the system does,
// with the system's own numbers. Implemented over Windows (windows/service_control.cpp) and by a
// strict stand-in that keeps the documented rules (testing/fake_service_control.hpp).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "core/base/units.hpp"

namespace asiodrv::service::manager {

/// Why the system refused, by its own number.
struct SystemError {
  std::uint32_t number = 0;
};
template <class T = void>
using Outcome = tl::expected<T, SystemError>;

/// The numbers that decide something here.
namespace system_errors {
inline constexpr std::uint32_t kAccessDenied = 5;
inline constexpr std::uint32_t kInvalidParameter = 87;
inline constexpr std::uint32_t kNotImplemented = 120;
inline constexpr std::uint32_t kInvalidLevel = 124;
inline constexpr std::uint32_t kMoreData = 234;
inline constexpr std::uint32_t kAlreadyRunning = 1056;
inline constexpr std::uint32_t kDisabled = 1058;
inline constexpr std::uint32_t kNoSuchService = 1060;
inline constexpr std::uint32_t kCannotAcceptControl = 1061;
inline constexpr std::uint32_t kNotActive = 1062;
inline constexpr std::uint32_t kNotStartedAsService = 1063;
inline constexpr std::uint32_t kServiceSpecific = 1066;
inline constexpr std::uint32_t kMarkedForDelete = 1072;
inline constexpr std::uint32_t kServiceExists = 1073;
}  // namespace system_errors

/// Bits of a service's type.
namespace service_type {
inline constexpr std::uint32_t kOwnProcess = 0x10;
inline constexpr std::uint32_t kPerUser = 0x40;         ///< of a template and of its instances
inline constexpr std::uint32_t kInstance = 0x80;        ///< made by the system at a sign-in
inline constexpr std::uint32_t kUserOwnProcess = 0x50;  ///< a template: own process, per user
inline constexpr std::uint32_t kAny = 0x3FF;
}  // namespace service_type

enum class StartType : std::uint32_t { automatic = 2, demand = 3, disabled = 4 };

enum class RunState : std::uint32_t {
  stopped = 1,
  start_pending = 2,
  stop_pending = 3,
  running = 4
};

/// Rights to an open service.
namespace rights {
inline constexpr std::uint32_t kQueryConfig = 0x1;
inline constexpr std::uint32_t kChangeConfig = 0x2;
inline constexpr std::uint32_t kQueryStatus = 0x4;
inline constexpr std::uint32_t kStart = 0x10;
inline constexpr std::uint32_t kStop = 0x20;
inline constexpr std::uint32_t kDelete = 0x1'0000;
inline constexpr std::uint32_t kReadControl = 0x2'0000;
inline constexpr std::uint32_t kWriteDac = 0x4'0000;
/// What registering needs. kStart: a restart among the recovery actions asks for it.
inline constexpr std::uint32_t kRegister =
    kQueryConfig | kChangeConfig | kQueryStatus | kStart | kDelete | kReadControl | kWriteDac;
}  // namespace rights

struct ServiceConfiguration {
  std::uint32_t type = service_type::kOwnProcess;
  StartType start = StartType::demand;
  std::string command;  ///< the quoted path and its arguments, UTF-8
  std::string display_name;
  std::optional<std::string> account;  ///< none: the system's choice; per user it must be none
};

struct ServiceState {
  std::uint32_t type = 0;
  RunState state = RunState::stopped;
  std::uint32_t process_id = 0;  ///< not to be trusted while something is pending
  std::uint32_t exit_code = 0;   ///< of the last run, when stopped
};

// --- what may be set besides; a system may know some of it and not the rest ----------------------

struct Description {
  std::string text;
};
/// Restarts after a failure, the last of them again and again.
struct Recovery {
  std::vector<std::chrono::milliseconds> restart_after;
  std::chrono::seconds forget_after{3600};  ///< without a failure for so long, begin at the first
};
/// A service that ends with an error counts as failed too, not only one that crashes.
struct RecoveryAfterErrors {};
/// An identity of its own for access lists ("NT SERVICE\name"); 1 = unrestricted.
struct OwnIdentity {
  std::uint32_t sid_type = 1;
};
/// The only privileges that its process keeps.
struct RequiredPrivileges {
  std::vector<std::string> names;
};
/// Who may do what with the service, as a descriptor in text form.
struct AccessList {
  std::string sddl;
};
using ServiceOption = std::variant<Description, Recovery, RecoveryAfterErrors, OwnIdentity,
                                   RequiredPrivileges, AccessList>;

/// An open service. Holding one keeps a deleted service "marked for delete"; drop it early.
class OpenedService {
 public:
  virtual ~OpenedService() = default;
  [[nodiscard]] virtual Outcome<ServiceConfiguration> configuration() = 0;
  [[nodiscard]] virtual Outcome<ServiceState> state() = 0;
  [[nodiscard]] virtual Outcome<> change(const ServiceConfiguration& configuration) = 0;
  [[nodiscard]] virtual Outcome<> set_option(const ServiceOption& option) = 0;
  /// Blocks for up to 30 s, until the process has spoken to the service manager.
  [[nodiscard]] virtual Outcome<> start() = 0;
  /// Asks it to stop; does not wait.
  [[nodiscard]] virtual Outcome<> stop() = 0;
  [[nodiscard]] virtual Outcome<> remove() = 0;
};

/// A process that is watched until it ends, whatever becomes of its number.
class WatchedProcess {
 public:
  virtual ~WatchedProcess() = default;
  [[nodiscard]] virtual bool has_ended() = 0;
};

struct ServiceEntry {
  std::string name;
  ServiceState state;
};
/// A part of the list of services: `more` says that the next call goes on at `resume`.
struct ServicePage {
  std::vector<ServiceEntry> entries;
  std::uint32_t resume = 0;
  bool more = false;
  std::uint32_t bytes_needed = 0;  ///< for what is left, when `more`
};

/// One thread at a time. Every call may take as long as the system likes, but start() is the only
/// one that is known to.
class ServiceControl {
 public:
  virtual ~ServiceControl() = default;

  [[nodiscard]] virtual Outcome<std::unique_ptr<OpenedService>> create(
      const std::string& name, const ServiceConfiguration& configuration, std::uint32_t rights) = 0;
  [[nodiscard]] virtual Outcome<std::unique_ptr<OpenedService>> open(const std::string& name,
                                                                     std::uint32_t rights) = 0;
  /// Services in any state whose type has a bit of `types`, as many as `room_bytes` (at most 256
  /// KiB) hold, from `resume` on. What the caller may not query is left out without a word.
  [[nodiscard]] virtual Outcome<ServicePage> enumerate(std::uint32_t types,
                                                       std::uint32_t room_bytes,
                                                       std::uint32_t resume) = 0;
  [[nodiscard]] virtual Outcome<std::unique_ptr<WatchedProcess>> watch(
      std::uint32_t process_id) = 0;

  // What the service manager keeps in the registry without a call for it.
  /// Whether sign-ins make instances of a template.
  [[nodiscard]] virtual Outcome<> allow_instances(const std::string& name, bool allowed) = 0;
  /// A note beside the service, gone with it: the start mode that was asked for. Empty: none.
  [[nodiscard]] virtual Outcome<> note_mode(const std::string& name, const std::string& mode) = 0;
  [[nodiscard]] virtual std::string noted_mode(const std::string& name) = 0;
  /// Makes `program` explain the entries of `source` in the event log, or no longer.
  [[nodiscard]] virtual Outcome<> register_events(const std::string& source,
                                                  const std::string& program) = 0;
  [[nodiscard]] virtual Outcome<> unregister_events(const std::string& source) = 0;
};

/// The system's own; null where there is no such thing.
[[nodiscard]] std::unique_ptr<ServiceControl> make_service_control();

}  // namespace asiodrv::service::manager
