// UTF-16 of the system, UTF-8 of the product. Unpaired surrogates and malformed bytes become
// U+FFFD, so a text that is not one matches no name.
#pragma once

#include <string>
#include <string_view>

#include "devices/wasapi/abi.hpp"

namespace asiodrv::devices::wasapi {

[[nodiscard]] std::string to_utf8(std::u16string_view text);
[[nodiscard]] std::u16string to_utf16(std::string_view text);

/// A copy of what the system returned, at most 4096 units of it; null is empty.
[[nodiscard]] std::string copy_text(Text text);

/// "{8c7ed206-3f8a-4827-b3ab-ae9e1faefc6c}"
[[nodiscard]] std::string guid_text(const Guid& guid);

}  // namespace asiodrv::devices::wasapi
