// SHA-256 (FIPS 180-4). Our own because both systems must give the same answer without a library
// that the service would then carry along; checked against the standard's examples.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace asiodrv::trust {

/// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace asiodrv::trust
