// Verdicts as people read them and as programs do.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "trust/judge.hpp"

namespace asiodrv::trust {

/// One subject, judged.
struct Judged {
  Facts facts;
  std::vector<Finding> findings;
  Verdict verdict = Verdict::undecided;
};

[[nodiscard]] Judged judged(Facts facts, const Expectations& expectations);

/// The worst of all; "undecided" when there is none.
[[nodiscard]] Verdict worst_of(const std::vector<Judged>& subjects);

/// `detailed`: also what was looked at and is as it should be.
[[nodiscard]] std::string report_text(const std::vector<Judged>& subjects, bool detailed);

/// {"format", "version", "verdict", "subjects": [{"verdict", "findings", "facts"}]}; parse_record
/// reads it again.
[[nodiscard]] nlohmann::json report_json(const std::vector<Judged>& subjects);

}  // namespace asiodrv::trust
