// What a key holds, with a list of our own in the place of its own.
#include "trust/windows/registry.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <string_view>

namespace asiodrv::trust {
namespace {

using namespace std::literals;

LSTATUS entry_of_list(std::wstring_view own_name, DWORD own_type, std::wstring_view own_text,
                      LPWSTR name, LPDWORD length, LPDWORD type, LPBYTE data, LPDWORD bytes) {
  std::memcpy(name, own_name.data(), own_name.size() * sizeof(wchar_t));
  *length = static_cast<DWORD>(own_name.size());
  std::memcpy(data, own_text.data(), own_text.size() * sizeof(wchar_t));
  *bytes = static_cast<DWORD>(own_text.size() * sizeof(wchar_t));
  *type = own_type;
  return ERROR_SUCCESS;
}

/// A value that its name hides, one that is too large, one that is no text, and a usual one.
LSTATUS WINAPI list_with_hidden_values(HKEY, DWORD index, LPWSTR name, LPDWORD length, LPDWORD,
                                       LPDWORD type, LPBYTE data, LPDWORD bytes) {
  switch (index) {
    case 0:
      return entry_of_list(L"a\0b"sv, REG_SZ, L"hidden.exe\0"sv, name, length, type, data, bytes);
    case 1: return ERROR_MORE_DATA;
    case 2: return entry_of_list(L"n"sv, REG_DWORD, L"xx"sv, name, length, type, data, bytes);
    case 3:  // no zero at its end
      return entry_of_list(L""sv, REG_EXPAND_SZ, L"%x%\\c.exe"sv, name, length, type, data, bytes);
    default: return ERROR_NO_MORE_ITEMS;
  }
}

LSTATUS WINAPI list_without_end(HKEY, DWORD, LPWSTR name, LPDWORD length, LPDWORD, LPDWORD type,
                                LPBYTE data, LPDWORD bytes) {
  return entry_of_list(L"n"sv, REG_SZ, L"c.exe"sv, name, length, type, data, bytes);
}

LSTATUS WINAPI list_that_breaks_off(HKEY, DWORD, LPWSTR, LPDWORD, LPDWORD, LPDWORD, LPBYTE,
                                    LPDWORD) {
  return ERROR_ACCESS_DENIED;
}

TEST(registry, a_value_is_read_whatever_its_name_is_and_counted_when_it_cannot_be) {
  const RegistryKey key(HKEY_CURRENT_USER, "Software");
  ASSERT_TRUE(key);
  const RegistryTexts all = key.texts(list_with_hidden_values);
  ASSERT_EQ(all.values.size(), 2U);
  EXPECT_EQ(all.values[0].name, "a\0b"s);
  EXPECT_EQ(all.values[0].text, "hidden.exe");
  EXPECT_EQ(all.values[1].text, "%x%\\c.exe");
  EXPECT_EQ(all.unread, 1U);
  EXPECT_FALSE(all.more);
}

TEST(registry, a_list_that_was_not_read_to_its_end_says_so) {
  const RegistryKey key(HKEY_CURRENT_USER, "Software");
  ASSERT_TRUE(key);
  const RegistryTexts endless = key.texts(list_without_end);
  EXPECT_TRUE(endless.more);
  EXPECT_GT(endless.values.size(), 1000U);
  EXPECT_TRUE(key.texts(list_that_breaks_off).more);
  EXPECT_FALSE(key.texts().more);
  EXPECT_FALSE(key.subkeys().more);
}

}  // namespace
}  // namespace asiodrv::trust
