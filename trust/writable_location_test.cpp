#include "trust/writable_location.hpp"

#include <gtest/gtest.h>

#include "trust/testing/descriptor_builder.hpp"

namespace asiodrv::trust {
namespace {

constexpr const char* kUser = "S-1-5-21-1-2-3-1001";
constexpr const char* kStranger = "S-1-5-21-1-2-3-1002";

/// As Windows sets them.
constexpr const char* kProgramFiles =
    "O:TID:P(A;;FA;;;TI)(A;CIIO;GA;;;TI)(A;;0x1301bf;;;SY)(A;OICIIO;GA;;;SY)(A;;0x1301bf;;;BA)"
    "(A;OICIIO;GA;;;BA)(A;;0x1200a9;;;BU)(A;OICIIO;GRGX;;;BU)(A;OICIIO;GA;;;CO)(A;;0x1200a9;;;AC)";
constexpr const char* kDriveRoot =
    "O:TID:(A;OICIIO;SDGXGWGR;;;AU)(A;;LC;;;AU)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
    "(A;OICI;0x1200a9;;;BU)";
constexpr const char* kInProgramFiles = "O:BAD:(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;0x1200a9;;;BU)";

PathPart part(const std::string& path, const std::string& sddl) {
  const auto access = parse_security_descriptor(testing::view(testing::descriptor(sddl)));
  EXPECT_TRUE(access) << sddl;
  return {path, access ? Known<SecurityDescriptor>(*access)
                       : Known<SecurityDescriptor>::unknown("the test's own text is wrong")};
}

struct Case {
  const char* what;
  PartRole role;
  std::string sddl;
  Writability expected;
};

constexpr Writability kNo = Writability::no, kYes = Writability::yes;
constexpr Writability kMaybe = Writability::cannot_rule_out;

TEST(writable_location, one_part_by_the_table) {
  const std::string user = kUser, stranger = kStranger;
  const Case cases[] = {
      {"no access list", PartRole::file, "O:BAD:NO_ACCESS_CONTROL", kYes},
      {"none at all", PartRole::file, "O:BA", kYes},
      {"an empty list", PartRole::file, "O:BAD:P", kNo},
      {"readers only", PartRole::file, "O:BAD:(A;;FA;;;BA)(A;;FR;;;BU)(A;;FX;;;WD)", kNo},
      {"Users may write", PartRole::file, "O:BAD:(A;;FW;;;BU)", kYes},
      {"Everyone has all, generic", PartRole::file, "O:BAD:(A;;GA;;;WD)", kYes},
      {"Interactive may write, generic", PartRole::file, "O:BAD:(A;;GW;;;IU)", kYes},
      {"generic read and execute", PartRole::file, "O:BAD:(A;;GRGX;;;WD)", kNo},
      {"attributes only", PartRole::file, "O:BAD:(A;;0x100;;;BU)", kNo},
      {"the access list may be changed", PartRole::file, "O:BAD:(A;;WD;;;BU)", kYes},
      {"ownership may be taken", PartRole::file, "O:BAD:(A;;WO;;;BU)", kYes},
      {"for children only", PartRole::file, "O:BAD:(A;OICIIO;FA;;;BU)", kNo},
      {"for children and itself", PartRole::own_folder, "O:BAD:(A;OICI;FA;;;BU)", kYes},
      {"denied first", PartRole::file, "O:BAD:(D;;FW;;;BU)(A;;FW;;;BU)", kNo},
      {"allowed first", PartRole::file, "O:BAD:(A;;FW;;;BU)(D;;FW;;;BU)", kYes},
      {"a denial for children does not count", PartRole::file,
       "O:BAD:(D;OICIIO;FA;;;WD)(A;;FW;;;BU)", kYes},
      {"denied to some only", PartRole::file, "O:BAD:(D;;FW;;;IU)(A;;FW;;;BU)", kYes},
      {"denied to Everyone", PartRole::file, "O:BAD:(D;;0xF01FF;;;WD)(A;;FA;;;BU)", kNo},
      {"the denial covers a part", PartRole::file, "O:BAD:(D;;DC;;;WD)(A;;DCLC;;;BU)", kYes},
      {"the user owns it", PartRole::file, "O:" + user + "D:(A;;FR;;;WD)", kYes},
      {"and is limited as its owner", PartRole::file, "O:" + user + "D:(A;;RC;;;OW)(A;;FR;;;WD)",
       kNo},
      {"the limit is for children", PartRole::file,
       "O:" + user + "D:(A;OICIIO;RC;;;OW)(A;;FR;;;WD)", kYes},
      {"owners may write", PartRole::file, "O:" + user + "D:(A;;FW;;;OW)", kYes},
      {"owners may write, and an administrator owns it", PartRole::file, "O:BAD:(A;;FW;;;OW)", kNo},
      {"somebody unknown owns it", PartRole::file, "O:" + stranger + "D:(A;;FR;;;WD)", kMaybe},
      {"somebody unknown may write", PartRole::file, "O:BAD:(A;;FW;;;" + stranger + ")", kMaybe},
      {"a service may write", PartRole::file, "O:BAD:(A;;FA;;;S-1-5-80-1-2-3-4-5)", kNo},
      {"the built-in administrator", PartRole::file, "O:BAD:(A;;FA;;;S-1-5-21-1-2-3-500)", kNo},
      {"the user may write", PartRole::file, "O:BAD:(A;;FW;;;" + user + ")", kYes},
      {"denied to the user, and allowed to others", PartRole::file,
       "O:BAD:(D;;FW;;;" + user + ")(A;;FW;;;BU)", kYes},
      {"denied to the user, and allowed to nobody else", PartRole::file,
       "O:BAD:(D;;FW;;;" + user + ")(A;;FW;;;" + user + ")", kNo},
      {"the user owns it, and others may write", PartRole::file,
       "O:" + user + "D:(D;;FA;;;" + user + ")(A;;RC;;;OW)(A;;FW;;;WD)", kYes},
      {"under a condition", PartRole::file, "O:BAD:(XA;;FW;;;BU)", kMaybe},
      {"a conditional denial protects nobody", PartRole::file, "O:BAD:(XD;;FA;;;WD)(A;;FW;;;BU)",
       kYes},
      {"the label forbids it", PartRole::file, "O:BAD:(A;;FA;;;WD)S:(ML;;NW;;;HI)", kNo},
      {"a medium label does not", PartRole::file, "O:BAD:(A;;FA;;;WD)S:(ML;;NW;;;ME)", kYes},
      {"audit entries do not count", PartRole::file, "O:BAD:(AU;;FA;;;WD)", kNo},
      {"files may be added beside it", PartRole::own_folder, "O:BAD:(A;;DC;;;BU)", kYes},
      {"folders may be added further up", PartRole::ancestor, "O:BAD:(A;;DCLC;;;BU)", kNo},
      {"children may be deleted further up", PartRole::ancestor, "O:BAD:(A;;DT;;;BU)", kYes},
      {"a folder may be renamed", PartRole::ancestor, "O:BAD:(A;;SD;;;BU)", kYes},
      {"a root cannot be renamed", PartRole::root, "O:BAD:(A;;SD;;;BU)", kNo},
      {"children of the root may be deleted", PartRole::root, "O:BAD:(A;;DT;;;WD)", kYes},
      {"Windows' own Program Files", PartRole::ancestor, kProgramFiles, kNo},
      {"Windows' own drive root", PartRole::root, kDriveRoot, kNo},
  };
  for (const Case& each : cases) {
    const Writable found = judge_part(part("C:\\x", each.sddl), each.role, {kUser});
    EXPECT_EQ(found.answer, each.expected) << each.what << ": " << found.who << " " << found.how;
    EXPECT_EQ(found.where.empty(), each.expected == kNo) << each.what;
  }
}

TEST(writable_location, a_path_below_program_files_is_protected) {
  const Writable found =
      judge_path({part("C:\\Program Files\\V\\d.dll", kInProgramFiles),
                  part("C:\\Program Files\\V", kInProgramFiles),
                  part("C:\\Program Files", kProgramFiles), part("C:\\", kDriveRoot)},
                 {kUser});
  EXPECT_EQ(found.answer, Writability::no);
}

TEST(writable_location, a_folder_made_in_the_drive_root_is_not) {
  // What a new folder there inherits: Authenticated Users may modify.
  const std::string inherited =
      "O:BAD:(A;OICIID;FA;;;BA)(A;OICIID;FA;;;SY)(A;OICIID;0x1301bf;;;AU)";
  const Writable found = judge_path(
      {part("C:\\V\\d.dll", inherited), part("C:\\V", inherited), part("C:\\", kDriveRoot)},
      {kUser});
  EXPECT_EQ(found.answer, Writability::yes);
  EXPECT_EQ(found.where, "C:\\V\\d.dll");
  EXPECT_EQ(found.who, "S-1-5-11");
}

TEST(writable_location, a_protected_file_in_a_folder_whose_parent_may_delete_it_is_not) {
  const Writable found =
      judge_path({part("C:\\a\\V\\d.dll", kInProgramFiles), part("C:\\a\\V", kInProgramFiles),
                  part("C:\\a", "O:BAD:(A;;DTLC;;;BU)"), part("C:\\", kDriveRoot)},
                 {kUser});
  EXPECT_EQ(found.answer, Writability::yes);
  EXPECT_EQ(found.where, "C:\\a");
  EXPECT_EQ(found.how, "delete what is in the folder");
}

TEST(writable_location, the_folders_above_a_mounted_volume_count) {
  const auto judged_below = [](const std::string& root, const std::string& folder,
                               const std::string& above) {
    return judge_path({part("C:\\m\\v\\a\\d.dll", kInProgramFiles),
                       part("C:\\m\\v\\a", kInProgramFiles), part("C:\\m\\v\\", root),
                       part("C:\\m\\v", folder), part("C:\\m", above), part("C:\\", kDriveRoot)},
                      {kUser});
  };
  const std::string closed = kInProgramFiles, may_add = "O:BAD:(A;;0x2;;;BU)";
  const std::string may_delete = "O:BAD:(A;;0x10000;;;BU)";
  EXPECT_EQ(judged_below(closed, closed, closed).answer, Writability::no);
  EXPECT_EQ(judged_below(may_add, closed, closed).answer, Writability::no);
  EXPECT_EQ(judged_below(may_delete, closed, closed).answer, Writability::no)
      << "a volume's root stays where it is";
  EXPECT_EQ(judged_below(closed, may_add, closed).where, "C:\\m\\v");
  EXPECT_EQ(judged_below(closed, closed, may_delete).where, "C:\\m");
  EXPECT_EQ(judged_below(closed, closed, may_add).answer, Writability::no);
}

TEST(writable_location, a_file_in_the_root_is_beside_everything_that_is_put_there) {
  const Writable found =
      judge_path({part("C:\\d.dll", kInProgramFiles), part("C:\\", kDriveRoot)}, {});
  EXPECT_EQ(found.answer, Writability::yes) << "Authenticated Users may add folders to the root";
}

TEST(writable_location, what_cannot_be_read_is_never_a_no) {
  const PathPart unread{"C:\\a", Known<SecurityDescriptor>::unknown("it may not be read")};
  const Writable found =
      judge_path({part("C:\\a\\d.dll", kInProgramFiles), unread, part("C:\\", kDriveRoot)}, {});
  EXPECT_EQ(found.answer, Writability::cannot_rule_out);
  EXPECT_EQ(found.where, "C:\\a");
  EXPECT_EQ(judge_path({}, {}).answer, Writability::cannot_rule_out);
}

TEST(writable_location, certain_knowledge_further_up_wins_over_doubt_below) {
  const PathPart unread{"C:\\a\\d.dll", Known<SecurityDescriptor>::unknown("it may not be read")};
  const Writable found = judge_path({unread, part("C:\\a", "O:BAD:(A;;FA;;;WD)")}, {});
  EXPECT_EQ(found.answer, Writability::yes);
}

}  // namespace
}  // namespace asiodrv::trust
