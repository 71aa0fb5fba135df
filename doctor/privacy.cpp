#include "doctor/privacy.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>

namespace asiodrv::doctor {
namespace {

constexpr std::size_t kShortestFolder = 4;  // "/" or "C:\" would match everywhere
constexpr std::size_t kShortestWord = 3;    // of a longer name

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

/// Letters and digits; bytes of UTF-8 beyond ASCII count as letters.
bool in_word(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || std::isalnum(byte) != 0;
}

std::string with(std::string text, char from, std::string_view to) {
  std::string result;
  for (const char c : text) {
    if (c == from)
      result += to;
    else
      result += c;
  }
  return result;
}

/// `replace(lower case text, place)`: how many bytes from there on are to go; 0 none.
template <class Length>
std::string replaced(std::string_view text, const std::string& by, Length length) {
  const std::string low = lowered(text);
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t bytes = length(std::string_view(low), at);
    if (bytes == 0) {
      result += text[at++];
    } else {
      result += by;
      at += bytes;
    }
  }
  return result;
}

bool ends_a_word(std::string_view text, std::size_t at) {
  return at >= text.size() || !in_word(text[at]);
}

/// The name behind a folder of users: "\Users\NAME" and its spellings.
std::string without_user_folders(std::string_view text) {
  constexpr std::array<std::string_view, 5> kRoots{"\\users\\", "\\\\users\\\\", "/users/",
                                                   "/home/", "\\documents and settings\\"};
  constexpr std::array<std::string_view, 4> kNobody{"public", "default", "all users", "<user>"};
  const std::string low = lowered(text);
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const auto root = std::find_if(kRoots.begin(), kRoots.end(), [&](std::string_view each) {
      return low.compare(at, each.size(), each) == 0;
    });
    if (root == kRoots.end()) {
      result += text[at++];
      continue;
    }
    result += text.substr(at, root->size());
    at += root->size();
    while (at < text.size() && text[at] == '\\') result += text[at++];  // JSON within JSON
    // Names have blanks on Windows only.
    const char* const stop = *root == "/home/" ? "\\/\"' \r\n" : "\\/\"'\r\n";
    const std::size_t end = std::min(text.find_first_of(stop, at), text.size());
    const std::string name = low.substr(at, end - at);
    const bool nobody = std::find(kNobody.begin(), kNobody.end(), name) != kNobody.end();
    result += name.empty() || nobody ? std::string(text.substr(at, end - at)) : "<user>";
    at = end;
  }
  return result;
}

/// Of local accounts and domains, and of accounts in a cloud.
std::size_t identifier_at(std::string_view low, std::size_t at) {
  for (const std::string_view prefix : {"s-1-5-21-", "s-1-12-1-"}) {
    if (low.compare(at, prefix.size(), prefix) != 0) continue;
    const std::size_t end = low.find_first_not_of("0123456789-", at + prefix.size());
    return (end == std::string_view::npos ? low.size() : end) - at;
  }
  return 0;
}

std::size_t run_of(std::string_view text, std::size_t at, bool (*in)(char)) {
  std::size_t end = at;
  while (end < text.size() && in(text[end])) ++end;
  return end - at;
}

bool in_host(char c) { return in_word(c) || c == '-' || c == '_' || c == '.'; }
bool is_backslash(char c) { return c == '\\'; }

/// "\\NAME\..." where a text begins, its backslashes doubled or not: the length of NAME.
std::size_t network_name_at(std::string_view text, std::size_t at) {
  constexpr std::size_t kMost = 5;  // one more than counts, or a run of n would cost n * n
  std::size_t before = 0;
  while (before < std::min(at, kMost) && is_backslash(text[at - 1 - before])) ++before;
  if (before != 2 && before != 4) return 0;
  const bool begins =
      at == before ||
      std::string_view(" \t\r\n\"'(=,;").find(text[at - before - 1]) != std::string_view::npos;
  const std::size_t length = run_of(text, at, in_host);
  const bool named = length > 0 && text.substr(at, length) != ".";
  return begins && named && run_of(text, at + length, is_backslash) > 0 ? length : 0;
}

bool in_mailbox(char c) { return in_host(c) || c == '+'; }

