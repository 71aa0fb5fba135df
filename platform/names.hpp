// Checks on the names from which system objects are built: no caller and no peer may smuggle a
// path separator, a wildcard or an overlong text into one.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace asiodrv::platform {

inline constexpr std::size_t kMaxInstanceLength = 64;
inline constexpr std::size_t kMaxDoorbellNameLength = 16;

/// Accepts an empty name or up to 64 of A-Z a-z 0-9 '.' '_' '-'. Error: invalid_argument.
[[nodiscard]] Result<> check_instance(std::string_view instance);

/// Accepts 1 to 16 of a-z 0-9 '_'. Error: invalid_argument.
[[nodiscard]] Result<> check_doorbell_name(std::string_view name);

/// Lower-case hexadecimal digits, two per byte.
[[nodiscard]] std::string to_hex(std::span<const std::byte> bytes);

}  // namespace asiodrv::platform
