#include "trust/surroundings.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "trust/byte_view.hpp"
#include "trust/pe_version.hpp"
#include "trust/place.hpp"
#include "trust/sha256.hpp"
#include "trust/shown_text.hpp"

namespace asiodrv::trust {
namespace {

constexpr std::uint16_t kByteOrderMark = 0xFEFF;  // of UTF-16, as tasks are stored

/// The same driver for the other bitness: one name, one class, another view.
bool is_other_half(const Registration& a, const Registration& b) {
  return a.view_32 != b.view_32 && folded(a.name) == folded(b.name) &&
         folded(a.clsid) == folded(b.clsid);
}

std::optional<DuplicateKind> likeness(const Registration& own, const Registration& other) {
  if (other.per_user || is_other_half(own, other)) return std::nullopt;
  if (folded(own.clsid) == folded(other.clsid)) return DuplicateKind::same_class_other_file;
  if (skeleton(own.name) == skeleton(other.name)) return DuplicateKind::similar_name;
  const std::string name = folded(file_name_of(own.path));
  if (name == folded(file_name_of(other.path)) && name != kKitLibrary &&
      own.view_32 == other.view_32) {
    return DuplicateKind::same_file_name;
  }
  return std::nullopt;
}

/// Those whose file this is.
std::vector<Registration> those_at(const std::vector<Registration>& all, const std::string& path) {
  std::vector<Registration> own;
  std::copy_if(all.begin(), all.end(), std::back_inserter(own),
               [&](const Registration& each) { return same_path(each.path, path); });
  return own;
}

bool is_word_end(char c) {
  return c == ' ' || c == '"' || c == '\'' || c == ',' || c == '\t' || c == ';';
}

/// As XML writes what would be its own signs.
std::string unescaped(std::string_view text) {
  static constexpr std::pair<std::string_view, char> kNames[] = {
      {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}, {"&lt;", '<'}, {"&gt;", '>'}};
  std::string plain;
  while (!text.empty()) {
    const auto* const name = std::find_if(
        std::begin(kNames), std::end(kNames),
        [&](const auto& each) { return text.substr(0, each.first.size()) == each.first; });
    plain += name == std::end(kNames) ? text.front() : name->second;
    text.remove_prefix(name == std::end(kNames) ? 1 : name->first.size());
  }
  return plain;
}

}  // namespace

void describe_content(FileFacts& file, std::span<const std::byte> content) {
  file.size_bytes = std::uint64_t{content.size()};
  file.sha256 = sha256_hex(content);
  auto structure = parse_pe(content);
  file.structure = structure ? Known<PeFile>(std::move(*structure))
                             : Known<PeFile>::unknown(structure.error().message);
}

std::vector<Registration> registrations_of(const std::vector<Registration>& all,
                                           const std::string& path) {
  std::vector<Registration> own = those_at(all, path);
  const std::size_t count = own.size();
  for (const Registration& each : all) {
    if (!each.per_user || same_path(each.path, path)) continue;
    const bool leads_away = std::any_of(
        own.begin(), own.begin() + static_cast<std::ptrdiff_t>(count), [&](const Registration& of) {
          return folded(of.clsid) == folded(each.clsid) && of.view_32 == each.view_32;
        });
    if (leads_away) own.push_back(each);
  }
  return own;
}

std::vector<Duplicate> duplicates_of(
    const std::vector<Registration>& all, const std::string& path,
    const std::function<Known<std::string>(const std::string&)>& hash_of) {
  std::vector<Duplicate> found;
  Known<std::string> own_hash;
  for (const Registration& own : those_at(all, path)) {
    for (const Registration& other : all) {
      if (same_path(other.path, path)) continue;
      const auto kind = likeness(own, other);
      const bool known = std::any_of(found.begin(), found.end(),
                                     [&](const Duplicate& each) { return each.other == other; });
      if (!kind || known) continue;
      if (!own_hash) own_hash = hash_of(path);
      const Known<std::string> hash = hash_of(other.path);
      found.push_back({*kind, other,
                       own_hash && hash
                           ? Known<bool>(*own_hash == *hash)
                           : Known<bool>::unknown("one of the two files could not be read")});
    }
  }
  return found;
}

bool leads_to(const std::string& command, const std::string& path) {
  const std::string text = folded(command);
  const std::string whole = folded(path);
  const std::string name = folded(file_name_of(path));
  if (whole.empty() || name.empty()) return false;
  const auto ends_word = [&](std::size_t end) {
    return end >= text.size() || is_word_end(text[end]);
  };
  for (std::size_t at = text.find(whole); at != std::string::npos; at = text.find(whole, at + 1)) {
    if (ends_word(at + whole.size())) return true;
  }
  for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
    if ((at == 0 || is_word_end(text[at - 1])) && ends_word(at + name.size())) return true;
  }
  return false;
}

std::string with_variables_of_32(std::string text) {
  static constexpr std::pair<std::string_view, std::string_view> kOther[] = {
      {"%programfiles%", "%ProgramFiles(x86)%"},
      {"%commonprogramfiles%", "%CommonProgramFiles(x86)%"}};
  for (const auto& [own, other] : kOther) {
    for (std::size_t at = folded(text).find(own); at != std::string::npos;
         at = folded(text).find(own, at + other.size())) {
      text.replace(at, own.size(), other);
    }
  }
  return text;
}

std::vector<Persistence> replaced_by(const std::vector<ImageOptions>& options,
                                     const std::string& path, const Persistence& monitor) {
  std::vector<Persistence> found;
  bool watched = false;
  for (const ImageOptions& each : options) {
    if (each.only_for && !same_path(*each.only_for, path)) continue;
    watched = watched || each.exit_is_watched;
    if (each.debugger.empty()) continue;
    found.push_back({PersistenceKind::image_hijack, each.where + "\\Debugger", each.debugger});
  }
  if (watched && !monitor.command.empty()) found.push_back(monitor);
  return found;
}

std::string readable_text(std::span<const std::byte> content) {
  std::string text;
  if (ByteView(content).u16(0) == kByteOrderMark) {
    text = utf8_of_utf16(ByteView(content.subspan(2)));
    for (char& c : text) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
    }
    return text;
  }
  for (const std::byte each : content) {
    const auto c = std::to_integer<unsigned char>(each);
    if (c == 0) continue;  // the upper half of UTF-16, or the end of a text
    text.push_back(c >= 0x20 && c < 0x7F ? static_cast<char>(c) : ' ');
  }
  return text;
}

std::string task_command(const std::string& text) {
  std::string commands;
  std::size_t at = 0;
  for (;;) {
    const std::size_t command = text.find("<Command>", at);
    const std::size_t arguments = text.find("<Arguments>", at);
    const std::size_t begin = std::min(command, arguments);
    if (begin == std::string::npos) break;
    const std::size_t from = text.find('>', begin) + 1;
    const std::size_t end = std::min(text.find('<', from), text.size());
    if (!commands.empty()) commands += ' ';
    commands += unescaped(std::string_view(text).substr(from, end - from));
    at = end;
  }
  return commands.empty() ? text : commands;
}

}  // namespace asiodrv::trust
