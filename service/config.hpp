// The configuration: values, and how a file's text becomes values. Every key has a default; a file
// that is wrong in any way is refused as a whole, so that what runs is always either the file or
// what ran before.
//
// The keys, what they accept and what they mean: service/config_keys.cpp, docs/configuration.md.
// Which files there are, and which is above which: service/config_layers.hpp.
#pragma once

#include <cstdint>
#include <map>
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
    bool dither = false;
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

/// Which file (UTF-8) a value comes from, by key ("driver.min_frames"; "member" for all members). A
/// key that is missing has its default.
using ConfigOrigins = std::map<std::string, std::string>;

/// Lays the text of a file over `config`. `path` (UTF-8) names it in errors and anchors relative
/// file names. Errors: malformed, with one line per mistake: file, line, key, what is accepted;
/// then nothing has changed. Also what is right alone and wrong together with `config` is refused.
[[nodiscard]] Result<> apply_config(Config& config, ConfigOrigins& origins, std::string_view text,
                                    const std::string& path);

/// The same over the defaults.
[[nodiscard]] Result<Config> parse_config(std::string_view text, const std::string& path);

/// Errors: not_found (also what cannot be read), limit_reached (over 1 MiB). Blocks on the disk.
[[nodiscard]] Result<std::string> read_config_text(const std::string& path);

/// One file over the defaults, whatever other files there are. Errors: those of the two above.
[[nodiscard]] Result<Config> load_config(const std::string& path);

/// All values by section and key, as a person would write them.
[[nodiscard]] nlohmann::json to_json(const Config& config);

/// True when `program` (a file name) is listed in [hosts] deferred; letter case does not matter.
[[nodiscard]] bool is_deferred(const Config& config, std::string_view program);

}  // namespace asiodrv::service
