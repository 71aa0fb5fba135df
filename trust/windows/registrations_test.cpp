// Where registered drivers lie.
#include "trust/windows/registrations.hpp"

#include <gtest/gtest.h>
#include <windows.h>

#include "platform/windows/text.hpp"
#include "trust/place.hpp"
#include "trust/windows/registry.hpp"

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
  const std::string native = folder_of(system) + "\\Sysnative\\x.dll";
  EXPECT_EQ(server_file(native, true), length == 0 ? native : system + "\\x.dll");
  EXPECT_EQ(server_file(native, false), native);
}

TEST(trust_registrations, the_program_files_of_32_bit_programs_are_other_ones) {
  constexpr const char* kRegistered = "%ProgramFiles%\\V\\x.dll";
  EXPECT_EQ(expanded_as_seen_by(kRegistered, true), expanded("%ProgramFiles(x86)%\\V\\x.dll"));
  EXPECT_EQ(expanded_as_seen_by(kRegistered, false), expanded(kRegistered));
  EXPECT_EQ(expanded(kRegistered).find('%'), std::string::npos);
}

}  // namespace
}  // namespace asiodrv::trust
