// Which parts make up the driver in a host's process.
#pragma once

#include <string>

#include "asio/abi.hpp"

namespace asiodrv::asio {

/// What the host's environment says about us; UTF-8, empty where it says nothing.
struct Surroundings {
  std::string instance;  ///< ASIODRV_INSTANCE
  std::string config;    ///< ASIODRV_CONFIG, a path
};

/// A driver over this system's clock, threads, sections and transport, and the service beside this
/// module. The caller owns the one reference. The parts are made at the first call and stay for the
/// life of the process: threads may need them after the last driver object. Throws std::bad_alloc.
[[nodiscard]] AsioDriver* compose_driver(const Surroundings& surroundings);

/// True while driver objects exist, or threads of theirs that a host holds up.
[[nodiscard]] bool in_use() noexcept;

}  // namespace asiodrv::asio
