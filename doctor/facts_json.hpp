// Facts as JSON: what "asio-driver doctor --json" writes below "facts" and "--facts FILE" reads.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "core/base/result.hpp"
#include "doctor/facts.hpp"

namespace asiodrv::doctor {

inline constexpr std::size_t kMaxFactsBytes = std::size_t{8} << 20;

/// A known fact is its value; one that is not is {"unknown": "why"}.
[[nodiscard]] nlohmann::json to_json(const Facts& facts);

/// Reads facts that were recorded, here or on another machine, or a whole answer of --json that has
/// them. What is missing is not known. Errors: limit_reached (kMaxFactsBytes), malformed (says
/// where).
[[nodiscard]] Result<Facts> parse_facts(std::string_view text);

}  // namespace asiodrv::doctor
