// Little-endian numbers and texts out of bytes that may lie about their own size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace asiodrv::trust {

/// A view that answers nothing for what lies beyond its end; offsets cannot overflow.
class ByteView {
 public:
  ByteView() = default;
  explicit ByteView(std::span<const std::byte> bytes) : bytes_(bytes) {}

  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  [[nodiscard]] bool holds(std::uint64_t offset, std::uint64_t count) const noexcept {
    return offset <= bytes_.size() && count <= bytes_.size() - offset;
  }

  [[nodiscard]] std::optional<std::uint8_t> u8(std::uint64_t offset) const noexcept {
    if (!holds(offset, 1)) return std::nullopt;
    return std::to_integer<std::uint8_t>(bytes_[static_cast<std::size_t>(offset)]);
  }
  [[nodiscard]] std::optional<std::uint16_t> u16(std::uint64_t offset) const noexcept {
    const auto value = number(offset, 2);
    if (!value) return std::nullopt;
    return static_cast<std::uint16_t>(*value);
  }
  [[nodiscard]] std::optional<std::uint32_t> u32(std::uint64_t offset) const noexcept {
    const auto value = number(offset, 4);
    if (!value) return std::nullopt;
    return static_cast<std::uint32_t>(*value);
  }

  /// The part that exists of `count` bytes from `offset` on.
  [[nodiscard]] ByteView part(std::uint64_t offset, std::uint64_t count) const noexcept {
    if (offset >= bytes_.size()) return {};
    const std::uint64_t room = bytes_.size() - offset;
    return ByteView(bytes_.subspan(static_cast<std::size_t>(offset),
                                   static_cast<std::size_t>(count < room ? count : room)));
  }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

  /// ASCII text up to its zero; nothing when it does not end within `limit` characters.
  [[nodiscard]] std::optional<std::string> text(std::uint64_t offset, std::size_t limit) const {
    std::string found;
    for (std::size_t index = 0; index <= limit; ++index) {
      const auto value = u8(offset + index);
      if (!value) return std::nullopt;
      if (*value == 0) return found;
      found.push_back(static_cast<char>(*value));
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] std::optional<std::uint64_t> number(std::uint64_t offset,
                                                    std::size_t width) const noexcept {
    if (!holds(offset, width)) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t index = 0; index < width; ++index) {
      value |= std::to_integer<std::uint64_t>(bytes_[static_cast<std::size_t>(offset) + index])
               << (8 * index);
    }
    return value;
  }

  std::span<const std::byte> bytes_;
};

}  // namespace asiodrv::trust
