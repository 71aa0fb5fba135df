#include "service/manager/refusals.hpp"

#include <fmt/format.h>

namespace asiodrv::service::manager {

tl::unexpected<Error> refused(const std::string& what, SystemError error) {
  switch (error.number) {
    case system_errors::kAccessDenied:
      return fail(ErrorCode::access_denied,
                  what +
                      ": this needs an administrator. Run the command in a terminal that was "
                      "opened with \"Run as administrator\".");
    case system_errors::kNoSuchService: return not_registered();
    case system_errors::kMarkedForDelete:
      return fail(ErrorCode::timed_out,
                  what +
                      ": the service is still being removed, because a program has it open. "
                      "Close the Services window and the Task Manager, and try again.");
    case system_errors::kDisabled:
      return fail(ErrorCode::invalid_state,
                  what +
                      ": it is switched off. \"asio-driver service set-start demand\" switches "
                      "it on.");
    default:
      return fail(ErrorCode::internal, fmt::format("{}: Windows error {}.", what, error.number));
  }
}

tl::unexpected<Error> not_registered() {
  return fail(ErrorCode::not_found,
              "The service is not registered with Windows. \"asio-driver service install\" does "
              "that; programs that use the driver work without it too.");
}

}  // namespace asiodrv::service::manager
