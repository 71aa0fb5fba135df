// The judge: planted faults, each with the cause that must come first.
#include "doctor/diagnose.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "doctor/gather.hpp"
#include "doctor/testing/healthy_facts.hpp"
#include "doctor/testing/planted_faults.hpp"

namespace asiodrv::doctor {
namespace {

using testing::Fault;
using testing::healthy_facts;
using testing::planted_faults;
using testing::refused_with;
using Text = std::string;

std::vector<std::string> ids(const Diagnosis& diagnosis) {
  std::vector<std::string> found;
  for (const Finding& each : diagnosis.findings) found.emplace_back(each.cause->id);
  return found;
}

TEST(doctor_diagnose, a_healthy_machine_has_no_finding_and_nothing_undecided_but_the_32_bit_load) {
  const Diagnosis diagnosis = diagnose(healthy_facts());
  EXPECT_EQ(ids(diagnosis), std::vector<std::string>{});
  ASSERT_EQ(diagnosis.undecided.size(), 1U);
  EXPECT_NE(diagnosis.undecided[0].find("32-bit driver loads"), std::string::npos);
}

TEST(doctor_diagnose, each_planted_fault_is_found_and_its_cause_comes_first) {
  EXPECT_GE(planted_faults().size(), 20U);
  for (const Fault& fault : planted_faults()) {
    Facts facts = healthy_facts();
    fault.plant(facts);
    const Diagnosis diagnosis = diagnose(facts);
    ASSERT_FALSE(diagnosis.findings.empty()) << fault.name;
    const Finding& first = diagnosis.findings.front();
    EXPECT_EQ(first.cause->id, fault.first) << fault.name;
    EXPECT_FALSE(first.fix.empty()) << fault.name;
    EXPECT_EQ(diagnosis.findings.size(), 1U)
        << fault.name << ": one fault, one finding; also " << ids(diagnosis).back();
  }
}

TEST(doctor_diagnose, every_cause_is_planted_by_one_of_these_faults) {
  std::set<std::string> planted;
  for (const Fault& fault : planted_faults()) planted.insert(fault.first);
  for (const Cause& cause : all_causes()) {
    EXPECT_TRUE(planted.contains(std::string(cause.id))) << cause.id;
  }
}

TEST(doctor_diagnose, a_users_class_for_32_bit_programs_is_to_be_removed_in_their_view) {
  for (const std::size_t view : {0U, 1U}) {
    Facts facts = healthy_facts();
    facts.registration[view].user_path = Text("D:\\evil\\asio-driver.dll");
    const Diagnosis diagnosis = diagnose(facts);
    ASSERT_EQ(ids(diagnosis), std::vector<std::string>{"user_override"});
    EXPECT_EQ(diagnosis.findings[0].fix.find("/reg:32") != std::string::npos, view == 1);
  }
}

/// Causes of one area may explain or hide each other; those of two do not.
char area_of(std::string_view id) {
  const auto begins = [&](std::initializer_list<const char*> leads) {
    return std::any_of(leads.begin(), leads.end(),
                       [&](const char* lead) { return id.starts_with(lead); });
  };
  if (begins({"other_driver_"})) return 'o';
  if (begins({"power_", "processor_", "precedence_"})) return 'p';
  if (begins({"service_", "configuration_", "elevated"})) return 's';
  if (begins({"not_registered", "name_", "class_", "file_", "path_", "wrong_", "user_",
              "conflicting_", "driver_"})) {
    return 'r';
  }
  return 'd';  // whatever is between the service and the loudspeaker
}

TEST(doctor_diagnose, two_faults_are_both_found_and_the_one_higher_in_the_table_comes_first) {
  std::size_t pairs = 0;
  for (const Fault& one : planted_faults()) {
    for (const Fault& other : planted_faults()) {
      if (area_of(one.first) == area_of(other.first)) continue;
      ++pairs;
      Facts facts = healthy_facts();
      one.plant(facts);
      other.plant(facts);
      std::vector<std::string> expected{one.first, other.first};
      if (find_cause(other.first) < find_cause(one.first)) std::swap(expected[0], expected[1]);
      EXPECT_EQ(ids(diagnose(facts)), expected) << one.name << " and " << other.name;
    }
  }
  EXPECT_GT(pairs, 1000U);
}

TEST(doctor_diagnose, a_finding_says_which_programs_it_is_about) {
  for (const std::size_t view : {0U, 1U}) {
    Facts facts = healthy_facts();
    facts.registration[view].file_exists = false;
    const Diagnosis diagnosis = diagnose(facts);
    ASSERT_EQ(diagnosis.findings.size(), 1U);
    EXPECT_EQ(diagnosis.findings[0].bits, bits_of(view));
  }
}

TEST(doctor_diagnose, the_configuration_of_another_version_is_not_compared) {
  Facts facts = healthy_facts();
  facts.service.version = Text("1.1.0");
  facts.configuration.in_force = false;
  EXPECT_EQ(ids(diagnose(facts)), std::vector<std::string>{"service_version"});
}

TEST(doctor_diagnose, a_cause_hides_what_only_follows_from_it) {
  Facts facts = healthy_facts();
  facts.system.audio_service = false;
  facts.endpoints.clear();
  facts.device.present = false;
  facts.device.open = refused_with(0x88890010);
  EXPECT_EQ(ids(diagnose(facts)), std::vector<std::string>{"audio_service_stopped"});

  facts = healthy_facts();
  facts.configuration.mode = "exclusive";
  facts.endpoints[0].exclusive_allowed = false;
  facts.device.open = refused_with(0x8889000E);
  EXPECT_EQ(ids(diagnose(facts)), std::vector<std::string>{"exclusive_disallowed"});

  // What the device says where it was not asked for a stream.
  facts.device.open = OpenAttempt{false, "unsupported", 0, "It has no format in this mode."};
  EXPECT_EQ(ids(diagnose(facts)), std::vector<std::string>{"exclusive_disallowed"});
  facts.endpoints[0].exclusive_allowed = true;
  EXPECT_EQ(ids(diagnose(facts)), std::vector<std::string>{"device_refused"});

  facts = healthy_facts();
  facts.system.remote_session = true;
  facts.endpoints.clear();
  facts.device.open = refused_with(0x80070490);
  EXPECT_EQ(ids(diagnose(facts)), std::vector<std::string>{"remote_session"});
}

TEST(doctor_diagnose, combinations_keep_every_cause) {
  Facts facts = healthy_facts();
  facts.registration[0].listed = false;
  facts.registration[1].machine = Text("x64");
  facts.configuration.state = Text("broken");
  facts.others[0].probe = ProbeResult{"crashed", "0xC0000005"};
  facts.system.power_plan = Text("saver");
  EXPECT_EQ(ids(diagnose(facts)),
            (std::vector<std::string>{"not_registered", "wrong_bitness", "configuration_broken",
                                      "other_driver_crashes", "power_saver"}));
}

TEST(doctor_diagnose, what_is_not_known_is_no_finding_and_is_said) {
  const Diagnosis diagnosis = diagnose(Facts{});
  EXPECT_EQ(ids(diagnosis), std::vector<std::string>{});
  EXPECT_GE(diagnosis.undecided.size(), 8U);

  Facts facts = healthy_facts();
  facts.system.microphone_policy = Known<Text>::unknown("the registry refuses, error 5");
  facts.system.microphone_user = Text("deny");
  const Diagnosis dark = diagnose(facts);
  EXPECT_EQ(ids(dark), std::vector<std::string>{});
  EXPECT_TRUE(std::any_of(dark.undecided.begin(), dark.undecided.end(), [](const Text& each) {
    return each.find("registry refuses") != Text::npos;
  }));
}

TEST(doctor_diagnose, a_policy_that_allows_the_microphone_outweighs_the_user) {
  Facts facts = healthy_facts();
  facts.system.microphone_policy = Text("allow");
  facts.system.microphone_user = Text("deny");
  EXPECT_EQ(ids(diagnose(facts)), std::vector<std::string>{});
}

TEST(doctor_diagnose, the_microphone_does_not_matter_to_who_wants_no_input) {
  Facts facts = healthy_facts();
  facts.configuration.input = "";
  facts.system.microphone_user = Text("deny");
  EXPECT_EQ(ids(diagnose(facts)), std::vector<std::string>{});
}

TEST(doctor_diagnose, access_denied_is_the_microphone_unless_it_is_known_to_be_allowed) {
  Facts facts = healthy_facts();
  facts.device.open = refused_with(0x80070005);
  EXPECT_EQ(ids(diagnose(facts)).front(), "device_refused");
  facts.system.microphone_desktop = Known<Text>::unknown("it was not recorded");
  EXPECT_EQ(ids(diagnose(facts)).front(), "microphone_denied");
}

TEST(doctor_diagnose, the_output_is_found_by_whatever_the_configuration_may_call_it) {
  for (const char* const name : {"{0.0.0.0}.{c}", "screen", "Screen", "DIGITAL"}) {
    Facts facts = healthy_facts();
    facts.configuration.output = name;
    EXPECT_EQ(ids(diagnose(facts)), std::vector<std::string>{"default_unplugged"}) << name;
  }
  Facts facts = healthy_facts();
  facts.configuration.output = "usb:1234:5678";
  facts.configuration.mode = "exclusive";
  facts.endpoints[0].exclusive_allowed = false;
  EXPECT_EQ(ids(diagnose(facts)), std::vector<std::string>{"exclusive_disallowed"});
  facts.configuration.backend = "combined";  // then [wasapi] names nothing
  EXPECT_EQ(ids(diagnose(facts)), std::vector<std::string>{});
}

TEST(doctor_diagnose, a_device_that_is_away_is_called_by_the_name_that_it_had) {
  Facts facts = healthy_facts();
  facts.configuration.output = "{0.0.0.0}.{gone}";
  facts.configuration.output_name = "Line (Studio Box)";
  facts.configuration.input = "{0.0.1.0}.{b}";
  facts.configuration.input_name = "Microphone";
  facts.device.present = false;
  for (const bool refused : {false, true}) {
    if (refused) facts.device.open = refused_with(0x80070490);
    const Diagnosis diagnosis = diagnose(facts);
    ASSERT_EQ(ids(diagnosis), std::vector<std::string>{"device_missing"});
    const Text& detail = diagnosis.findings[0].detail;
    EXPECT_NE(detail.find("output was \"Line (Studio Box)\""), Text::npos) << detail;
    EXPECT_EQ(detail.find("input was"), Text::npos) << "it is there: " << detail;
  }
}

TEST(doctor_diagnose, exclusive_use_that_nobody_wants_may_be_off) {
  Facts facts = healthy_facts();
  facts.endpoints[0].exclusive_allowed = false;
  EXPECT_EQ(ids(diagnose(facts)), std::vector<std::string>{});
}

TEST(doctor_diagnose, programs_that_are_adapted_may_have_other_rates) {
  Facts facts = healthy_facts();
  facts.clients[0].rate_hz = 44'100;
  EXPECT_EQ(ids(diagnose(facts)), std::vector<std::string>{});
}

TEST(doctor_diagnose, a_device_whose_rate_is_not_known_is_not_said_to_run_at_0_hz) {
  for (const auto& unknown : {Known<std::uint32_t>(), Known<std::uint32_t>(0U)}) {
    Facts facts = healthy_facts();
    facts.configuration.formats = "refuse";
    facts.device.rate_hz = unknown;
    EXPECT_EQ(ids(diagnose(facts)), std::vector<std::string>{}) << "it may be the program's";
    facts.clients[0].rate_hz = 22'050;
    const Diagnosis diagnosis = diagnose(facts);
    ASSERT_EQ(ids(diagnosis), std::vector<std::string>{"rate_mismatch"});
    EXPECT_EQ(diagnosis.findings[0].detail.find(" 0 Hz"), Text::npos);
    EXPECT_NE(diagnosis.findings[0].detail.find("Loudspeakers does not offer that"), Text::npos);
  }
}

TEST(doctor_diagnose, nobody_misses_a_32_bit_driver_that_was_never_installed) {
  Facts facts = healthy_facts();
  facts.registration[1] = {};
  facts.registration[1].listed = false;
  facts.registration[1].file_in_folder = false;
  EXPECT_EQ(ids(diagnose(facts)), std::vector<std::string>{});
}

TEST(doctor_diagnose, every_code_that_devices_answer_with_has_a_cause_and_a_next_step) {
  // The codes of the reference, and what people are told.
  const struct {
    std::uint32_t code;
    const char* cause;
  } codes[] = {{0x8889000E, "exclusive_disallowed"}, {0x8889000A, "device_busy"},
               {0x88890004, "device_lost"},          {0x88890026, "device_lost"},
               {0x88890008, "rate_mismatch"},        {0x88890010, "audio_service_stopped"},
               {0x8889000F, "device_failed"},        {0x88890019, "buffer_below_minimum"},
               {0x80070490, "device_missing"},       {0x80070005, "microphone_denied"}};
  for (const auto& each : codes) {
    EXPECT_STREQ(cause_of_code(each.code), each.cause);
    Facts facts = healthy_facts();
    facts.system.microphone_desktop = Known<Text>::unknown("it was not recorded");
    facts.device.open = refused_with(each.code);
    const Diagnosis diagnosis = diagnose(facts);
    ASSERT_EQ(diagnosis.findings.size(), 1U) << each.cause;
    EXPECT_EQ(diagnosis.findings[0].cause->id, each.cause);
    EXPECT_FALSE(diagnosis.findings[0].detail.empty());
    EXPECT_FALSE(diagnosis.findings[0].fix.empty());
    EXPECT_EQ(code_in(diagnosis.findings[0].detail), each.code);
  }
}

TEST(doctor_diagnose, each_cause_has_words_and_a_fix_and_no_two_are_alike) {
  std::set<std::string_view> seen;
  for (const Cause& cause : all_causes()) {
    EXPECT_TRUE(seen.insert(cause.id).second) << cause.id;
    EXPECT_TRUE(cause.what.ends_with('.')) << cause.id;
    EXPECT_GE(cause.fix.size(), 10U) << cause.id;
  }
  EXPECT_EQ(find_cause("no such cause"), nullptr);
}

}  // namespace
}  // namespace asiodrv::doctor