/// NAME@HOST.DOMAIN from the beginning of NAME.
std::size_t address_at(std::string_view text, std::size_t at) {
  if (at > 0 && in_mailbox(text[at - 1])) return 0;
  const std::size_t name = run_of(text, at, in_mailbox);
  if (name == 0 || at + name >= text.size() || text[at + name] != '@') return 0;
  const std::size_t host = run_of(text, at + name + 1, in_host);
  const std::size_t dot = text.substr(at + name + 1, host).find('.');
  return dot == std::string_view::npos || dot == 0 ? 0 : name + 1 + host;
}

/// What follows "vid_1234&pid_5678...\" or "...#" in the name of a device on USB.
std::size_t serial_at(std::string_view low, std::size_t at) {
  constexpr std::string_view kProduct = "vid_";
  if (at == 0 || (low[at - 1] != '\\' && low[at - 1] != '#')) return 0;
  const std::size_t serial = run_of(low, at, [](char c) { return in_host(c) || c == '&'; });
  if (serial == 0) return 0;  // within a run of backslashes: only its end looks back over it
  std::size_t end = at - 1;   // of what stands before
  while (end > 0 && low[end - 1] == '\\') --end;
  std::size_t begin = end;
  while (begin > 0 && (in_host(low[begin - 1]) || low[begin - 1] == '&')) --begin;
  const std::string_view product = low.substr(begin, end - begin);
  if (!product.starts_with(kProduct) || product.find("&pid_") == std::string_view::npos) return 0;
  return serial;
}

}  // namespace

Scrubber::Scrubber(PersonalNames names) {
  for (const std::string& folder : names.folders) {
    std::string plain = lowered(folder);
    while (!plain.empty() && (plain.back() == '/' || plain.back() == '\\')) plain.pop_back();
    if (plain.size() < kShortestFolder) continue;
    for (const std::string& spelling :
         {with(plain, '\\', "\\\\\\\\"), with(plain, '\\', "\\\\"), plain, with(plain, '\\', "/"),
          with(plain, '/', "\\"), with(plain, '/', "\\\\")}) {
      folders_.emplace_back(spelling, "<home>");
    }
  }
  for (const std::string& user : names.users) {
    if (user.empty()) continue;
    words_.emplace_back(lowered(user), "<user>");
    // Devices are called by the first name alone.
    for (std::size_t at = 0; at < user.size();) {
      const std::size_t length = run_of(user, at, in_word);
      if (length >= kShortestWord && length < user.size()) {
        words_.emplace_back(lowered(user.substr(at, length)), "<user>");
      }
      at += length + 1;
    }
  }
  for (const std::string& computer : names.computers) {
    if (!computer.empty()) words_.emplace_back(lowered(computer), "<computer>");
  }
  // What contains another one goes first.
  const auto longest_first = [](const auto& a, const auto& b) {
    return a.first.size() > b.first.size();
  };
  std::stable_sort(folders_.begin(), folders_.end(), longest_first);
  std::stable_sort(words_.begin(), words_.end(), longest_first);
}

std::string Scrubber::scrub(std::string_view text) const {
  std::string result(text);
  // No structured bindings: clang 14 does not let lambdas capture them.
  for (const auto& entry : folders_) {
    const std::string& folder = entry.first;
    result = replaced(result, entry.second, [&](std::string_view low, std::size_t at) {
      const bool found =
          low.compare(at, folder.size(), folder) == 0 && ends_a_word(low, at + folder.size());
      return found ? folder.size() : 0;
    });
  }
  result = replaced(result, "<user-id>", identifier_at);
  result = replaced(result, "<address>", address_at);
  result = replaced(result, "<serial>", serial_at);
  result = without_user_folders(result);
  result = replaced(result, "<computer>", network_name_at);
  for (const auto& entry : words_) {
    const std::string& word = entry.first;
    result = replaced(result, entry.second, [&](std::string_view low, std::size_t at) {
      const bool found = low.compare(at, word.size(), word) == 0 &&
                         (at == 0 || !in_word(low[at - 1])) && ends_a_word(low, at + word.size());
      return found ? word.size() : 0;
    });
  }
  return result;
}

std::string Scrubber::scrub_json(std::string_view document) const {
  nlohmann::json whole = nlohmann::json::parse(document, nullptr, false);
  if (whole.is_discarded()) return scrub(document);
  std::vector<nlohmann::json*> open{&whole};
  while (!open.empty()) {
    nlohmann::json& value = *open.back();
    open.pop_back();
    if (value.is_string()) value = scrub(value.get_ref<const std::string&>());
    if (!value.is_structured()) continue;
    for (nlohmann::json& inner : value) open.push_back(&inner);
  }
  return whole.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace asiodrv::doctor
