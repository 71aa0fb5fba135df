// Facts as JSON, out and in again: what one machine recorded, another can judge (docs/verify.md).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "trust/facts.hpp"

namespace asiodrv::trust {

inline constexpr const char* kRecordFormat = "asio-driver-verify";
inline constexpr int kRecordVersion = 1;
inline constexpr std::size_t kMaxRecordBytes = std::size_t{16} << 20;
inline constexpr std::size_t kMaxSubjects = 4096;
inline constexpr std::size_t kMaxListed = 65'536;  ///< entries of any one list in a record

/// What is not known becomes {"not_known": "why"}.
[[nodiscard]] nlohmann::json to_json(const Facts& facts);

/// Facts that are missing are not known. An error that names them: members of a wrong type, and
/// parts of a fact that are missing where that would read as "nothing was found".
[[nodiscard]] Result<Facts> facts_from_json(const nlohmann::json& object);

/// The facts of a whole report, {"subjects": [{"facts": {...}}, ...]}, or of one subject alone.
/// Errors: malformed, unsupported (of another format or version), limit_reached.
[[nodiscard]] Result<std::vector<Facts>> parse_record(std::string_view text);

[[nodiscard]] std::string_view place_name(PlaceKind kind) noexcept;

}  // namespace asiodrv::trust
