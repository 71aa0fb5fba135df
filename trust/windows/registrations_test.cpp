// Where registered drivers lie.
#include "trust/windows/registrations.hpp"

#include <gtest/gtest.h>
#include <windows.h>

#include "platform/windows/text.hpp"

namespace asiodrv::trust {
namespace {

TEST(trust_registrations, quotes_and_blanks_around_a_path_do_not_count) {
  EXPECT_EQ(server_file("\"C:\\a b\\x.dll\" ", false), "C:\\a b\\x.dll");
  EXPECT_EQ(server_file("C:\\a b\\x.dll", true), "C:\\a b\\x.dll");
  EXPECT_EQ(server_file("\" \"", true), "");
  EXPECT_EQ(server_file("x.dll", true), "x.dll");
}

TEST(trust_registrations, the_system_folder_of_32_bit_programs_is_another_one) {
  wchar_t buffer[MAX_PATH];
  const UINT system_length = GetSystemDirectoryW(buffer, MAX_PATH);
  ASSERT_TRUE(system_length > 0 && system_length < MAX_PATH);
  const std::string system = platform::to_utf8({buffer, system_length});
  const UINT length = GetSystemWow64DirectoryW(buffer, MAX_PATH);
  ASSERT_LT(length, MAX_PATH);
  // A Windows without 32-bit programs has none.
  const std::string other = length == 0 ? system : platform::to_utf8({buffer, length});
  EXPECT_EQ(server_file(system + "\\x.dll", true), other + "\\x.dll");
  EXPECT_EQ(server_file(system + "\\x.dll", false), system + "\\x.dll");
  EXPECT_EQ(server_file(system + "x\\x.dll", true), system + "x\\x.dll");
}

}  // namespace
}  // namespace asiodrv::trust
