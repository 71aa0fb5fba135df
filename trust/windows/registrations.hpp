// The ASIO drivers that this machine offers to programs, of both bitnesses.
#pragma once

#include <vector>

#include "trust/facts.hpp"

namespace asiodrv::trust {

/// Of the machine's registry in both views; where the user's own registry leads the same class to
/// another file, one more for that (`per_user`).
[[nodiscard]] Known<std::vector<Registration>> registered_drivers();

}  // namespace asiodrv::trust
