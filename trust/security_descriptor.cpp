#include "trust/security_descriptor.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace asiodrv::trust {
namespace {

constexpr std::uint16_t kDaclPresent = 0x0004, kSaclPresent = 0x0010, kSelfRelative = 0x8000;
constexpr std::uint8_t kInheritOnly = 0x08;
constexpr std::uint8_t kMandatoryLabel = 0x11;
constexpr std::uint32_t kNoWriteUp = 0x1;
constexpr std::uint32_t kObjectTypePresent = 0x1, kInheritedTypePresent = 0x2;

struct RawAce {
  std::uint8_t type = 0;
  Ace ace;
};

AceKind kind_of(std::uint8_t type) {
  switch (type) {
    case 0x00:
    case 0x05: return AceKind::allow;
    case 0x01:
    case 0x06: return AceKind::deny;
    case 0x09:
    case 0x0B: return AceKind::conditional_allow;
    case 0x0A:
    case 0x0C: return AceKind::conditional_deny;
    default: return AceKind::other;
  }
}

bool is_object_ace(std::uint8_t type) {
  return type == 0x05 || type == 0x06 || type == 0x0B || type == 0x0C;
}

/// Type, flags, size, mask, for object entries flags and up to two GUIDs, then the SID.
std::optional<RawAce> read_ace(const ByteView& bytes) {
  const auto type = bytes.u8(0);
  const auto flags = bytes.u8(1);
  const auto mask = bytes.u32(4);
  if (!type || !flags || !mask) return std::nullopt;
  std::uint64_t sid_at = 8;
  if (is_object_ace(*type)) {
    const auto present = bytes.u32(8);
    if (!present) return std::nullopt;
    sid_at += 4;
    if ((*present & kObjectTypePresent) != 0) sid_at += 16;
    if ((*present & kInheritedTypePresent) != 0) sid_at += 16;
  }
  auto sid = sid_text(bytes, sid_at);
  if (!sid && kind_of(*type) != AceKind::other) return std::nullopt;
  return RawAce{*type,
                {kind_of(*type), (*flags & kInheritOnly) != 0, *mask, sid.value_or(std::string())}};
}

std::optional<std::vector<RawAce>> read_list(const ByteView& bytes, std::uint64_t at) {
  const auto size = bytes.u16(at + 2);
  const auto count = bytes.u16(at + 4);
  if (!size || !count || *size < 8 || !bytes.holds(at, *size)) return std::nullopt;
  const ByteView list = bytes.part(at, *size);
  std::vector<RawAce> aces;
  std::uint64_t next = 8;
  for (std::uint16_t index = 0; index < *count; ++index) {
    const auto ace_size = list.u16(next + 2);
    if (!ace_size || *ace_size < 8 || !list.holds(next, *ace_size)) return std::nullopt;
    auto ace = read_ace(list.part(next, *ace_size));
    if (!ace) return std::nullopt;
    aces.push_back(std::move(*ace));
    next += *ace_size;
  }
  return aces;
}

tl::unexpected<Error> broken(const char* part) {
  return fail(ErrorCode::malformed, fmt::format("The access list is broken: {}.", part));
}

}  // namespace

std::optional<std::string> sid_text(const ByteView& bytes, std::uint64_t at) {
  const auto count = bytes.u8(at + 1);
  if (bytes.u8(at) != 1 || !count || *count > 15 || !bytes.holds(at, 8 + 4ULL * *count)) {
    return std::nullopt;
  }
  std::uint64_t authority = 0;  // big-endian, unlike the rest
  for (std::uint64_t index = 0; index < 6; ++index) {
    authority = authority << 8 | bytes.u8(at + 2 + index).value_or(0);
  }
  std::string text = fmt::format("S-1-{}", authority);
  for (std::uint64_t index = 0; index < *count; ++index) {
    text += fmt::format("-{}", bytes.u32(at + 8 + 4 * index).value_or(0));
  }
  return text;
}

Result<SecurityDescriptor> parse_security_descriptor(std::span<const std::byte> whole) {
  const ByteView bytes(whole);
  const auto control = bytes.u16(2);
  if (bytes.u8(0) != 1 || !control || !bytes.holds(0, 20)) return broken("its header");
  if ((*control & kSelfRelative) == 0) return broken("it is not self-relative");
  SecurityDescriptor descriptor;
  if (const std::uint32_t at = bytes.u32(4).value_or(0); at != 0) {
    const auto owner = sid_text(bytes, at);
    if (!owner) return broken("its owner");
    descriptor.owner = *owner;
  }
  if ((*control & kSaclPresent) != 0) {
    const std::uint32_t at = bytes.u32(12).value_or(0);
    const auto list = at != 0 ? read_list(bytes, at) : std::vector<RawAce>();
    if (!list) return broken("its label");
    for (const RawAce& raw : *list) {
      const std::string prefix = "S-1-16-";
      if (raw.type == kMandatoryLabel && !raw.ace.inherit_only &&
          (raw.ace.mask & kNoWriteUp) != 0 && raw.ace.sid.rfind(prefix, 0) == 0) {
        descriptor.no_write_below = static_cast<std::uint32_t>(
            std::strtoul(raw.ace.sid.c_str() + prefix.size(), nullptr, 10));
      }
    }
  }
  descriptor.dacl_present = (*control & kDaclPresent) != 0;
  const std::uint32_t dacl_at = bytes.u32(16).value_or(0);
  descriptor.dacl_null = descriptor.dacl_present && dacl_at == 0;
  if (!descriptor.dacl_present || descriptor.dacl_null) return descriptor;
  const auto list = read_list(bytes, dacl_at);
  if (!list) return broken("its entries");
  for (const RawAce& raw : *list) descriptor.dacl.push_back(raw.ace);
  return descriptor;
}

}  // namespace asiodrv::trust
