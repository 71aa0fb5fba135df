// The parts of the judge; for judge.cpp and judge_*.cpp only.
#pragma once

#include <string>
#include <vector>

#include "core/base/product.hpp"
#include "trust/judge.hpp"

namespace asiodrv::trust {

[[nodiscard]] inline const char* our_product() noexcept { return kProduct.name; }
[[nodiscard]] inline const char* our_class() noexcept { return kProduct.class_id_text; }

/// Collects findings.
class Findings {
 public:
  void add(Severity severity, const char* id, std::string what, std::string why = {},
           std::string next_step = {}) {
    list_.push_back({severity, id, std::move(what), std::move(why), std::move(next_step)});
  }
  [[nodiscard]] bool has(std::string_view id) const {
    for (const Finding& each : list_) {
      if (each.id == id) return true;
    }
    return false;
  }
  [[nodiscard]] std::vector<Finding> take() { return std::move(list_); }

 private:
  std::vector<Finding> list_;
};

/// The signature, whose it is, and what lies in the file besides what it covers.
void judge_signature(const Facts& facts, const Expectations& expectations, Findings& findings);
void judge_structure(const Facts& facts, Findings& findings);
void judge_release(const Facts& facts, const Expectations& expectations, Findings& findings);
/// Where the file lies, who can change it, when it was changed. After judge_signature.
void judge_place(const Facts& facts, Findings& findings);
/// How the registry leads to the file, and what else starts it.
void judge_registrations(const Facts& facts, Findings& findings);
void judge_persistence(const Facts& facts, Findings& findings);
void judge_process(const Facts& facts, const ProcessFacts& process, Findings& findings);

/// True when a vendor's name and a signer's mean the same firm, as far as words can say.
[[nodiscard]] bool names_agree(std::string_view vendor, std::string_view signer);

}  // namespace asiodrv::trust
