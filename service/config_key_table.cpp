// The table of all keys: what docs/configuration.md says in prose.
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "service/config_key_kinds.hpp"
#include "service/config_keys.hpp"

namespace asiodrv::service {
namespace {

using kinds::At;
using kinds::AtMember;
using kinds::channel_numbers;
using kinds::Choice;
using kinds::choice;
using kinds::file;
using kinds::flag;
using kinds::integer;
using kinds::power_of_two;
using kinds::real;
using kinds::text;
using kinds::texts;

constexpr std::size_t kMaxDeferred = 256;

using Keys = std::vector<ConfigKey>;

void add_driver_keys(Keys& keys) {
  std::vector<Choice<SampleType>> types;
  for (const SampleType type : kSampleTypes)
    types.push_back({std::string(sample_type_name(type)), type});
  keys.push_back(
      choice({"driver", "sample_type", "", Effect::live, "the type of all channels' buffers"},
             types, At<&Config::sample_type>{}));
  keys.push_back(power_of_two(
      {"driver", "min_frames", "frames", Effect::live, "the smallest buffer size on offer"},
      At<&Config::min_frames, &Frames::count>{}));
  keys.push_back(power_of_two(
      {"driver", "max_frames", "frames", Effect::live, "the largest buffer size on offer"},
      At<&Config::max_frames, &Frames::count>{}));
  keys.push_back(power_of_two({"driver", "preferred_frames", "frames", Effect::live,
                               "the buffer size that a host should take, from min_frames to "
                               "max_frames"},
                              At<&Config::preferred_frames, &Frames::count>{}));
  keys.push_back(choice<At<&Config::sizes>, Sizes>(
      {"driver", "buffer_sizes", "", Effect::live, "which buffer sizes hosts can choose"},
      {{"powers_of_two", Sizes::powers_of_two}, {"device", Sizes::device}}, {}));
  keys.push_back(choice<At<&Config::formats>, Formats>(
      {"driver", "formats", "", Effect::live,
       "what happens when programs want different rates or buffer sizes"},
      {{"follow", Formats::follow}, {"adapt", Formats::adapt}, {"refuse", Formats::refuse}}, {}));
}

void add_service_keys(Keys& keys) {
  keys.push_back(real({"engine", "deadline_fraction", "periods", Effect::pause,
                       "the part of a period after which a client that has not answered is late"},
                      0.3, 0.95, At<&Config::deadline_fraction>{}));
  keys.push_back(integer({"engine", "spin_us", "us", Effect::pause,
                          "busy waiting before the engine sleeps for an answer"},
                         0, 200, At<&Config::spin_us>{}));
  keys.push_back(integer({"service", "idle_seconds", "s", Effect::live,
                          "an agent without clients leaves after so long"},
                         0, 86'400, At<&Config::idle_seconds>{}));
  keys.push_back(
      texts({"hosts", "deferred", "", Effect::next_open,
             "program files that finish their work after their callback has returned; "
             "their output is taken one buffer later"},
            fmt::format("a list of at most {} file names, like [\"daw.exe\"]", kMaxDeferred),
            kMaxDeferred, false, At<&Config::deferred_programs>{}));
}

/// [wasapi], or the same keys of a [[member]].
template <template <auto...> class Reach, auto... Path>
void add_wasapi_keys(Keys& keys, const char* section) {
  using Wasapi = Config::Wasapi;
  keys.push_back(text({section, "output", "", Effect::live,
                       "what plays: an id, a name or a description as \"asio-driver devices\" "
                       "shows them; \"default\" is what Windows uses, "
                       "\"usb:1234:5678,1234:9abc\" the first of these interfaces, by USB vendor "
                       "and product, that is there, \"\" none"},
                      Reach<Path..., &Wasapi::output>{}));
  keys.push_back(text({section, "input", "", Effect::live, "what records, likewise"},
                      Reach<Path..., &Wasapi::input>{}));
  keys.push_back(choice<Reach<Path..., &Wasapi::mode>, WasapiMode>(
      {section, "mode", "", Effect::live,
       "how the device is opened; \"automatic\" is the best that it allows"},
      {{"automatic", WasapiMode::automatic},
       {"exclusive", WasapiMode::exclusive},
       {"low_latency", WasapiMode::low_latency},
       {"shared", WasapiMode::shared}},
      {}));
  keys.push_back(flag({section, "prefer_exclusive", "", Effect::live,
                       "lets \"automatic\" take the device from all other programs"},
                      Reach<Path..., &Wasapi::prefer_exclusive>{}));
  keys.push_back(choice<Reach<Path..., &Wasapi::clocks>, Clocks>(
      {section, "clocks", "", Effect::live, "whether output and input are paced by one clock"},
      {{"automatic", Clocks::automatic}, {"one", Clocks::one}, {"two", Clocks::two}}, {}));
  keys.push_back(flag(
      {section, "dither", "", Effect::live, "adds noise where samples are cut to 16 or 24 bits"},
      Reach<Path..., &Wasapi::dither>{}));
}

void add_device_keys(Keys& keys) {
  std::vector<Choice<Backend>> backends;
  for (const Backend each :
       {Backend::automatic, Backend::simulated, Backend::wasapi, Backend::combined}) {
    backends.push_back({backend_name(each), each});
  }
  keys.push_back(choice({"device", "backend", "", Effect::live, "the kind of device"}, backends,
                        At<&Config::backend>{}));
  add_wasapi_keys<At, &Config::wasapi>(keys, "wasapi");
  keys.push_back(text(
      {"combined", "name", "", Effect::live, "the name for hosts; empty: the names of its members"},
      At<&Config::combined, &Config::Combined::name>{}));
  keys.push_back(integer({"combined", "stall_ms", "ms", Effect::live,
                          "how late a member may be without damage; part of the latency"},
                         0, 200, At<&Config::combined, &Config::Combined::stall_ms>{}));
  add_wasapi_keys<AtMember, &Config::Member::wasapi>(keys, kMemberSection);
  keys.push_back(choice<AtMember<&Config::Member::backend>, Backend>(
      {kMemberSection, "backend", "", Effect::live, "the kind of device"},
      {{"wasapi", Backend::wasapi}, {"simulated", Backend::simulated}}, {}));
  keys.push_back(
      text({kMemberSection, "prefix", "", Effect::live, "stands before the names of its channels"},
           AtMember<&Config::Member::prefix>{}));
}

void add_channel_keys(Keys& keys) {
  using Channels = Config::Channels;
  const std::string names = "a list of at most 1024 names, like [\"Voice\", \"Guitar\"]";
  keys.push_back(channel_numbers(
      {"channels", "inputs", "", Effect::live, "which inputs hosts see, in this order; empty: all"},
      At<&Config::channels, &Channels::inputs>{}));
  keys.push_back(channel_numbers({"channels", "outputs", "", Effect::live,
                                  "which outputs hosts see, in this order; empty: all"},
                                 At<&Config::channels, &Channels::outputs>{}));
  keys.push_back(texts({"channels", "input_names", "", Effect::live,
                        "names for the inputs, in that order; \"\" or a missing one leaves the "
                        "device's own"},
                       names, wire::kMaxChannels, true,
                       At<&Config::channels, &Channels::input_names>{}));
  keys.push_back(
      texts({"channels", "output_names", "", Effect::live, "names for the outputs, likewise"},
            names, wire::kMaxChannels, true, At<&Config::channels, &Channels::output_names>{}));
}

void add_simulated_keys(Keys& keys) {
  using Simulated = Config::Simulated;
  keys.push_back(integer({"simulated", "inputs", "channels", Effect::live, "how many inputs"}, 1,
                         1024, At<&Config::simulated, &Simulated::inputs>{}));
  keys.push_back(integer({"simulated", "outputs", "channels", Effect::live, "how many outputs"}, 1,
                         1024, At<&Config::simulated, &Simulated::outputs>{}));
  keys.push_back(integer({"simulated", "rate", "Hz", Effect::live,
                          "frames per second at start, one that the device lists; clients may "
                          "change it"},
                         8'000, 768'000, At<&Config::simulated, &Simulated::rate_hz>{}));
  keys.push_back(real({"simulated", "offset_ppm", "ppm", Effect::live,
                       "how much faster its clock runs than the machine's"},
                      -1000.0, 1000.0, At<&Config::simulated, &Simulated::offset_ppm>{}));
  keys.push_back(integer({"simulated", "jitter_us", "us", Effect::live,
                          "how much later than due its periods may arrive"},
                         0, 1000, At<&Config::simulated, &Simulated::jitter_us>{}));
  keys.push_back(integer({"simulated", "external_clock", "Hz", Effect::live,
                          "the rate that arrives at its external clock input; 0: it has none"},
                         0, 768'000, At<&Config::simulated, &Simulated::external_clock_hz>{}));
  keys.push_back(choice<At<&Config::simulated, &Simulated::wires>, Wires>(
      {"simulated", "wires", "", Effect::live, "straight: output n is heard at input n"},
      {{"straight", Wires::straight}, {"none", Wires::none}}, {}));
  keys.push_back(integer({"simulated", "hidden_latency_frames", "frames", Effect::live,
                          "the delay of the wires, which the device does not report"},
                         0, 96'000,
                         At<&Config::simulated, &Simulated::hidden_latency, &Frames::count>{}));
  keys.push_back(file(
      {"simulated", "player", "", Effect::live, "a WAV file heard at the inputs, over and over"},
      At<&Config::simulated, &Simulated::player>{}));
  keys.push_back(
      file({"simulated", "recorder", "", Effect::live, "a WAV file that receives what is played"},
           At<&Config::simulated, &Simulated::recorder>{}));
}

Keys make_keys() {
  Keys keys;
  add_driver_keys(keys);
  add_service_keys(keys);
  add_device_keys(keys);
  add_channel_keys(keys);
  add_simulated_keys(keys);
  return keys;
}

}  // namespace

const std::vector<ConfigKey>& config_keys() {
  static const std::vector<ConfigKey> keys = make_keys();
  return keys;
}

}  // namespace asiodrv::service
