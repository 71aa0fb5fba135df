// The ASIO drivers that this machine offers to programs, of both bitnesses.
#pragma once

#include <string>
#include <vector>

#include "trust/facts.hpp"

namespace asiodrv::trust {

/// Of the machine's registry in both views; where the user's own registry leads the same class to
/// another file, one more for that (`per_user`).
[[nodiscard]] Known<std::vector<Registration>> registered_drivers();

/// The file that a class's InprocServer32 means, as this 64-bit program finds it. `view_32`: it
/// stands in the view of 32-bit programs, whose System32 is another folder.
[[nodiscard]] std::string server_file(const std::string& registered, bool view_32);

}  // namespace asiodrv::trust
