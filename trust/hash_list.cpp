#include "trust/hash_list.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "trust/place.hpp"

namespace asiodrv::trust {
namespace {

constexpr std::size_t kDigits = 64;

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

}  // namespace

Result<std::vector<ReleaseHash>> parse_hash_list(std::string_view text) {
  std::vector<ReleaseHash> list;
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);  // editors of Windows add it
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = text.find('\n');
    std::string_view row = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!row.empty() && row.back() == '\r') row.remove_suffix(1);
    if (row.empty() || row.front() == '#') continue;
    // After the digits a blank, then a blank or, for binary mode, a star.
    const bool shape = row.size() > kDigits + 2 && is_hex(row.substr(0, kDigits)) &&
                       row[kDigits] == ' ' && (row[kDigits + 1] == ' ' || row[kDigits + 1] == '*');
    if (!shape) {
      return fail(ErrorCode::malformed,
                  fmt::format("Line {} of the hash list is not \"<SHA-256>  <file name>\", as "
                              "sha256sum writes it.",
                              line));
    }
    if (list.size() == kMaxReleaseHashes) {
      return fail(ErrorCode::limit_reached,
                  fmt::format("The hash list has more than {} entries.", kMaxReleaseHashes));
    }
    std::string digits(row.substr(0, kDigits));
    std::transform(digits.begin(), digits.end(), digits.begin(), [](char c) {
      return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    list.push_back({std::move(digits), file_name_of(row.substr(kDigits + 2))});
  }
  if (list.empty()) return fail(ErrorCode::malformed, "The hash list holds no hash.");
  return list;
}

}  // namespace asiodrv::trust
