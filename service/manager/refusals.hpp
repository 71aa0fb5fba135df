// From the system's numbers to sentences for people.
#pragma once

#include <string>

#include "core/base/result.hpp"
#include "service/manager/service_control.hpp"

namespace asiodrv::service::manager {

/// "`what`" with what the number means and one next step. Codes: access_denied, not_found,
/// timed_out, internal.
[[nodiscard]] tl::unexpected<Error> refused(const std::string& what, SystemError error);

/// Nothing is registered.
[[nodiscard]] tl::unexpected<Error> not_registered();

}  // namespace asiodrv::service::manager
