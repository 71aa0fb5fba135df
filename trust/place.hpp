// What kind of folder a path lies in. Pure text: links are resolved before.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trust/facts.hpp"

namespace asiodrv::trust {

/// Where this system keeps things; UTF-8, empty where it does not say.
struct KnownFolders {
  std::vector<std::string> program_files;  ///< of both bitnesses
  std::string windows, program_data, public_files, profiles, downloads;
  std::vector<std::string> temporary;
};

/// True when `path` is `folder` or lies below it. Neither case nor the direction of slashes counts;
/// an empty folder holds nothing.
[[nodiscard]] bool lies_in(std::string_view path, std::string_view folder);

/// The same file, as texts go.
[[nodiscard]] bool same_path(std::string_view a, std::string_view b);

/// With a drive or a computer's name; anything else is looked for in whoever's current folder.
[[nodiscard]] bool is_absolute(std::string_view path);

/// By its text the path leads to another computer, or could: it begins with two slashes, and is not
/// the system's own name of a path on a drive ("\\?\C:\x").
[[nodiscard]] bool names_another_computer(std::string_view path);

/// The last part of a path.
[[nodiscard]] std::string file_name_of(std::string_view path);

/// Everything before the last part, without its slash.
[[nodiscard]] std::string folder_of(std::string_view path);

/// The file at `path`, its folders, and the root of its drive or share: "C:\a\b.dll", "C:\a",
/// "C:\". `volume` is the root of the volume that it lies on, or empty. One that is mounted on a
/// folder stands there twice: as what is mounted ("C:\a\"), then as that folder ("C:\a").
[[nodiscard]] std::vector<std::string> way_to_root(std::string_view path, std::string_view volume);

/// Of the parts of such a way: those that end with a slash.
[[nodiscard]] bool is_volume_root(std::string_view part);

/// Lower case (ASCII), every slash a backslash.
[[nodiscard]] std::string folded(std::string_view path);

[[nodiscard]] PlaceKind classify(std::string_view path, const KnownFolders& folders);

}  // namespace asiodrv::trust
