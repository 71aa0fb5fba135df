// Whose signature it is, and whether it holds.
#include <fmt/format.h>

#include <algorithm>

#include "trust/judge_parts.hpp"
#include "trust/place.hpp"
#include "trust/shown_text.hpp"
#include "trust/signature_codes.hpp"

namespace asiodrv::trust {
namespace {

constexpr const char* kGetAgain =
    "Do not use it. Remove it with its uninstaller and install it again from the vendor's own "
    "site.";
constexpr const char* kAskVendor =
    "Ask the vendor for a signed version, or compare its SHA-256 with one that the vendor states.";

std::string lower_hex(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

/// The signer is one of those that were pinned by a fingerprint, and the file is intact.
bool is_pinned(const Signer& signer, const Expectations& expectations) {
  return std::any_of(
      expectations.signers.begin(), expectations.signers.end(), [&](const std::string& each) {
        const std::string pin = lower_hex(each);
        return pin.size() == 64 && (pin == signer.sha256 || pin == signer.public_key_sha256);
      });
}

bool is_named(const Signer& signer, const Expectations& expectations) {
  return std::any_of(
      expectations.signers.begin(), expectations.signers.end(), [&](const std::string& each) {
        return !each.empty() && (each == signer.common_name || each == signer.organization);
      });
}

std::string signer_text(const Signer& signer) {
  std::string text = fmt::format("\"{}\"", shown(signer.common_name));
  if (!signer.organization.empty() && signer.organization != signer.common_name) {
    text += fmt::format(" of \"{}\"", shown(signer.organization));
  }
  return text;
}

/// Files that passed Microsoft's driver programme carry its signature, whoever made them.
bool is_windows_publisher(const Signer& signer) {
  return signer.organization == "Microsoft Corporation" &&
         signer.common_name.find("Windows") != std::string::npos &&
         signer.common_name.find("Publisher") != std::string::npos;
}

void compare_with_claim(const Facts& facts, const Signer& signer, Findings& findings) {
  const std::string company = facts.file.structure ? facts.file.structure->version.company : "";
  if (company.empty()) {
    findings.add(
        Severity::unknown, "no_claimed_vendor",
        fmt::format("The file does not name its maker, and {} signed it.", signer_text(signer)),
        "There is nothing to compare the signer with: anybody can buy a certificate, and "
        "leave that name out.",
        "Check that the signer is the firm that you have the driver from.");
  } else if (is_windows_publisher(signer)) {
    findings.add(
        Severity::good, "signed_for_vendor",
        fmt::format("Microsoft's driver programme has signed for \"{}\".", shown(company)));
  } else if (names_agree(company, signer.common_name) ||
             names_agree(company, signer.organization)) {
    findings.add(
        Severity::good, "signer_is_vendor",
        fmt::format("The signer {} is the maker that the file names.", signer_text(signer)));
  } else {
    findings.add(Severity::suspicious, "signer_is_not_vendor",
                 fmt::format("The file says that \"{}\" made it, and {} signed it.", shown(company),
                             signer_text(signer)),
                 "A valid signature says who signed, not that this is the maker; anybody can write "
                 "another firm's name into a file.",
                 "Ask the vendor whether this firm signs for it; until then do not use it.");
  }
}

/// With a list of accepted signers, a file that says it is ours must be signed by one of them.
void compare_with_expected(const Facts& facts, const Signature& signature,
                           const Expectations& expectations, Findings& findings) {
  if (is_pinned(signature.signer, expectations) || is_named(signature.signer, expectations)) {
    findings.add(Severity::good, "signer_expected",
                 fmt::format("{} is among the accepted signers.", signer_text(signature.signer)));
  } else if (!expectations.signers.empty() && claims_to_be_ours(facts)) {
    findings.add(Severity::dangerous, "foreign_signer",
                 fmt::format("The file says that it is {}, and {} signed it, who is not among the "
                             "accepted signers.",
                             our_product(), signer_text(signature.signer)),
                 "The signature is somebody's, but not of those who make this product.", kGetAgain);
  } else {
    compare_with_claim(facts, signature.signer, findings);
  }
}

/// Of a signature that does not hold anyway: a stranger's on a file that says it is ours is worse
/// than that. An accepted name, which anybody can write into a certificate of his own, is not told
/// as accepted.
void tell_stranger(const Facts& facts, const Signature& signature, const Expectations& expectations,
                   Findings& findings) {
  const bool accepted =
      is_pinned(signature.signer, expectations) || is_named(signature.signer, expectations);
  if (accepted || expectations.signers.empty() || !claims_to_be_ours(facts)) return;
  compare_with_expected(facts, signature, expectations, findings);
}

void judge_unknown_signer(const Facts& facts, const Signature& signature,
                          const Expectations& expectations, const std::string& what,
                          Findings& findings) {
  if (is_pinned(signature.signer, expectations)) {
    findings.add(Severity::good, "signer_expected",
                 fmt::format("The file is as it was signed, with the accepted key of {}.",
                             signer_text(signature.signer)));
    return;
  }
  tell_stranger(facts, signature, expectations, findings);
  if (signature.self_signed) {
    findings.add(Severity::suspicious, "self_signed",
                 fmt::format("The file is signed with a certificate that {} made for itself.",
                             signer_text(signature.signer)),
                 "Anybody can make such a certificate in any name.", kAskVendor);
    return;
  }
  findings.add(Severity::suspicious, "signer_not_provable", what,
               fmt::format("The chain of {} ends at \"{}\", which this machine does not trust. "
                           "That is so for home-made certificates, and on a machine that has "
                           "never been online.",
                           signer_text(signature.signer), shown(signature.root)),
               "Check it again on a machine that is online and up to date. If it stays so, do not "
               "use the file.");
}

}  // namespace

void judge_signature(const Facts& facts, const Expectations& expectations, Findings& findings) {
  if (!facts.file.signature) {
    findings.add(
        Severity::unknown, "signature_unknown",
        fmt::format("The signature is not known: {}.", shown(facts.file.signature.why_not())),
        "Without it nobody can say who made the file, or whether it was changed.",
        "Run \"asio-driver verify\" on the Windows machine itself.");
    return;
  }
  const Signature& signature = *facts.file.signature;
  const std::uint32_t code = effective_code(signature);
  const SignatureMeaning meaning = meaning_of(code);
  const std::string what(sentence(meaning));
  switch (meaning) {
    case SignatureMeaning::valid:
      findings.add(Severity::good, "signature_valid",
                   fmt::format("The signature of {} is valid; its chain ends at \"{}\"{}.",
                               signer_text(signature.signer), shown(signature.root),
                               signature.from_catalog ? " (in a catalog of the system)" : ""),
                   "Whether the certificate was withdrawn since is not checked: that would take "
                   "the network.");
      compare_with_expected(facts, signature, expectations, findings);
      return;
    case SignatureMeaning::none:
      if (!expectations.signers.empty() && claims_to_be_ours(facts)) {
        findings.add(Severity::dangerous, "ours_unsigned",
                     fmt::format("The file says that it is {}, and is not signed.", our_product()),
                     "Every file of this product is signed.", kGetAgain);
        return;
      }
      findings.add(Severity::suspicious, "unsigned", what,
                   "Nobody can tell who made it, and whether it was changed since.", kAskVendor);
      return;
    case SignatureMeaning::modified:
      findings.add(Severity::dangerous, "modified_after_signing", what,
                   "Somebody or something has changed what the signer vouched for.", kGetAgain);
      return;
    case SignatureMeaning::signer_unknown:
      judge_unknown_signer(facts, signature, expectations, what, findings);
      return;
    case SignatureMeaning::expired:
      if (is_pinned(signature.signer, expectations)) {
        compare_with_expected(facts, signature, expectations, findings);
      }
      tell_stranger(facts, signature, expectations, findings);
      findings.add(Severity::suspicious, "certificate_expired", what,
                   "A key that has run out is no longer watched over by its owner.", kAskVendor);
      return;
    case SignatureMeaning::withdrawn:
      findings.add(Severity::dangerous, "certificate_revoked", what,
                   "That is done when a key was stolen or used for harm.", kGetAgain);
      return;
    case SignatureMeaning::distrusted:
      findings.add(Severity::dangerous, "signer_distrusted", what,
                   "Microsoft or your administrator has listed this signer as harmful.", kGetAgain);
      return;
    case SignatureMeaning::wrong_usage:
      tell_stranger(facts, signature, expectations, findings);
      findings.add(Severity::suspicious, "certificate_for_something_else", what,
                   "Authorities check who gets a certificate for programs; for others they do not.",
                   kAskVendor);
      return;
    case SignatureMeaning::policy:
      findings.add(Severity::suspicious, "refused_by_policy", what,
                   "Your administrator has set what may be signed, and how.",
                   "Ask your administrator which rule refuses it.");
      return;
    case SignatureMeaning::not_signable:
      findings.add(Severity::unknown, "not_signable", what, "Nobody vouches for it.",
                   "Check that this is the file you meant.");
      return;
    case SignatureMeaning::undecided:
      findings.add(
          Severity::unknown, "signature_undecided",
          fmt::format("Could not decide: the system's check answered {}.", code_text(code)),
          "This is neither a good nor a bad signature.",
          "Check again after a restart; then look up the code, or send the report made "
          "with --json to the vendor.");
      return;
  }
}

void judge_release(const Facts& facts, const Expectations& expectations, Findings& findings) {
  if (expectations.release.empty()) return;
  if (!facts.file.sha256) {
    findings.add(Severity::unknown, "hash_unknown",
                 fmt::format("The hash is not known: {}.", shown(facts.file.sha256.why_not())),
                 "It cannot be compared with the list.",
                 "Run the command with an account that may read the file.");
    return;
  }
  const std::string name = folded(file_name_of(facts.file.path));
  bool listed = false;
  for (const ReleaseHash& each : expectations.release) {
    if (each.sha256 == *facts.file.sha256) {
      findings.add(Severity::good, "hash_listed",
                   fmt::format("The SHA-256 is in the list, as \"{}\".", shown(each.name)));
      return;
    }
    listed = listed || folded(each.name) == name;
  }
  if (listed) {
    findings.add(Severity::dangerous, "hash_differs",
                 "The list has another SHA-256 for a file of this name.",
                 "It is not the file that was released, or not of this release.",
                 "Check that the list is of the version that is installed. If it is, remove the "
                 "file and install it again.");
  } else {
    findings.add(claims_to_be_ours(facts) ? Severity::suspicious : Severity::note,
                 "hash_not_listed", "The list does not have this file.",
                 "Nobody has released it under this list.",
                 "Check that the list is of this product and version.");
  }
}

}  // namespace asiodrv::trust
