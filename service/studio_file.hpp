// Where a Studio is kept between two lives of the service: routing.json.
#pragma once

#include <string>

#include "core/base/result.hpp"
#include "service/studio.hpp"

namespace asiodrv::service {

struct LoadedStudio {
  Studio studio;        ///< empty when there is no file, or none that can be used
  std::string warning;  ///< what happened to a file that cannot be used; empty when nothing did
  bool keep = true;     ///< false: the file must not be written over
};

/// Reads the file at `path` (UTF-8), which may be missing. A damaged one is renamed to PATH.bad and
/// an empty Studio is returned. Control thread; blocks on the disk.
[[nodiscard]] LoadedStudio load_studio(const std::string& path, const DeviceShape& device);

/// Writes the file, and its folder when that is missing. Errors: those of write_whole_file.
/// Control thread; blocks on the disk.
[[nodiscard]] Result<> save_studio(const std::string& path, const Studio& studio);

}  // namespace asiodrv::service
