// The judge: planted faults, each with the cause that must come first.
#include "doctor/diagnose.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <vector>

#include "devices/wasapi/codes.hpp"
#include "doctor/gather.hpp"
#include "doctor/testing/healthy_facts.hpp"

namespace asiodrv::doctor {
namespace {

using testing::healthy_facts;
using Text = std::string;

std::vector<std::string> ids(const Diagnosis& diagnosis) {
  std::vector<std::string> found;
  for (const Finding& each : diagnosis.findings) found.emplace_back(each.cause->id);
  return found;
}

OpenAttempt refused_with(std::uint32_t code) {
  return {false, "", code,
          devices::wasapi::describe(static_cast<devices::wasapi::Hr>(code), "Opening it").message};
}

struct Fault {
  const char* name;
  std::function<void(Facts&)> plant;
  const char* first;  ///< cause
};

/// One thing is wrong in each.
const std::vector<Fault>& planted_faults() {
  static const std::vector<Fault> faults{
      {"service disabled", [](Facts& f) { f.service.start_mode = Text("disabled"); },
       "service_off"},
      {"audio service stopped", [](Facts& f) { f.system.audio_service = false; },
       "audio_service_stopped"},
      {"endpoint builder stopped", [](Facts& f) { f.system.endpoint_builder = false; },
       "audio_service_stopped"},
      {"remote desktop", [](Facts& f) { f.system.remote_session = true; }, "remote_session"},
      {"no key in SOFTWARE\\ASIO", [](Facts& f) { f.registration[0].listed = false; },
       "not_registered"},
      {"class of somebody else",
       [](Facts& f) {
         f.registration[0].listed_class = Text("{00000000-0000-0000-0000-000000000001}");
       },
       "name_taken"},
      {"key without a class", [](Facts& f) { f.registration[0].listed_class = Text(); },
       "name_taken"},
      {"class key removed", [](Facts& f) { f.registration[0].path = Text(); }, "class_missing"},
      {"file deleted", [](Facts& f) { f.registration[0].file_exists = false; }, "file_missing"},
      {"32-bit file deleted", [](Facts& f) { f.registration[1].file_exists = false; },
       "file_missing"},
      {"relative path", [](Facts& f) { f.registration[0].path = Text("asio-driver.dll"); },
       "path_not_absolute"},
      {"32-bit file for 64-bit programs", [](Facts& f) { f.registration[0].machine = Text("x86"); },
       "wrong_bitness"},
      {"64-bit file for 32-bit programs", [](Facts& f) { f.registration[1].machine = Text("x64"); },
       "wrong_bitness"},
      {"text file in the DLL's place", [](Facts& f) { f.registration[0].machine = Text(); },
       "wrong_bitness"},
      {"classes of the user",
       [](Facts& f) { f.registration[0].user_path = Text("D:\\evil\\asio-driver.dll"); },
       "user_override"},
      {"a second installation",
       [](Facts& f) {
         f.registration[0].path = Text("D:\\old\\asio-driver.dll");
         f.registration[0].in_our_folder = false;
       },
       "conflicting_copy"},
      {"driver hangs",
       [](Facts& f) {
         f.registration[0].load = ProbeResult{"hung", "10 s"};
       },
       "driver_hangs"},
      {"driver crashes",
       [](Facts& f) {
         f.registration[0].load = ProbeResult{"crashed", "0xC0000005"};
       },
       "driver_crashes"},
      {"driver refused",
       [](Facts& f) {
         f.registration[0].load = ProbeResult{"refused", "0x8007007E"};
       },
       "driver_refused"},
      {"listed under another name",
       [](Facts& f) {
         f.registration[0].listed = false;
         f.registration[0].other_name = Text("asio-driver (2)");
       },
       "wrong_name"},
      {"driver of another version", [](Facts& f) { f.registration[0].version = Text("1.2.2"); },
       "driver_version"},
      {"service of another user",
       [](Facts& f) {
         f.service.reach = Text("refused");
         f.service.reach_error = "The pipe belongs to somebody else.";
       },
       "service_refused"},
      {"service hangs", [](Facts& f) { f.service.reach = Text("silent"); }, "service_silent"},
      {"service of another version", [](Facts& f) { f.service.version = Text("1.1.0"); },
       "service_version"},
      {"broken configuration",
       [](Facts& f) {
         f.configuration.state = Text("broken");
         f.configuration.error = "config.toml:4: sample_type";
         f.configuration.in_force = false;
       },
       "configuration_broken"},
      {"as administrator without a service",
       [](Facts& f) {
         f.system.elevated = true;
         f.service.reach = Text("absent");
         f.service.version = {};
       },
       "elevated"},
      {"output disabled",
       [](Facts& f) {
         f.endpoints[0].state = "disabled";
         f.device.present = false;
       },
       "default_disabled"},
      {"configured output disabled",
       [](Facts& f) {
         f.configuration.output = "Screen";
         f.endpoints[2].state = "disabled";
       },
       "default_disabled"},
      {"headphones unplugged",
       [](Facts& f) {
         f.endpoints[0].state = "unplugged";
         f.device.open = refused_with(0x80070490);
       },
       "default_unplugged"},
      {"no sound card at all",
       [](Facts& f) {
         for (Endpoint& each : f.endpoints) each.state = "absent";
         f.device.backend = Text("simulated");
       },
       "no_output"},
      {"configured device absent", [](Facts& f) { f.device.present = false; }, "device_missing"},
      {"simulated by configuration", [](Facts& f) { f.configuration.backend = "simulated"; },
       "device_silent"},
      {"microphone policy", [](Facts& f) { f.system.microphone_policy = Text("deny"); },
       "microphone_denied"},
      {"microphone off for the computer",
       [](Facts& f) { f.system.microphone_device = Text("deny"); }, "microphone_denied"},
      {"microphone off for the user", [](Facts& f) { f.system.microphone_user = Text("deny"); },
       "microphone_denied"},
      {"microphone off for desktop programs",
       [](Facts& f) { f.system.microphone_desktop = Text("deny"); }, "microphone_denied"},
      {"exclusive use switched off",
       [](Facts& f) {
         f.configuration.mode = "exclusive";
         f.endpoints[0].exclusive_allowed = false;
       },
       "exclusive_disallowed"},
      {"held by another program", [](Facts& f) { f.device.open = refused_with(0x8889000A); },
       "device_busy"},
      {"pulled out while it played", [](Facts& f) { f.device.lost = true; }, "device_lost"},
      {"the device's driver fails", [](Facts& f) { f.device.open = refused_with(0x8889000F); },
       "device_failed"},
      {"no external clock", [](Facts& f) { f.device.clock_lost = true; }, "clock_lost"},
      {"rate refused", [](Facts& f) { f.device.open = refused_with(0x88890008); }, "rate_mismatch"},
      {"programs must agree and do not",
       [](Facts& f) {
         f.configuration.formats = "refuse";
         f.clients[0].rate_hz = 96'000;
       },
       "rate_mismatch"},
      {"largest buffer below the device's least", [](Facts& f) { f.configuration.max_frames = 64; },
       "buffer_below_minimum"},
      {"buffer not aligned", [](Facts& f) { f.device.open = refused_with(0x88890019); },
       "buffer_below_minimum"},
      {"code that nobody knows", [](Facts& f) { f.device.open = refused_with(0x8ABCDEF0); },
       "device_refused"},
      {"configuration changed since", [](Facts& f) { f.configuration.in_force = false; },
       "configuration_old"},
      {"other driver crashes",
       [](Facts& f) {
         f.others[0].probe = ProbeResult{"crashed", "0xC0000005"};
       },
       "other_driver_crashes"},
      {"other driver hangs",
       [](Facts& f) {
         f.others[0].probe = ProbeResult{"hung", "10 s"};
       },
       "other_driver_hangs"},
      {"other driver without its file", [](Facts& f) { f.others[0].file_exists = false; },
       "other_driver_broken"},
      {"other driver for other programs", [](Facts& f) { f.others[0].machine = Text("x86"); },
       "other_driver_broken"},
      {"32-bit programs forgotten",
       [](Facts& f) {
         f.registration[1] = {};
         f.registration[1].listed = false;
         f.registration[1].file_in_folder = true;
       },
       "not_registered_32"},
      {"input at another rate", [](Facts& f) { f.endpoints[1].rate_hz = std::uint32_t{44'100}; },
       "input_rate"},
      {"power saver", [](Facts& f) { f.system.power_plan = Text("saver"); }, "power_saver"},
      {"processor at half speed", [](Facts& f) { f.system.processor_percent = std::uint32_t{50}; },
       "processor_slowed"},
  };
  return faults;
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

TEST(doctor_diagnose, of_two_faults_the_one_higher_in_the_table_comes_first) {
  const auto order = [](std::string_view id) { return find_cause(id); };
  const auto& faults = planted_faults();
  for (const Fault& one : faults) {
    for (const Fault& other : faults) {
      // Who chooses the simulated device on a machine without any other knows what he hears.
      const std::set<std::string_view> both{one.first, other.first};
      if (both == std::set<std::string_view>{"device_silent", "no_output"}) continue;
      Facts facts = healthy_facts();
      one.plant(facts);
      other.plant(facts);
      const Diagnosis diagnosis = diagnose(facts);
      ASSERT_FALSE(diagnosis.findings.empty()) << one.name << " and " << other.name;
      EXPECT_TRUE(
          std::is_sorted(diagnosis.findings.begin(), diagnosis.findings.end(),
                         [](const Finding& a, const Finding& b) { return a.cause < b.cause; }))
          << one.name << " and " << other.name;
      EXPECT_LE(diagnosis.findings.front().cause, std::max(order(one.first), order(other.first)))
          << one.name << " and " << other.name;
    }
  }
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
