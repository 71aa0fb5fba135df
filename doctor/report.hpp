// A diagnosis as people and programs read it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "doctor/diagnose.hpp"
#include "doctor/repair.hpp"

namespace asiodrv::doctor {

/// {"ok", "version", "findings": [{"id", "what", "detail", "fix", "hint", "can_fix"}], "undecided",
///  "repairs": [{"cause", "done", "said"}], "facts"}
[[nodiscard]] nlohmann::json report_json(const Facts& facts, const Diagnosis& diagnosis,
                                         const std::vector<Repair>& repairs);

[[nodiscard]] std::string report_text(const Facts& facts, const Diagnosis& diagnosis,
                                      const std::vector<Repair>& repairs);

/// Everything that can be found, for people and for programs.
[[nodiscard]] std::string causes_text();
[[nodiscard]] nlohmann::json causes_json();

}  // namespace asiodrv::doctor
