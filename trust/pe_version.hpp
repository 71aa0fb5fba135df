// The version resource of a program file: what it says of itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trust/byte_view.hpp"
#include "trust/pe_file.hpp"

namespace asiodrv::trust {

struct ResourceData {
  std::uint32_t address = 0;  ///< relative to the image
  std::uint32_t size = 0;
};

/// The version resources, one for each language, in the tree `resources` (from its root to the end
/// of the file). Windows shows the one that fits the user.
[[nodiscard]] std::vector<ResourceData> find_version_resources(const ByteView& resources);

/// The texts of each table. Broken parts are left out.
[[nodiscard]] std::vector<VersionTexts> read_version_texts(const ByteView& resource);

/// "1.2.3.0", as the resource's numbers have it; empty without any.
[[nodiscard]] std::string read_version_number(const ByteView& resource);

/// UTF-8; what is no character becomes U+FFFD. Stops at a zero.
[[nodiscard]] std::string utf8_of_utf16(const ByteView& text);

}  // namespace asiodrv::trust
