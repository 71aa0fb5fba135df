// Files of which others say where they lie.
#include "trust/windows/file_facts.hpp"

#include <gtest/gtest.h>

#include "trust/windows/system_facts.hpp"

namespace asiodrv::trust {
namespace {

/// As if Q: were a folder of another computer.
UINT WINAPI q_is_elsewhere(LPCWSTR root) {
  return std::wstring(root) == L"Q:\\" ? DRIVE_REMOTE : DRIVE_FIXED;
}

TEST(file_facts, another_computer_is_not_asked_for_a_file_that_was_found) {
  const std::string path = "\\\\nobody.invalid\\share\\driver.dll";
  const FileFacts facts = look_at_found_file(FileContext{}, path);
  EXPECT_TRUE(facts.exists) << "that is not known";
  ASSERT_TRUE(facts.place);
  EXPECT_EQ(facts.place->kind, PlaceKind::network);
  EXPECT_FALSE(facts.place->writable);
  ASSERT_FALSE(facts.sha256);
  EXPECT_NE(facts.sha256.why_not().find("another computer"), std::string::npos);
  EXPECT_EQ(hash_of_file(path).why_not(), facts.sha256.why_not());
  EXPECT_EQ(signature_code_of(FileContext{}, path).why_not(), facts.sha256.why_not());
}

TEST(file_facts, a_drives_letter_tells_whose_it_is) {
  for (const char* const path :
       {"Q:\\a\\x.dll", "\\\\?\\Q:\\x.dll", "\\\\nobody.invalid\\share\\x.dll"}) {
    EXPECT_TRUE(lies_elsewhere(path, q_is_elsewhere)) << path;
  }
  for (const char* const path : {"C:\\Q:\\x.dll", "\\\\?\\C:\\x.dll", "Q:x.dll", "x.dll", ""}) {
    EXPECT_FALSE(lies_elsewhere(path, q_is_elsewhere)) << path;
  }
}

TEST(file_facts, one_file_has_one_spelling) {
  EXPECT_TRUE(same_path(full_path("C:\\windows\\.\\system32\\..\\x.dll"), "C:\\windows\\x.dll"));
  EXPECT_EQ(full_path("\\\\nobody.invalid\\share\\x.dll"), "\\\\nobody.invalid\\share\\x.dll");
}

}  // namespace
}  // namespace asiodrv::trust
