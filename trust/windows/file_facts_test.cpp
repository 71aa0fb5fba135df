// Files of which others say where they lie.
#include "trust/windows/file_facts.hpp"

#include <gtest/gtest.h>

namespace asiodrv::trust {
namespace {

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

TEST(file_facts, one_file_has_one_spelling) {
  EXPECT_TRUE(same_path(full_path("C:\\windows\\.\\system32\\..\\x.dll"), "C:\\windows\\x.dll"));
  EXPECT_EQ(full_path("\\\\nobody.invalid\\share\\x.dll"), "\\\\nobody.invalid\\share\\x.dll");
}

}  // namespace
}  // namespace asiodrv::trust
