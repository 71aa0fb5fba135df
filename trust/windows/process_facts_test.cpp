// The libraries inside a process, with a list of our own in the place of the system's.
#include "trust/windows/process_facts.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace asiodrv::trust {
namespace {

int g_lists_given = 0;

HMODULE module_at(std::uintptr_t address) { return reinterpret_cast<HMODULE>(address); }

/// Three at first; the second one is unloaded after that.
BOOL WINAPI list_of_three(HANDLE, HMODULE* modules, DWORD, DWORD* needed, DWORD) {
  const bool first = g_lists_given++ == 0;
  DWORD count = 0;
  modules[count++] = module_at(0x1000);
  if (first) modules[count++] = module_at(0x2000);
  modules[count++] = module_at(0x3000);
  *needed = static_cast<DWORD>(count * sizeof(HMODULE));
  return TRUE;
}

BOOL WINAPI refused_list(HANDLE, HMODULE*, DWORD, DWORD*, DWORD) { return FALSE; }

BOOL WINAPI list_of_none(HANDLE, HMODULE*, DWORD, DWORD* needed, DWORD) {
  *needed = 0;
  return TRUE;
}

/// Only the first one has a name.
DWORD WINAPI name_of_the_first(HANDLE, HMODULE module, wchar_t* name, DWORD) {
  constexpr std::wstring_view kName = L"C:\\nowhere\\first.dll";
  if (module != module_at(0x1000)) {
    SetLastError(ERROR_PARTIAL_COPY);
    return 0;
  }
  std::memcpy(name, kName.data(), kName.size() * sizeof(wchar_t));
  return static_cast<DWORD>(kName.size());
}

TEST(process_facts, a_library_without_a_name_is_not_left_out_unless_it_was_unloaded) {
  g_lists_given = 0;
  const auto modules =
      modules_of(FileContext{}, GetCurrentProcess(), {list_of_three, name_of_the_first});
  ASSERT_TRUE(modules);
  ASSERT_EQ(modules->size(), 2U);
  EXPECT_EQ(modules->front().path, "C:\\nowhere\\first.dll");
  EXPECT_NE(modules->back().path.find("0x3000"), std::string::npos) << modules->back().path;
  ASSERT_FALSE(modules->back().signature_code);
  EXPECT_NE(modules->back().signature_code.why_not().find("name"), std::string::npos);
}

TEST(process_facts, without_a_list_the_libraries_are_not_known) {
  EXPECT_FALSE(modules_of(FileContext{}, GetCurrentProcess(), {refused_list, name_of_the_first}));
  EXPECT_FALSE(modules_of(FileContext{}, GetCurrentProcess(), {list_of_none, name_of_the_first}));
}

}  // namespace
}  // namespace asiodrv::trust
