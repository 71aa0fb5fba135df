// What the service is called. A vendor's build replaces these and nothing else; the driver DLL's
// composition reads them too, so nothing but plain constants may stand here.
#pragma once

namespace asiodrv::service::manager {

/// The key of the service and, for one service per user, of the template: letters, digits, '-'.
inline constexpr const char* kServiceName = "asio-driver";
/// In the Services window.
inline constexpr const char* kDisplayName = "asio-driver audio service";
inline constexpr const char* kDescription =
    "Lets several programs play and record through one audio interface at once (ASIO). Starts when "
    "a music program needs it.";
/// The program that is the service, beside the driver DLL.
inline constexpr const char* kProgramFile = "asio-driver.exe";
/// Under which its entries stand in the event log "Application".
inline constexpr const char* kEventSource = "asio-driver";

}  // namespace asiodrv::service::manager
