// Names for the numbers of the ASIO protocol, as people and JSON see them.
#pragma once

#include <cstdint>
#include <string>

namespace asiodrv::host {

/// "0 (ok)", "-997 (invalid mode)", "12 (not an ASIO code)".
[[nodiscard]] std::string describe_code(std::int32_t code);

/// "float32", "int24", "int32-be", or "type 99" for what nobody has defined.
[[nodiscard]] std::string sample_type_label(std::int32_t type);

/// "reset request", "overload", or "selector 99".
[[nodiscard]] std::string message_label(std::int32_t selector);

}  // namespace asiodrv::host
