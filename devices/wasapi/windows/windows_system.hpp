// The real Windows behind the seam.
#pragma once

#include <memory>

#include "devices/wasapi/system.hpp"

namespace asiodrv::devices::wasapi {

/// While it lives, the process has a multithreaded apartment: threads that never asked for COM are
/// in it, the engine's among them. Any thread. Never null.
[[nodiscard]] std::unique_ptr<System> make_windows_system();

}  // namespace asiodrv::devices::wasapi
