// From facts to findings to a verdict. Pure: the same facts give the same verdict on every machine,
// so a report recorded elsewhere can be judged again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trust/facts.hpp"
#include "trust/hash_list.hpp"

namespace asiodrv::trust {

enum class Severity {
  good,     ///< looked at, and as it should be
  note,     ///< worth knowing, decides nothing
  unknown,  ///< could not be looked at, and genuine cannot be said without it
  suspicious,
  dangerous
};

struct Finding {
  Severity severity = Severity::note;
  std::string id;         ///< stable, lower_case; all stand in docs/verify.md
  std::string what;       ///< one sentence
  std::string why;        ///< why it matters; may be empty for good ones
  std::string next_step;  ///< what to do; never empty from `unknown` upwards
  bool operator==(const Finding&) const = default;
};

enum class Verdict { genuine, undecided, suspicious, dangerous };  ///< from best to worst

/// What the user, or the builder of this product, vouches for.
struct Expectations {
  /// Accepted signers: a common name or an organization, exactly as in the certificate and with a
  /// chain that is valid; or the SHA-256 of the certificate or its public key, which is proof
  /// enough by itself. Empty: any valid chain is accepted.
  std::vector<std::string> signers;
  std::vector<ReleaseHash> release;  ///< empty: no list was given
};

/// The signers that this product accepts for its own files; empty unless its profile names them.
[[nodiscard]] std::vector<std::string> built_in_signers();

/// Findings from worst to best.
[[nodiscard]] std::vector<Finding> judge(const Facts& facts, const Expectations& expectations);

/// The worst finding decides. No finding at all is "undecided".
[[nodiscard]] Verdict verdict_of(const std::vector<Finding>& findings);

/// True when the file says that it is this product: by product name or class; by its file name,
/// where it names no product.
[[nodiscard]] bool claims_to_be_ours(const Facts& facts);

[[nodiscard]] std::string_view severity_name(Severity severity) noexcept;
[[nodiscard]] std::string_view verdict_name(Verdict verdict) noexcept;  ///< as in JSON

}  // namespace asiodrv::trust
