// Program files that are looked at without being loaded, and where they lie.
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "doctor/gather.hpp"
#include "doctor/installed_files.hpp"
#include "doctor/probe.hpp"
#include "doctor/program_file.hpp"
#include "service/endpoint_memory.hpp"
#include "service/testing/config_folder.hpp"
#include "trust/testing/pe_builder.hpp"

namespace asiodrv::doctor {
namespace {

using service::testing::ConfigFolder;

/// A driver with everything that one has, for programs of another kind when `machine` says so.
std::string driver_file(std::uint16_t machine) {
  trust::testing::Bytes bytes = trust::testing::library();
  trust::testing::put(bytes, trust::testing::kPeAt + 4, machine, 2);
  return {bytes.begin(), bytes.end()};
}

TEST(doctor_program_file, machine_and_version_are_read) {
  const ConfigFolder folder;
  const struct {
    std::uint16_t number;
    const char* name;
  } machines[] = {{0x8664, "x64"}, {0x014C, "x86"}, {0xAA64, "arm64"}, {0x1234, "other"}};
  for (const auto& machine : machines) {
    folder.write("a.dll", driver_file(machine.number));
    const auto file = read_program_file(folder.file("a.dll"));
    ASSERT_TRUE(file.has_value()) << file.error().message;
    EXPECT_EQ(file->machine, machine.name);
    EXPECT_EQ(file->version, "1.2.3");
  }
  EXPECT_EQ(short_version("1.2.3.0"), "1.2.3");
  EXPECT_EQ(short_version("1.2.3.4"), "1.2.3.4");
  EXPECT_EQ(short_version("1.2.0"), "1.2.0");
}

TEST(doctor_program_file, files_that_are_none_or_missing_are_told_apart) {
  const ConfigFolder folder;
  folder.write("a.dll", "MZ is all that this has.");
  EXPECT_EQ(read_program_file(folder.file("a.dll"))->machine, "");
  EXPECT_EQ(read_program_file(folder.file("b.dll")).error().code, ErrorCode::not_found);
  EXPECT_EQ(read_program_file(folder.file("")).error().code, ErrorCode::not_found);  // a folder
}

TEST(doctor_program_file, other_computers_are_not_asked) {
  for (const char* const path : {"\\\\computer\\share\\a.dll", "//computer/share/a.dll",
                                 "\\\\?\\UNC\\computer\\share\\a.dll", "\\\\.\\pipe\\a"}) {
    EXPECT_EQ(read_program_file(path).error().code, ErrorCode::unsupported) << path;
  }
  EXPECT_EQ(read_program_file("\\\\?\\C:\\no\\a.dll").error().code, ErrorCode::not_found);
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
  const ConfigFolder folder;
  const std::string program = folder.file("asio-driver.exe");
  EXPECT_EQ(installed_driver(program, 64), "");
  folder.write("asio-driver.dll", driver_file(0x014C));
  EXPECT_EQ(installed_driver(program, 64), "");
  EXPECT_NE(installed_driver(program, 32), "");
  std::filesystem::create_directories(service::path_of(folder.file("x64")));
  folder.write("x64/asio-driver.dll", driver_file(0x8664));
  EXPECT_NE(installed_driver(program, 64).find("x64"), std::string::npos);
}

TEST(doctor_gather, what_the_service_remembers_of_devices_is_read_and_left_as_it_is) {
  using devices::wasapi::Flow;
  const ConfigFolder folder;
  const std::string path = folder.file("endpoints.json");
  ConfigurationFacts facts;
  facts.output = "{out}";
  facts.input = "default";
  gather_names(facts, path);
  EXPECT_EQ(facts.output_name, "") << "nobody has written it yet";
  service::EndpointMemory memory;
  memory.note({Flow::render, "{out}", {"{new}", "Line (Box)", "Line", "Box", "{1}"}});
  memory.note({Flow::capture, "{out}", {"{in}", "Mic (Box)", "Mic", "Box", "{1}"}});
  ASSERT_TRUE(service::save_endpoints(path, memory).has_value());
  gather_names(facts, path);
  EXPECT_EQ(facts.output_name, "Line (Box)");
  EXPECT_EQ(facts.input_name, "");

  ConfigurationFacts nothing;
  nothing.output = "{out}";
  for (const char* const damaged : {"{", "[]", "{\"version\": 1e999}"}) {
    folder.write("endpoints.json", damaged);
    gather_names(nothing, path);
    EXPECT_EQ(nothing.output_name, "");
    EXPECT_EQ(folder.read("endpoints.json"), damaged);
  }
}

TEST(doctor_probe, a_class_has_one_form) {
  EXPECT_TRUE(is_class_id("{D0C70003-0000-4000-8000-00000000d0c7}"));
  for (const char* const wrong :
       {"", "--fix", "{D0C70003-0000-4000-8000-00000000D0C7",
        "D0C70003-0000-4000-8000-00000000D0C7", "{G0C70003-0000-4000-8000-00000000D0C7}",
        "{D0C70003-0000-4000-8000-00000000D0C7} --fix"}) {
    EXPECT_FALSE(is_class_id(wrong)) << wrong;
  }
}

TEST(doctor_probe, drivers_for_32_bit_programs_are_loaded_by_the_host_for_them_or_not_at_all) {
  const std::string driver = "{D0C70003-0000-4000-8000-00000000D0C7}";
  const ConfigFolder folder;
  const std::string program = folder.file("asio-driver.exe");
  const auto ask = [&](unsigned bits, bool initialise) {
    return probe_program(program, "1.2.3", driver, bits, initialise);
  };
  using Words = std::vector<std::string>;
  ASSERT_TRUE(ask(64, true).has_value());
  EXPECT_EQ(ask(64, true)->path, program);
  EXPECT_EQ(ask(64, true)->arguments, (Words{"doctor", "--probe-child", driver, "--probe-init"}));
  ASSERT_FALSE(ask(32, false).has_value());
  EXPECT_NE(ask(32, false).error().message.find("not probed"), std::string::npos);

  std::filesystem::create_directories(service::path_of(folder.file("x86")));
  folder.write("x86/asio-host.exe", driver_file(0x8664));
  EXPECT_FALSE(ask(32, false).has_value()) << "a 64-bit one loads no 32-bit driver";
  folder.write("x86/asio-host.exe", driver_file(0x014C));
  ASSERT_TRUE(ask(32, false).has_value()) << ask(32, false).error().message;
  EXPECT_NE(ask(32, false)->path.find("x86"), std::string::npos);
  EXPECT_EQ(ask(32, false)->arguments, (Words{"load", "--driver", driver}));
  EXPECT_EQ(ask(32, true)->arguments, (Words{"load", "--driver", driver, "--init"}));
  const auto older = probe_program(program, "1.2.4", driver, 32, false);
  ASSERT_FALSE(older.has_value());
  EXPECT_NE(older.error().message.find("another version"), std::string::npos);
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
  // Drivers write into the same output.
  EXPECT_EQ(judge_probe(true, 0, "MyDriver 1.0 starts\r\n\nfine\r\n", limit).end, "fine");
  EXPECT_EQ(judge_probe(true, 0, "fine\nI am leaving\n", limit).end, "crashed");
  EXPECT_EQ(judge_probe(true, 0, "\r\n\r\n", limit).end, "crashed");
  const ProbeResult hung = judge_probe(false, 1, "fine\n", limit);
  EXPECT_EQ(hung.end, "hung");
  EXPECT_NE(hung.detail.find("3 s"), std::string::npos);
  const ProbeResult loud = judge_probe(true, 0, "fine " + std::string(10'000, '\x1b'), limit);
  EXPECT_LE(loud.detail.size(), 300U);
  EXPECT_EQ(loud.detail.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace asiodrv::doctor
