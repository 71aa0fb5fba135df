// What a driver promises while all is well, and hosts that are merely unusual.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "host/fpu.hpp"
#include "host/numbers.hpp"
#include "host/samples.hpp"
#include "host/torture/case.hpp"

namespace asiodrv::host {
namespace {

using namespace asio;

constexpr nanoseconds kQuiet = std::chrono::milliseconds{60};

/// Opens, prepares, starts; the verdict of a failure goes to `checks`.
bool begin_stream(const CaseContext& context, Driver& driver, RawHost& host, Checks& checks) {
  const Shape shape = shape_of(context, driver);
  const std::int32_t created = prepare(driver, shape, host);
  checks.require(created == kOk, "createBuffers gave " + describe_code(created));
  if (created != kOk) return false;
  const std::int32_t started = driver->start();
  checks.require(started == kOk, "start gave " + describe_code(started));
  return started == kOk;
}

/// What the callbacks said, judged on the driver's thread.
struct Watch {
  std::atomic<int> overlaps{0}, wrong_halves{0}, untimed{0}, wrong_flags{0}, backward{0},
      unaligned{0}, time_backward{0}, position_differs{0};
  std::atomic<std::int64_t> first_position{-1};
  std::atomic<int> inside{0};
  std::int32_t expected_half = 0;
  std::int64_t last_position = -1;
  std::uint64_t last_time = 0;

