#include "trust/surroundings.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "trust/testing/pe_builder.hpp"

namespace asiodrv::trust {
namespace {

constexpr const char* kPath = "C:\\Program Files\\V\\drv.dll";

Registration registered(const std::string& name, const std::string& clsid, const std::string& path,
                        bool view_32 = false, bool per_user = false) {
  return {name, clsid, name, path, view_32, per_user};
}

std::vector<Duplicate> duplicates(const std::vector<Registration>& others) {
  std::vector<Registration> all = {registered("Drv", "{A}", kPath)};
  all.insert(all.end(), others.begin(), others.end());
  return duplicates_of(all, kPath, [](const std::string& path) {
    if (path.find("unread") != std::string::npos) return Known<std::string>::unknown("locked");
    return Known<std::string>(path.find("copy") != std::string::npos || path == kPath ? "1" : "2");
  });
}

TEST(surroundings, the_two_halves_of_one_driver_are_no_duplicates) {
  EXPECT_TRUE(duplicates({registered("Drv", "{A}", "C:\\Program Files (x86)\\V\\drv.dll", true),
                          registered("Other", "{B}", "C:\\Program Files\\O\\other.dll")})
                  .empty());
}

TEST(surroundings, two_vendors_of_this_kit_side_by_side_are_no_duplicates) {
  const std::string ours = "C:\\Program Files\\A\\asio-driver.dll";
  std::vector<Registration> all = {
      registered("Drv", "{A}", ours),
      registered("Other", "{B}", "C:\\Program Files\\B\\asio-driver.dll")};
  const auto unread = [](const std::string&) { return Known<std::string>::unknown("locked"); };
  EXPECT_TRUE(duplicates_of(all, ours, unread).empty());
  all[1].name = "DRV";
  EXPECT_EQ(duplicates_of(all, ours, unread).size(), 1U) << "by its name it passes for ours";
}

TEST(surroundings, each_kind_of_likeness_is_found) {
  const auto found = duplicates({registered("DRV ", "{B}", "C:\\x\\a.dll"),
                                 registered("Else", "{a}", "C:\\x\\b.dll"),
                                 registered("More", "{C}", "C:\\copy\\DRV.dll"),
                                 registered("Last", "{D}", "C:\\unread\\drv.dll")});
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].kind, DuplicateKind::similar_name);
  EXPECT_EQ(found[1].kind, DuplicateKind::same_class_other_file);
  EXPECT_EQ(found[2].kind, DuplicateKind::same_file_name);
  EXPECT_FALSE(found[0].same_content.value_or(true));
  EXPECT_TRUE(found[2].same_content.value_or(false));
  EXPECT_FALSE(found[3].same_content) << "a file that cannot be read is not known to be the same";
}

TEST(surroundings, a_file_has_its_own_registrations_and_those_that_lead_its_class_elsewhere) {
  const std::vector<Registration> all = {
      registered("Drv", "{A}", kPath), registered("Drv", "{a}", "C:\\evil.dll", false, true),
      registered("Drv", "{A}", "C:\\evil32.dll", true, true),
      registered("Else", "{B}", "C:\\b.dll"), registered("Else", "{B}", "C:\\c.dll", false, true)};
  const auto own = registrations_of(all, kPath);
  ASSERT_EQ(own.size(), 2U) << "the other view and the other class are not this file's";
  EXPECT_EQ(own[0], all[0]);
  EXPECT_EQ(own[1], all[1]);
  EXPECT_EQ(registrations_of(all, "C:\\evil.dll"), std::vector<Registration>{all[1]});
}

TEST(surroundings, commands_that_lead_to_the_file) {
  for (const char* const command :
       {"C:\\Program Files\\V\\drv.dll", "\"c:/program files/v/DRV.DLL\" -x",
        "rundll32.exe \"C:\\Program Files\\V\\drv.dll\",Start", "rundll32 drv.dll,Start"}) {
    EXPECT_TRUE(leads_to(command, kPath)) << command;
  }
  for (const char* const command :
       {"", "C:\\Program Files\\V\\drv.dll.bak", "C:\\Other\\drv.dll", "mydrv.dll", "drv.dllx"}) {
    EXPECT_FALSE(leads_to(command, kPath)) << command;
  }
  EXPECT_FALSE(leads_to("anything", ""));
}

