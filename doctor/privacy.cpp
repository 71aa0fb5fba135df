#include "doctor/privacy.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace asiodrv::doctor {
namespace {

constexpr std::size_t kShortestFolder = 4;  // "/" or "C:\" would match everywhere

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

std::size_t identifier_at(std::string_view low, std::size_t at) {
  constexpr std::string_view kPrefix = "s-1-5-21-";
  if (low.compare(at, kPrefix.size(), kPrefix) != 0) return 0;
  const std::size_t end = low.find_first_not_of("0123456789-", at + kPrefix.size());
  return (end == std::string_view::npos ? low.size() : end) - at;
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
    if (!user.empty()) words_.emplace_back(lowered(user), "<user>");
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
  result = without_user_folders(result);
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

}  // namespace asiodrv::doctor
