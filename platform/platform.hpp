// Everything that this product asks of an operating system, implemented twice: platform/posix and
// platform/windows. Only a main (service, host, DLL entry, tests) calls these factories; all other
// code receives the ports.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/installed_service.hpp"
#include "core/ports/shared_region.hpp"
#include "core/ports/thread.hpp"
#include "core/ports/transport.hpp"

namespace asiodrv::platform {

/// CLOCK_MONOTONIC or QueryPerformanceCounter. Measures once, at construction, how late this
/// machine's sleeps end, and spins for about that long before each deadline (bounded: kMaxSpin).
[[nodiscard]] std::unique_ptr<ports::Clock> make_clock();

[[nodiscard]] std::unique_ptr<ports::Threads> make_threads();

/// Sections (memfd with seals; named section with 128 random bits and an owner-only access list)
/// and the doorbells inside them (futex; event pair).
[[nodiscard]] std::unique_ptr<ports::SharedRegions> make_shared_regions();

/// Endpoint of this user and session: a Unix socket in the user's runtime directory, a named pipe
/// with the user and session in its name. `instance` (ASCII, may be empty) tells several
/// installations, or tests, apart.
[[nodiscard]] std::unique_ptr<ports::Transport> make_transport(const std::string& instance);

/// Fills `into` from the system's secure random source.
[[nodiscard]] Result<> random_bytes(std::span<std::byte> into);

/// UTF-8 path of this process's program file, and of the module (DLL, shared object) that holds
/// the address `inside`.
[[nodiscard]] std::string program_path();
[[nodiscard]] std::string module_path(const void* inside);
[[nodiscard]] std::uint32_t process_id();

/// Starts `program` (absolute UTF-8 path) so that it outlives this process where the system lets
/// it: no inherited handles, own working directory, no window, fresh environment, detached from
/// the host's job. Does not wait. Errors: not_found, access_denied (the sentence says why, e.g. an
/// elevated host must not start it), internal.
[[nodiscard]] Result<> start_detached(const std::string& program,
                                      const std::vector<std::string>& arguments);

/// True when this process ends with the one that started it: it is in a job that ends with its
/// handle, and was not allowed to leave. Always false on Linux.
[[nodiscard]] bool ends_with_starter();

/// The service `name` as it is registered with the system's service manager, or the instance of it
/// that belongs to this session. Null where the system has no service manager.
[[nodiscard]] std::unique_ptr<ports::InstalledService> make_installed_service(
    const std::string& name);

/// Milliseconds in the epoch that hosts compare ASIO time stamps with (timeGetTime), widened so
/// that it never wraps: the anchor for AsioFront's system time, which wraps where theirs does.
[[nodiscard]] std::uint64_t host_epoch_ms();

/// While alive, asks the system for precise timers and full speed for this process (timer period
/// and power-throttling opt-out on Windows; nothing on Linux). Leaves nothing behind.
class StreamingBoost {
 public:
  StreamingBoost();
  ~StreamingBoost();
  StreamingBoost(const StreamingBoost&) = delete;
  StreamingBoost& operator=(const StreamingBoost&) = delete;
};

}  // namespace asiodrv::platform
