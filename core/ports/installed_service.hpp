// The service that is registered with the system, as a program that needs it sees it.
#pragma once

#include "core/base/result.hpp"

namespace asiodrv::ports {

struct InstalledServiceFacts {
  bool switched_off = false;  ///< by an administrator: nobody may serve
  bool can_start = false;     ///< there is something to start: not so for a template alone
  bool running = false;       ///< or starting
  bool was_stopped = false;   ///< stopped on purpose, not by a failure or never started
};

/// Control threads; each call may take as long as the system likes.
class InstalledService {
 public:
  virtual ~InstalledService() = default;

  /// Errors: not_found (none is registered), internal.
  [[nodiscard]] virtual Result<InstalledServiceFacts> look() = 0;

  /// Starts the one of this session. Blocks for up to 30 s. Errors: access_denied, not_found,
  /// already_exists (it runs), internal.
  [[nodiscard]] virtual Result<> start() = 0;
};

}  // namespace asiodrv::ports
