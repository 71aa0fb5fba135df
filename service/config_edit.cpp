#include "service/config_edit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "service/config_values.hpp"
#include "service/toml.hpp"

namespace asiodrv::service {
namespace {

using nlohmann::json;

constexpr std::size_t kNowhere = std::string_view::npos;

// --- places in the text --------------------------------------------------------------------------

/// The parser counts lines and characters from 1; a character is a code point of UTF-8.
std::size_t offset_of(std::string_view text, const toml::source_position& position) {
  std::size_t at = 0;
  for (toml::source_index line = 1; line < position.line; ++line) {
    at = text.find('\n', at);
    if (at == kNowhere) return kNowhere;
    ++at;
  }
  for (toml::source_index column = 1; column < position.column && at < text.size(); ++column) {
    do {
      ++at;
    } while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  }
  return at;
}

std::size_t line_start(std::string_view text, std::size_t at) {
  const std::size_t newline = at == 0 ? kNowhere : text.rfind('\n', at - 1);
  return newline == kNowhere ? 0 : newline + 1;
}

/// Behind the newline, or the end of the text.
std::size_t line_end(std::string_view text, std::size_t at) {
  const std::size_t newline = text.find('\n', at);
  return newline == kNowhere ? text.size() : newline + 1;
}

std::size_t behind_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const bool escapes = quote == '"';
  const bool threefold = text.substr(at, 3) == std::string(3, quote);
  std::size_t i = at + (threefold ? 3 : 1);
  while (i < text.size()) {
    if (escapes && text[i] == '\\') {
      i += 2;
    } else if (text[i] != quote) {
      ++i;
    } else if (!threefold) {
      return i + 1;
    } else if (text.substr(i, 3) == std::string(3, quote)) {
      i += 3;
      while (i < text.size() && text[i] == quote) ++i;  // up to two may belong to the text
      return i;
    } else {
      ++i;
    }
  }
  return kNowhere;
}

/// Behind the value that begins at `at`; lists may go over several lines, with comments in them.
std::size_t behind_value(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  for (std::size_t i = at; i < text.size();) {
    const char c = text[i];
    if (c == '"' || c == '\'') {
      i = behind_string(text, i);
      if (i == kNowhere || depth == 0) return i;
    } else if (c == '[' || c == '{') {
      ++depth;
      ++i;
    } else if ((c == ']' || c == '}') && depth > 0) {
      ++i;
      if (--depth == 0) return i;
    } else if (c == '#' && depth > 0) {
      i = line_end(text, i);
    } else if (depth > 0) {
      ++i;
    } else {
      const std::size_t end = std::min(text.find_first_of(" \t\r\n,]}#", i), text.size());
      return end == at ? kNowhere : end;
    }
  }
  return kNowhere;
}

bool is_blank_or_comment(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first == kNowhere || text[first] == '#';
}

// --- the proof -----------------------------------------------------------------------------------

/// What a text says; a section without keys says nothing.
json meaning(const toml::table& file) {
  json tree = json_of(file);
  for (auto it = tree.begin(); it != tree.end();) {
    it = it->is_object() && it->empty() ? tree.erase(it) : std::next(it);
  }
  return tree;
}

/// `after`: the changed text, or nothing when the key stands where none can be made.
Result<std::string> proven(const json& expected, std::optional<std::string> after, std::size_t line,
                           const std::string& path, const ConfigKey& key) {
  if (after) {
    const toml::parse_result parsed = toml::parse(*after);
    if (parsed && meaning(parsed.table()) == expected) return std::move(*after);
  }
  return fail(ErrorCode::unsupported,
              fmt::format("{}:{}: {} stands where it cannot be changed without touching other "
                          "things. Change it there by hand; nothing was written.",
                          path, line, key.path()));
}

struct Parsed {
  toml::table table;
  json meaning_now;
};

Result<Parsed> parsed_text(std::string_view text, const std::string& path) {
  toml::parse_result parsed = toml::parse(text, std::string_view(path));
  if (!parsed) {
    return fail(
        ErrorCode::malformed,
        fmt::format("{}:{}: {}. Mend the file first, or begin anew with \"asio-driver "
                    "config reset\".",
                    path, parsed.error().source().begin.line, parsed.error().description()));
  }
  json now = meaning(parsed.table());
  return Parsed{std::move(parsed).table(), std::move(now)};
}

const toml::node* node_of(const toml::table& file, const ConfigKey& key) {
  const toml::node* const section = file.get(key.section);
  return section != nullptr && section->is_table() ? section->as_table()->get(key.name) : nullptr;
}

// --- a key that is new ---------------------------------------------------------------------------

std::string newline_of(std::string_view text) {
  return text.find("\r\n") != kNowhere ? "\r\n" : "\n";
}

/// `line` as a line of its own at `at`, which is the start of a line or the end of the text.
std::string with_line(std::string_view text, std::size_t at, const std::string& line) {
  const std::string newline = newline_of(text);
  std::string result(text.substr(0, at));
  if (!result.empty() && result.back() != '\n') result += newline;
  return result + line + newline + std::string(text.substr(at));
}

std::string with_section(std::string_view text, const std::string& section,
                         const std::string& line) {
  const std::string newline = newline_of(text);
  const std::string header = "[" + section + "]" + newline + line;
  return with_line(text, text.size(), text.empty() ? header : newline + header);
}

/// Below the last key of its section, indented as that one is.
std::string with_new_key(std::string_view text, const toml::table& section, const ConfigKey& key,
                         const std::string& value) {
  const std::string line = fmt::format("{} = {}", key.name, value);
  const std::size_t start = offset_of(text, section.source().begin);
  const bool has_header = start < text.size() && text[start] == '[';
  std::size_t last = kNowhere, last_end = 0;  // of the section's values
  for (const auto& [name, node] : section) {
    const std::size_t begin = offset_of(text, node.source().begin);
    if (begin == kNowhere || begin >= text.size()) continue;
    if (last == kNowhere || begin > last) {
      last = begin;
      last_end = behind_value(text, begin);
    }
  }
  if (last == kNowhere || last_end == kNowhere) {
    return with_line(text, line_end(text, std::min(start, text.size())), line);
  }
  const std::size_t from = line_start(text, last);
  const std::size_t indent = text.find_first_not_of(" \t", from);
  std::string indented(text.substr(from, has_header ? indent - from : 0));
  if (!has_header) indented += std::string(key.section) + ".";  // written as section.key
  return with_line(text, line_end(text, last_end), indented + line);
}

}  // namespace

