// Asks the system whether a file's signature holds, and reads whose it is.
#pragma once

#include <windows.h>

#include <string>

#include "trust/facts.hpp"
#include "trust/windows/trust_library.hpp"

namespace asiodrv::trust {

/// Embedded first, then, without one, through the system's catalogs. `file` is open for reading and
/// is what is judged; `path` is for the system's own messages. Never shows anything, never asks the
/// network: retrieval from caches only, revocation not checked.
[[nodiscard]] Signature check_signature(const TrustLibrary& library, HANDLE file,
                                        const std::wstring& path);

}  // namespace asiodrv::trust
