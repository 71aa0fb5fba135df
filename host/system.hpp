// What the host asks of the operating system beyond platform/platform.hpp. Implemented in posix/
// and windows/.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "asio/abi.hpp"
#include "core/base/result.hpp"
#include "core/base/units.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/thread.hpp"
#include "host/catalogue.hpp"

namespace asiodrv::host {

/// The thread that talks to drivers: on Windows a single-threaded COM apartment with a hidden
/// window, whose messages must be pumped while the thread waits. Make one, on the main thread.
class ControlThread {
 public:
  ControlThread();
  ~ControlThread();
  ControlThread(const ControlThread&) = delete;
  ControlThread& operator=(const ControlThread&) = delete;

  /// What drivers get in init(): a window of ours, or null where there are none.
  [[nodiscard]] void* window() const noexcept { return window_; }

  /// Waits for about `duration` while messages are pumped.
  void wait(nanoseconds duration);

 private:
  void* window_ = nullptr;
};

/// What every command needs of the machine.
struct World {
  ports::Clock& clock;
  ports::Threads& threads;
  ControlThread& control;
};

/// Pumps until `done` holds, for at most `limit`; tells whether it does. `step` is how often it
/// looks.
bool wait_until(World& world, nanoseconds limit, const std::function<bool()>& done,
                nanoseconds step = std::chrono::milliseconds{2});

/// The drivers that programs of this bitness can load: HKLM\SOFTWARE\ASIO on Windows,
/// libasio-driver.so beside this program on Linux.
[[nodiscard]] std::vector<DriverEntry> installed_drivers();

/// Loads `entry` and makes one instance; the caller owns one reference. By COM where the entry has
/// a CLSID, otherwise by the module's export asio_driver_create. Modules stay loaded.
/// Errors: not_found, unsupported (no ASIO driver in there), internal; with the system's reason.
[[nodiscard]] Result<asio::AsioDriver*> create_instance(const DriverEntry& entry);

/// Drivers that are loaded from here on find no standard output; this program keeps its own.
void keep_output_from_drivers();

/// Processor time that this process, or the calling thread, has used.
[[nodiscard]] nanoseconds process_cpu_time();
[[nodiscard]] nanoseconds thread_cpu_time();

[[nodiscard]] bool stderr_is_terminal();

/// Arguments as UTF-8, without the program's name.
[[nodiscard]] std::vector<std::string> utf8_arguments(int count, char** values);

/// Ends process `process_id` at once (SIGKILL, TerminateProcess). Errors: not_found, access_denied.
[[nodiscard]] Result<> kill_process(std::uint32_t process_id);

/// A program that this one started, with its standard output captured. Killed when destroyed.
class ChildProcess {
 public:
  virtual ~ChildProcess() = default;
  /// Waits until it has ended, for at most `limit`; true when it has. Reads its output meanwhile.
  virtual bool wait(nanoseconds limit) = 0;
  virtual void kill() = 0;
  /// After it has ended: its exit code, or what ended it ("signal 11", "exception 0xC0000005").
  [[nodiscard]] virtual int exit_code() const = 0;
  [[nodiscard]] virtual std::string crash() const = 0;  ///< empty for an ordinary end
  [[nodiscard]] virtual const std::string& output() const = 0;
};

/// Starts `program` (UTF-8 path); its standard error is ours. Errors: not_found, internal.
[[nodiscard]] Result<std::unique_ptr<ChildProcess>> start_child(
    const std::string& program, const std::vector<std::string>& arguments);

/// Runs `command` in the system's shell; its exit code.
[[nodiscard]] int run_shell(const std::string& command);

}  // namespace asiodrv::host
