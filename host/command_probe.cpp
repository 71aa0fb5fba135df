// probe: asks a driver what real hosts ask, in their order, and says what came of it. The orders
// are those of PortAudio, JUCE and RtAudio when they open a device.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "host/commands.hpp"
#include "host/numbers.hpp"
#include "host/raw_host.hpp"

namespace asiodrv::host {
namespace {

constexpr std::array kRates{8000.0,  11025.0, 16000.0,  22050.0,  32000.0,  44100.0, 48000.0,
                            88200.0, 96000.0, 176400.0, 192000.0, 352800.0, 384000.0};
constexpr std::int32_t kClockCapacity = 32;
/// Of each side; more than any device has. A broken driver may state any number.
constexpr std::int32_t kMostChannelsAsked = 2048;

struct Step {
  std::string call;
  bool ok = true;  ///< what this host needs to go on
  std::string outcome;
};

/// One host's conversation with a driver, from loading to release.
class Probe {
 public:
  Probe(World& world, Driver driver) : world_(world), driver_(std::move(driver)) {}

  bool init() {
    const std::int32_t result = driver_->init(world_.control.window());
    note("init", result != 0, result != 0 ? "1 (ok)" : "0 (failed): " + driver_.error_message());
    return result != 0;
  }
  void names() {
    note("getDriverName", !driver_.name().empty(), driver_.name());
    note("getDriverVersion", true, fmt::format("{}", driver_->getDriverVersion()));
  }
  void channels() {
    const std::int32_t code = driver_->getChannels(&inputs_, &outputs_);
    note("getChannels", code == asio::kOk && (inputs_ > 0 || outputs_ > 0),
         fmt::format("{}: {} inputs, {} outputs", describe_code(code), inputs_, outputs_));
  }
  void buffer_sizes() {
    const std::int32_t code = driver_->getBufferSize(&sizes_.minimum, &sizes_.maximum,
                                                     &sizes_.preferred, &sizes_.granularity);
    note("getBufferSize", code == asio::kOk && sizes_.preferred > 0,
         fmt::format("{}: {} to {}, preferred {}, granularity {}", describe_code(code),
                     sizes_.minimum, sizes_.maximum, sizes_.preferred, sizes_.granularity));
  }
  void output_ready() {
    const std::int32_t code = driver_->outputReady();
    note("outputReady", true, describe_code(code) + (code == 0 ? ": it helps" : ": not needed"));
  }
  void rates() {
    std::string possible;
    bool truthful = true;
    for (const double rate : kRates) {
      const std::int32_t code = driver_->canSampleRate(rate);
      if (code == asio::kOk) possible += fmt::format(" {}", rate);
      truthful = truthful && (code == asio::kOk || code == asio::kNoClock);
    }
    note("canSampleRate", truthful && !possible.empty(),
         (possible.empty() ? std::string("none") : possible.substr(1)) +
             (truthful ? "" : "; an unsupported rate must give -995"));
  }
  void current_rate() {
    const std::int32_t code = driver_->getSampleRate(&rate_);
    note("getSampleRate", code == asio::kOk && rate_ > 0,
         fmt::format("{}: {} Hz", describe_code(code), rate_));
  }
  void set_current_rate() {
    const std::int32_t code = driver_->setSampleRate(rate_);
    note("setSampleRate", code == asio::kOk, fmt::format("{} Hz: {}", rate_, describe_code(code)));
  }
  void clock_sources() {
    std::vector<asio::ClockSource> sources(kClockCapacity);
    std::int32_t count = kClockCapacity;
    const std::int32_t code = driver_->getClockSources(sources.data(), &count);
    std::string text = describe_code(code) + ":";
    for (std::int32_t i = 0; i < std::min(count, kClockCapacity); ++i) {
      const asio::ClockSource& source = sources[static_cast<std::size_t>(i)];
      text += fmt::format(" '{}'{}", std::string(source.name, strnlen(source.name, 32)),
                          source.is_current != 0 ? " (current)" : "");
    }
    note("getClockSources", code == asio::kOk && count >= 1, text);
  }
  void channel_info(bool all) {
    for (const std::int32_t is_input : {1, 0}) {
      const std::int32_t count = is_input != 0 ? inputs_ : outputs_;
      const std::int32_t asked = std::min(count, all ? kMostChannelsAsked : 1);
      for (std::int32_t i = 0; i < asked; ++i) {
        asio::ChannelInfo info{};
        info.channel = i;
        info.is_input = is_input;
        const std::int32_t code = driver_->getChannelInfo(&info);
        info.name[31] = '\0';
        note(fmt::format("getChannelInfo {} {}", is_input != 0 ? "input" : "output", i),
             code == asio::kOk,
             fmt::format("{}: '{}', {}, group {}", describe_code(code), info.name,
                         sample_type_label(info.type), info.group));
        sample_type_ = info.type;
      }
      if (all && count > asked) {
        note(fmt::format("getChannelInfo {} {}", is_input != 0 ? "input" : "output", asked), false,
             fmt::format("not asked: no device has {} channels", count));
      }
    }
  }
  void latencies() {
    std::int32_t input = 0;
    std::int32_t output = 0;
    const std::int32_t code = driver_->getLatencies(&input, &output);
    note("getLatencies", code == asio::kOk,
         fmt::format("{}: input {}, output {} frames", describe_code(code), input, output));
  }
  bool create_buffers(bool outputs_first) {
    host_.choose_channels(std::min(inputs_, 2), std::min(outputs_, 2));
    if (outputs_first) std::reverse(host_.infos.begin(), host_.infos.end());
    const std::int32_t code = host_.create(driver_, sizes_.preferred);
    note("createBuffers", code == asio::kOk,
         fmt::format("{} frames, {} channels: {}", sizes_.preferred, host_.infos.size(),
                     describe_code(code)));
    return code == asio::kOk;
  }
  void run_for(nanoseconds duration) {
    const std::int32_t started = driver_->start();
    note("start", started == asio::kOk, describe_code(started));
    if (started != asio::kOk) return;
    const bool came = host_.wait_callbacks(world_, 1, std::chrono::seconds{3});
    world_.control.wait(duration);
    note("callbacks", came, fmt::format("{}", host_.callbacks.load()));
    const std::int32_t stopped = driver_->stop();
    note("stop", stopped == asio::kOk, describe_code(stopped));
  }
  void dispose() {
    const std::int32_t code = driver_->disposeBuffers();
    note("disposeBuffers", code == asio::kOk, describe_code(code));
  }
  void futures() {
    struct Ability {
      std::int32_t selector;
      const char* name;
    };
    constexpr Ability kAbilities[] = {{asio::kCanTimeInfo, "time info"},
                                      {asio::kCanTimeCode, "time code"},
                                      {asio::kCanInputMonitor, "input monitor"},
                                      {asio::kCanTransport, "transport"},
                                      {asio::kCanReportOverload, "overload reports"}};
    std::string able;
    for (const Ability& ability : kAbilities) {
      if (driver_->future(ability.selector, nullptr) == asio::kFutureSuccess) {
        able += fmt::format("{}{}", able.empty() ? "" : ", ", ability.name);
      }
    }
    note("future", true, able.empty() ? "nothing beyond the basics" : able);
  }

