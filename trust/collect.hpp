// Looks at files, processes and registrations. Reads only; asks no network; starts and loads none
// of what it looks at. Implemented per system: trust/windows, trust/posix.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "trust/facts.hpp"

namespace asiodrv::trust {

struct Question {
  std::vector<std::string> files;        ///< UTF-8 paths
  std::vector<std::uint32_t> processes;  ///< ids
  bool all = false;                      ///< every ASIO driver that is registered
  std::uint32_t sample_ms = 1000;        ///< how long a process is watched
};

/// Facts in the order of the question; for `all` in that of the registry, each file once. What
/// cannot be looked at is "not known" in the facts. Errors: not_found (a file or process that is
/// not there), unsupported (processes and `all` elsewhere than on Windows). Blocks on the disk, and
/// for `sample_ms` per process.
[[nodiscard]] Result<std::vector<Facts>> collect(const Question& question);

/// A small file (UTF-8 path) as it is. Errors: not_found, access_denied, limit_reached.
[[nodiscard]] Result<std::string> read_small_file(const std::string& path, std::size_t max_bytes);

}  // namespace asiodrv::trust