TEST(surroundings, a_32_bit_programs_variables_have_names_of_their_own_here) {
  EXPECT_EQ(with_variables_of_32("%PROGRAMFILES%\\V\\x.dll;%ProgramFiles%"),
            "%ProgramFiles(x86)%\\V\\x.dll;%ProgramFiles(x86)%");
  EXPECT_EQ(with_variables_of_32("%CommonProgramFiles%\\x.dll"),
            "%CommonProgramFiles(x86)%\\x.dll");
  for (const char* const same : {"", "%", "%ProgramFiles", "%ProgramW6432%\\x.dll",
                                 "%ProgramFiles(x86)%\\x.dll", "%SystemRoot%\\x.dll"}) {
    EXPECT_EQ(with_variables_of_32(same), same);
  }
}

TEST(surroundings, a_debugger_for_the_name_or_for_this_very_file_replaces_it) {
  const Persistence monitor{PersistenceKind::image_hijack, "exits", "watch.exe"};
  const auto commands = [&](const std::vector<ImageOptions>& options) {
    std::string all;
    for (const Persistence& each : replaced_by(options, kPath, monitor)) {
      EXPECT_EQ(each.kind, PersistenceKind::image_hijack);
      all += each.where + "=" + each.command + ";";
    }
    return all;
  };
  EXPECT_EQ(commands({}), "");
  EXPECT_EQ(commands({{"key", std::nullopt, "", false}}), "");
  EXPECT_EQ(commands({{"key", std::nullopt, "evil.exe", false}}), "key\\Debugger=evil.exe;");
  EXPECT_EQ(commands({{"key", std::nullopt, "", false},
                      {"key\\0", "c:/program files/v/DRV.DLL", "evil.exe", false}}),
            "key\\0\\Debugger=evil.exe;");
  EXPECT_EQ(commands({{"key\\0", "C:\\Other\\drv.dll", "evil.exe", true},
                      {"key\\1", "drv.dll", "evil.exe", true},
                      {"key\\2", "", "evil.exe", true}}),
            "")
      << "a filter names its file by the whole path";
  EXPECT_EQ(commands({{"key\\0", kPath, "", true}}), "exits=watch.exe;");
  EXPECT_TRUE(replaced_by({{"key", std::nullopt, "", true}}, kPath, {}).empty());
}

TEST(surroundings, texts_are_found_in_files_of_both_widths) {
  testing::Bytes wide = {0xFF, 0xFE};
  for (const char c : std::string("<Command>C:\\a.exe</Command><Arguments>-b</Arguments>")) {
    testing::put(wide, wide.size(), static_cast<unsigned char>(c), 2);
  }
  EXPECT_EQ(task_command(readable_text(testing::view(wide))), "C:\\a.exe -b");
  testing::put(wide, wide.size(), 0xFC, 2);
  EXPECT_EQ(readable_text(testing::view(wide)).substr(52), "\xC3\xBC")
      << "letters of other scripts";
  EXPECT_EQ(task_command("<Command>\"C:\\A&amp;B\\x.dll\"</Command>"), "\"C:\\A&B\\x.dll\"");
  EXPECT_EQ(task_command("no task"), "no task");
  EXPECT_EQ(task_command("<Command>cut"), "cut");
}

TEST(surroundings, what_is_no_program_has_a_hash_all_the_same) {
  FileFacts file;
  describe_content(file, testing::view(testing::Bytes{'a', 'b', 'c'}));
  EXPECT_EQ(*file.size_bytes, 3U);
  EXPECT_EQ(file.sha256->substr(0, 8), "ba7816bf");
  EXPECT_FALSE(file.structure);
  EXPECT_NE(file.structure.why_not().find("not a Windows program"), std::string::npos);
}

}  // namespace
}  // namespace asiodrv::trust
