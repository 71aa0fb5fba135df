// A machine on which everything is well: what tests plant their faults into.
#pragma once

#include "doctor/facts.hpp"
#include "doctor/identity.hpp"

namespace asiodrv::doctor::testing {

inline Registration healthy_registration(unsigned bits) {
  Registration view;
  view.listed = true;
  view.listed_class = std::string(driver_class());
  view.other_name = std::string();
  view.path = std::string(bits == 64 ? "C:\\Program Files\\asio-driver\\asio-driver.dll"
                                     : "C:\\Program Files\\asio-driver\\x86\\asio-driver.dll");
  view.threading_model = std::string("Both");
  view.user_path = std::string();
  view.file_exists = true;
  view.machine = std::string(bits == 64 ? "x64" : "x86");
  view.version = std::string("1.2.3");
  view.in_our_folder = true;
  view.file_in_folder = true;
  if (bits == 64) view.load = ProbeResult{"fine", ""};
  return view;
}

inline Facts healthy_facts() {
  Facts facts;
  facts.program_version = "1.2.3";
  facts.program_path = "C:\\Program Files\\asio-driver\\asio-driver.exe";
  facts.registration = {healthy_registration(64), healthy_registration(32)};
  facts.others_listed = true;
  OtherDriver other;
  other.name = "Example Audio";
  other.driver_class = "{11111111-2222-3333-4444-555555555555}";
  other.path = "C:\\Program Files\\Example\\example64.dll";
  other.file_exists = true;
  other.machine = std::string("x64");
  other.probe = ProbeResult{"fine", ""};
  facts.others.push_back(other);
  facts.service.reach = std::string("answers");
  facts.service.version = std::string("1.2.3");
  facts.service.start_mode = std::string("demand");
  facts.configuration.path = "C:\\settings\\config.toml";
  facts.configuration.state = std::string("good");
  facts.configuration.in_force = true;
  facts.endpoints_listed = true;
  facts.endpoints = {
      {"{0.0.0.0}.{a}", "Loudspeakers", "Speakers", "1234:5678", true, "active", true, true,
       std::uint32_t{48'000}},
      {"{0.0.1.0}.{b}", "Microphone", "Mic", "1234:5678", false, "active", true, true,
       std::uint32_t{48'000}},
      {"{0.0.0.0}.{c}", "Screen", "Digital", "", true, "unplugged", false, true, {}}};
  facts.device.backend = std::string("wasapi");
  facts.device.name = "Loudspeakers";
  facts.device.present = true;
  facts.device.lost = false;
  facts.device.clock_lost = false;
  facts.device.rate_hz = std::uint32_t{48'000};
  facts.device.min_period_frames = std::uint32_t{128};
  facts.device.rates_hz = {44'100, 48'000, 96'000};
  facts.device.open = OpenAttempt{true, "", 0, ""};
  facts.clients.push_back({"C:\\Program Files\\Studio\\studio.exe", 48'000, 128, true});
  facts.system.name = "windows";
  facts.system.elevated = false;
  facts.system.remote_session = false;
  facts.system.audio_service = true;
  facts.system.endpoint_builder = true;
  facts.system.microphone_policy = std::string("user");
  facts.system.microphone_device = std::string("allow");
  facts.system.microphone_user = std::string("allow");
  facts.system.microphone_desktop = std::string("allow");
  facts.system.power_plan = std::string("balanced");
  facts.system.processor_percent = std::uint32_t{100};
  facts.system.reserved_percent = std::uint32_t{20};
  return facts;
}

}  // namespace asiodrv::doctor::testing
