// What the program exits with: what its command returned, unless its output was cut off.
#pragma once

#include "cli/doctor.hpp"
#include "cli/verify.hpp"

namespace asiodrv::cli {

/// `code` of a command whose output was printed to its end, or not (`complete`). A report that was
/// cut off must not look whole: what it came to, kDone, a verdict or kFound, becomes kFailed. A
/// command that failed has said so already, and keeps its code.
[[nodiscard]] constexpr int exit_code_after(int code, bool complete) noexcept {
  const bool reports = code == kDone || code == kSuspicious || code == kDangerous ||
                       code == kUndecided || code == kFound;
  return reports && !complete ? kFailed : code;
}

}  // namespace asiodrv::cli
