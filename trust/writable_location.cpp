#include "trust/writable_location.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "trust/place.hpp"

namespace asiodrv::trust {
namespace {

constexpr std::uint32_t kDelete = 0x1'0000, kWriteDac = 0x4'0000, kWriteOwner = 0x8'0000;
constexpr std::uint32_t kWriteData = 0x2, kAppend = 0x4, kWriteEa = 0x10, kDeleteChild = 0x40;
constexpr std::uint32_t kMediumIntegrity = 0x2000;

constexpr std::string_view kOwnerRights = "S-1-3-4";

struct NamedRight {
  std::uint32_t bit;
  const char* name;
};

/// The rights that let somebody change what a program finds at this part; the worst first.
std::vector<NamedRight> rights_that_count(PartRole role) {
  const std::vector<NamedRight> control = {{kWriteDac, "change the access list"},
                                           {kWriteOwner, "take ownership"}};
  std::vector<NamedRight> rights;
  switch (role) {
    case PartRole::file:
      rights = {{kWriteData, "write into the file"},
                {kAppend, "append to the file"},
                {kWriteEa, "write its attributes"},
                {kDelete, "delete the file"}};
      break;
    case PartRole::own_folder:
      rights = {{kWriteData, "add files to the folder"},
                {kAppend, "add folders to the folder"},
                {kDeleteChild, "delete what is in the folder"},
                {kDelete, "rename the folder"}};
      break;
    case PartRole::ancestor:
      // Others may have new folders beside ours; ours stays where it is.
      rights = {{kDeleteChild, "delete what is in the folder"}, {kDelete, "rename the folder"}};
      break;
    case PartRole::root: rights = {{kDeleteChild, "delete what is in the folder"}}; break;
  }
  rights.insert(rights.end(), control.begin(), control.end());
  return rights;
}

/// Generic rights as those of files and folders.
std::uint32_t specific(std::uint32_t mask) {
  if ((mask & 0x1000'0000) != 0) mask |= 0x001F'01FF;  // all
  if ((mask & 0x2000'0000) != 0) mask |= 0x0012'00A0;  // execute
  if ((mask & 0x4000'0000) != 0) mask |= 0x0012'0116;  // write
  if ((mask & 0x8000'0000) != 0) mask |= 0x0012'0089;  // read
  return mask & 0x001F'01FF;
}

bool contains(const std::vector<std::string>& list, std::string_view sid) {
  return std::find(list.begin(), list.end(), sid) != list.end();
}

bool has_ending(std::string_view text, std::string_view ending) {
  return text.size() >= ending.size() && text.substr(text.size() - ending.size()) == ending;
}

/// Accounts of the system, of its services and of administrators: who has their rights could do
/// anything anyway.
bool is_privileged(std::string_view sid) {
  static constexpr std::string_view kKnown[] = {"S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-5-32-544"};
  if (std::find(std::begin(kKnown), std::end(kKnown), sid) != std::end(kKnown)) return true;
  if (sid.substr(0, 9) == "S-1-5-80-") return true;  // services, TrustedInstaller among them
  return sid.substr(0, 9) == "S-1-5-21-" &&          // the built-in one, domain and enterprise ones
         (has_ending(sid, "-500") || has_ending(sid, "-512") || has_ending(sid, "-519"));
}

/// CREATOR OWNER and CREATOR GROUP stand for nobody until they are inherited.
bool is_placeholder(std::string_view sid) { return sid == "S-1-3-0" || sid == "S-1-3-1"; }

/// Everybody the question is about is in these, so a denial for one of them holds for all.
bool holds_for_all(std::string_view sid) {
  return sid == "S-1-1-0" || sid == "S-1-5-11" || sid == "S-1-5-32-545";
}

enum class Who {
  anybody,      ///< any standard user, of whom nothing else is known
  user_at_hand  ///< with the groups of the session, too
};

/// What one list lets `who` do. The two are walked apart: what is denied to the user at hand is not
/// denied to anybody else.
class Walk {
 public:
  Walk(const SecurityDescriptor& descriptor, const std::vector<std::string>& session, Who who_asks)
      : descriptor_(descriptor), session_(session), who_asks_(who_asks) {}

  void go() {
    const bool owns = in_question(descriptor_.owner);
    const bool owner_limited =
        std::any_of(descriptor_.dacl.begin(), descriptor_.dacl.end(), [](const Ace& ace) {
          return !ace.inherit_only && ace.sid == kOwnerRights && ace.kind != AceKind::other;
        });
    if (!owner_limited) imply_owner_rights(owns);
    for (const Ace& ace : descriptor_.dacl) take(ace, owns);
  }

  std::uint32_t granted = 0;
  std::uint32_t doubtful = 0;
  std::vector<std::pair<std::uint32_t, std::string>> who, who_perhaps;

 private:
  [[nodiscard]] bool of_the_user(const std::string& sid) const {
    return contains(session_, sid) && !contains(standard_groups(), sid);
  }
  [[nodiscard]] bool in_question(const std::string& sid) const {
    return contains(standard_groups(), sid) || (who_asks_ == Who::user_at_hand && of_the_user(sid));
  }
  /// Known, and answered by the walk for the user.
  [[nodiscard]] bool asked_elsewhere(const std::string& sid) const {
    return who_asks_ == Who::anybody && of_the_user(sid);
  }

  void imply_owner_rights(bool owns) {
    if (descriptor_.owner.empty() || is_privileged(descriptor_.owner)) return;
    if (asked_elsewhere(descriptor_.owner)) return;
    if (owns) {
      granted |= kWriteDac;
      who.emplace_back(kWriteDac, descriptor_.owner + " (the owner)");
    } else {
      doubtful |= kWriteDac;
      who_perhaps.emplace_back(kWriteDac, descriptor_.owner + " (the owner)");
    }
  }

  void take(const Ace& ace, bool owns) {
    if (ace.inherit_only || ace.kind == AceKind::other || is_placeholder(ace.sid)) return;
    const bool for_owner = ace.sid == kOwnerRights;
    if (for_owner && !owns && (descriptor_.owner.empty() || is_privileged(descriptor_.owner))) {
      return;
    }
    if (asked_elsewhere(for_owner ? descriptor_.owner : ace.sid)) return;
    const std::uint32_t mask = specific(ace.mask);
    const bool certain = for_owner ? owns : in_question(ace.sid);
    switch (ace.kind) {
      case AceKind::deny:
        // Of a group that not everybody is in, a denial protects from its members only.
        if (holds_for_all(ace.sid) ||
            (who_asks_ == Who::user_at_hand && contains(session_, ace.sid))) {
          denied_ |= mask & ~granted;
        }
        break;
      case AceKind::allow:
        if (certain) {
          who.emplace_back(mask & ~denied_, ace.sid);
          granted |= mask & ~denied_;
        } else if (!is_privileged(ace.sid)) {
          who_perhaps.emplace_back(mask, ace.sid);
          doubtful |= mask;  // a denial above need not hold for an account that is not known
        }
        break;
      case AceKind::conditional_allow:
        if (!is_privileged(ace.sid)) {
          who_perhaps.emplace_back(mask & ~denied_, ace.sid + " (under a condition)");
          doubtful |= mask & ~denied_;
        }
        break;
      case AceKind::conditional_deny:  // may or may not hold: nothing to rely on
      case AceKind::other: break;
    }
  }

  const SecurityDescriptor& descriptor_;
  const std::vector<std::string>& session_;
  Who who_asks_;
  std::uint32_t denied_ = 0;
};

std::string first_with(const std::vector<std::pair<std::uint32_t, std::string>>& list,
                       std::uint32_t bit) {
  for (const auto& [mask, sid] : list) {
    if ((mask & bit) != 0) return sid;
  }
  return "somebody";
}

}  // namespace

const std::vector<std::string>& standard_groups() {
  static const std::vector<std::string> groups = {"S-1-1-0", "S-1-5-11", "S-1-5-4",
                                                  "S-1-2-0", "S-1-2-1",  "S-1-5-32-545"};
  return groups;
}

Writable judge_part(const PathPart& part, PartRole role,
                    const std::vector<std::string>& session_sids) {
  if (!part.access) {
    return {Writability::cannot_rule_out, part.path, "anybody",
            "unknown: " + part.access.why_not()};
  }
  const SecurityDescriptor& descriptor = *part.access;
  if (!descriptor.dacl_present || descriptor.dacl_null) {
    return {Writability::yes, part.path, "everyone", "do anything: there is no access list"};
  }
  if (descriptor.no_write_below > kMediumIntegrity) return {Writability::no, {}, {}, {}};
  Walk walks[] = {{descriptor, session_sids, Who::anybody},
                  {descriptor, session_sids, Who::user_at_hand}};
  for (Walk& walk : walks) walk.go();
  for (const NamedRight& right : rights_that_count(role)) {
    for (const Walk& walk : walks) {
      if ((walk.granted & right.bit) == 0) continue;
      return {Writability::yes, part.path, first_with(walk.who, right.bit), right.name};
    }
  }
  for (const NamedRight& right : rights_that_count(role)) {
    for (const Walk& walk : walks) {
      if ((walk.doubtful & right.bit) == 0) continue;
      return {Writability::cannot_rule_out, part.path, first_with(walk.who_perhaps, right.bit),
              right.name};
    }
  }
  return {Writability::no, {}, {}, {}};
}

Writable judge_path(const std::vector<PathPart>& file_to_root,
                    const std::vector<std::string>& session_sids) {
  Writable worst{Writability::no, {}, {}, {}};
  if (file_to_root.empty()) return {};
  for (std::size_t index = 0; index < file_to_root.size(); ++index) {
    const bool root = index + 1 == file_to_root.size() || is_volume_root(file_to_root[index].path);
    // Whoever may write into an empty folder that a volume is mounted on can mount another.
    const bool mounted_on = !root && index > 1 && is_volume_root(file_to_root[index - 1].path);
    const PartRole role = index == 0                 ? PartRole::file
                          : index == 1 || mounted_on ? PartRole::own_folder  // or the root itself
                          : root                     ? PartRole::root
                                                     : PartRole::ancestor;
    const Writable part = judge_part(file_to_root[index], role, session_sids);
    if (part.answer == Writability::yes) return part;
    if (part.answer == Writability::cannot_rule_out && worst.answer == Writability::no) {
      worst = part;
    }
  }
  return worst;
}

}  // namespace asiodrv::trust
