// Access lists as Windows stores them (self-relative security descriptors), read without Windows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "trust/byte_view.hpp"

namespace asiodrv::trust {

enum class AceKind {
  allow,
  deny,
  conditional_allow,  ///< depends on claims that only the system can evaluate
  conditional_deny,
  other  ///< of no effect on access (audit), or unknown
};

struct Ace {
  AceKind kind = AceKind::other;
  bool inherit_only = false;  ///< speaks about future children, not about the object itself
  std::uint32_t mask = 0;     ///< generic rights not yet mapped
  std::string sid;            ///< "S-1-5-32-545"
  bool operator==(const Ace&) const = default;
};

struct SecurityDescriptor {
  std::string owner;  ///< empty: none
  bool dacl_present = false;
  /// No list at all: everyone may do everything. Differs from an empty list (nobody anything).
  bool dacl_null = false;
  std::vector<Ace> dacl;
  /// The integrity level below which writing is refused (0x2000 medium, 0x3000 high); 0: none set.
  std::uint32_t no_write_below = 0;
  bool operator==(const SecurityDescriptor&) const = default;
};

/// Error: malformed. A list that cannot be read whole is an error: half a list would be a guess.
[[nodiscard]] Result<SecurityDescriptor> parse_security_descriptor(
    std::span<const std::byte> bytes);

/// The text of the SID at `at`; nothing when it breaks its format.
[[nodiscard]] std::optional<std::string> sid_text(const ByteView& bytes, std::uint64_t at);

}  // namespace asiodrv::trust
