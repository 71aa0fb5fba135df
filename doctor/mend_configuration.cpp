#include "doctor/mend_configuration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <vector>

#include "service/config.hpp"
#include "service/file_lock.hpp"
#include "service/json_file.hpp"
#include "service/paths.hpp"

namespace asiodrv::doctor {
namespace {

namespace fs = std::filesystem;

constexpr int kMostAside = 1000;
constexpr int kMostRounds = 100;  // a mistake may hide the ones behind it
constexpr std::string_view kWrong = "# was wrong: ";

/// With their ends: joined again they are the text.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    lines.push_back(text.substr(at, end - at));
    at = end;
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

/// The first character that is no blank; 0 for an empty line.
char first_of(const std::string& line) {
  const std::size_t at = line.find_first_not_of(" \t\r\n");
  return at == std::string::npos ? '\0' : line[at];
}

/// False: it says nothing already. A comment, too, must be text: what may be none becomes '?'.
bool silence(std::string& line) {
  const std::string before = line;
  for (char& c : line) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= ' ' && byte < 0x7F) || c == '\t' || c == '\r' || c == '\n';
    if (!plain) c = '?';
  }
  const char first = first_of(line);
  if (first != '\0' && first != '#') line.insert(0, kWrong);
  return line != before;
}

/// Keys below a heading that is gone would fall to the heading above it.
bool silence_at(std::vector<std::string>& lines, std::size_t index) {
  if (index >= lines.size()) return false;
  const bool heading = first_of(lines[index]) == '[';
  if (!silence(lines[index])) return false;
  for (++index; heading && index < lines.size() && first_of(lines[index]) != '['; ++index) {
    silence(lines[index]);
  }
  return true;
}

/// From 0, of sentences "PATH:LINE: ...", one in each line of `message`.
std::vector<std::size_t> named_lines(const std::string& message, const std::string& path) {
  std::vector<std::size_t> named;
  const std::string lead = path + ":";
  for (const std::string& sentence : lines_of(message)) {
    if (!sentence.starts_with(lead)) continue;
    std::size_t line = 0;
    const char* const end = sentence.data() + sentence.size();
    const auto read = std::from_chars(sentence.data() + lead.size(), end, line);
    if (read.ec == std::errc() && line > 0) named.push_back(line - 1);
  }
  return named;
}

/// Where lines say different things with and without the one above them, they are left alone.
bool has_long_texts(const std::string& text) {
  return text.find("\"\"\"") != std::string::npos || text.find("'''") != std::string::npos;
}

Result<> write_in_place(const std::string& path, const std::optional<std::string>& kept,
                        const std::string& aside) {
  if (kept) return service::write_whole_file(path, *kept);
  std::string text = "# All values are the defaults.\n";
  if (!aside.empty()) {
    text += fmt::format("# What was here before, and could not be used: {}\n",
                        service::file_name(aside));
  }
  return service::write_whole_file(path, text);
}

/// PATH.broken-N that is not there yet; empty: all are.
std::string free_name(const std::string& path) {
  for (int number = 1; number <= kMostAside; ++number) {
    std::string aside = fmt::format("{}.broken-{}", path, number);
    if (!service::may_exist(aside)) return aside;
  }
  return {};
}

}  // namespace

std::optional<std::string> without_mistakes(const std::string& text, const std::string& path) {
  if (has_long_texts(text)) return std::nullopt;
  std::vector<std::string> lines = lines_of(text);
  for (int round = 0; round < kMostRounds; ++round) {
    std::string tried = joined(lines);
    const auto judged = service::parse_config(tried, path);
    if (judged) return round == 0 ? std::nullopt : std::optional(std::move(tried));
    bool changed = false;
    for (const std::size_t index : named_lines(judged.error().message, path)) {
      changed = silence_at(lines, index) || changed;
    }
    if (!changed) return std::nullopt;
  }
  return std::nullopt;
}

Result<MendedConfiguration> mend_configuration(const std::string& path) {
  if (path.empty()) {
    return fail(ErrorCode::not_found,
                "The system names no folder of this user, so there is no configuration to mend.");
  }
  // What another program writes there meanwhile would be lost, and a name that is free be taken.
  const service::FileLock lock(path);
  MendedConfiguration mended;
  std::optional<std::string> kept;
  std::error_code problem;
  if (fs::exists(service::path_of(path), problem)) {
    if (const auto text = service::read_config_text(path)) kept = without_mistakes(*text, path);
    mended.aside = free_name(path);
    if (mended.aside.empty()) {
      return fail(ErrorCode::limit_reached,
                  fmt::format("There are {} files beside {} that were put aside. Delete old ones.",
                              kMostAside, path));
    }
    fs::rename(service::path_of(path), service::path_of(mended.aside), problem);
    if (problem) {
      return fail(ErrorCode::access_denied,
                  fmt::format("{} cannot be renamed: {}. Mend the line that is named by hand.",
                              path, problem.message()));
    }
  }
  mended.kept_the_rest = kept.has_value();
  if (auto written = write_in_place(path, kept, mended.aside); !written) {
    if (!mended.aside.empty()) {
      fs::rename(service::path_of(mended.aside), service::path_of(path), problem);
    }
    return refusal(written);
  }
  return mended;
}

}  // namespace asiodrv::doctor
