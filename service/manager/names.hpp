// What the service is called: each product's differs, so that several vendors' stand side by side.
#pragma once

#include <string>

#include "core/base/product.hpp"

namespace asiodrv::service::manager {

/// The key of the service and, for one service per user, of the template: letters, digits, '-'.
[[nodiscard]] inline const char* service_name() noexcept { return kProduct.id; }
/// In the Services window.
[[nodiscard]] inline std::string display_name() {
  return std::string(kProduct.name) + " audio service";
}
/// Under which its entries stand in the event log "Application".
[[nodiscard]] inline const char* event_source() noexcept { return kProduct.id; }

inline constexpr const char* kServiceDescription =
    "Lets several programs play and record through one audio interface at once (ASIO). Starts when "
    "a music program needs it.";
/// The program that is the service, beside the driver DLL.
inline constexpr const char* kProgramFile = "asio-driver.exe";

}  // namespace asiodrv::service::manager
