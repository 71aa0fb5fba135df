// The ASIO drivers that this machine offers to programs, of both bitnesses.
#pragma once

#include <string>
#include <vector>

#include "trust/facts.hpp"

namespace asiodrv::trust {

/// Of the machine's registry in both views; where the user's own registry leads the same class to
/// another file, one more for that (`per_user`).
[[nodiscard]] Known<std::vector<Registration>> registered_drivers();

/// `text` with its variables expanded. `view_32`: as for a 32-bit program.
[[nodiscard]] std::string expanded_as_seen_by(const std::string& text, bool view_32);

/// The file that a class's InprocServer32 means, as this 64-bit program finds it. `view_32`: it
/// stands in the view of 32-bit programs, whose System32 is another folder, and who call this
/// program's Sysnative. Its variables are expanded before.
[[nodiscard]] std::string server_file(const std::string& registered, bool view_32);

}  // namespace asiodrv::trust
