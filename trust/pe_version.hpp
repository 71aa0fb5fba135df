// The version resource of a program file: what it says of itself.
#pragma once

#include <optional>

#include "trust/byte_view.hpp"
#include "trust/pe_file.hpp"

namespace asiodrv::trust {

struct ResourceData {
  std::uint32_t address = 0;  ///< relative to the image
  std::uint32_t size = 0;
};

/// The first version resource in the tree `resources` (from its root to the end of the file).
[[nodiscard]] std::optional<ResourceData> find_version_resource(const ByteView& resources);

/// Texts of the first language. Broken parts are left out.
[[nodiscard]] VersionTexts read_version_texts(const ByteView& resource);

/// UTF-8; what is no character becomes U+FFFD. Stops at a zero.
[[nodiscard]] std::string utf8_of_utf16(const ByteView& text);

}  // namespace asiodrv::trust
