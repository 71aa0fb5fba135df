// What a failed call means to people and to programs.
#pragma once

#include <string>

#include "core/base/result.hpp"
#include "devices/wasapi/abi.hpp"

namespace asiodrv::devices::wasapi {

/// The system's name of a code, as documentation has it ("AUDCLNT_E_DEVICE_IN_USE"), or its digits.
[[nodiscard]] std::string code_name(Hr code);

[[nodiscard]] ErrorCode error_code_of(Hr code) noexcept;

/// "`what`: why. What to do next. (AUDCLNT_E_...)"
[[nodiscard]] Error describe(Hr code, const std::string& what);
[[nodiscard]] inline tl::unexpected<Error> refuse(Hr code, const std::string& what) {
  return tl::unexpected<Error>(describe(code, what));
}

}  // namespace asiodrv::devices::wasapi
