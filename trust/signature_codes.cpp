#include "trust/signature_codes.hpp"

#include <fmt/format.h>

namespace asiodrv::trust {
namespace {

// Bits of a chain's error status, CERT_TRUST_*.
constexpr std::uint32_t kNotTimeValid = 0x1, kRevoked = 0x4, kWrongUsage = 0x10;
constexpr std::uint32_t kUntrustedRoot = 0x20, kRevocationUnknown = 0x40, kPartial = 0x1'0000;
constexpr std::uint32_t kOfflineRevocation = 0x100'0000, kDistrust = 0x400'0000;

constexpr std::uint32_t kSomethingElse = 0x800B010B;  // TRUST_E_FAIL: not in the table

}  // namespace

SignatureMeaning meaning_of(std::uint32_t code) noexcept {
  switch (code) {
    case 0: return SignatureMeaning::valid;
    case 0x800B0100: return SignatureMeaning::none;
    case 0x80096010: return SignatureMeaning::modified;
    case 0x800B0109:                                           // untrusted root
    case 0x800B010A: return SignatureMeaning::signer_unknown;  // no chain to a root
    case 0x800B0101: return SignatureMeaning::expired;
    case 0x800B010C: return SignatureMeaning::withdrawn;
    case 0x800B0111: return SignatureMeaning::distrusted;
    case 0x800B0110: return SignatureMeaning::wrong_usage;
    case 0x80092026: return SignatureMeaning::policy;
    case 0x800B0003: return SignatureMeaning::not_signable;
    case 0x800B0001:  // the part of the system that could check is missing
    default: return SignatureMeaning::undecided;
  }
}

std::string_view sentence(SignatureMeaning meaning) noexcept {
  switch (meaning) {
    case SignatureMeaning::valid: return "The signature is valid on this machine.";
    case SignatureMeaning::none: return "The file carries no signature, and no catalog lists it.";
    case SignatureMeaning::modified: return "The file was changed after it was signed.";
    case SignatureMeaning::signer_unknown:
      return "The file is as it was signed, but this machine cannot prove who signed it.";
    case SignatureMeaning::expired:
      return "The certificate has expired, and no timestamp says that it was valid when signing.";
    case SignatureMeaning::withdrawn: return "The signer's certificate was withdrawn.";
    case SignatureMeaning::distrusted: return "The signer is blocked on this machine.";
    case SignatureMeaning::wrong_usage: return "The certificate is not meant for signing programs.";
    case SignatureMeaning::policy: return "A rule of this machine refuses the signature.";
    case SignatureMeaning::not_signable: return "The file is of a kind that carries no signature.";
    case SignatureMeaning::undecided: return "The system's check came to no decision.";
  }
  return "";
}

std::uint32_t effective_code(const Signature& signature) noexcept {
  const std::uint32_t errors = signature.chain_errors & ~(kRevocationUnknown | kOfflineRevocation);
  if (signature.code != 0 || errors == 0) return signature.code;
  if ((errors & kDistrust) != 0) return 0x800B0111;
  if ((errors & kRevoked) != 0) return 0x800B010C;
  if ((errors & kWrongUsage) != 0) return 0x800B0110;
  if ((errors & kNotTimeValid) != 0 && !signature.timestamped) return 0x800B0101;
  const std::uint32_t rest = errors & ~(signature.timestamped ? kNotTimeValid : 0);
  if ((rest & ~(kUntrustedRoot | kPartial)) != 0) return kSomethingElse;
  if ((rest & kUntrustedRoot) != 0) return 0x800B0109;
  if ((rest & kPartial) != 0) return 0x800B010A;
  return 0;  // expired since, and timestamped before
}

std::string code_text(std::uint32_t code) { return fmt::format("0x{:08X}", code); }

}  // namespace asiodrv::trust
