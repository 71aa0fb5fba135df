// Where the service's socket lives: a folder that belongs to this user alone.
#pragma once

#include <string>

#include "core/base/result.hpp"

namespace asiodrv::platform {

struct Endpoint {
  std::string socket_path;  ///< fits into sockaddr_un
  std::string lock_path;    ///< held with flock by the one service
};

/// The first of $XDG_RUNTIME_DIR, /run/user/<uid> and /tmp/asiodrv-<uid> that is a real folder of
/// this user with mode 0700. Makes the last one when `create` is set. Errors: invalid_argument
/// (instance name), not_found (no such folder), access_denied (the folder is not ours alone).
[[nodiscard]] Result<Endpoint> find_endpoint(const std::string& instance, bool create);

}  // namespace asiodrv::platform
