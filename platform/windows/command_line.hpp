// A command line from its words.
#pragma once

#include <string>
#include <vector>

namespace asiodrv::platform {

/// Quotes so that the C runtime of the started program finds exactly these words (UTF-8) again.
[[nodiscard]] std::wstring make_command_line(const std::string& program,
                                             const std::vector<std::string>& arguments);

}  // namespace asiodrv::platform
