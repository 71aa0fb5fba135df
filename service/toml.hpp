// The TOML library as this module uses it: without exceptions, and writing nothing.
#pragma once

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#define TOML_ENABLE_FORMATTERS 0
// Its assertions judge the text, too ("[=" ends the program), before it tells what is wrong there.
#define TOML_ASSERT(expression) static_assert(true)
#include <toml++/toml.h>

#include <nlohmann/json.hpp>

namespace asiodrv::service {

/// A value or a tree as JSON; dates and times, which no key takes, become null.
[[nodiscard]] inline nlohmann::json json_of(const toml::node& node) {
  if (const auto* const flag = node.as_boolean()) return flag->get();
  if (const auto* const integer = node.as_integer()) return integer->get();
  if (const auto* const real = node.as_floating_point()) return real->get();
  if (const auto* const text = node.as_string()) return text->get();
  if (const toml::array* const list = node.as_array()) {
    nlohmann::json elements = nlohmann::json::array();
    for (const toml::node& element : *list) elements.push_back(json_of(element));
    return elements;
  }
  if (const toml::table* const table = node.as_table()) {
    nlohmann::json members = nlohmann::json::object();
    for (const auto& [key, value] : *table) members[std::string(key.str())] = json_of(value);
    return members;
  }
  return nullptr;
}

}  // namespace asiodrv::service
