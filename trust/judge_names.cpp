// Whether two names mean the same firm: a comparison of words, and no more.
#include <algorithm>
#include <set>

#include "trust/judge_parts.hpp"

namespace asiodrv::trust {
namespace {

std::set<std::string> words_of(std::string_view name) {
  static const std::set<std::string> kForms = {
      "inc", "incorporated", "gmbh",    "ltd",  "limited", "llc", "corp",    "corporation",
      "co",  "kg",           "company", "ag",   "sa",      "sas", "srl",     "spa",
      "bv",  "ab",           "oy",      "aps",  "as",      "pty", "kk",      "plc",
      "the", "and",          "mbh",     "ltda", "sarl",    "se",  "holding", "group"};
  std::set<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty() && kForms.count(word) == 0) words.insert(word);
    word.clear();
  };
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')) {
      word.push_back(c);
    } else if (c >= 'A' && c <= 'Z') {
      word.push_back(static_cast<char>(c - 'A' + 'a'));
    } else if (c != '.' && c != '\'') {  // "S.p.A." is one word
      end_word();
    }
  }
  end_word();
  return words;
}

/// Words that half of all audio firms have in their names: alone they tell nobody apart.
bool is_common(const std::string& word) {
  static const std::set<std::string> kCommon = {
      "audio",       "digital",  "electronic",    "electronics",  "engineering",
      "instruments", "labs",     "international", "media",        "music",
      "pro",         "research", "software",      "sound",        "studio",
      "studios",     "systems",  "tech",          "technologies", "technology"};
  return kCommon.count(word) != 0;
}

}  // namespace

bool names_agree(std::string_view vendor, std::string_view signer) {
  const auto a = words_of(vendor), b = words_of(signer);
  if (a.empty() || b.empty()) return false;
  const auto& fewer = a.size() <= b.size() ? a : b;
  const auto& more = a.size() <= b.size() ? b : a;
  if (!std::includes(more.begin(), more.end(), fewer.begin(), fewer.end())) return false;
  return fewer.size() == more.size() || !std::all_of(fewer.begin(), fewer.end(), is_common);
}

}  // namespace asiodrv::trust
