#include "trust/certificate.hpp"

#include "trust/der.hpp"

namespace asiodrv::trust {

std::optional<ByteView> public_key_of(const ByteView& certificate) {
  const auto outer = der_element(certificate);
  if (!outer || outer->tag != kDerSequence) return std::nullopt;
  DerReader parts(outer->content);
  const auto signed_part = parts.next(kDerSequence);
  if (!signed_part) return std::nullopt;
  DerReader fields(signed_part->content);
  fields.next(kDerContext0);                    // the version; absent in the first one
  for (int before = 0; before < 5; ++before) {  // serial, algorithm, issuer, validity, subject
    if (!fields.next()) return std::nullopt;
  }
  const auto key = fields.next(kDerSequence);
  if (!key) return std::nullopt;
  return key->whole;
}

}  // namespace asiodrv::trust
