// The commands that ask a running service. Each prints its answer and returns an exit code.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace asiodrv::cli {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;
inline constexpr int kNotRunning = 3;
inline constexpr int kNotElevated = 4;

struct ClientOptions {
  std::string instance;
  bool json = false;  ///< one JSON document instead of tables
};

int show_status(const ClientOptions& options);
/// `records`: also the newest so many cycles.
int show_flight(const ClientOptions& options, std::uint32_t records);

/// What a device shall be moved to; 0 leaves it as it is.
struct DeviceOptions {
  std::uint32_t rate_hz = 0;
  std::uint32_t period_frames = 0;
  std::string clock;                            ///< the name of a clock source; empty: as it is
  std::optional<std::uint32_t> external_clock;  ///< of the simulated device: what arrives there
};
/// Lists the devices; moves the one in use first, if so wished.
int show_devices(const ClientOptions& options, const DeviceOptions& device);
int show_config(const ClientOptions& options, bool reload);
/// Returns when the service has left: 5 s at most.
int stop_service(const ClientOptions& options);

}  // namespace asiodrv::cli
