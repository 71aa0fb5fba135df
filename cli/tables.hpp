// The service's answers as people read them. Pure: JSON in, text out. What is missing or mistyped
// in an answer shows as "-", so that an older service can be asked too.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace asiodrv::cli {

/// Columns as wide as their widest cell; a column whose cells are all numbers is aligned right.
[[nodiscard]] std::string table(const std::vector<std::string>& headers,
                                const std::vector<std::vector<std::string>>& rows);

[[nodiscard]] std::string status_text(const nlohmann::json& status);
[[nodiscard]] std::string flight_text(const nlohmann::json& flight);
[[nodiscard]] std::string devices_text(const nlohmann::json& devices);
[[nodiscard]] std::string config_text(const nlohmann::json& config);

}  // namespace asiodrv::cli
