#include "trust/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "trust/facts_json.hpp"
#include "trust/shown_text.hpp"

namespace asiodrv::trust {
namespace {

using nlohmann::json;

constexpr std::size_t kColumns = 96;

std::string_view verdict_words(Verdict verdict) {
  switch (verdict) {
    case Verdict::genuine: return "genuine";
    case Verdict::undecided: return "could not decide";
    case Verdict::suspicious: return "suspicious";
    case Verdict::dangerous: return "dangerous";
  }
  return "";
}

std::string_view mark(Severity severity) {
  switch (severity) {
    case Severity::good: return "good        ";
    case Severity::note: return "note        ";
    case Severity::unknown: return "not known   ";
    case Severity::suspicious: return "suspicious  ";
    case Severity::dangerous: return "DANGEROUS   ";
  }
  return "";
}

/// `text` broken at blanks; `first` begins the first line and as many blanks every other.
void put_wrapped(std::string& out, std::string_view first, std::string_view text) {
  const std::size_t indent = first.size();
  std::string line(first);
  bool empty = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (!empty && line.size() + 1 + word.size() > kColumns) {
      out += line + "\n";
      line.assign(indent, ' ');
      empty = true;
    }
    if (!empty) line += ' ';
    line += word;
    empty = false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  out += line + "\n";
}

std::string one_subject(const Judged& judged, bool detailed) {
  std::string out =
      shown(judged.facts.subject.empty() ? judged.facts.file.path : judged.facts.subject);
  out += "\n";
  if (!judged.facts.subject.empty() && judged.facts.subject != judged.facts.file.path) {
    out += fmt::format("  {}\n", shown(judged.facts.file.path));
  }
  if (judged.facts.file.sha256) {
    out += fmt::format("  SHA-256 {}\n", shown(*judged.facts.file.sha256));
  }
  out += fmt::format("  Verdict: {}\n", verdict_words(judged.verdict));
  for (const Finding& each : judged.findings) {
    if (each.severity == Severity::good && !detailed && judged.verdict != Verdict::genuine) {
      continue;
    }
    out += "\n";
    put_wrapped(out, fmt::format("  {}", mark(each.severity)), each.what);
    if (!each.why.empty()) put_wrapped(out, "              Why: ", each.why);
    if (!each.next_step.empty()) put_wrapped(out, "              Do:  ", each.next_step);
  }
  return out;
}

std::string summary(const std::vector<Judged>& subjects) {
  const auto count = [&](Verdict verdict) {
    return std::count_if(subjects.begin(), subjects.end(),
                         [&](const Judged& each) { return each.verdict == verdict; });
  };
  return fmt::format(
      "{} looked at: {} genuine, {} could not be decided, {} suspicious, {} "
      "dangerous.\n",
      subjects.size(), count(Verdict::genuine), count(Verdict::undecided),
      count(Verdict::suspicious), count(Verdict::dangerous));
}

}  // namespace

Judged judged(Facts facts, const Expectations& expectations) {
  auto findings = judge(facts, expectations);
  const Verdict verdict = verdict_of(findings);
  return {std::move(facts), std::move(findings), verdict};
}

Verdict worst_of(const std::vector<Judged>& subjects) {
  if (subjects.empty()) return Verdict::undecided;
  Verdict worst = Verdict::genuine;
  for (const Judged& each : subjects) worst = std::max(worst, each.verdict);
  return worst;
}

std::string report_text(const std::vector<Judged>& subjects, bool detailed) {
  std::string out;
  for (const Judged& each : subjects) out += one_subject(each, detailed) + "\n";
  if (subjects.size() != 1) out += summary(subjects);
  return out;
}

json report_json(const std::vector<Judged>& subjects) {
  json list = json::array();
  for (const Judged& each : subjects) {
    json findings = json::array();
    for (const Finding& finding : each.findings) {
      findings.push_back({{"severity", severity_name(finding.severity)},
                          {"id", finding.id},
                          {"what", finding.what},
                          {"why", finding.why},
                          {"next_step", finding.next_step}});
    }
    list.push_back({{"verdict", verdict_name(each.verdict)},
                    {"findings", std::move(findings)},
                    {"facts", to_json(each.facts)}});
  }
  return {{"format", kRecordFormat},
          {"version", kRecordVersion},
          {"verdict", verdict_name(worst_of(subjects))},
          {"subjects", std::move(list)}};
}

}  // namespace asiodrv::trust
