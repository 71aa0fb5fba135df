// Texts that strangers wrote, made safe to show.
#pragma once

#include <string>
#include <string_view>

namespace asiodrv::trust {

/// Control characters, broken UTF-8, characters that change the direction of text or are not seen,
/// and letters of other scripts among Latin ones (look-alikes) become \x.. or \u{...}. At most
/// `limit` characters, then "...".
[[nodiscard]] std::string shown(std::string_view text, std::size_t limit = 200);

/// For whole sentences and reports: control characters but '\n', broken UTF-8, and what is not seen
/// or changes the direction of text become '?'. Letters of all languages stay.
[[nodiscard]] std::string without_controls(std::string_view text);

/// Lower case, without blanks, signs and what is not seen, look-alike digits and letters folded:
/// two names that are equal afterwards look alike.
[[nodiscard]] std::string skeleton(std::string_view name);

}  // namespace asiodrv::trust
