// Whose file is loaded for a class.
#include "doctor/class_server.hpp"

#include <gtest/gtest.h>

#include <string>

namespace asiodrv::doctor {
namespace {

constexpr const char* kOurs = "{0A000000-0000-4000-8000-00000000000A}";
constexpr const char* kTheirs = "{0B000000-0000-4000-8000-00000000000B}";

/// Classes that have these files, and send ours to `target`; "" nowhere.
ClassTexts classes_with(const std::string& our_file, const std::string& target,
                        const std::string& their_file) {
  return [=](const std::string& class_id, const std::string& key) {
    if (key == "TreatAs") return class_id == kOurs ? target : std::string();
    if (class_id == kOurs) return our_file;
    return class_id == kTheirs ? their_file : std::string();
  };
}

TEST(doctor_class_server, a_class_that_is_sent_to_another_one_loads_that_ones_file) {
  EXPECT_EQ(machine_server(kOurs, classes_with("", "", "")), "");
  EXPECT_EQ(machine_server(kOurs, classes_with("a.dll", "", "b.dll")), "a.dll");
  EXPECT_EQ(machine_server(kOurs, classes_with("a.dll", kTheirs, "b.dll")), "b.dll");
}

TEST(doctor_class_server, a_user_puts_another_file_in_place_by_itself_or_by_another_class) {
  const ClassTexts machine = classes_with("a.dll", "", "b.dll");
  EXPECT_EQ(user_server(kOurs, machine, classes_with("", "", "")), "");
  EXPECT_EQ(user_server(kOurs, machine, classes_with("c.dll", "", "")), "c.dll");
  EXPECT_EQ(user_server(kOurs, machine, classes_with("c.dll", kTheirs, "")), "b.dll");
  EXPECT_EQ(user_server(kOurs, machine, classes_with("c.dll", kTheirs, "d.dll")), "d.dll");
}

TEST(doctor_class_server, a_class_that_is_sent_to_one_without_a_file_is_not_taken_for_untouched) {
  const ClassTexts machine = classes_with("a.dll", "", "");
  EXPECT_EQ(user_server(kOurs, machine, classes_with("", kTheirs, "")), kTheirs);
  EXPECT_EQ(user_server(kOurs, machine, classes_with("", kOurs, "")), "") << "that is itself";
}

}  // namespace
}  // namespace asiodrv::doctor
