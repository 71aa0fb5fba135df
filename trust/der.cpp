#include "trust/der.hpp"

#include <fmt/format.h>

namespace asiodrv::trust {

std::optional<DerElement> der_element(const ByteView& from) {
  const auto tag = from.u8(0);
  const auto first = from.u8(1);
  if (!tag || !first || (*tag & 0x1F) == 0x1F) return std::nullopt;  // long tags: not used here
  std::uint64_t length = *first;
  std::uint64_t header = 2;
  if (*first >= 0x80) {
    const std::uint64_t width = *first & 0x7FU;
    if (width == 0 || width > 4) return std::nullopt;  // indefinite, or more than a file can hold
    length = 0;
    for (std::uint64_t index = 0; index < width; ++index) {
      const auto digit = from.u8(2 + index);
      if (!digit) return std::nullopt;
      length = length << 8 | *digit;
    }
    header += width;
  }
  if (!from.holds(header, length)) return std::nullopt;
  return DerElement{*tag, from.part(header, length), from.part(0, header + length)};
}

std::optional<DerElement> DerReader::next() {
  const auto element = der_element(rest_);
  rest_ = element ? rest_.part(element->whole.size(), rest_.size()) : ByteView();
  return element;
}

std::optional<DerElement> DerReader::next(std::uint8_t tag) {
  if (rest_.u8(0) != tag) return std::nullopt;
  return next();
}

std::string object_id_text(const ByteView& content) {
  std::string text;
  std::uint64_t arc = 0;
  bool open = false;
  for (std::uint64_t index = 0; index < content.size() && index < 64; ++index) {
    const std::uint8_t digit = *content.u8(index);
    if (arc >> 50 != 0) return {};
    arc = arc << 7 | (digit & 0x7FU);
    open = (digit & 0x80U) != 0;
    if (open) continue;
    if (text.empty()) {
      const std::uint64_t head = arc < 80 ? arc / 40 : 2;
      text = fmt::format("{}.{}", head, arc - head * 40);
    } else {
      text += fmt::format(".{}", arc);
    }
    arc = 0;
  }
  return open ? std::string() : text;
}

}  // namespace asiodrv::trust
