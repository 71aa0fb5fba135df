// The driver as a COM object: reference counting, and the boundary that only numbers cross.
#pragma once

#include <cstdint>

#include "asio/abi.hpp"
#include "asio/front.hpp"

namespace asiodrv::asio {

/// Hosts ask for the interface by the class's own id.
inline constexpr const Guid& kDriverId = kProduct.class_id;
inline constexpr Guid kUnknownId{0, 0, 0, {0xC0, 0, 0, 0, 0, 0, 0, 0x46}};

/// COM's answers, as they cross the interface.
inline constexpr std::int32_t kComOk = 0;
inline constexpr auto kComNoInterface = static_cast<std::int32_t>(0x80004002U);
inline constexpr auto kComNullPointer = static_cast<std::int32_t>(0x80004003U);

/// A driver object with one reference, the caller's. Each method leaves the floating-point
/// environment as it found it and throws nothing; the last Release ends everything (front.hpp,
/// shutdown). Throws std::bad_alloc.
[[nodiscard]] AsioDriver* make_driver(FrontPorts ports, FrontOptions options = {});

/// Driver objects that exist in this module.
[[nodiscard]] std::int32_t live_drivers() noexcept;

}  // namespace asiodrv::asio
