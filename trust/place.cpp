#include "trust/place.hpp"

#include <algorithm>

namespace asiodrv::trust {
namespace {

constexpr std::size_t kMaxFolders = 256;

/// The characters of "C:" or "\\?\C:" at the begin of `path`, or none.
std::size_t drive_length(std::string_view path) {
  const std::size_t colon = path.substr(0, 4) == "\\\\?\\" ? 5 : 1;
  return path.size() > colon && path[colon] == ':' ? colon + 1 : 0;
}

std::string_view without_end(std::string_view folder) {
  while (!folder.empty() && (folder.back() == '\\' || folder.back() == '/')) {
    folder.remove_suffix(1);
  }
  return folder;
}

bool lies_in_any(std::string_view path, const std::vector<std::string>& folders) {
  return std::any_of(folders.begin(), folders.end(),
                     [&](const std::string& folder) { return lies_in(path, folder); });
}

}  // namespace

std::string folded(std::string_view path) {
  std::string text(path);
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '/') c = '\\';
  }
  return text;
}

bool lies_in(std::string_view path, std::string_view folder) {
  const std::string inner = folded(path);
  const std::string outer = folded(without_end(folder));
  if (outer.empty() || inner.compare(0, outer.size(), outer) != 0) return false;
  return inner.size() == outer.size() || inner[outer.size()] == '\\';
}

bool same_path(std::string_view a, std::string_view b) { return folded(a) == folded(b); }

bool is_absolute(std::string_view path) {
  const std::string text = folded(path);
  return text.compare(0, 2, "\\\\") == 0 || (text.size() > 2 && text.compare(1, 2, ":\\") == 0);
}

bool names_another_computer(std::string_view path) {
  const std::string text = folded(path);
  if (text.compare(0, 2, "\\\\") != 0) return false;
  return text.compare(0, 4, "\\\\?\\") != 0 || text.size() < 7 || text.compare(5, 2, ":\\") != 0;
}

std::string file_name_of(std::string_view path) {
  const std::size_t end = path.find_last_of("/\\");
  return std::string(end == std::string_view::npos ? path : path.substr(end + 1));
}

std::string folder_of(std::string_view path) {
  const std::size_t end = path.find_last_of("/\\");
  return std::string(end == std::string_view::npos ? std::string_view() : path.substr(0, end));
}

std::vector<std::string> way_to_root(std::string_view path, std::string_view volume) {
  std::vector<std::string> way{std::string(path)};
  const std::size_t drive = drive_length(path);
  const std::string root(without_end(volume));
  bool mounted_below = false;
  for (std::string folder = folder_of(path); folder.size() > drive && way.size() < kMaxFolders;
       folder = folder_of(folder)) {
    if (!root.empty() && same_path(folder, root)) {
      way.push_back(root + "\\");
      if (drive == 0) return way;  // above a share lies nothing that we could ask
      mounted_below = true;
    }
    way.push_back(folder);
  }
  const std::string top(path.substr(0, drive));
  if (!root.empty() && !mounted_below && !same_path(root, top)) way.push_back(root + "\\");
  if (drive > 0) way.push_back(top + "\\");
  return way;
}

bool is_volume_root(std::string_view part) {
  return !part.empty() && (part.back() == '\\' || part.back() == '/');
}

PlaceKind classify(std::string_view path, const KnownFolders& folders) {
  const std::string text = folded(path);
  if (text.compare(0, 2, "\\\\") == 0 && text.compare(0, 4, "\\\\?\\") != 0) {
    return PlaceKind::network;
  }
  if (lies_in_any(path, folders.temporary)) return PlaceKind::temporary;
  if (!folders.windows.empty() && lies_in(path, folders.windows)) {
    const bool temp = lies_in(path, std::string(without_end(folders.windows)) + "\\Temp");
    return temp ? PlaceKind::temporary : PlaceKind::system;
  }
  if (lies_in_any(path, folders.program_files)) return PlaceKind::program_files;
  if (lies_in(path, folders.public_files)) return PlaceKind::public_files;
  if (lies_in(path, folders.downloads)) return PlaceKind::downloads;
  if (lies_in(path, folders.profiles)) {  // of other users, too
    if (text.find("\\appdata\\local\\temp\\") != std::string::npos) return PlaceKind::temporary;
    if (text.find("\\downloads\\") != std::string::npos) return PlaceKind::downloads;
    return PlaceKind::profile;
  }
  if (lies_in(path, folders.program_data)) return PlaceKind::program_data;
  return PlaceKind::other;
}

}  // namespace asiodrv::trust
