// The configuration file. Every key has a default; a file that is wrong in any way is refused as a
// whole, so that what runs is always either the file or what ran before.
//
//   [driver]     sample_type = "float32"   "float32", "int32", "int24" or "int16": all clients
//                min_frames = 32           buffer sizes on offer: powers of two from 16 to 8192
//                max_frames = 2048
//                preferred_frames = 64
//                buffer_sizes = "powers_of_two"   or "device": the periods of the device, no others
//                formats = "follow"        what happens when programs want different rates or
//                sizes:
//                  "follow"  the device follows a program that is alone; others are adapted
//                  "adapt"   the device stays at [simulated] rate and preferred_frames; every
//                            program that wants something else is adapted
//                  "refuse"  as "follow", but who joins others must agree with them
//   [engine]     deadline_fraction = 0.8   0.3 to 0.95: part of a period that clients get
//                spin_us = 20              0 to 200: busy waiting before the engine sleeps
//   [service]    idle_seconds = 10         0 to 86400: an agent without clients leaves
//   [hosts]      deferred = []             program file names whose output is taken a buffer later
//   [device]     backend = "automatic"     "wasapi" (Windows' sound devices), "simulated",
//   "combined"
//                (several as one), or "automatic": wasapi where Windows has an output, else
//                simulated
//   [wasapi]     output = "default"        an id, a name or a description as "asio-driver devices"
//                input = "default"         shows them; "default": what Windows uses; "": none
//                mode = "automatic"        "low_latency", "shared", "exclusive", or the best of
//                them prefer_exclusive = false  lets "automatic" take the device from other
//                programs clocks = "automatic"      "one", "two": whether output and input share a
//                clock
//   [combined]   name = ""                 empty: the members' names
//                stall_ms = 2              0 to 200: how late a thread may be without damage
//   [[member]]   backend, output, input, mode, prefer_exclusive: one of the devices, as above; the
//                first is the clock master. 2 to 8 of them
//                prefix = ""               before the names of its channels
//   [channels]   inputs = [], outputs = [] the device's channels in your order, counted from 1;
//                empty: all, as they are. What is not listed is not offered
//                input_names = []          names in place of the device's, in the order above; ""
//                output_names = []         leaves one as it is
//   [simulated]  inputs = 8, outputs = 8   1 to 1024
//                rate = 48000              at start; clients may change it
//                offset_ppm = 0.0          -1000 to 1000: how much faster its clock runs
//                jitter_us = 0             0 to 1000: how much later than due its periods arrive
//                external_clock = 0        the rate that arrives at its external clock input; 0: it
//                                          has no such input
//                wires = "straight"        "straight" (output n to input n) or "none"
//                hidden_latency_frames = 0 0 to 96000: delay of the wires, which is not reported
//                player = ""               a WAV file heard at the inputs, over and over
//                recorder = ""             a WAV file that receives what is played
//
// Relative file names are meant relative to the configuration file.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/sample_type.hpp"
#include "core/base/units.hpp"

namespace asiodrv::service {

enum class Wires { straight, none };
/// Who gives way when rates or buffer sizes differ.
enum class Formats { follow, adapt, refuse };
/// Which buffer sizes are on offer.
enum class Sizes { powers_of_two, device };
enum class Backend { automatic, simulated, wasapi, combined };
[[nodiscard]] const char* backend_name(Backend backend) noexcept;
enum class WasapiMode { automatic, exclusive, low_latency, shared };
/// Whether a render and a capture endpoint are paced by one clock.
enum class Clocks { automatic, one, two };

struct Config {
  SampleType sample_type = SampleType::float32;
  Frames min_frames{32}, max_frames{2048}, preferred_frames{64};
  Sizes sizes = Sizes::powers_of_two;
  Formats formats = Formats::follow;

  double deadline_fraction = 0.8;
  std::uint32_t spin_us = 20;

  std::uint32_t idle_seconds = 10;

  std::vector<std::string> deferred_programs;

  Backend backend = Backend::automatic;
  struct Wasapi {
    std::string output = "default", input = "default";
    WasapiMode mode = WasapiMode::automatic;
    bool prefer_exclusive = false;
    Clocks clocks = Clocks::automatic;
  } wasapi;
  struct Member {
    Backend backend = Backend::wasapi;  ///< or simulated
    Wasapi wasapi;
    std::string prefix;
  };
  struct Combined {
    std::string name;
    std::uint32_t stall_ms = 2;
  } combined;
  std::vector<Member> members;  ///< with Backend::combined: 2 to 8
  struct Channels {
    std::vector<std::uint32_t> inputs, outputs;  ///< of the device, from 0; empty: all
    std::vector<std::string> input_names, output_names;
  } channels;
  struct Simulated {
    std::uint32_t inputs = 8, outputs = 8;
    std::uint32_t rate_hz = 48'000;
    double offset_ppm = 0.0;
    std::uint32_t jitter_us = 0;
    std::uint32_t external_clock_hz = 0;
    Wires wires = Wires::straight;
    Frames hidden_latency{};
    std::string player, recorder;  ///< absolute UTF-8 paths, or empty
  } simulated;
};

/// Text of a configuration file. `path` (UTF-8) names it in errors and anchors relative paths.
/// Errors: malformed, with one line per mistake: file, line, key, what is accepted.
[[nodiscard]] Result<Config> parse_config(std::string_view text, const std::string& path);

/// Errors: not_found, limit_reached (over 1 MiB), those of parse_config. Blocks on the disk.
[[nodiscard]] Result<Config> load_config(const std::string& path);

/// All values by section and key, as a person would write them.
[[nodiscard]] nlohmann::json to_json(const Config& config);

/// True when `program` (a file name) is listed in [hosts] deferred; letter case does not matter.
[[nodiscard]] bool is_deferred(const Config& config, std::string_view program);

}  // namespace asiodrv::service
