// What was found out about a machine on which there is no sound: plain values, each known or not
// and why. Gathered by gather.hpp, judged by diagnose.hpp, kept as JSON by facts_json.hpp. Text is
// UTF-8.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "doctor/known.hpp"

namespace asiodrv::doctor {

/// How a driver behaved in a process of its own.
struct ProbeResult {
  std::string end;     ///< "fine", "refused", "crashed" or "hung"
  std::string detail;  ///< the system's code or sentence
};

/// Our driver in one of the two views of the registry.
struct Registration {
  Known<bool> listed;                  ///< SOFTWARE\ASIO has a key of our name
  Known<std::string> listed_class;     ///< the CLSID there; "" none
  Known<std::string> other_name;       ///< another key there that has our CLSID; "" none
  Known<std::string> path;             ///< of our class: InprocServer32; "" none
  Known<std::string> threading_model;  ///< likewise; "" none
  Known<std::string> user_path;        ///< what this user's classes say instead; "" nothing
  Known<bool> file_exists;
  Known<std::string> machine;  ///< of the file: "x64", "x86", "arm64", "other"; "" no program file
  Known<std::string> version;  ///< of the file; "" none
  Known<bool> in_our_folder;   ///< the file lies in the folder of this program
  Known<bool> file_in_folder;  ///< the folder of this program has a driver for this view
  Known<ProbeResult> load;     ///< loaded by COM in a process of its own, nothing more
};

/// Somebody else's ASIO driver.
struct OtherDriver {
  std::string name;
  unsigned bits = 64;  ///< the view that has it
  std::string driver_class, path;
  Known<bool> file_exists;
  Known<std::string> machine;
  Known<ProbeResult> probe;  ///< loaded and initialised in a process of its own; on request only
};

struct ServiceFacts {
  Known<std::string> reach;  ///< "answers", "absent", "refused" or "silent"
  std::string reach_error;   ///< the sentence for the last two
  Known<std::string> version;
  Known<std::string> start_mode;  ///< "none" (not installed), "demand", "automatic", "disabled"
};

struct ConfigurationFacts {
  std::string path;
  Known<std::string> state;  ///< "absent", "good" or "broken"
  std::string error;         ///< file, line, key and what is accepted, when broken
  Known<bool> in_force;      ///< the running service uses just this
  // What is wanted: of the file, or the defaults.
  std::string backend = "automatic", output = "default", input = "default", mode = "automatic",
              formats = "follow", buffer_sizes = "powers_of_two";
  bool prefer_exclusive = false;
  std::uint32_t min_frames = 32, max_frames = 2048;
  /// How the service remembers what is configured by an id; "" it does not.
  std::string output_name, input_name;
};

/// One of Windows' sound devices.
struct Endpoint {
  std::string id, name;
  std::string description;  ///< the part of the name that does not name the adapter
  std::string usb;          ///< vendor and product, "1234:5678"; "" not on USB
  bool output = true;
  std::string state;  ///< "active", "disabled", "unplugged" or "absent"
  bool is_default = false;
  Known<bool> exclusive_allowed;
  Known<std::uint32_t> rate_hz;  ///< of Windows' mixer
};

struct OpenAttempt {
  bool ok = false;
  std::string error;       ///< name of the ErrorCode
  std::uint32_t code = 0;  ///< HRESULT; 0: none was told
  std::string message;
};

struct DeviceFacts {
  Known<std::string> backend;  ///< what would play: "wasapi", "simulated", "combined"
  std::string name;
  Known<bool> present;
  Known<bool> lost;        ///< it left while it played
  Known<bool> clock_lost;  ///< nothing arrives at the external clock that it follows
  Known<std::uint32_t> rate_hz, min_period_frames;
  std::vector<std::uint32_t> rates_hz;  ///< that it offers; empty: not known
  Known<OpenAttempt> open;              ///< by the service, or by the doctor while nobody plays
};

/// A program that has the driver open.
struct Client {
  std::string program;
  std::uint32_t rate_hz = 0, buffer_frames = 0;
  bool running = false;
};

struct SystemFacts {
  std::string name;  ///< "windows" or "linux"
  Known<bool> elevated, remote_session;
  Known<bool> audio_service, endpoint_builder;  ///< they run
  // Microphone privacy: "allow" or "deny". What the system does not mention is allowed.
  Known<std::string> microphone_policy;  ///< also "user": not decided by the administrator
  Known<std::string> microphone_device, microphone_user, microphone_desktop;
  Known<std::string> power_plan;           ///< "balanced", "saver", "performance" or "other"
  Known<std::uint32_t> processor_percent;  ///< the most speed that the plan lets it have
  Known<std::uint32_t> reserved_percent;  ///< of the processor, kept from sound; 100: no precedence
};

struct Facts {
  std::string program_version, program_path;
  std::array<Registration, 2> registration;  ///< [0] 64-bit, [1] 32-bit programs
  std::vector<OtherDriver> others;
  Known<bool> others_listed;
  ServiceFacts service;
  ConfigurationFacts configuration;
  std::vector<Endpoint> endpoints;
  Known<bool> endpoints_listed;
  DeviceFacts device;
  std::vector<Client> clients;
  SystemFacts system;
};

[[nodiscard]] constexpr unsigned bits_of(std::size_t view) noexcept { return view == 0 ? 64 : 32; }

}  // namespace asiodrv::doctor
