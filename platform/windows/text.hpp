// UTF-8 outside, UTF-16 towards the system; and the sentence for a system error.
#pragma once

#include <windows.h>

#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace asiodrv::platform {

/// Unpaired surrogates and malformed bytes become U+FFFD: paths made of them open nothing.
[[nodiscard]] std::string to_utf8(std::wstring_view text);
[[nodiscard]] std::wstring to_wide(std::string_view text);

/// "`what`: system error `error`." with the code that fits.
[[nodiscard]] tl::unexpected<Error> system_failure(const std::string& what, DWORD error);

}  // namespace asiodrv::platform
