#include "trust/place.hpp"

#include <gtest/gtest.h>

namespace asiodrv::trust {
namespace {

KnownFolders usual_folders() {
  KnownFolders folders;
  folders.program_files = {"C:\\Program Files", "C:\\Program Files (x86)"};
  folders.windows = "C:\\Windows";
  folders.program_data = "C:\\ProgramData";
  folders.public_files = "C:\\Users\\Public";
  folders.profiles = "C:\\Users";
  folders.downloads = "D:\\Loads";
  folders.temporary = {"C:\\Users\\me\\AppData\\Local\\Temp\\"};
  return folders;
}

TEST(place, paths_are_classified_by_their_folder) {
  const struct {
    const char* path;
    PlaceKind kind;
  } cases[] = {
      {"C:\\Program Files\\V\\d.dll", PlaceKind::program_files},
      {"c:/program files (X86)/v/d.dll", PlaceKind::program_files},
      {"C:\\Program Files Evil\\d.dll", PlaceKind::other},
      {"C:\\Windows\\System32\\d.dll", PlaceKind::system},
      {"C:\\Windows\\Temp\\d.dll", PlaceKind::temporary},
      {"C:\\ProgramData\\V\\d.dll", PlaceKind::program_data},
      {"C:\\Users\\Public\\Documents\\d.dll", PlaceKind::public_files},
      {"C:\\Users\\me\\AppData\\Local\\Temp\\x\\d.dll", PlaceKind::temporary},
      {"C:\\Users\\other\\AppData\\Local\\Temp\\d.dll", PlaceKind::temporary},
      {"C:\\Users\\other\\Downloads\\d.dll", PlaceKind::downloads},
      {"D:\\Loads\\d.dll", PlaceKind::downloads},
      {"C:\\Users\\me\\AppData\\Local\\Programs\\d.dll", PlaceKind::profile},
      {"\\\\server\\share\\d.dll", PlaceKind::network},
      {"E:\\V\\d.dll", PlaceKind::other},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(classify(each.path, usual_folders()), each.kind) << each.path;
  }
}

TEST(place, an_unknown_folder_holds_nothing) {
  EXPECT_FALSE(lies_in("C:\\x", ""));
  EXPECT_FALSE(lies_in("C:\\x", "\\"));
  EXPECT_EQ(classify("C:\\Users\\x", KnownFolders{}), PlaceKind::other);
}

TEST(place, paths_that_could_lead_to_another_computer) {
  for (const char* const path : {"\\\\server\\share\\d.dll", "//server/share/d.dll",
                                 "\\\\?\\UNC\\server\\d.dll", "\\\\.\\UNC\\server\\d.dll",
                                 "\\\\?\\GLOBALROOT\\Device\\Mup\\s\\d.dll", "\\\\?\\", "\\\\"}) {
    EXPECT_TRUE(names_another_computer(path)) << path;
  }
  for (const char* const path : {"C:\\d.dll", "\\\\?\\C:\\d.dll", "d.dll", "\\d.dll", ""}) {
    EXPECT_FALSE(names_another_computer(path)) << path;
  }
}

TEST(place, parts_of_paths) {
  EXPECT_EQ(file_name_of("C:\\a/b.dll"), "b.dll");
  EXPECT_EQ(file_name_of("b.dll"), "b.dll");
  EXPECT_EQ(folder_of("C:\\a\\b.dll"), "C:\\a");
  EXPECT_EQ(folder_of("b.dll"), "");
  EXPECT_TRUE(is_absolute("C:\\a"));
  EXPECT_TRUE(is_absolute("\\\\server\\a"));
  for (const char* const path : {"a.dll", "C:a.dll", "\\a.dll", "C:", ""}) {
    EXPECT_FALSE(is_absolute(path)) << path;
  }
}

TEST(place, the_way_to_the_root_leads_through_mounted_volumes) {
  using Way = std::vector<std::string>;
  EXPECT_EQ(way_to_root("C:\\a\\b.dll", "C:\\"), (Way{"C:\\a\\b.dll", "C:\\a", "C:\\"}));
  EXPECT_EQ(way_to_root("C:\\b.dll", "C:\\"), (Way{"C:\\b.dll", "C:\\"}));
  EXPECT_EQ(way_to_root("C:\\a\\b.dll", ""), (Way{"C:\\a\\b.dll", "C:\\a", "C:\\"}));
  EXPECT_EQ(way_to_root("C:\\m\\V\\a\\b.dll", "c:\\M\\v\\"),
            (Way{"C:\\m\\V\\a\\b.dll", "C:\\m\\V\\a", "c:\\M\\v\\", "C:\\m\\V", "C:\\m", "C:\\"}));
  EXPECT_EQ(way_to_root("C:\\m\\b.dll", "C:\\m\\"),
            (Way{"C:\\m\\b.dll", "C:\\m\\", "C:\\m", "C:\\"}));
  EXPECT_EQ(way_to_root("\\\\?\\C:\\a\\b.dll", "\\\\?\\C:\\"),
            (Way{"\\\\?\\C:\\a\\b.dll", "\\\\?\\C:\\a", "\\\\?\\C:\\"}));
  EXPECT_EQ(way_to_root("\\\\s\\share\\a\\b.dll", "\\\\s\\share\\"),
            (Way{"\\\\s\\share\\a\\b.dll", "\\\\s\\share\\a", "\\\\s\\share\\"}));
  EXPECT_TRUE(is_volume_root("C:\\m\\"));
  EXPECT_FALSE(is_volume_root("C:\\m"));
  EXPECT_FALSE(is_volume_root(""));
}

}  // namespace
}  // namespace asiodrv::trust
