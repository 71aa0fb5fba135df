#include "devices/wasapi/text.hpp"

#include <fmt/format.h>

namespace asiodrv::devices::wasapi {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr std::size_t kLongestText = 4096;

bool is_high(char32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low(char32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

void append_utf8(std::string& text, char32_t point) {
  const auto put = [&text](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | (point >> 6));
    put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | (point >> 12));
    put(0x80 | ((point >> 6) & 0x3F));
    put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | (point >> 18));
    put(0x80 | ((point >> 12) & 0x3F));
    put(0x80 | ((point >> 6) & 0x3F));
    put(0x80 | (point & 0x3F));
  }
}

/// The code point at `at`, which moves behind it; one byte further when it is malformed.
char32_t read_utf8(std::string_view text, std::size_t& at) {
  const auto byte = [text](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[i]));
  };
  const char32_t first = byte(at++);
  if (first < 0x80) return first;
  const std::size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
  if (first < 0xC2 || first > 0xF4 || at + more > text.size()) return kReplacement;
  char32_t point = first & (0x3FU >> more);
  for (std::size_t i = 0; i < more; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return kReplacement;
    point = (point << 6) | (byte(at + i) & 0x3F);
  }
  constexpr char32_t kLeast[]{0, 0x80, 0x800, 0x10000};
  if (point < kLeast[more] || point > 0x10FFFF || is_high(point) || is_low(point)) {
    return kReplacement;
  }
  at += more;
  return point;
}

}  // namespace

std::string to_utf8(std::u16string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char32_t point = text[i];
    if (is_high(point) && i + 1 < text.size() && is_low(text[i + 1])) {
      point = 0x10000 + ((point - 0xD800) << 10) + (char32_t{text[++i]} - 0xDC00);
    } else if (is_high(point) || is_low(point)) {
      point = kReplacement;
    }
    append_utf8(result, point);
  }
  return result;
}

std::u16string to_utf16(std::string_view text) {
  std::u16string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const char32_t point = read_utf8(text, at);
    if (point < 0x10000) {
      result.push_back(static_cast<char16_t>(point));
    } else {
      result.push_back(static_cast<char16_t>(0xD800 + ((point - 0x10000) >> 10)));
      result.push_back(static_cast<char16_t>(0xDC00 + ((point - 0x10000) & 0x3FF)));
    }
  }
  return result;
}

std::string copy_text(Text text) {
  if (text == nullptr) return {};
  std::size_t length = 0;
  while (length < kLongestText && text[length] != 0) ++length;
  return to_utf8({text, length});
}

std::string guid_text(const Guid& guid) {
  return fmt::format("{{{:08x}-{:04x}-{:04x}-{:02x}{:02x}-{:02x}{:02x}{:02x}{:02x}{:02x}{:02x}}}",
                     guid.a, guid.b, guid.c, guid.d[0], guid.d[1], guid.d[2], guid.d[3], guid.d[4],
                     guid.d[5], guid.d[6], guid.d[7]);
}

}  // namespace asiodrv::devices::wasapi
