// Program files that are looked at without being loaded, and where they lie.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "doctor/installed_files.hpp"
#include "doctor/pe_file.hpp"
#include "doctor/probe.hpp"
#include "doctor/repair.hpp"
#include "platform/platform.hpp"
#include "service/paths.hpp"

namespace asiodrv::doctor {
namespace {

void put(std::vector<std::byte>& into, std::size_t at, std::uint32_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) {
    into.at(at + i) = static_cast<std::byte>((value >> (8 * i)) & 0xFF);
  }
}

/// The smallest file that has everything: headers, one section ".rsrc", a version 1.2.3.0 in it.
std::vector<std::byte> program_file(std::uint32_t machine) {
  std::vector<std::byte> bytes(0x400);
  put(bytes, 0, 0x5A4D, 2);
  put(bytes, 0x3C, 0x80, 4);
  put(bytes, 0x80, 0x4550, 4);
  put(bytes, 0x84, machine, 2);
  put(bytes, 0x86, 1, 2);     // sections
  put(bytes, 0x94, 0xE0, 2);  // bytes of the optional header
  const std::size_t entry = 0x84 + 20 + 0xE0;
  std::memcpy(bytes.data() + entry, ".rsrc", 5);
  put(bytes, entry + 16, 0x100, 4);
  put(bytes, entry + 20, 0x300, 4);
  put(bytes, 0x340, 0xFEEF04BD, 4);
  put(bytes, 0x348, (1U << 16) | 2U, 4);
  put(bytes, 0x34C, 3U << 16, 4);
  return bytes;
}

/// A folder that is gone after the test.
class Folder {
 public:
  explicit Folder(const char* name)
      : path_(std::filesystem::temp_directory_path() /
              (std::string("asiodrv-doctor-") + name + "-" +
               std::to_string(platform::process_id()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string file(const char* name) const {
    const std::u8string text = (path_ / name).u8string();
    return {text.begin(), text.end()};
  }

 private:
  std::filesystem::path path_;
};

void write(const std::string& path, std::span<const std::byte> bytes) {
  std::filesystem::create_directories(service::path_of(path).parent_path());
  std::ofstream stream(service::path_of(path), std::ios::binary);
  stream.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
}

void write(const std::string& path, std::string_view text) {
  write(path, std::as_bytes(std::span(text)));
}

std::string read(const std::string& path) {
  std::ifstream stream(service::path_of(path), std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(doctor_pe_file, machine_and_version_are_read) {
  EXPECT_EQ(inspect_pe(program_file(0x8664)).machine, "x64");
  EXPECT_EQ(inspect_pe(program_file(0x014C)).machine, "x86");
  EXPECT_EQ(inspect_pe(program_file(0xAA64)).machine, "arm64");
  EXPECT_EQ(inspect_pe(program_file(0x1234)).machine, "other");
  EXPECT_EQ(inspect_pe(program_file(0x8664)).version, "1.2.3.0");
  EXPECT_EQ(short_version("1.2.3.0"), "1.2.3");
  EXPECT_EQ(short_version("1.2.3.4"), "1.2.3.4");
  EXPECT_EQ(short_version("1.2.0"), "1.2.0");
}

TEST(doctor_pe_file, no_cut_and_no_wrong_byte_leads_out_of_the_file) {
  const std::vector<std::byte> whole = program_file(0x8664);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const std::vector<std::byte> cut(whole.begin(),
                                     whole.begin() + static_cast<std::ptrdiff_t>(length));
    (void)inspect_pe(cut);
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const std::byte wrong : {std::byte{0xFF}, std::byte{0x7F}, std::byte{0}}) {
      std::vector<std::byte> damaged = whole;
      damaged[at] = wrong;
      (void)inspect_pe(damaged);
    }
  }
  EXPECT_EQ(inspect_pe({}).machine, "");
}

TEST(doctor_pe_file, files_that_are_none_or_missing_are_told_apart) {
  const Folder folder("pe");
  write(folder.file("a.dll"), "MZ is all that this has.");
  EXPECT_EQ(read_pe(folder.file("a.dll"))->machine, "");
  EXPECT_EQ(read_pe(folder.file("b.dll")).error().code, ErrorCode::not_found);
  EXPECT_EQ(read_pe(folder.file("")).error().code, ErrorCode::not_found);  // a folder
}

TEST(doctor_installed_files, paths_are_compared_as_windows_does) {
  EXPECT_TRUE(lies_in("C:\\Program Files\\A\\x86\\d.dll", "c:\\program files\\a"));
  EXPECT_TRUE(lies_in("C:/A/d.dll", "C:\\A"));
  EXPECT_FALSE(lies_in("C:\\AB\\d.dll", "C:\\A"));
  EXPECT_FALSE(lies_in("C:\\A\\..\\B\\d.dll", "C:\\A"));
  EXPECT_FALSE(lies_in("C:\\A", "C:\\A"));
  EXPECT_FALSE(lies_in("C:\\A\\d.dll", ""));
  EXPECT_EQ(folder_of("C:\\A\\d.dll"), "C:\\A");
  EXPECT_EQ(folder_of("d.dll"), "");
  EXPECT_TRUE(same_text("{AB}", "{ab}"));
  EXPECT_FALSE(same_text("{AB}", "{ab"));
}

TEST(doctor_installed_files, the_driver_is_found_by_what_it_is_and_not_by_its_name) {
  const Folder folder("installed");
  const std::string program = folder.file("asio-driver.exe");
  EXPECT_EQ(installed_driver(program, 64), "");
  write(folder.file("asio-driver.dll"), program_file(0x014C));
  EXPECT_EQ(installed_driver(program, 64), "");
  EXPECT_NE(installed_driver(program, 32), "");
  write(folder.file("x64/asio-driver.dll"), program_file(0x8664));
  EXPECT_NE(installed_driver(program, 64).find("x64"), std::string::npos);
}

TEST(doctor_probe, what_a_process_leaves_behind_is_judged) {
  const nanoseconds limit = std::chrono::seconds{3};
  EXPECT_EQ(judge_probe(true, 0, "fine\n", limit).end, "fine");
  EXPECT_EQ(judge_probe(true, 0, "refused 0x80004005\n", limit).end, "refused");
  EXPECT_EQ(judge_probe(true, 0, "refused 0x80004005\n", limit).detail, "0x80004005");
  EXPECT_EQ(judge_probe(true, 0xC0000005, "", limit).end, "crashed");
  // It crashed while it was let go, after it had answered; or ended the process itself.
  EXPECT_EQ(judge_probe(true, 0xC0000005, "fine\n", limit).end, "crashed");
  EXPECT_EQ(judge_probe(true, 0, "", limit).end, "crashed");
  EXPECT_EQ(judge_probe(true, 0, std::string("\x01\x02 noise", 8), limit).end, "crashed");
  const ProbeResult hung = judge_probe(false, 1, "fine\n", limit);
  EXPECT_EQ(hung.end, "hung");
  EXPECT_NE(hung.detail.find("3 s"), std::string::npos);
  const ProbeResult loud = judge_probe(true, 0, "fine " + std::string(10'000, '\x1b'), limit);
  EXPECT_LE(loud.detail.size(), 300U);
  EXPECT_EQ(loud.detail.find('\x1b'), std::string::npos);
}

TEST(doctor_repair, a_configuration_is_put_aside_under_a_free_name_and_an_empty_one_is_left) {
  const Folder folder("aside");
  const std::string config = folder.file("config.toml");
  write(config, "first mistake");
  const auto first = put_configuration_aside(config);
  ASSERT_TRUE(first.has_value()) << first.error().message;
  EXPECT_TRUE(first->ends_with("config.toml.broken-1"));
  EXPECT_EQ(read(*first), "first mistake");
  EXPECT_TRUE(service::load_config(config).has_value());
  write(config, "second mistake");
  const auto second = put_configuration_aside(config);
  ASSERT_TRUE(second.has_value()) << second.error().message;
  EXPECT_TRUE(second->ends_with("config.toml.broken-2"));
  EXPECT_EQ(read(*first), "first mistake");
  EXPECT_EQ(read(*second), "second mistake");
}

TEST(doctor_repair, a_configuration_that_is_missing_is_made) {
  const Folder folder("missing");
  const auto aside = put_configuration_aside(folder.file("config.toml"));
  ASSERT_TRUE(aside.has_value()) << aside.error().message;
  EXPECT_EQ(*aside, "");
  EXPECT_TRUE(service::load_config(folder.file("config.toml")).has_value());
}

TEST(doctor_repair, what_the_table_promises_is_tried_and_a_failure_says_what_to_do) {
  Facts facts;  // of no installation: nothing can be repaired, and nothing is touched
  GatherOptions nobody;
  nobody.instance = "doctor-test-" + std::to_string(platform::process_id());
  for (const Cause& cause : all_causes()) {
    if (!cause.ours) continue;
    Diagnosis diagnosis;
    diagnosis.findings.push_back({&cause, "", std::string(cause.fix)});
    const auto repairs = repair(diagnosis, facts, nobody);
    ASSERT_EQ(repairs.size(), 1U) << cause.id;
    EXPECT_EQ(repairs[0].cause, cause.id);
    EXPECT_FALSE(repairs[0].done) << cause.id;
    EXPECT_FALSE(repairs[0].said.empty()) << cause.id;
  }
}

TEST(doctor_repair, nothing_is_done_about_what_belongs_to_others) {
  Diagnosis diagnosis;
  for (const Cause& cause : all_causes()) {
    if (!cause.ours) diagnosis.findings.push_back({&cause, "", std::string(cause.fix)});
  }
  EXPECT_TRUE(repair(diagnosis, Facts{}, {}).empty());
}

}  // namespace
}  // namespace asiodrv::doctor
