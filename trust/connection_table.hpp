// The system's tables of connections, as GetExtendedTcpTable and GetExtendedUdpTable lay them out,
// read without any network header.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/result.hpp"
#include "trust/facts.hpp"

namespace asiodrv::trust {

enum class TableKind { tcp4, tcp6, udp4, udp6 };

/// The rows of `process`. Error: malformed (the table is shorter than it says).
[[nodiscard]] Result<std::vector<Connection>> connections_of(std::span<const std::byte> table,
                                                             TableKind kind, std::uint32_t process);

}  // namespace asiodrv::trust
