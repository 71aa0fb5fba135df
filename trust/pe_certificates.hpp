// The attribute certificate table of a program file: what a signature does not cover, and so what
// somebody could add to a signed file without breaking the signature.
#pragma once

#include "trust/byte_view.hpp"
#include "trust/pe_file.hpp"

namespace asiodrv::trust {

/// The table at `offset`, `size` bytes long by the file's own headers.
[[nodiscard]] CertificateTable read_certificates(const ByteView& file, std::uint32_t offset,
                                                 std::uint32_t size);

}  // namespace asiodrv::trust
