#include "doctor/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "doctor/facts_json.hpp"
#include "trust/shown_text.hpp"

namespace asiodrv::doctor {
namespace {

using nlohmann::json;

constexpr std::size_t kColumns = 90;

/// `raw`, which may quote registries, drivers and others' recordings, in lines of at most kColumns,
/// the first one after `lead`, the others under it.
std::string wrapped(const std::string& lead, const std::string& raw) {
  const std::string text = trust::without_controls(raw);
  const std::string indent(lead.size(), ' ');
  std::string result, line = lead;
  bool fresh = true;
  const auto break_line = [&] {
    result += line + "\n";
    line = indent;
    fresh = true;
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
    const std::string word = text.substr(at, end - at);
    if (!fresh && line.size() + 1 + word.size() > kColumns) break_line();
    line += (fresh ? "" : " ") + word;
    fresh = false;
    if (end < text.size() && text[end] == '\n') break_line();
    at = end + 1;
  }
  if (!fresh) result += line + "\n";
  return result;
}

std::string what_plays(const Facts& facts) {
  const DeviceFacts& device = facts.device;
  if (!device.backend.known()) return {};
  if (device.name.empty()) {
    return fmt::format("The device is of the kind \"{}\".\n",
                       trust::without_controls(*device.backend));
  }
  return fmt::format("The device is {} (\"{}\").\n", trust::without_controls(device.name),
                     trust::without_controls(*device.backend));
}

}  // namespace

json report_json(const Facts& facts, const Diagnosis& diagnosis,
                 const std::vector<Repair>& repairs) {
  json findings = json::array();
  for (const Finding& each : diagnosis.findings) {
    findings.push_back({{"id", each.cause->id},
                        {"what", each.cause->what},
                        {"detail", each.detail},
                        {"fix", each.fix},
                        {"hint", each.cause->hint},
                        {"can_fix", each.cause->ours}});
  }
  json repaired = json::array();
  for (const Repair& each : repairs) {
    repaired.push_back({{"cause", each.cause}, {"done", each.done}, {"said", each.said}});
  }
  return {{"ok", diagnosis.findings.empty()}, {"version", facts.program_version},
          {"findings", std::move(findings)},  {"undecided", diagnosis.undecided},
          {"repairs", std::move(repaired)},   {"facts", to_json(facts)}};
}

std::string report_text(const Facts& facts, const Diagnosis& diagnosis,
                        const std::vector<Repair>& repairs) {
  std::string text;
  for (const Repair& each : repairs) {
    text += wrapped(each.done ? "Repaired: " : "Not repaired: ", each.said);
  }
  if (!repairs.empty()) text += "\n";
  if (diagnosis.findings.empty()) {
    text += "Nothing is wrong that this program can see.\n" + what_plays(facts);
    text += "Is the right output chosen in the music program, and is it turned up?\n";
  }
  int number = 0;
  for (const Finding& each : diagnosis.findings) {
    text += wrapped(fmt::format("{:2}. ", ++number), std::string(each.cause->what));
    text += wrapped("    ", each.detail);
    text += wrapped("    To do: ", each.fix);
    text += "\n";
  }
  if (!diagnosis.undecided.empty()) text += "\nCould not decide:\n";
  for (const std::string& each : diagnosis.undecided) text += wrapped("  - ", each);
  return text;
}

std::string causes_text() {
  std::string text = "What can be found, most likely first:\n\n";
  for (const Cause& each : all_causes()) {
    text += wrapped(fmt::format("{:<24}", each.id), std::string(each.what));
    text += wrapped(std::string(24, ' ') + "To do: ", std::string(each.fix));
  }
  return text;
}

json causes_json() {
  json list = json::array();
  for (const Cause& each : all_causes()) {
    list.push_back({{"id", each.id},
                    {"what", each.what},
                    {"fix", each.fix},
                    {"hint", each.hint},
                    {"can_fix", each.ours}});
  }
  return list;
}

}  // namespace asiodrv::doctor
