// Finds out the facts of this machine. Changes nothing, plays nothing, and loads nobody else's code
// unless it is asked to.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/units.hpp"
#include "devices/wasapi/system.hpp"
#include "doctor/facts.hpp"
#include "service/config.hpp"

namespace asiodrv::doctor {

struct GatherOptions {
  std::string instance;     ///< of the service
  std::string config_path;  ///< "": the running service's own, or the user's default file
  /// Also what may disturb others: every other ASIO driver is loaded, and a device that is wanted
  /// for exclusive use is taken for a moment.
  bool probe = false;
  nanoseconds probe_limit = std::chrono::seconds{10};  ///< for each driver
};

/// Control thread. Every question has a limit of its own; together at most a minute, with
/// `probe` plus its limit for each driver.
[[nodiscard]] Facts gather(const GatherOptions& options);

// --- the parts -----------------------------------------------------------------------------------

/// What a device's sentence says about Windows' code: the HRESULT whose name stands in it, or 0.
[[nodiscard]] std::uint32_t code_in(const std::string& message);

/// Fills the names of what is configured by an id, from the service's memory of its sound devices
/// at `path` (UTF-8). Only reads: a file that is damaged is the service's to put aside. Blocks on
/// the disk.
void gather_names(ConfigurationFacts& facts, const std::string& path);

/// Windows' endpoints with their settings. Blocks for what the system takes to answer.
[[nodiscard]] Result<std::vector<Endpoint>> read_endpoints(devices::wasapi::System& system);

/// Fills `endpoints` and, where the service does not know better, `device` for `config`. Bounded:
/// 10 s. Opens a stream without starting it only where that disturbs nobody.
void gather_device(Facts& facts, const service::Config& config, const GatherOptions& options);

/// Registration, other drivers, service manager, privacy, power. Implemented per system.
void gather_system(Facts& facts, const GatherOptions& options);

}  // namespace asiodrv::doctor
