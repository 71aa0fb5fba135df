// The simulated device as the configuration describes it, with its WAV files.
#pragma once

#include <memory>

#include "core/base/result.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/device.hpp"
#include "core/ports/thread.hpp"
#include "service/config.hpp"
#include "service/log.hpp"

namespace asiodrv::service {

/// Reads the player's file; the recorder's file is written while the device runs and completed when
/// the device is destroyed. Errors: those of reading the file and of check_simulated_options.
[[nodiscard]] Result<std::unique_ptr<ports::Device>> make_simulated_backend(
    ports::Clock& clock, ports::Threads& threads, const Config::Simulated& config, Log log);

}  // namespace asiodrv::service
