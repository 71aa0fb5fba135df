#include "trust/files_below.hpp"

#include <system_error>

namespace asiodrv::trust {

FilesBelow files_below(const std::filesystem::path& folder, std::size_t most) {
  FilesBelow found;
  std::vector<std::filesystem::path> folders{folder};
  std::size_t seen = 0;
  while (!folders.empty()) {
    const std::filesystem::path here = std::move(folders.back());
    folders.pop_back();
    // The standard's recursive walk would skip a folder that is closed without a word, or end
    // there.
    std::error_code problem;
    std::filesystem::directory_iterator entry(here, problem);
    for (const std::filesystem::directory_iterator end; !problem && entry != end;
         entry.increment(problem)) {
      if (++seen > most) {
        found.more = true;
        return found;
      }
      std::error_code ignored;
      if (entry->is_directory(ignored) && !entry->is_symlink(ignored)) {
        folders.push_back(entry->path());
      } else if (entry->is_regular_file(ignored)) {
        found.files.push_back(entry->path());
      }
    }
    if (problem && problem != std::errc::no_such_file_or_directory) ++found.closed;
  }
  return found;
}

}  // namespace asiodrv::trust
