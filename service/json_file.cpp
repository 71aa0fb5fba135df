#include "service/json_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "service/paths.hpp"

namespace asiodrv::service {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::uintmax_t kMaxJsonBytes = 64 << 20;  // more than the limits of a Studio can fill
constexpr int kMaxDepth = 8;

/// JSON text, or the line where it stops being JSON. What is nested too deeply is left out: no
/// member that anybody reads lies there.
Result<json> parse_text(const std::string& text, const std::string& what) {
  try {
    return json::parse(text,
                       [](int depth, json::parse_event_t, json&) { return depth <= kMaxDepth; });
  } catch (const json::parse_error& error) {
    const auto stop = text.begin() + static_cast<std::ptrdiff_t>(std::min(error.byte, text.size()));
    return fail(ErrorCode::malformed, fmt::format("{}: line {} is not JSON.", what,
                                                  1 + std::count(text.begin(), stop, '\n')));
  } catch (const json::out_of_range&) {  // "1e999", by the parser as well, and no parse_error
    return fail(ErrorCode::malformed, fmt::format("{}: a number in it is too large.", what));
  }
}

Result<std::string> read_text(const std::string& path) {
  std::error_code problem;
  const std::uintmax_t size = fs::file_size(path_of(path), problem);
  std::ifstream stream(path_of(path), std::ios::binary);
  if (problem || !stream) {
    return fail(ErrorCode::access_denied, fmt::format("{} cannot be read.", path));
  }
  if (size > kMaxJsonBytes) {
    return fail(ErrorCode::limit_reached,
                fmt::format("{} is larger than {} bytes.", path, kMaxJsonBytes));
  }
  std::string text(static_cast<std::size_t>(size), '\0');
  stream.read(text.data(), static_cast<std::streamsize>(size));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

}  // namespace

std::string file_name(const std::string& path) {
  const std::size_t end = path.find_last_of("/\\");
  return end == std::string::npos ? path : path.substr(end + 1);
}

std::string file_beside(const std::string& config_path, const std::string& name,
                        const std::string& instance) {
  if (config_path.empty()) return {};
  const std::string folder =
      config_path.substr(0, config_path.size() - file_name(config_path).size());
  return folder + name + (instance.empty() ? "" : "-" + instance) + ".json";
}

bool may_exist(const std::string& path) {
  std::error_code problem;
  return fs::exists(path_of(path), problem) || problem;
}

Result<json> read_json_file(const std::string& path) {
  auto text = read_text(path);
  if (!text) return tl::unexpected<Error>(std::move(text.error()));
  return parse_text(*text, file_name(path));
}

PutAside put_aside(const std::string& path, const std::string& what, const Error& why) {
  if (why.code == ErrorCode::access_denied) {
    return {fmt::format("{} are not kept: {}", what, why.message), false};
  }
  std::error_code problem;
  fs::rename(path_of(path), path_of(path + ".bad"), problem);
  return {fmt::format(
              "{} are not used: {} {}", what, why.message,
              problem ? "The file cannot be renamed; it stays, and changes are not kept."
                      : fmt::format("The file is now {}.bad; mend it and rename it back.", path)),
          !problem};
}

Result<> write_json_file(const std::string& path, const json& document) {
  std::error_code ignored;  // writing says what is wrong
  fs::create_directories(path_of(path).parent_path(), ignored);
  return write_whole_file(path,
                          document.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
}

}  // namespace asiodrv::service
