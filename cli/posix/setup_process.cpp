#include "cli/setup_process.hpp"

namespace asiodrv::cli {

Result<int> run_setup_process(const std::string& /*program*/, const std::string& /*arguments*/,
                              std::chrono::milliseconds /*limit*/) {
  return fail(ErrorCode::unsupported, "Only the Windows installation has a setup program.");
}

}  // namespace asiodrv::cli
