// All files of a folder and of the folders inside of it, and what of them could not be listed.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

namespace asiodrv::trust {

struct FilesBelow {
  std::vector<std::filesystem::path> files;
  std::size_t closed = 0;  ///< folders that could not be listed, or not to their end
  bool more = false;       ///< there is more than was asked for
};

/// Looks at `most` entries. Folders behind links are not entered; a folder that is not there has no
/// files. Blocks on the disk.
[[nodiscard]] FilesBelow files_below(const std::filesystem::path& folder, std::size_t most);

}  // namespace asiodrv::trust
