// The sound system of the machine, where it is one that we know.
#pragma once

#include <memory>

#include "devices/wasapi/system.hpp"

namespace asiodrv::service {

/// Windows' own; null elsewhere.
[[nodiscard]] std::unique_ptr<devices::wasapi::System> make_sound_system();

}  // namespace asiodrv::service
