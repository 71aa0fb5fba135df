// What this machine starts by itself: at sign-in, as services, by the clock. Read once per run.
#pragma once

#include <string>
#include <vector>

#include "trust/facts.hpp"

namespace asiodrv::trust {

/// Everything that is started, whatever it is; services and tasks as far as this account sees them.
[[nodiscard]] PersistenceScan everything_started();

/// The part of `all` that leads to the file at `path`, and what replaces it when it is started.
[[nodiscard]] PersistenceScan persistence_of(const PersistenceScan& all, const std::string& path);

}  // namespace asiodrv::trust
