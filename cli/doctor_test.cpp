// asio-driver doctor: its arguments.
#include "cli/doctor.hpp"

#include <gtest/gtest.h>

#include "cli/command_line.hpp"

namespace asiodrv::cli {
namespace {

DoctorOptions g_doctor;
bool g_doctor_called = false;

int run_doctor_command(std::vector<std::string> arguments) {
  g_doctor_called = false;
  g_doctor = {};
  Actions actions{};
  actions.doctor = [](const ClientOptions&, const DoctorOptions& doctor) {
    g_doctor = doctor;
    g_doctor_called = true;
    return kFound;
  };
  arguments.insert(arguments.begin(), "doctor");
  return run_command_line(std::move(arguments), actions);
}

TEST(doctor_arguments, each_option_arrives) {
  EXPECT_EQ(run_doctor_command({"--fix", "--probe", "--probe-seconds", "3", "--bundle", "a b.zip",
                                "--config", "c.toml"}),
            kFound);
  EXPECT_TRUE(g_doctor.fix && g_doctor.probe);
  EXPECT_EQ(g_doctor.probe_seconds, 3U);
  EXPECT_EQ(g_doctor.bundle, "a b.zip");
  EXPECT_EQ(g_doctor.config, "c.toml");
  EXPECT_EQ(run_doctor_command({"--facts", "f.json", "--json"}), kFound);
  EXPECT_EQ(g_doctor.facts, "f.json");
  EXPECT_EQ(run_doctor_command({"--causes"}), kFound);
  EXPECT_TRUE(g_doctor.causes);
}

TEST(doctor_arguments, nothing_disturbs_others_and_nothing_is_repaired_unless_it_is_said) {
  EXPECT_EQ(run_doctor_command({}), kFound);
  EXPECT_FALSE(g_doctor.fix || g_doctor.probe || g_doctor.probe_init);
  EXPECT_EQ(g_doctor.probe_seconds, 10U);
  EXPECT_TRUE(g_doctor.probe_child.empty());
}

TEST(doctor_arguments, facts_of_another_machine_are_judged_and_nothing_else) {
  for (const char* const other : {"--fix", "--probe"}) {
    EXPECT_EQ(run_doctor_command({"--facts", "f.json", other}), kWrongUsage);
    EXPECT_FALSE(g_doctor_called);
  }
  EXPECT_EQ(run_doctor_command({"--facts", "f.json", "--bundle", "b.zip"}), kWrongUsage);
  EXPECT_EQ(run_doctor_command({"--probe-seconds", "0"}), kWrongUsage);
  EXPECT_EQ(run_doctor_command({"--nonsense"}), kWrongUsage);
}

}  // namespace
}  // namespace asiodrv::cli
