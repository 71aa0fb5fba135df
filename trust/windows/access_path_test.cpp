// The system's own reading of access lists against ours, and the real lists of this system.
#include "trust/windows/access_path.hpp"

#include <gtest/gtest.h>
#include <windows.h>
// What the next needs comes first.
#include <sddl.h>

#include <span>

#include "trust/security_descriptor.hpp"
#include "trust/testing/descriptor_builder.hpp"
#include "trust/windows/system_facts.hpp"

namespace asiodrv::trust {
namespace {

TEST(access_path, what_windows_makes_of_a_text_is_read_as_it_was_meant) {
  for (const char* const sddl :
       {"O:BAG:SYD:(A;;FA;;;SY)(A;OICIIO;FA;;;BU)(A;;FR;;;WD)", "O:SYD:(D;;FW;;;BU)(A;;FA;;;BA)",
        "O:BAD:(A;;GA;;;AU)S:(ML;;NW;;;HI)", "D:(A;;WDWO;;;IU)"}) {
    PSECURITY_DESCRIPTOR made = nullptr;
    ULONG bytes = 0;
    ASSERT_TRUE(
        ConvertStringSecurityDescriptorToSecurityDescriptorA(sddl, SDDL_REVISION_1, &made, &bytes))
        << sddl;
    const auto theirs =
        parse_security_descriptor(std::as_bytes(std::span(static_cast<const BYTE*>(made), bytes)));
    LocalFree(made);
    const auto ours = parse_security_descriptor(testing::view(testing::descriptor(sddl)));
    ASSERT_TRUE(theirs) << sddl << ": " << theirs.error().message;
    ASSERT_TRUE(ours);
    EXPECT_EQ(*theirs, *ours) << sddl;
  }
}

TEST(access_path, the_way_to_a_file_of_the_system_can_be_judged) {
  wchar_t folder[MAX_PATH];
  ASSERT_GT(GetSystemDirectoryW(folder, MAX_PATH), 0U);
  char path[MAX_PATH + 32];
  snprintf(path, sizeof path, "%ls\\kernel32.dll", folder);
  const Writable found = who_may_change(path, session_sids());
  if (!runs_under_wine()) {  // whose folders have the rights of the system below it
    EXPECT_EQ(found.answer, Writability::no) << found.who << " " << found.how << " " << found.where;
  }
  EXPECT_TRUE(found.how.find("unknown") == std::string::npos) << found.how << " " << found.where;
  EXPECT_FALSE(volume_kind(path));
}

TEST(access_path, known_folders_are_known) {
  const KnownFolders folders = known_folders();
  EXPECT_FALSE(folders.program_files.empty());
  EXPECT_TRUE(is_absolute(folders.windows));
  EXPECT_TRUE(is_absolute(folders.public_files));
  EXPECT_TRUE(is_absolute(folders.profiles));
  EXPECT_FALSE(folders.temporary.empty());
  EXPECT_FALSE(system_name().empty());
  EXPECT_GT(now_s(), 1'700'000'000);
}

}  // namespace
}  // namespace asiodrv::trust
