#include "cli/json_text.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

namespace asiodrv::cli {

using nlohmann::json;

const json& at(const json& object, const char* member) {
  static const json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(member);
  return found == object.end() ? nothing : *found;
}

const json& items(const json& list) {
  static const json none = json::array();
  return list.is_array() ? list : none;
}

std::string words(const json& value) {
  if (value.is_null()) return "-";
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_number_float()) return fmt::format("{:.1f}", value.get<double>());
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  std::string list;
  for (const json& element : value) list += (list.empty() ? "" : ", ") + words(element);
  return list.empty() ? "-" : list;
}

std::string cell(const json& object, const char* member) { return words(at(object, member)); }

double number(const json& value) { return value.is_number() ? value.get<double>() : 0.0; }

bool yes(const json& value) { return value.is_boolean() && value.get<bool>(); }

std::vector<std::vector<std::string>> rows_of(const json& entries,
                                              const std::vector<const char*>& members) {
  std::vector<std::vector<std::string>> rows;
  if (!entries.is_array()) return rows;
  for (const json& entry : entries) {
    std::vector<std::string> row;
    for (const char* const member : members) row.push_back(cell(entry, member));
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace asiodrv::cli
