// The driver as a COM object: reference counting, and the boundary that only numbers cross.
#pragma once

#include <cstdint>

#include "asio/abi.hpp"
#include "asio/front.hpp"

namespace asiodrv::asio {

/// {5E0C7B0A-93D4-4C1F-8B62-1FA47D2E9C35}: hosts ask for the interface by the class's own id.
inline constexpr Guid kDriverId{
    0x5E0C7B0A, 0x93D4, 0x4C1F, {0x8B, 0x62, 0x1F, 0xA4, 0x7D, 0x2E, 0x9C, 0x35}};
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
