// Could somebody without administrator rights change what lies at a path? Decided from the access
// lists of the file and of every folder above it, for a standard user in general and for the user
// at hand. Says "cannot rule out" where an account or a condition is not known, never "no".
#pragma once

#include <string>
#include <vector>

#include "trust/facts.hpp"
#include "trust/security_descriptor.hpp"

namespace asiodrv::trust {

/// A part of the way to a file: the file first, then its folders up to the root of the drive. The
/// root of a volume ends with a slash; the folder that it is mounted on, if any, comes after it.
struct PathPart {
  std::string path;
  Known<SecurityDescriptor> access;
};

/// What a part is to the file in question, because other rights matter for each.
enum class PartRole {
  file,
  own_folder,  ///< new files there could be loaded instead of others
  ancestor,    ///< could be renamed away and replaced
  root         ///< of the volume: cannot be renamed
};

/// The groups that every standard user belongs to, one way or another: Everyone, Authenticated
/// Users, Interactive, Local, Console Logon, Users.
[[nodiscard]] const std::vector<std::string>& standard_groups();

/// What a standard user who is also a member of `session_sids` (the user at hand and its groups
/// without administrator rights; may be empty) may do to one part.
[[nodiscard]] Writable judge_part(const PathPart& part, PartRole role,
                                  const std::vector<std::string>& session_sids);

/// The first part that may be changed decides, then the first that cannot be ruled out.
[[nodiscard]] Writable judge_path(const std::vector<PathPart>& file_to_root,
                                  const std::vector<std::string>& session_sids);

}  // namespace asiodrv::trust
