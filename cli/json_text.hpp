// Pieces of an answer as text. What is missing or mistyped becomes "-", 0 or no: an answer of
// another version must not end the command line.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace asiodrv::cli {

/// The member, or null. The reference lives as long as `object`.
[[nodiscard]] const nlohmann::json& at(const nlohmann::json& object, const char* member);
[[nodiscard]] std::string words(const nlohmann::json& value);
[[nodiscard]] std::string cell(const nlohmann::json& object, const char* member);
[[nodiscard]] double number(const nlohmann::json& value);
[[nodiscard]] bool yes(const nlohmann::json& value);
/// `list`, or an empty one when it is none.
[[nodiscard]] const nlohmann::json& items(const nlohmann::json& list);
/// Rows of the list `entries`, one cell for each of `members`.
[[nodiscard]] std::vector<std::vector<std::string>> rows_of(
    const nlohmann::json& entries, const std::vector<const char*>& members);

}  // namespace asiodrv::cli
