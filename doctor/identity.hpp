// What the product is called where the system keeps its records.
#pragma once

#include "core/base/product.hpp"

namespace asiodrv::doctor {

/// The key below SOFTWARE\ASIO, and the name that programs show.
[[nodiscard]] inline const char* driver_name() noexcept { return kProduct.driver_name; }
/// As the driver registers itself (asio/dll/registration.cpp).
[[nodiscard]] inline const char* driver_class() noexcept { return kProduct.class_id_text; }
/// In the service manager.
[[nodiscard]] inline const char* service_key() noexcept { return kProduct.id; }
inline constexpr const char* kDriverFile = "asio-driver.dll";

}  // namespace asiodrv::doctor
