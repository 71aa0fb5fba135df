// Repairs what is ours, and nothing else.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "doctor/diagnose.hpp"
#include "doctor/gather.hpp"

namespace asiodrv::doctor {

struct Repair {
  std::string cause;  ///< its id
  bool done = false;
  std::string said;  ///< what was done, or why not and what to do
};

/// Goes through the findings that --fix can do something about: registers the driver anew, asks an
/// old service to leave, puts a broken configuration aside, has a changed one read. Never writes
/// into what belongs to others. Control thread; blocks for 30 s at most.
[[nodiscard]] std::vector<Repair> repair(const Diagnosis& diagnosis, const Facts& facts,
                                         const GatherOptions& options);

/// Renames `path` to PATH.broken-N, N the first free number from 1, and leaves an empty
/// configuration in its place. The new name; empty when there was no file. Errors: access_denied,
/// limit_reached, not_found (no path).
[[nodiscard]] Result<std::string> put_configuration_aside(const std::string& path);

/// Has Windows register the driver in the folder of the program at `program_path`, for programs of
/// `bits`. Errors: access_denied (not elevated), not_found (no driver there), internal.
/// Implemented per system.
[[nodiscard]] Result<> register_driver(const std::string& program_path, unsigned bits);

}  // namespace asiodrv::doctor
