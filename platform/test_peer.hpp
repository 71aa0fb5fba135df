// Tests in two processes: the test program starts itself again in a role. Roles are functions
// registered beside the tests that use them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/units.hpp"

namespace asiodrv::platform::test {

/// Runs in the second process; its result is the exit code.
using Role = int (*)(const std::vector<std::string>& arguments);

/// Declared at namespace scope: makes `role` known under `name`.
struct RegisterRole {
  RegisterRole(const char* name, Role role);
};

/// The second process. Killed when this object goes while it still runs.
class Peer {
 public:
  virtual ~Peer() = default;
  /// The exit code, or nothing when it still runs at `deadline` (or died of a signal).
  virtual std::optional<int> wait(Instant deadline) = 0;
  /// Ends it without warning, as a crash would.
  virtual void kill() = 0;
};

/// Starts this program in `role`. Aborts the test program when that is impossible.
std::unique_ptr<Peer> start_peer(const std::string& role,
                                 const std::vector<std::string>& arguments);

/// A deadline that only a broken test reaches.
[[nodiscard]] Instant patience();

/// A fresh instance name, so that tests of one machine do not meet.
[[nodiscard]] std::string unique_instance();

/// A folder for temporary files of this test program, with a trailing separator.
[[nodiscard]] std::string temporary_folder();

/// What a detached agent finds around itself, in one line, and what it should find. Ask for the
/// latter before starting the agent: it also plants what must not reach it.
[[nodiscard]] std::string describe_surroundings();
[[nodiscard]] std::string expected_surroundings();

/// A module (DLL, shared object) that a test loads as a host would; unloaded with this object.
class Module {
 public:
  virtual ~Module() = default;
  [[nodiscard]] virtual void* symbol(const char* name) const = 0;
};

/// Loads the module `name` (no folder, no ending) from beside the test program.
[[nodiscard]] std::unique_ptr<Module> load_module(const std::string& name);
[[nodiscard]] bool module_is_loaded(const std::string& name);

/// Waits until the process of that id has ended, until `deadline` at most.
bool wait_for_end(std::uint32_t process, Instant deadline);

}  // namespace asiodrv::platform::test