Result<std::string> with_value(std::string_view text, const std::string& path, const ConfigKey& key,
                               const json& value) {
  auto before = parsed_text(text, path);
  if (!before) return refusal(before);
  json expected = before->meaning_now;
  const toml::node* const section = before->table.get(key.section);
  if (section != nullptr && !section->is_table()) {
    return fail(ErrorCode::malformed, fmt::format("{}:{}: [{}] must be a section.", path,
                                                  section->source().begin.line, key.section));
  }
  expected[key.section][key.name] = value;
  const std::string literal = toml_text(value);
  if (const toml::node* const node = node_of(before->table, key)) {
    const std::size_t begin = offset_of(text, node->source().begin);
    const std::size_t end = begin < text.size() ? behind_value(text, begin) : kNowhere;
    std::optional<std::string> after;
    if (end != kNowhere) {
      after = std::string(text.substr(0, begin)) + literal + std::string(text.substr(end));
    }
    return proven(expected, std::move(after), node->source().begin.line, path, key);
  }
  const std::string line = fmt::format("{} = {}", key.name, literal);
  if (section == nullptr) {
    return proven(expected, with_section(text, key.section, line), 1, path, key);
  }
  const toml::table& table = *section->as_table();
  std::optional<std::string> after;
  if (!table.is_inline()) after = with_new_key(text, table, key, literal);
  return proven(expected, std::move(after), section->source().begin.line, path, key);
}

Result<std::string> without_value(std::string_view text, const std::string& path,
                                  const ConfigKey& key) {
  auto before = parsed_text(text, path);
  if (!before) return refusal(before);
  const toml::node* const node = node_of(before->table, key);
  if (node == nullptr) return std::string(text);
  json expected = before->meaning_now;
  expected[key.section].erase(key.name);
  if (expected[key.section].empty()) expected.erase(key.section);

  const std::size_t begin = offset_of(text, node->source().begin);
  const std::size_t end = begin < text.size() ? behind_value(text, begin) : kNowhere;
  std::optional<std::string> after;
  if (end != kNowhere) {
    const std::size_t rest = line_end(text, end);
    // Anything behind the value but a comment belongs to something else.
    if (is_blank_or_comment(text.substr(end, rest - end))) {
      after = std::string(text.substr(0, line_start(text, begin))) + std::string(text.substr(rest));
    }
  }
  return proven(expected, std::move(after), node->source().begin.line, path, key);
}

}  // namespace asiodrv::service
