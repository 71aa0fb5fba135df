#include "service/config_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "service/toml.hpp"

namespace asiodrv::service {
namespace {

using nlohmann::json;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

/// The one TOML value that `text` is, or nothing.
std::optional<json> toml_value(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), is_control)) return std::nullopt;
  const toml::parse_result parsed = toml::parse(fmt::format("value = {}\n", text));
  if (!parsed || parsed.table().size() != 1) return std::nullopt;
  return json_of(*parsed.table().get("value"));
}

bool is_quoted(std::string_view text) {
  return text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
         text.back() == text.front();
}

/// A text with or without quotes. A file name such as "it's" is no TOML, and means itself.
json text_value(std::string_view text) {
  if (is_quoted(text)) {
    if (auto value = toml_value(text); value && value->is_string()) return *value;
  }
  return std::string(text);
}

/// Elements between commas; of numbers where `numbers`.
std::optional<json> list_value(std::string_view text, bool numbers) {
  const std::string_view whole = trimmed(text);
  if (!whole.empty() && whole.front() == '[') return toml_value(whole);
  if (numbers) return toml_value(fmt::format("[{}]", whole));
  json list = json::array();
  if (whole.empty()) return list;
  for (std::size_t begin = 0; begin <= whole.size();) {
    const std::size_t comma = std::min(whole.find(',', begin), whole.size());
    list.push_back(text_value(trimmed(whole.substr(begin, comma - begin))));
    begin = comma + 1;
  }
  return list;
}

std::optional<json> typed_value(KeyType type, std::string_view text) {
  switch (type) {
    case KeyType::text:
    case KeyType::file: return text_value(text);
    case KeyType::texts: return list_value(text, false);
    case KeyType::integers: return list_value(text, true);
    case KeyType::flag:
    case KeyType::integer:
    case KeyType::real: return toml_value(trimmed(text));
  }
  return std::nullopt;
}

/// Whether `text` is UTF-8 throughout, as TOML wants it.
bool is_utf8(std::string_view text) {
  try {
    (void)json(std::string(text)).dump();
    return true;
  } catch (const json::exception&) {
    return false;
  }
}

std::string quoted(const std::string& text) {
  const bool plain =
      std::none_of(text.begin(), text.end(), [](char c) { return c == '\'' || is_control(c); });
  // Paths of Windows stay readable between single quotes, where nothing is escaped.
  if (plain && text.find_first_of("\\\"") != std::string::npos) return "'" + text + "'";
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (is_control(c))
      result += fmt::format("\\u{:04X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    else
      result += c;
  }
  return result + "\"";
}

}  // namespace

Result<json> parse_value(const ConfigKey& key, std::string_view text) {
  if (is_utf8(text)) {
    auto value = typed_value(key.type, text);
    Config scratch;
    scratch.members.emplace_back();
    if (value && key.take(scratch, 0, *value)) return std::move(*value);
  }
  return fail(ErrorCode::invalid_argument, fmt::format("{} must be {}.", key.path(), key.accepted));
}

std::string toml_text(const json& value) {
  if (value.is_string()) return quoted(value.get<std::string>());
  if (value.is_number_float()) {
    const auto number = value.get<double>();
    // TOML tells 1.0 from 1: a number with a point stays one.
    return std::floor(number) == number && std::abs(number) < 1e15 ? fmt::format("{:.1f}", number)
                                                                   : fmt::format("{}", number);
  }
  if (!value.is_array()) return value.dump();
  std::string list;
  for (const json& element : value) list += (list.empty() ? "" : ", ") + toml_text(element);
  return "[" + list + "]";
}

std::string plain_text(const json& value) {
  return value.is_string() ? value.get<std::string>() : toml_text(value);
}

}  // namespace asiodrv::service
