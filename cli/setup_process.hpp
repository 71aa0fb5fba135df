// Runs the installation's setup program, on systems that have one.
#pragma once

#include <chrono>
#include <string>

#include "core/base/result.hpp"

namespace asiodrv::cli {

/// See SetupSystem::run (rollback.hpp).
[[nodiscard]] Result<int> run_setup_process(const std::string& program,
                                            const std::string& arguments,
                                            std::chrono::milliseconds limit);

}  // namespace asiodrv::cli
