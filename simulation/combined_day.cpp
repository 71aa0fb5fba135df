// A day of several devices as one, in virtual time: an interface at 48 kHz and 64 frames, 300 ppm
// fast, is the clock master of two members with the manners of WASAPI, 44.1 kHz in periods of 441
// frames and 48 kHz in periods of 480, each with an offset and a jitter of its own. Combined
// device, engine, session, section and AsioFront are the production ones; the devices stand in a
// room whose sound is a function of true time (devices/combined/testing). A host with 6 inputs and
// 6 outputs hears and plays it.
//
//   combined_day [HOURS] [--seed N] [--canary NAME]
//
// Every 10 s or so some device, or the whole machine, stalls for 1 to 20 ms. What is checked, from
// 2 s on, is listed in docs/simulation.md. The first failure ends the run.
// Exit codes: 0 nothing was found; 1 something was; 2 wrong usage.
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "asio/front.hpp"
#include "core/base/prng.hpp"
#include "devices/combined/testing/room_world.hpp"
#include "platform/platform.hpp"
#include "simulation/direct_link.hpp"
#include "simulation/memory_regions.hpp"

namespace asiodrv::simulation {
namespace {

using devices::MemberCause;
using devices::MemberEvent;
using devices::MemberEventKind;
using devices::test::RoomOptions;
using devices::test::RoomSound;
using devices::test::RoomWorld;

constexpr Frames kPeriod{64};
constexpr SampleRate kRate{48'000};
constexpr std::size_t kDevices = 3;
constexpr std::uint32_t kChannels = 2;  // of each device, each way
constexpr std::uint32_t kLongest = 480;
constexpr double kCheckedFrom = 2;
/// The servo's own figure for the time until its speed is good to 1 ppm, with jitter.
constexpr double kSpeedKnownAfter = 15;
constexpr double kBlamedFor = 0.2;  // seconds after a stall: more than any latency here
constexpr double kDamage = 5e-3;    // a residual above it is no matter of three frames

/// Errors that can be planted; which checker must find each: simulation/CMakeLists.txt.
constexpr std::string_view kCanaries[] = {
    "silent_block", "flipped_bit", "shifted_input", "shifted_output",
    "wrong_speed",  "false_xrun",  "leak"};

/// How a block lies to the room's sound.
struct Placed {
  double frames = 0;    ///< offset, in frames of the master; meaningless when damaged
  double residual = 0;  ///< the largest error that no offset explains
};

/// The sound that a block should be, computed once for all devices.
class Expected {
 public:
  void set(double seconds, double step, std::uint32_t frames) {
    frames_ = frames;
    square_ = 0;
    RoomSound::visit(seconds, step, frames, [&](std::uint32_t f, double value, double slope) {
      value_[f] = value;
      slope_[f] = slope;
      square_ += slope * slope;
    });
    for (std::uint32_t f = 0; f < frames; ++f) {
      const std::uint32_t before = f == 0 ? 0 : f - 1, after = f + 1 == frames ? f : f + 1;
      curve_[f] = (slope_[after] - slope_[before]) / (step * (after - before));
    }
  }
  [[nodiscard]] Placed compare(const float* samples) const {
    double product = 0;
    for (std::uint32_t f = 0; f < frames_; ++f) {
      product += (static_cast<double>(samples[f]) - value_[f]) * slope_[f];
    }
    const double seconds = product / square_;
    Placed placed{seconds * kRate.hz, 0};
    for (std::uint32_t f = 0; f < frames_; ++f) {
      const double moved = value_[f] + seconds * (slope_[f] + seconds / 2 * curve_[f]);
      const double rest = static_cast<double>(samples[f]) - moved;
      placed.residual = std::max(placed.residual, std::abs(rest));
    }
    return placed;
  }
  [[nodiscard]] float value(std::uint32_t frame) const { return static_cast<float>(value_[frame]); }

 private:
  std::uint32_t frames_ = 0;
  double square_ = 0;
  std::array<double, kLongest> value_{}, slope_{}, curve_{};
};

struct Figures {
  std::uint64_t checks = 0, callbacks = 0, damaged_blocks = 0, stalls = 0;
  std::uint64_t member_events = 0, engine_events = 0;
  double input_frames = 0, output_frames = 0, spread_frames = 0, ppm = 0;
};

class Day {
 public:
  Day(std::uint64_t seed, std::string_view canary);
  /// False: something was found, and has been printed.
  bool run(double hours);
  [[nodiscard]] const Figures& figures() const { return figures_; }
  void block(const asio::Time& time, std::int32_t half);

  /// ASIO callbacks carry no context, so there is one.
  static Day*& current() {
    static Day* day = nullptr;
    return day;
  }

 private:
  bool start();
  void stall(double at);
  void plant(double now);
  void hear(std::int32_t half);
  void check_played(std::size_t device, const float* samples, double seconds, std::uint32_t frames);
  void check_second();
  void check_events();
  void check_flight();
  [[nodiscard]] bool excused(std::size_t device, double now) const;
  void fail(const char* check, const std::string& what);
  [[nodiscard]] bool planted(const char* name) const { return canary_ == name; }
  void note(double& most, double value) { most = std::max(most, std::abs(value)); }

  static std::vector<RoomOptions> rooms(Prng& prng, std::string_view canary);

  Prng prng_;
  std::string_view canary_;
  std::vector<RoomOptions> rooms_;
  RoomWorld world_;
  std::unique_ptr<ports::Threads> threads_ = platform::make_threads();
  engine::Engine engine_;
  MemoryRegions regions_;
  std::unique_ptr<DirectService> service_;
  std::shared_ptr<asio::AsioFront> front_;
  std::vector<asio::BufferInfo> buffers_;
  asio::Callbacks callbacks_{};

  RoomWorld::Stall newest_{RoomWorld::kEverybody, -10, 0}, before_ = newest_;
  std::uint64_t flight_seen_ = 0;
  Expected heard_, to_play_, played_;
  Figures figures_;
  bool failed_ = false;
  bool planted_ = false;
};

void buffer_switch(std::int32_t, std::int32_t) {}
void rate_changed(double) {}
std::int32_t message(std::int32_t selector, std::int32_t value, void*, double*) {
  return selector == asio::kSupportsTimeInfo ||
         (selector == asio::kSelectorSupported && value == asio::kSupportsTimeInfo);
}
asio::Time* buffer_switch_time_info(asio::Time* time, std::int32_t half, std::int32_t) {
  Day::current()->block(*time, half);
  return nullptr;
}

std::vector<RoomOptions> Day::rooms(Prng& prng, std::string_view canary) {
  const auto room = [](const char* id, SampleRate rate, Frames period, double ppm,
                       std::uint32_t jitter_us, ports::DeviceLatency latency) {
    RoomOptions options;
    options.id = id;
    options.rates = {rate};
    options.period = period;
    options.offset_ppm = ppm;
    options.inputs = options.outputs = kChannels;
    options.stamp_jitter_us = jitter_us;
    options.latency = latency;
    return options;
  };
  const auto ppm = [&] { return prng.unit() * 400 - 200; };
  std::vector<RoomOptions> all{room("interface", kRate, kPeriod, 300, 0, {{24}, {30}}),
                               room("first", {44'100}, {441}, ppm(), 20, {{0}, {441}}),
                               room("second", kRate, {480}, ppm(), 20, {{48}, {480}})};
  if (canary == "shifted_input") all[1].hidden.input = {2};
  if (canary == "shifted_output") all[2].hidden.output = {2};
  return all;
}

Day::Day(std::uint64_t seed, std::string_view canary)
    : prng_(seed),
      canary_(canary),
      rooms_(rooms(prng_, canary)),
      world_(rooms_, {}, seed),
      engine_(world_.clock, {}) {
  world_.jitter_us = 60;
}

void Day::fail(const char* check, const std::string& what) {
  if (failed_) return;
  failed_ = true;
  fmt::print(stderr, "combined_day: fails at {:.3f} s: {}: {}\n", world_.seconds(), check, what);
}

/// A stall of this device, or of the master, may be the cause of what is seen at `now`.
bool Day::excused(std::size_t device, double now) const {
  const auto blames = [&](const RoomWorld::Stall& stall) {
    const bool whose =
        stall.device == RoomWorld::kEverybody || stall.device == device || stall.device == 0;
    return whose && now >= stall.at_seconds &&
           now <= stall.at_seconds + stall.for_seconds + kBlamedFor;
  };
  return blames(newest_) || blames(before_);
}

bool Day::start() {
  const ports::DeviceFormat format{kRate, kPeriod};
  if (const Result<> started = world_.start(format); !started) {
    fail("start", started.error().message);
    return false;
  }
  devices::CombinedDevice& device = *world_.device;
  engine_.set_device(&device, format);
  world_.serve = [this] {
    if (engine_.run_cycle() != ports::PeriodStatus::ready) world_.lost = true;
    return world_.rooms[0]->next_due();
  };
  for (std::size_t i = 0; i < kDevices; ++i) {
    world_.rooms[i]->on_play = [this, i](const float* samples, double seconds,
                                         std::uint32_t frames) {
      check_played(i, samples, seconds, frames);
    };
  }
  service_ = std::make_unique<DirectService>(DirectService{engine_, regions_, device, format});
  const auto take_turns = [this](const std::string& token) {
    regions_.set_on_wait(token, [this] { front_->serve_cycle(); });
  };
  front_ = asio::AsioFront::create(
      {.clock = world_.clock,
       .threads = *threads_,
       .regions = regions_,
       .make_link = [this,
                     take_turns] { return std::make_unique<DirectLink>(*service_, take_turns); },
       .host_epoch_ms = [] { return std::uint64_t{1}; }},
      {.manual_stream = true, .manual_notifier = true});
  for (const bool input : {true, false}) {
    for (std::int32_t c = 0; c < static_cast<std::int32_t>(kDevices * kChannels); ++c) {
      buffers_.push_back({input, c, {}});
    }
  }
  callbacks_ = {buffer_switch, rate_changed, message, buffer_switch_time_info};
  current() = this;
  if (front_->init() &&
      front_->create_buffers(buffers_.data(), static_cast<std::int32_t>(buffers_.size()),
                             static_cast<std::int32_t>(kPeriod.count), &callbacks_) == asio::kOk &&
      front_->start() == asio::kOk) {
    return true;
  }
  char text[asio::kErrorMessageBytes];
  front_->get_error_message(text);
  fail("start", text);
  return false;
}

/// The host's callback: what it hears must be the room's sound, and it plays that sound.
void Day::block(const asio::Time&, std::int32_t half) {
  ++figures_.callbacks;
  const devices::test::RoomDevice& master = *world_.rooms[0];
  const double now = devices::test::RoomDevice::seconds(master.begun(master.newest_index()));
  const ports::DeviceLatency common = world_.device->latency();
  heard_.set(now - master.step() * (kPeriod.count + common.input.count), master.step(),
             kPeriod.count);
  to_play_.set(now + master.step() * (kPeriod.count + common.output.count), master.step(),
               kPeriod.count);
  for (std::size_t c = 0; c < kDevices * kChannels; ++c) {
    auto* out = static_cast<float*>(buffers_[kDevices * kChannels + c].buffers[half]);
    for (std::uint32_t f = 0; f < kPeriod.count; ++f) out[f] = to_play_.value(f);
  }
  if (world_.seconds() >= kCheckedFrom) hear(half);
}

void Day::hear(std::int32_t half) {
  const RtPermit judging;
  constexpr std::size_t kBytes = kPeriod.count * sizeof(float);
  const double now = world_.seconds();
  if (!planted_ && now > 5 && (planted("silent_block") || planted("flipped_bit"))) {
    planted_ = true;
    auto* bytes = static_cast<std::uint8_t*>(buffers_[kChannels + 1].buffers[half]);
    if (planted("flipped_bit")) bytes[17] ^= 1U;
    for (std::size_t c = kChannels; c < 2 * kChannels && planted("silent_block"); ++c) {
      std::memset(buffers_[c].buffers[half], 0, kBytes);
    }
  }
  double least = 1e9, most = -1e9;
  for (std::size_t i = 0; i < kDevices; ++i) {
    const auto* first = static_cast<const float*>(buffers_[i * kChannels].buffers[half]);
    const auto* last = static_cast<const float*>(buffers_[i * kChannels + 1].buffers[half]);
    figures_.checks += 3;
    if (std::memcmp(first, last, kBytes) != 0) {
      fail("channels", fmt::format("the inputs of device {} differ", i));
    }
    const Placed placed = heard_.compare(first);
    if (placed.residual > kDamage) {
      ++figures_.damaged_blocks;
      if (!excused(i, now)) {
        fail("sound", fmt::format("device {} is damaged, and nobody stalled", i));
      }
      continue;
    }
    note(figures_.input_frames, placed.frames);
    if (std::abs(placed.frames) >= 1) {
      fail("alignment", fmt::format("device {} is heard {:.3f} frames away", i, placed.frames));
    }
    least = std::min(least, placed.frames);
    most = std::max(most, placed.frames);
  }
  if (most < least) return;
  note(figures_.spread_frames, most - least);
  if (most - least >= 1) fail("alignment", fmt::format("{:.3f} frames apart", most - least));
}

void Day::check_played(std::size_t device, const float* samples, double seconds,
                       std::uint32_t frames) {
  const RtPermit judging;
  const double now = world_.seconds();
  if (now < kCheckedFrom) return;
  played_.set(seconds, world_.rooms[device]->step(), frames);
  const Placed placed = played_.compare(samples);
  ++figures_.checks;
  if (placed.residual > kDamage) {
    if (!excused(device, now)) {
      fail("outputs", fmt::format("device {} plays damage, and nobody stalled", device));
    }
    return;
  }
  note(figures_.output_frames, placed.frames);
  if (std::abs(placed.frames) >= 1) {
    fail("outputs", fmt::format("device {} plays {:.3f} frames away", device, placed.frames));
  }
}

/// Once a simulated second.
void Day::check_second() {
  check_events();
  check_flight();
  if (world_.seconds() < kSpeedKnownAfter) return;
  const double master = 1 + rooms_[0].offset_ppm * 1e-6;
  for (std::size_t i = 1; i < kDevices; ++i) {
    const double truth = ((1 + rooms_[i].offset_ppm * 1e-6) / master - 1) * 1e6;
    const double error = world_.status(i).offset_ppm - truth;
    note(figures_.ppm, error);
    ++figures_.checks;
    if (std::abs(error) >= 1) fail("drift", fmt::format("device {} by {:.2f} ppm", i, error));
  }
}

/// What the combined device says of its members.
void Day::check_events() {
  for (const MemberEvent& event : world_.events()) {
    const double at = RoomWorld::seconds_of(event.boundary);
    if (at < kCheckedFrom) continue;
    ++figures_.member_events;
    ++figures_.checks;
    const bool is_stall =
        event.cause == MemberCause::member_late || event.cause == MemberCause::engine_late;
    const std::size_t whose = event.cause == MemberCause::engine_late ? 0 : event.member + 1;
    if (event.kind != MemberEventKind::damaged || !is_stall || !excused(whose, at)) {
      fail("xruns",
           fmt::format("member {} at {:.3f} s: kind {}, cause {}, and no such stall", event.member,
                       at, static_cast<int>(event.kind), devices::member_cause_name(event.cause)));
    }
  }
  if (world_.device->dropped_events() > 0) fail("xruns", "events were dropped");
}

/// What the engine's flight recorder says.
void Day::check_flight() {
  using engine::XrunCause;
  const std::uint64_t written = engine_.flight().events_written();
  const auto fresh = static_cast<std::uint32_t>(written - flight_seen_);
  flight_seen_ = written;
  if (fresh == 0) return;
  constexpr auto kOfStalls = static_cast<std::uint32_t>(XrunCause::late_wake) |
                             static_cast<std::uint32_t>(XrunCause::recovery) |
                             static_cast<std::uint32_t>(XrunCause::engine_overrun);
  for (const engine::XrunEvent& event : engine_.flight().newest_events(fresh)) {
    const double at = RoomWorld::seconds_of(world_.rooms[0]->begun(event.first_period));
    if (at < kCheckedFrom) continue;
    ++figures_.engine_events;
    ++figures_.checks;
    // The first lost period may have begun just before the stall.
    if ((event.causes & ~kOfStalls) != 0 || !excused(0, at + 0.002)) {
      fail("xruns",
           fmt::format("the engine at {:.3f} s: causes {:#x}, and no stall", at, event.causes));
    }
  }
}

/// The next stall begins at `at`; only the newest two are remembered.
void Day::stall(double at) {
  const std::uint64_t whom = prng_.below(kDevices + 1);
  const RoomWorld::Stall next{whom == kDevices ? RoomWorld::kEverybody : whom, at,
                              0.001 + 0.019 * prng_.unit()};
  world_.stalls = {next};
  before_ = newest_;
  newest_ = next;
  ++figures_.stalls;
}

/// What is planted at a time, in a part that could have it; the rest: hear, run, the constructor.
void Day::plant(double now) {
  if (planted_ || now < 5 || !planted("false_xrun")) return;
  world_.rooms[2]->denies_a_block = true;
  planted_ = true;
}

/// Bytes in use on the heap, where the C library can tell.
std::size_t heap_bytes() {
#ifdef __GLIBC__
  return mallinfo2().uordblks;
#else
  return 0;
#endif
}

bool Day::run(double hours) {
  if (planted("wrong_speed")) {
    // Its boundaries drift by 2 ppm from the truth, and are right after 10 s: the place stays
    // within a frame for longer than it takes to know the speed.
    world_.rooms[1]->lie = [](ports::DevicePeriod& period) {
      const double seconds = RoomWorld::seconds_of(period.boundary) - 10;
      period.boundary = period.boundary + nanoseconds{std::llround(seconds * 2e-6 * 1e9)};
    };
  }
  if (!start()) return false;
  const double end = hours * 3600;
  double next_stall = kCheckedFrom + 1;
  std::size_t heap = 0;
  std::vector<std::unique_ptr<char[]>> leaked;
  for (double now = 0; now < end && !failed_; now = std::min(end, now + 1)) {
    if (next_stall < now + 1) {
      stall(std::max(next_stall, now));
      next_stall += 0.6 - 9.4 * std::log(1 - prng_.unit());
    }
    plant(now);
    if (planted("leak") && now > 20 && leaked.size() < 5) {
      leaked.push_back(std::make_unique<char[]>(1'000));
    }
    world_.run_until(std::min(end, now + 1));
    if (world_.lost) fail("xruns", "the device was lost");
    check_second();
    if (heap == 0 && now >= 20) heap = heap_bytes();
  }
  if (!failed_ && heap != 0 && heap_bytes() > heap) {
    fail("memory", fmt::format("{} bytes more than after 20 s", heap_bytes() - heap));
  }
  // A day without faults would prove nothing: 10 s apart on average, so far from it is an error.
  if (!failed_ && end > 60 && static_cast<double>(figures_.stalls) < end / 20) {
    fail("stalls", fmt::format("only {} in {:.0f} s", figures_.stalls, end));
  }
  front_->stop();
  front_->shutdown();
  return !failed_;
}

int run(double hours, std::uint64_t seed, std::string_view canary) {
  const auto wall = std::chrono::steady_clock::now();
  Day day(seed, canary);
  const bool clean = day.run(hours);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - wall).count();
  const Figures& seen = day.figures();
  fmt::print(
      "{{\"seed\": {}, \"simulated_hours\": {:.3f}, \"clean\": {}, \"callbacks\": {}, "
      "\"checks\": {}, \"stalls\": {}, \"damaged_blocks\": {}, \"member_events\": {}, "
      "\"engine_events\": {}, \"input_frames\": {:.3f}, \"output_frames\": {:.3f}, "
      "\"spread_frames\": {:.3f}, \"ppm\": {:.3f}, \"seconds\": {:.1f}}}\n",
      seed, hours, clean, seen.callbacks, seen.checks, seen.stalls, seen.damaged_blocks,
      seen.member_events, seen.engine_events, seen.input_frames, seen.output_frames,
      seen.spread_frames, seen.ppm, seconds);
  return clean ? 0 : 1;
}

}  // namespace
}  // namespace asiodrv::simulation

int main(int argc, char** argv) {
  double hours = 24;
  std::uint64_t seed = 1;
  std::string_view canary;
  bool understood = true;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    char* end = nullptr;
    if (argument == "--seed" && i + 1 < argc) {
      seed = std::strtoull(argv[++i], &end, 10);
    } else if (argument == "--canary" && i + 1 < argc) {
      canary = argv[++i];
      const auto& known = asiodrv::simulation::kCanaries;
      understood =
          understood && std::find(std::begin(known), std::end(known), canary) != std::end(known);
      continue;
    } else {
      hours = std::strtod(argv[i], &end);
    }
    understood = understood && end != argv[i] && *end == '\0';
  }
  if (!understood || !(hours > 0 && hours <= 100'000)) {
    std::fputs("usage: combined_day [HOURS] [--seed N] [--canary NAME]\n", stderr);
    return 2;
  }
  return asiodrv::simulation::run(hours, seed, canary);
}
