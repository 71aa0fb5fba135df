#include "trust/shown_text.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <vector>

namespace asiodrv::trust {
namespace {

constexpr std::uint32_t kBroken = 0xFFFF'FFFF;

struct Letter {
  std::uint32_t code = kBroken;
  std::string_view bytes;
};

/// The first character of `text`; a broken one is a single byte.
Letter first_letter(std::string_view text) {
  const auto byte = [&](std::size_t index) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[index]));
  };
  const std::uint32_t head = byte(0);
  const std::size_t length = head < 0x80           ? 1
                             : (head >> 5) == 0x06 ? 2
                             : (head >> 4) == 0x0E ? 3
                             : (head >> 3) == 0x1E ? 4
                                                   : 0;
  if (length == 1) return {head, text.substr(0, 1)};
  if (length == 0 || length > text.size()) return {kBroken, text.substr(0, 1)};
  std::uint32_t code = head & (0x7FU >> length);
  for (std::size_t index = 1; index < length; ++index) {
    if ((byte(index) & 0xC0) != 0x80) return {kBroken, text.substr(0, 1)};
    code = code << 6 | (byte(index) & 0x3F);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[length] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
    return {kBroken, text.substr(0, 1)};
  }
  return {code, text.substr(0, length)};
}

std::vector<Letter> letters_of(std::string_view text) {
  std::vector<Letter> letters;
  while (!text.empty()) {
    letters.push_back(first_letter(text));
    text.remove_prefix(letters.back().bytes.size());
  }
  return letters;
}

struct CodeRange {
  std::uint32_t first, last;
};

template <std::size_t count>
bool falls_into(std::uint32_t code, const CodeRange (&ranges)[count]) {
  for (const CodeRange& each : ranges) {
    if (code >= each.first && code <= each.last) return true;
  }
  return false;
}

/// Without a shape, or changes the direction of text, or breaks a line. Variation selectors are
/// none of it: they stand in names that nobody has forged.
bool is_unseen(std::uint32_t code) {
  static constexpr CodeRange kUnseen[] = {
      {0xAD, 0xAD},     {0x34F, 0x34F},   {0x61C, 0x61C},     {0x115F, 0x1160},
      {0x17B4, 0x17B5}, {0x180E, 0x180E}, {0x200B, 0x200F},   {0x2028, 0x202E},
      {0x2060, 0x206F}, {0x3164, 0x3164}, {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},
      {0xFFF9, 0xFFFB}, {0xFFFD, 0xFFFD}, {0x1D173, 0x1D17A}, {0xE0000, 0xE00FF}};
  return falls_into(code, kUnseen);
}

/// What says nothing in a name: blanks of any width, and what only chooses between the shapes of
/// the letter before.
bool is_empty_in_names(std::uint32_t code) {
  static constexpr CodeRange kEmpty[] = {
      {0xA0, 0xA0},     {0x1680, 0x1680}, {0x180B, 0x180F}, {0x2000, 0x200A}, {0x202F, 0x202F},
      {0x205F, 0x205F}, {0x2800, 0x2800}, {0x3000, 0x3000}, {0xFE00, 0xFE0F}, {0xE0100, 0xE01EF}};
  return is_unseen(code) || falls_into(code, kEmpty);
}

bool is_control(std::uint32_t code) { return code < 0x20 || (code >= 0x7F && code < 0xA0); }

bool is_latin(std::uint32_t code) {
  return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z');
}

/// Cyrillic and Greek letters that look like Latin ones.
char latin_twin(std::uint32_t code) {
  switch (code) {
    case 0x430:
    case 0x410:
    case 0x391:
    case 0x3B1: return 'a';
    case 0x412:
    case 0x392: return 'b';
    case 0x435:
    case 0x415:
    case 0x395: return 'e';
    case 0x41D:
    case 0x4BB:
    case 0x397: return 'h';
    case 0x408:
    case 0x458: return 'j';
    case 0x41A:
    case 0x39A: return 'k';
    case 0x41C:
    case 0x39C: return 'm';
    case 0x39D: return 'n';
    case 0x43E:
    case 0x41E:
    case 0x39F:
    case 0x3BF: return 'o';
    case 0x440:
    case 0x420:
    case 0x3A1:
    case 0x3C1: return 'p';
    case 0x441:
    case 0x421: return 'c';
    case 0x445:
    case 0x425:
    case 0x3A7: return 'x';
    case 0x423:
    case 0x443:
    case 0x3A5: return 'y';
    case 0x396: return 'z';
    case 0x422:
    case 0x3A4: return 't';
    case 0x3BD: return 'v';
    case 0x455:
    case 0x405: return 's';
    case 0x456:
    case 0x406:
    case 0x399:
    case 0x3B9: return 'l';  // as i and 1 are folded
    case 0x501: return 'd';
    default: return 0;
  }
}

}  // namespace

std::string shown(std::string_view text, std::size_t limit) {
  const std::vector<Letter> letters = letters_of(text);
  bool latin = false;
  for (const Letter& letter : letters) latin = latin || is_latin(letter.code);
  std::string safe;
  std::size_t count = 0;
  for (const Letter& letter : letters) {
    if (count++ == limit) return safe + "...";
    if (letter.code == kBroken) {
      safe += fmt::format("\\x{:02X}", static_cast<unsigned char>(letter.bytes.front()));
    } else if (is_control(letter.code)) {
      safe += fmt::format("\\x{:02X}", letter.code);
    } else if (is_unseen(letter.code) || (latin && letter.code >= 0x250 && letter.code < 0x2000)) {
      safe += fmt::format("\\u{{{:X}}}", letter.code);
    } else {
      safe += letter.bytes;
    }
  }
  return safe;
}

std::string without_controls(std::string_view text) {
  std::string safe;
  for (const Letter& letter : letters_of(text)) {
    const bool steers = letter.code == kBroken || is_unseen(letter.code) ||
                        (is_control(letter.code) && letter.code != '\n');
    if (steers) {
      safe += '?';
    } else {
      safe += letter.bytes;
    }
  }
  return safe;
}

std::string skeleton(std::string_view name) {
  std::string folded;
  for (const Letter& letter : letters_of(name)) {
    std::uint32_t code = letter.code;
    if (const char twin = latin_twin(code); twin != 0) code = static_cast<unsigned char>(twin);
    if (code >= 'A' && code <= 'Z') code = code - 'A' + 'a';
    if (code == '0') code = 'o';
    if (code == '1' || code == 'i' || code == '|') code = 'l';
    const bool plain = (code >= 'a' && code <= 'z') || (code >= '2' && code <= '9');
    if (plain) {
      folded.push_back(static_cast<char>(code));
    } else if (code >= 0x80 && !is_empty_in_names(code)) {
      folded += letter.bytes;
    }
  }
  return folded;
}

}  // namespace asiodrv::trust
