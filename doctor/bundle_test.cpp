// The archive for those who help. That others can unpack it: tests/integration/test_doctor.py.
#include "doctor/bundle.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "doctor/testing/healthy_facts.hpp"
#include "doctor/zip_writer.hpp"
#include "platform/platform.hpp"
#include "service/paths.hpp"

namespace asiodrv::doctor {
namespace {

TEST(doctor_zip, the_checksum_is_that_of_everybody) {
  EXPECT_EQ(crc32("123456789"), 0xCBF43926U);
  EXPECT_EQ(crc32(""), 0U);
}

TEST(doctor_zip, names_that_lead_out_of_the_folder_are_refused) {
  ZipWriter zip;
  for (const char* const name : {"", "/etc/x", "../x", "a\\b", "c:x", "a b", "x\n"}) {
    EXPECT_EQ(zip.add(name, "").error().code, ErrorCode::invalid_argument) << name;
  }
  EXPECT_TRUE(zip.add("a/b.txt", "x").has_value());
  EXPECT_EQ(zip.add("a/b.txt", "y").error().code, ErrorCode::invalid_argument);
}

TEST(doctor_zip, it_is_limited) {
  ZipWriter zip;
  for (std::size_t i = 0; i < ZipWriter::kMostEntries; ++i) {
    ASSERT_TRUE(zip.add("f" + std::to_string(i), "").has_value());
  }
  EXPECT_EQ(zip.add("one-more", "").error().code, ErrorCode::limit_reached);
}

TEST(doctor_zip, equal_contents_make_equal_archives) {
  const auto make = [] {
    ZipWriter zip;
    EXPECT_TRUE(zip.add("a.txt", "text").has_value());
    return zip.finish();
  };
  EXPECT_EQ(make(), make());
  EXPECT_EQ(ZipWriter().finish().size(), 22U);  // the end of an empty directory
}

TEST(doctor_bundle, every_part_is_scrubbed) {
  const Scrubber scrubber({{"C:\\Users\\Maria"}, {"Maria"}, {"MUSTER-PC"}});
  const std::string personal = "C:\\Users\\Maria\\x on MUSTER-PC";
  const auto bundle =
      make_bundle({personal, personal, personal, personal, personal, personal}, scrubber);
  ASSERT_TRUE(bundle.has_value()) << bundle.error().message;
  EXPECT_EQ(bundle->find("Maria"), std::string::npos);
  EXPECT_EQ(bundle->find("MUSTER"), std::string::npos);
  std::size_t kept = 0;
  for (std::size_t at = bundle->find("<home>\\x on <computer>"); at != std::string::npos;
       at = bundle->find("<home>\\x on <computer>", at + 1)) {
    ++kept;
  }
  EXPECT_EQ(kept, 6U);
  for (const char* const name : {"README.txt", "report.txt", "findings.json", "config.toml",
                                 "flight.json", "versions.txt", "log.txt"}) {
    EXPECT_NE(bundle->find(name), std::string::npos) << name;
  }
}

TEST(doctor_bundle, a_name_of_two_words_is_not_torn_apart_before_it_is_found) {
  const Scrubber scrubber({{"D:\\Anna Lind"}, {}, {}});
  for (std::size_t blanks = 0; blanks < 100; ++blanks) {
    Diagnosis diagnosis;
    diagnosis.findings.push_back({find_cause("file_missing"),
                                  std::string(blanks, 'x') + " D:\\Anna Lind\\a.dll", "Do it.",
                                  64});
    diagnosis.undecided.push_back(std::string(blanks, 'x') + " D:\\Anna Lind\\b.dll");
    const std::string report = report_for_others(Facts{}, diagnosis, {}, scrubber);
    EXPECT_EQ(report.find("Lind"), std::string::npos) << report;
  }
}

TEST(doctor_bundle, the_end_of_a_file_begins_with_a_line) {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() /
      ("asiodrv-doctor-end-" + std::to_string(platform::process_id()));
  std::ofstream(file, std::ios::binary) << "first\nsecond\nthird\n";
  const std::u8string text = file.u8string();
  const std::string path(text.begin(), text.end());
  EXPECT_EQ(end_of_file(path, 1000), "first\nsecond\nthird\n");
  EXPECT_EQ(end_of_file(path, 9), "third\n");
  std::filesystem::remove(file);
  EXPECT_EQ(end_of_file(path, 9), "");
}

TEST(doctor_bundle, versions_name_every_part) {
  const std::string text = versions_text(testing::healthy_facts());
  for (const char* const part :
       {"asio-driver: 1.2.3", "service: 1.2.3", "driver for 64-bit programs: 1.2.3",
        "driver for 32-bit programs: 1.2.3", "system: windows"}) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace asiodrv::doctor
