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
/// old service to leave, mends a broken configuration, has a changed one read. Never writes into
/// what belongs to others. Control thread; blocks for a minute at most.
[[nodiscard]] std::vector<Repair> repair(const Diagnosis& diagnosis, const Facts& facts,
                                         const GatherOptions& options);

/// What has become of a service that was asked to leave. `gone`: none answers any more.
[[nodiscard]] Repair service_asked_to_leave(const Finding& finding, bool gone);

/// Has Windows register the driver in the folder of the program at `program_path`, for programs of
/// `bits`. Errors: access_denied (not elevated), not_found (no driver there), internal.
/// Implemented per system.
[[nodiscard]] Result<> register_driver(const std::string& program_path, unsigned bits);

}  // namespace asiodrv::doctor
