// What the product is called where the system keeps its records.
#pragma once

namespace asiodrv::doctor {

/// The key below SOFTWARE\ASIO, and the name that programs show.
inline constexpr const char* kDriverName = "asio-driver";
/// As the driver registers itself (asio/dll/registration.cpp).
inline constexpr const char* kDriverClass = "{5E0C7B0A-93D4-4C1F-8B62-1FA47D2E9C35}";
inline constexpr const char* kDriverFile = "asio-driver.dll";
/// In the service manager.
inline constexpr const char* kServiceName = "asio-driver";

}  // namespace asiodrv::doctor