  void portaudio();
  void juce();
  void rtaudio();

  [[nodiscard]] const std::vector<Step>& steps() const noexcept { return steps_; }
  [[nodiscard]] Json summary() const {
    return {{"inputs", inputs_},
            {"outputs", outputs_},
            {"rate_hz", rate_},
            {"sample_type", sample_type_label(sample_type_)},
            {"min_frames", sizes_.minimum},
            {"max_frames", sizes_.maximum},
            {"preferred_frames", sizes_.preferred},
            {"granularity", sizes_.granularity}};
  }

 private:
  void note(std::string call, bool ok, std::string outcome) {
    steps_.push_back({std::move(call), ok, std::move(outcome)});
  }

  World& world_;
  RawHost host_;  // outlives the driver
  Driver driver_;
  std::vector<Step> steps_;
  std::int32_t inputs_ = 0;
  std::int32_t outputs_ = 0;
  std::int32_t sample_type_ = 0;
  BufferSizes sizes_;
  double rate_ = 0;
};

constexpr nanoseconds kShortRun = std::chrono::milliseconds{80};
constexpr nanoseconds kLongerRun = std::chrono::milliseconds{300};

void Probe::portaudio() {
  if (!init()) return;
  channels();
  buffer_sizes();
  output_ready();
  rates();
  channel_info(true);
  current_rate();
  if (!create_buffers(false)) return;
  channel_info(false);
  latencies();
  run_for(kLongerRun);
  dispose();
}

void Probe::juce() {
  if (!init()) return;
  names();
  channels();
  buffer_sizes();
  current_rate();
  clock_sources();
  output_ready();
  rates();
  latencies();
  if (!create_buffers(false)) return;  // a first, short run shows what the driver really does
  channel_info(true);
  run_for(kShortRun);
  dispose();
  set_current_rate();
  if (!create_buffers(false)) return;
  latencies();
  futures();
  run_for(kLongerRun);
  dispose();
}

void Probe::rtaudio() {
  if (!init()) return;
  channels();
  rates();
  current_rate();
  set_current_rate();
  channel_info(false);
  buffer_sizes();
  if (!create_buffers(true)) return;
  latencies();
  output_ready();
  run_for(kLongerRun);
  dispose();
}

struct Kind {
  const char* name;
  void (Probe::*run)();
};
constexpr Kind kKinds[] = {
    {"portaudio", &Probe::portaudio}, {"juce", &Probe::juce}, {"rtaudio", &Probe::rtaudio}};

}  // namespace

int run_probe(Command& command) {
  const Options& options = command.options;
  const Result<DriverEntry> entry = choose_driver(installed_drivers(), options.driver);
  if (!entry) {
    command.output.error(entry.error().message);
    return kExitNoDriver;
  }
  Json json;
  json["driver"] = entry->name;
  json["path"] = entry->path;
  bool all_ok = true;
  for (const Kind& kind : kKinds) {
    if (options.like != "all" && options.like != kind.name) continue;
    Result<Driver> driver = Driver::load(*entry);
    if (!driver) return failed(command, driver.error());
    Probe probe(command.world, std::move(*driver));
    (probe.*kind.run)();
    Json steps = Json::array();
    bool kind_ok = true;
    command.output.line(fmt::format("As {} does:", kind.name));
    for (const Step& step : probe.steps()) {
      command.output.line(
          fmt::format("  {:<4} {:<26} {}", step.ok ? "ok" : "BAD", step.call, step.outcome));
      steps.push_back({{"call", step.call}, {"ok", step.ok}, {"outcome", step.outcome}});
      kind_ok = kind_ok && step.ok;
    }
    json["device"] = probe.summary();
    json["hosts"].push_back({{"like", kind.name}, {"ok", kind_ok}, {"steps", steps}});
    all_ok = all_ok && kind_ok;
  }
  json["ok"] = all_ok;
  const bool reported = command.output.json(json);
  return all_ok && reported ? kExitOk : kExitFailed;
}

}  // namespace asiodrv::host
