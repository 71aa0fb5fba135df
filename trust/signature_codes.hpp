// What the system's signature check means, code by code (table in docs/verify.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "trust/facts.hpp"

namespace asiodrv::trust {

enum class SignatureMeaning {
  valid,
  none,            ///< no signature, embedded or in a catalog
  modified,        ///< the file was changed after it was signed
  signer_unknown,  ///< intact; this machine cannot prove whose signature it is
  expired,
  withdrawn,   ///< the certificate was revoked
  distrusted,  ///< blocked by name on this machine
  wrong_usage,
  policy,  ///< a rule of this machine forbids it
  not_signable,
  undecided  ///< every code that is not in the table
};

[[nodiscard]] SignatureMeaning meaning_of(std::uint32_t code) noexcept;

/// One sentence for people.
[[nodiscard]] std::string_view sentence(SignatureMeaning meaning) noexcept;

/// The code to judge by: the system's, or, where that is 0, what its own chain complains of. Wine
/// accepts every chain that is built well, whoever issued it.
[[nodiscard]] std::uint32_t effective_code(const Signature& signature) noexcept;

/// "0x800B0109"
[[nodiscard]] std::string code_text(std::uint32_t code);

}  // namespace asiodrv::trust
