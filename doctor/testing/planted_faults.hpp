// Faults to plant into a healthy machine, each with the cause that must come first.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "devices/wasapi/codes.hpp"
#include "doctor/facts.hpp"

namespace asiodrv::doctor::testing {

/// What a device answers with this code of Windows.
inline OpenAttempt refused_with(std::uint32_t code) {
  return {false, "", code,
          devices::wasapi::describe(static_cast<devices::wasapi::Hr>(code), "Opening it").message};
}

struct Fault {
  const char* name;
  std::function<void(Facts&)> plant;
  const char* first;  ///< cause
};

/// One thing is wrong in each.
inline const std::vector<Fault>& planted_faults() {
  static const std::vector<Fault> faults{
      {"service disabled", [](Facts& f) { f.service.start_mode = std::string("disabled"); },
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
         f.registration[0].listed_class = std::string("{00000000-0000-0000-0000-000000000001}");
       },
       "name_taken"},
      {"key without a class", [](Facts& f) { f.registration[0].listed_class = std::string(); },
       "name_taken"},
      {"class key removed", [](Facts& f) { f.registration[0].path = std::string(); },
       "class_missing"},
      {"file deleted", [](Facts& f) { f.registration[0].file_exists = false; }, "file_missing"},
      {"32-bit file deleted", [](Facts& f) { f.registration[1].file_exists = false; },
       "file_missing"},
      {"relative path", [](Facts& f) { f.registration[0].path = std::string("asio-driver.dll"); },
       "path_not_absolute"},
      {"32-bit file for 64-bit programs",
       [](Facts& f) { f.registration[0].machine = std::string("x86"); }, "wrong_bitness"},
      {"64-bit file for 32-bit programs",
       [](Facts& f) { f.registration[1].machine = std::string("x64"); }, "wrong_bitness"},
      {"text file in the DLL's place", [](Facts& f) { f.registration[0].machine = std::string(); },
       "wrong_bitness"},
      {"classes of the user",
       [](Facts& f) { f.registration[0].user_path = std::string("D:\\evil\\asio-driver.dll"); },
       "user_override"},
      {"a second installation",
       [](Facts& f) {
         f.registration[0].path = std::string("D:\\old\\asio-driver.dll");
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
      {"32-bit driver crashes",
       [](Facts& f) {
         f.registration[1].load = ProbeResult{"crashed", "0xC0000005"};
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
         f.registration[0].other_name = std::string("asio-driver (2)");
       },
       "wrong_name"},
      {"driver of another version",
       [](Facts& f) { f.registration[0].version = std::string("1.2.2"); }, "driver_version"},
      {"service of another user",
       [](Facts& f) {
         f.service.reach = std::string("refused");
         f.service.reach_error = "The pipe belongs to somebody else.";
       },
       "service_refused"},
      {"service hangs", [](Facts& f) { f.service.reach = std::string("silent"); },
       "service_silent"},
      {"service of another version", [](Facts& f) { f.service.version = std::string("1.1.0"); },
       "service_version"},
      {"broken configuration",
       [](Facts& f) {
         f.configuration.state = std::string("broken");
         f.configuration.error = "config.toml:4: sample_type";
         f.configuration.in_force = false;
       },
       "configuration_broken"},
      {"as administrator without a service",
       [](Facts& f) {
         f.system.elevated = true;
         f.service.reach = std::string("absent");
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
         f.device.backend = std::string("simulated");
       },
       "no_output"},
      {"configured device absent", [](Facts& f) { f.device.present = false; }, "device_missing"},
      {"simulated by configuration", [](Facts& f) { f.configuration.backend = "simulated"; },
       "device_silent"},
      {"microphone policy", [](Facts& f) { f.system.microphone_policy = std::string("deny"); },
       "microphone_denied"},
      {"microphone off for the computer",
       [](Facts& f) { f.system.microphone_device = std::string("deny"); }, "microphone_denied"},
      {"microphone off for the user",
       [](Facts& f) { f.system.microphone_user = std::string("deny"); }, "microphone_denied"},
      {"microphone off for desktop programs",
       [](Facts& f) { f.system.microphone_desktop = std::string("deny"); }, "microphone_denied"},
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
      {"the device's driver hangs",
       [](Facts& f) {
         f.device.open = OpenAttempt{false, "timed_out", 0, "Opening it took over 10 s."};
       },
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
      {"other driver for other programs",
       [](Facts& f) { f.others[0].machine = std::string("x86"); }, "other_driver_broken"},
      {"32-bit programs forgotten",
       [](Facts& f) {
         f.registration[1] = {};
         f.registration[1].listed = false;
         f.registration[1].file_in_folder = true;
       },
       "not_registered_32"},
      {"input at another rate", [](Facts& f) { f.endpoints[1].rate_hz = std::uint32_t{44'100}; },
       "input_rate"},
      {"power saver", [](Facts& f) { f.system.power_plan = std::string("saver"); }, "power_saver"},
      {"no precedence for sound", [](Facts& f) { f.system.reserved_percent = std::uint32_t{100}; },
       "precedence_off"},
      {"processor at half speed", [](Facts& f) { f.system.processor_percent = std::uint32_t{50}; },
       "processor_slowed"},
  };
  return faults;
}

}  // namespace asiodrv::doctor::testing
