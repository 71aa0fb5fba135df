#include "service/config_file.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "service/config_edit.hpp"
#include "service/file_lock.hpp"
#include "service/json_file.hpp"
#include "service/paths.hpp"

namespace asiodrv::service {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxAside = 9999;

/// The file behind a link: replacing the link would cut it off from whoever made it.
std::string target_of(const std::string& path) {
  std::error_code problem;
  if (!fs::is_symlink(path_of(path), problem) || problem) return path;
  const fs::path target = fs::canonical(path_of(path), problem);
  if (problem) return path;
  const std::u8string text = target.u8string();
  return std::string(text.begin(), text.end());
}

void make_folder(const std::string& path) {
  std::error_code ignored;  // writing says what is wrong
  const fs::path folder = path_of(path).parent_path();
  if (!folder.empty()) fs::create_directories(folder, ignored);
}

Result<> write_config(const std::string& path, const std::string& text) {
  make_folder(path);
  return write_whole_file(target_of(path), text);
}

/// Somebody has written the file after this change did.
bool is_changed_since(const FileChange& change) {
  if (!may_exist(change.path)) return false;
  const auto text = read_config_text(change.path);
  return !text || *text != change.after;
}

Result<> undo(const FileChange& change) {
  std::error_code problem;
  if (!change.aside.empty()) {
    fs::rename(path_of(change.aside), path_of(change.path), problem);
  } else if (change.before) {
    return write_config(change.path, *change.before);
  } else {
    fs::remove(path_of(change.path), problem);
  }
  if (!problem) return {};
  return fail(ErrorCode::access_denied,
              fmt::format("{} cannot be made what it was: {}.", change.path, problem.message()));
}

Result<FileChange> unchanged(const ConfigPlaces& places) {
  if (places.top.empty()) {
    return fail(ErrorCode::not_found,
                "The system does not say where this user's files are: name one with --config.");
  }
  FileChange change{places.top, false, std::nullopt, {}, {}};
  if (!may_exist(places.top)) return change;
  auto text = read_config_text(places.top);
  if (!text) return refusal(text);
  change.before = std::move(*text);
  return change;
}

/// Only a text that is right on top of the files below becomes the file.
Result<FileChange> replaced(const ConfigPlaces& places, FileChange change,
                            const std::string& text) {
  change.changed = !change.before || *change.before != text;
  if (!change.changed) return change;
  const LoadedConfig judged = judge_layers(places, text);
  if (!judged.loaded) {
    return fail(ErrorCode::malformed,
                judged.layers.back().error + "\nNothing was written: the file would be wrong.");
  }
  if (auto written = write_config(change.path, text); !written) return refusal(written);
  change.after = text;
  return change;
}

Result<> refuse_member(const ConfigPlaces& places, const NamedKey& key) {
  if (!key.key->of_member()) return {};
  return fail(ErrorCode::invalid_argument,
              fmt::format("The sections [[member]] depend on each other and are changed by hand, "
                          "in {}; then run \"asio-driver config --reload\".",
                          places.top));
}

}  // namespace

Result<FileChange> set_in_file(const ConfigPlaces& places, const NamedKey& key,
                               const nlohmann::json& value) {
  if (auto refused = refuse_member(places, key); !refused) return refusal(refused);
  make_folder(places.top);
  const FileLock lock(places.top);
  auto change = unchanged(places);
  if (!change) return change;
  auto text = with_value(change->before.value_or(""), places.top, *key.key, value);
  if (!text) return refusal(text);
  return replaced(places, std::move(*change), *text);
}

Result<FileChange> unset_in_file(const ConfigPlaces& places, const NamedKey& key) {
  if (auto refused = refuse_member(places, key); !refused) return refusal(refused);
  const FileLock lock(places.top);
  auto change = unchanged(places);
  if (!change || !change->before) return change;
  auto text = without_value(*change->before, places.top, *key.key);
  if (!text) return refusal(text);
  return replaced(places, std::move(*change), *text);
}

Result<FileChange> reset_file(const ConfigPlaces& places) {
  const FileLock lock(places.top);
  if (places.top.empty() || !may_exist(places.top)) {
    return FileChange{places.top, false, std::nullopt, {}, {}};
  }
  FileChange change{places.top, true, std::nullopt, {}, {}};
  for (int n = 1; n <= kMaxAside && change.aside.empty(); ++n) {
    const std::string free = fmt::format("{}.bak-{}", places.top, n);
    if (!may_exist(free)) change.aside = free;
  }
  if (change.aside.empty()) {
    return fail(ErrorCode::limit_reached,
                fmt::format("There are {} old files beside {} already: remove some.", kMaxAside,
                            places.top));
  }
  std::error_code problem;
  fs::rename(path_of(places.top), path_of(change.aside), problem);
  if (problem) {
    return fail(ErrorCode::access_denied,
                fmt::format("{} cannot be renamed: {}.", places.top, problem.message()));
  }
  if (!places.named) return change;
  if (auto written = write_config(places.top, ""); !written) {
    if (auto undone = undo(change); !undone) return refusal(undone);
    return refusal(written);
  }
  return change;
}

Result<> take_back(const FileChange& change) {
  if (!change.changed) return {};
  const FileLock lock(change.path);
  if (is_changed_since(change)) {
    return fail(
        ErrorCode::invalid_state,
        fmt::format("{} has been changed again meanwhile, so it stays as it is.", change.path));
  }
  return undo(change);
}

}  // namespace asiodrv::service
