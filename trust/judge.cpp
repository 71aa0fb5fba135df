#include "trust/judge.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/product.hpp"
#include "trust/judge_parts.hpp"
#include "trust/place.hpp"
#include "trust/shown_text.hpp"
#include "trust/surroundings.hpp"

namespace asiodrv::trust {
namespace {

void judge_missing(const Facts& facts, Findings& findings) {
  findings.add(Severity::suspicious, "file_missing",
               fmt::format("The file is not there ({}).", shown(facts.file.path)),
               "Whoever puts one there is loaded by every music program that opens the driver.",
               "Uninstall the driver, or install it again.");
}

}  // namespace

std::vector<std::string> built_in_signers() {
  std::vector<std::string> signers;
  std::string_view rest = kProduct.signers;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('|'), rest.size());
    if (end > 0) signers.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return signers;
}

std::vector<Finding> judge(const Facts& facts, const Expectations& expectations) {
  Findings findings;
  if (!facts.file.exists) {
    judge_missing(facts, findings);
  } else {
    judge_signature(facts, expectations, findings);
    judge_structure(facts, findings);
    judge_release(facts, expectations, findings);
    judge_place(facts, findings);
  }
  judge_registrations(facts, findings);
  judge_persistence(facts, findings);
  for (const ProcessFacts& each : facts.process) judge_process(facts, each, findings);
  auto list = findings.take();
  std::stable_sort(list.begin(), list.end(),
                   [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
  return list;
}

Verdict verdict_of(const std::vector<Finding>& findings) {
  Severity worst = findings.empty() ? Severity::unknown : Severity::good;
  for (const Finding& each : findings) worst = std::max(worst, each.severity);
  switch (worst) {
    case Severity::good:
    case Severity::note: return Verdict::genuine;
    case Severity::unknown: return Verdict::undecided;
    case Severity::suspicious: return Verdict::suspicious;
    case Severity::dangerous: return Verdict::dangerous;
  }
  return Verdict::undecided;
}

bool claims_to_be_ours(const Facts& facts) {
  const std::string ours = skeleton(our_product());
  const auto named_so = [&](std::string_view file) {
    const std::string name = folded(file_name_of(file));
    return name == kKitLibrary || name == kKitProgram;
  };
  const VersionTexts version =
      facts.file.structure ? facts.file.structure->version : VersionTexts{};
  if (skeleton(version.product) == ours) return true;
  // Another vendor's build has these names, too, and says whose product it is.
  if (version.product.empty() && (named_so(facts.file.path) || named_so(version.original_name))) {
    return true;
  }
  if (!facts.registrations) return false;
  return std::any_of(
      facts.registrations->begin(), facts.registrations->end(), [&](const Registration& each) {
        return skeleton(each.name) == ours || folded(each.clsid) == folded(our_class());
      });
}

std::string_view severity_name(Severity severity) noexcept {
  switch (severity) {
    case Severity::good: return "good";
    case Severity::note: return "note";
    case Severity::unknown: return "unknown";
    case Severity::suspicious: return "suspicious";
    case Severity::dangerous: return "dangerous";
  }
  return "";
}

std::string_view verdict_name(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::genuine: return "genuine";
    case Verdict::undecided: return "could_not_decide";
    case Verdict::suspicious: return "suspicious";
    case Verdict::dangerous: return "dangerous";
  }
  return "";
}

}  // namespace asiodrv::trust
