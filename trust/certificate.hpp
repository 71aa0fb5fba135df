// What of a certificate (X.509, DER) can be said without the system's help.
#pragma once

#include <optional>

#include "trust/byte_view.hpp"

namespace asiodrv::trust {

/// The SubjectPublicKeyInfo, whole; its SHA-256 stays the same when a certificate is renewed with
/// the same key. Nothing for what is no certificate.
[[nodiscard]] std::optional<ByteView> public_key_of(const ByteView& certificate);

}  // namespace asiodrv::trust