  void see(Driver& driver, std::int32_t frames, const Time* time, std::int32_t half) {
    if (inside.fetch_add(1) != 0) ++overlaps;
    if (half != expected_half) ++wrong_halves;
    expected_half = half ^ 1;
    U64Pair position{}, moment{};
    const bool known = driver->getSamplePosition(&position, &moment) == kOk;
    auto at = static_cast<std::int64_t>(join64(position));
    std::uint64_t when = join64(moment);
    if (!known) ++position_differs;
    if (time == nullptr) {
      ++untimed;
    } else {
      constexpr std::uint32_t kBoth = kSystemTimeValid | kSamplePositionValid;
      const TimeInfo info = time->info;
      if ((info.flags & kBoth) != kBoth) ++wrong_flags;
      if (known && join64(info.sample_position) != join64(position)) ++position_differs;
      at = static_cast<std::int64_t>(join64(info.sample_position));
      when = join64(info.system_time);
    }
    if (first_position.load() < 0) first_position = at;
    if (at <= last_position) ++backward;
    if (at % frames != 0) ++unaligned;
    if (when < last_time) ++time_backward;
    last_position = at;
    last_time = when;
    inside.fetch_sub(1);
  }
};

Verdict protocol(const CaseContext& context) {
  Checks checks(context);
  Watch watch;
  RawHost host;
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  const std::int32_t frames = shape_of(context, *driver).frames;
  host.hook = [&](const Time* time, std::int32_t half) { watch.see(*driver, frames, time, half); };
  const std::int32_t created = prepare(*driver, shape_of(context, *driver), host);
  if (created != kOk) return failed_case("createBuffers gave " + describe_code(created));
  context.world.control.wait(kQuiet);
  checks.require(host.entered.load() == 0, "the driver called back before start");
  if ((*driver)->start() != kOk) return failed_case("start failed");
  checks.require(host.wait_callbacks(context.world, 100, kPatience), "100 callbacks did not come");
  checks.code("stop", (*driver)->stop(), {kOk});
  const std::uint64_t count = host.entered.load();
  context.world.control.wait(kQuiet);
  checks.require(host.entered.load() == count, "the driver called back after stop");
  checks.expect(watch.overlaps == 0, "callbacks overlapped");
  checks.expect(watch.wrong_halves == 0, "the halves did not alternate 0, 1, 0, 1");
  checks.expect(watch.untimed == 0 || watch.untimed == static_cast<int>(count),
                "some callbacks carried time and some did not");
  checks.expect(watch.wrong_flags == 0, "time info without valid time and position");
  checks.expect(watch.position_differs == 0,
                "getSamplePosition in the callback does not give the position of the block");
  checks.expect(watch.first_position == 0,
                fmt::format("the first position is {}", watch.first_position.load()));
  checks.expect(watch.backward == 0, "positions did not advance");
  checks.expect(watch.unaligned == 0, "positions are not whole buffers");
  checks.expect(watch.time_backward == 0, "the system time ran backwards");
  driver->release();
  return checks.verdict(fmt::format("{} callbacks, in order and honestly stamped", count));
}

Verdict buffers(const CaseContext& context) {
  Checks checks(context);
  RawHost host;
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  const Shape shape = shape_of(context, *driver);
  for (int round = 0; round < 2; ++round) {  // the second time over what the first left dirty
    if (prepare(*driver, shape, host) != kOk) return failed_case("createBuffers failed");
    ChannelInfo info{};
    info.is_input = host.infos.front().is_input;
    info.channel = host.infos.front().channel;
    (*driver)->getChannelInfo(&info);
    checks.expect(info.is_active != 0, "a channel with buffers is not said to be active");
    const std::size_t bytes =
        static_cast<std::size_t>(shape.frames) * std::max(1U, sample_bytes(info.type));
    std::vector<std::pair<std::uintptr_t, std::uintptr_t>> ranges;
    for (const BufferInfo& buffer : host.infos) {
      for (void* half : buffer.buffers) {
        checks.require(half != nullptr, "a buffer is null");
        if (half == nullptr) continue;
        const auto at = reinterpret_cast<std::uintptr_t>(half);
        checks.expect(at % 16 == 0, "a buffer is not aligned to 16 bytes");
        const auto* begin = static_cast<const char*>(half);
        checks.expect(std::all_of(begin, begin + bytes, [](char c) { return c == 0; }),
                      "a new buffer is not silent");
        for (const auto& [from, until] : ranges) {
          checks.require(at + bytes <= from || at >= until, "two buffers overlap");
        }
        ranges.emplace_back(at, at + bytes);
        std::memset(half, 0x55, bytes);
      }
    }
    checks.code("disposeBuffers", (*driver)->disposeBuffers(), {kOk});
  }
  return checks.verdict("aligned, apart, silent, and active");
}

Verdict channel_subsets(const CaseContext& context) {
  Checks checks(context);
  RawHost host;
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  const Shape shape = shape_of(context, *driver);
  const auto stream = [&](const char* what) {
    if (host.infos.empty()) return;
    const std::int32_t code = host.create(*driver, shape.frames);
    checks.code(fmt::format("createBuffers({})", what), code, {kOk});
    if (code != kOk) return;
    checks.code(fmt::format("start({})", what), (*driver)->start(), {kOk});
    checks.require(host.wait_callbacks(context.world, 3, kPatience),
                   fmt::format("no callbacks with {}", what));
    (*driver)->stop();
    (*driver)->disposeBuffers();
  };
  host.choose_channels(shape.inputs, 0);
  stream("inputs only");
  host.choose_channels(0, shape.outputs);
  stream("outputs only");
  host.infos.clear();
  if (shape.inputs > 0) host.infos.push_back({1, shape.inputs - 1, {}});
  if (shape.outputs > 0) host.infos.push_back({0, shape.outputs - 1, {}});
  stream("the last ones only");
  host.choose_channels(shape.inputs, shape.outputs);
  std::reverse(host.infos.begin(), host.infos.end());
  stream("all, backwards");
  host.choose_channels(std::min(shape.inputs, 1), std::min(shape.outputs, 1));
  for (BufferInfo& info : host.infos) info.is_input = info.is_input != 0 ? 77 : 0;
  stream("another number for true");
  driver->release();
  return checks.verdict("every set of channels streamed");
}

Verdict callbacks_scribbled(const CaseContext& context) {
  Checks checks(context);
  RawHost host;
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  const Shape shape = shape_of(context, *driver);
  host.choose_channels(std::min(shape.inputs, 2), std::min(shape.outputs, 2));
  checks.require(host.create(*driver, shape.frames, true) == kOk, "createBuffers failed");
  checks.require((*driver)->start() == kOk, "start failed");
  checks.require(host.wait_callbacks(context.world, 5, kPatience), "no callbacks came");
  driver->release();
  return checks.verdict("the driver lives on its own copies");
}

/// Streams with callbacks that `edit` has thinned out.
Verdict thin_callbacks(const CaseContext& context, std::function<void(Callbacks&)> edit,
                       bool claims_time_info, const char* summary) {
  Checks checks(context);
  RawHost host;
  host.edit = std::move(edit);
  host.claims_time_info = claims_time_info;
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  if (begin_stream(context, *driver, host, checks)) {
    checks.require(host.wait_callbacks(context.world, 10, kPatience), "no callbacks came");
  }
  driver->release();
  return checks.verdict(summary);
}

Verdict no_message_callback(const CaseContext& context) {
  return thin_callbacks(
      context, [](Callbacks& callbacks) { callbacks.message = nullptr; }, true,
      "a host without a message callback was served");
}

Verdict no_time_info_callback(const CaseContext& context) {
  return thin_callbacks(
      context, [](Callbacks& callbacks) { callbacks.buffer_switch_time_info = nullptr; }, true,
      "a host that claims time info and has no function for it got the plain callback");
}

Verdict no_rate_callback(const CaseContext& context) {
  return thin_callbacks(
      context, [](Callbacks& callbacks) { callbacks.sample_rate_did_change = nullptr; }, true,
      "a host without a rate callback was served");
}

Verdict plain_callback(const CaseContext& context) {
  return thin_callbacks(
      context, [](Callbacks&) {}, false, "a host that wants no time info was served");
}

Verdict no_callbacks_at_all(const CaseContext& context) {
  Checks checks(context);
  RawHost host;
  host.edit = [](Callbacks& callbacks) { callbacks = {}; };
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  const Shape shape = shape_of(context, *driver);
  const std::int32_t code = prepare(*driver, shape, host);
  checks.code("createBuffers(four null functions)", code, {kInvalidParameter});
  if (code == kOk && (*driver)->start() == kOk) context.world.control.wait(kQuiet);
  driver->release();
  require_fresh_stream(context, checks);
  return checks.verdict("refused");
}

Verdict rate_while_running(const CaseContext& context) {
  Checks checks(context);
  RawHost host;
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  const double rate = shape_of(context, *driver).rate;
  if (!begin_stream(context, *driver, host, checks)) return checks.verdict("");
  host.wait_callbacks(context.world, 3, kPatience);
  checks.code("canSampleRate(current)", (*driver)->canSampleRate(rate), {kOk});
  checks.code("canSampleRate(12345)", (*driver)->canSampleRate(12345), {kNoClock});
  checks.code("setSampleRate(current)", (*driver)->setSampleRate(rate), {kOk});
  checks.require(host.wait_callbacks(context.world, 10, kPatience), "the callbacks stopped");
  checks.expect(host.rate_calls == 0, "the rate callback came for a rate that did not change");
  checks.expect(host.resets == 0, "a reset was requested for a rate that did not change");
  driver->release();
  return checks.verdict("truthful, and quiet about what did not change");
}

Verdict fpu_control_word(const CaseContext& context) {
  if (!kHasFpuControl) return skipped("not an x86 processor");
  Checks checks(context);
  RawHost host;
  std::atomic<int> changed{0};
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  const Shape shape = shape_of(context, *driver);
  host.hook = [&](const Time*, std::int32_t) {
    const FpuControl before = fpu_control();
    set_fpu_control(kUnusualFpuControl);
    (*driver)->outputReady();
    U64Pair position{}, time{};
    (*driver)->getSamplePosition(&position, &time);
    if (!(fpu_control() == kUnusualFpuControl)) ++changed;
    set_fpu_control(before);
  };
  const FpuControl ours = fpu_control();
  const auto keep = [&](const char* call, auto&& action) {
    set_fpu_control(kUnusualFpuControl);
    action();
    const FpuControl after = fpu_control();
    set_fpu_control(ours);
    checks.expect(after == kUnusualFpuControl, fmt::format("{} changed it", call));
  };
  keep("createBuffers", [&] { prepare(*driver, shape, host); });
  keep("canSampleRate", [&] { (*driver)->canSampleRate(44100); });
  keep("start", [&] { (*driver)->start(); });
  checks.require(host.wait_callbacks(context.world, 20, kPatience), "no callbacks came");
  keep("stop", [&] { (*driver)->stop(); });
  keep("disposeBuffers", [&] { (*driver)->disposeBuffers(); });
  keep("Release", [&] { driver->release(); });
  checks.expect(changed == 0, "a call inside the callback changed it");
  return checks.verdict("rounding, denormals and masks stayed as the host set them");
}

constexpr Case kProtocolCases[] = {
    {"protocol", "order, halves, positions and times of 100 callbacks", protocol},
    {"buffers", "alignment, overlap and silence of new buffers", buffers},
    {"channel-subsets", "one side only, last channels, all of them backwards", channel_subsets},
    {"callbacks-scribbled", "the host's structures are overwritten after createBuffers",
     callbacks_scribbled},
    {"no-message-callback", "a host whose message function is null", no_message_callback},
    {"no-time-info-callback", "a host that claims time info without a function for it",
     no_time_info_callback},
    {"no-rate-callback", "a host whose rate function is null", no_rate_callback},
    {"plain-callback", "a host that refuses time info", plain_callback},
    {"no-callbacks-at-all", "a host whose functions are all null", no_callbacks_at_all},
    {"rate-while-running", "rate questions while streaming", rate_while_running},
    {"fpu-control", "the floating-point control word survives every call", fpu_control_word}};

}  // namespace

std::span<const Case> protocol_cases() { return kProtocolCases; }

}  // namespace asiodrv::host
