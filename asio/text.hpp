// Text for a host's fixed fields: ASCII, cut to fit, always terminated.
#pragma once

#include <cstddef>
#include <string_view>

namespace asiodrv::asio {

/// Copies `text` into a field of `size` bytes. A character beyond printable ASCII becomes one '?'
/// (hosts disagree about encodings). Text that does not fit ends in "..." where there is room for
/// it. Never writes past the terminating zero.
inline void copy_text(char* field, std::size_t size, std::string_view text) noexcept {
  std::size_t used = 0;
  bool cut = false;
  for (const char raw : text) {
    const auto byte = static_cast<unsigned char>(raw);
    if ((byte & 0xC0U) == 0x80U) continue;  // the rest of a UTF-8 sequence
    if (used + 1 == size) {
      cut = true;
      break;
    }
    field[used++] = byte >= 0x20 && byte < 0x7F ? raw : '?';
  }
  if (cut && used > 8) field[used - 1] = field[used - 2] = field[used - 3] = '.';
  field[used] = '\0';
}

/// The same for a sentence, which is cut behind a whole word where one ends in the field's second
/// half.
inline void copy_message(char* field, std::size_t size, std::string_view text) noexcept {
  copy_text(field, size, text);
  std::size_t characters = 0;
  for (const char raw : text) {
    if ((static_cast<unsigned char>(raw) & 0xC0U) != 0x80U) ++characters;
  }
  if (characters < size || size < 16) return;  // all of it is there
  for (std::size_t end = size - 4; end > size / 2; --end) {
    if (field[end] != ' ') continue;
    const char before = field[end - 1];
    if (before == ',' || before == ':' || before == ';' || before == '.') --end;
    for (std::size_t i = 0; i < 3; ++i) field[end + i] = '.';
    field[end + 3] = '\0';
    return;
  }
}

}  // namespace asiodrv::asio
