// Nonsense in arguments: null, out of range, not a number.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cfloat>
#include <climits>
#include <cmath>
#include <cstring>
#include <limits>

#include "host/numbers.hpp"
#include "host/torture/case.hpp"

namespace asiodrv::host {
namespace {

using namespace asio;

constexpr char kGuard = 0x5A;

/// Each pointer argument of each getter, null one after the other, then all of them.
void null_getters(Driver& driver, Checks& checks, std::int32_t state_code) {
  std::int32_t number = 0;
  double rate = 0;
  U64Pair pair{};
  ClockSource source{};
  driver->getDriverName(nullptr);
  driver->getErrorMessage(nullptr);
  const auto both = [&](const char* call, std::int32_t code) {
    checks.code(call, code, {kInvalidParameter, state_code});
  };
  const auto one = [&](const char* call, std::int32_t code) {  // some hosts want only one of two
    checks.code(call, code, {kInvalidParameter, state_code, kOk});
  };
  both("getChannels(null, null)", driver->getChannels(nullptr, nullptr));
  one("getChannels(null, out)", driver->getChannels(nullptr, &number));
  one("getChannels(in, null)", driver->getChannels(&number, nullptr));
  both("getLatencies(null, null)", driver->getLatencies(nullptr, nullptr));
  one("getLatencies(null, out)", driver->getLatencies(nullptr, &number));
  one("getLatencies(in, null)", driver->getLatencies(&number, nullptr));
  both("getBufferSize(null x4)", driver->getBufferSize(nullptr, nullptr, nullptr, nullptr));
  for (int absent = 0; absent < 4; ++absent) {
    std::int32_t values[4] = {};
    std::int32_t* pointers[4] = {&values[0], &values[1], &values[2], &values[3]};
    pointers[absent] = nullptr;
    one("getBufferSize(one null)",
        driver->getBufferSize(pointers[0], pointers[1], pointers[2], pointers[3]));
  }
  both("getSampleRate(null)", driver->getSampleRate(nullptr));
  both("getClockSources(null, null)", driver->getClockSources(nullptr, nullptr));
  both("getClockSources(sources, null)", driver->getClockSources(&source, nullptr));
  number = 1;
  both("getClockSources(null, 1)", driver->getClockSources(nullptr, &number));
  const auto position = [&](const char* call, std::int32_t code) {
    checks.code(call, code, {kInvalidParameter, kPositionNotAdvancing, state_code, kOk});
  };
  position("getSamplePosition(null, null)", driver->getSamplePosition(nullptr, nullptr));
  position("getSamplePosition(null, time)", driver->getSamplePosition(nullptr, &pair));
  position("getSamplePosition(position, null)", driver->getSamplePosition(&pair, nullptr));
  both("getChannelInfo(null)", driver->getChannelInfo(nullptr));
  (void)rate;
}

void null_others(Driver& driver, const Shape& shape, Checks& checks, std::int32_t state_code) {
  BufferInfo info{1, 0, {}};
  if (shape.inputs == 0) info.is_input = 0;
  Callbacks callbacks{};
  const auto create = [&](const char* call, std::int32_t code) {
    checks.code(call, code, {kInvalidParameter, kInvalidMode});
  };
  create("createBuffers(null infos)", driver->createBuffers(nullptr, 1, shape.frames, &callbacks));
  create("createBuffers(null callbacks)", driver->createBuffers(&info, 1, shape.frames, nullptr));
  create("createBuffers(null both)", driver->createBuffers(nullptr, 1, shape.frames, nullptr));
  for (const std::int32_t selector :
       {kSetInputMonitor, kTransport, kSetInputGain, kGetInputMeter, kSetOutputGain,
        kGetOutputMeter, kSetIoFormat, kGetIoFormat, kCanDoIoFormat, kGetInternalBufferSamples}) {
    checks.code(fmt::format("future({:#x}, null)", selector), driver->future(selector, nullptr),
                {kInvalidParameter, kNotPresent, state_code});
  }
  const Guid unknown{0, 0, 0, {0xC0, 0, 0, 0, 0, 0, 0, 0x46}};
  void* object = nullptr;
  checks.expect(driver->QueryInterface(&unknown, nullptr) < 0,
                "QueryInterface(iid, null) succeeded");
  checks.expect(driver->QueryInterface(nullptr, &object) < 0,
                "QueryInterface(null, object) succeeded");
}

Verdict null_pointers(const CaseContext& context) {
  Checks checks(context);
  RawHost host;
  Shape shape;
  {
    Result<Driver> loaded = Driver::load(context.entry);
    if (!loaded) return failed_case(loaded.error().message);
    null_getters(*loaded, checks, kInvalidMode);
    null_others(*loaded, {2, 2, 64, 48000, {}}, checks, kInvalidMode);
  }
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  shape = shape_of(context, *driver);
  null_getters(*driver, checks, kInvalidParameter);
  null_others(*driver, shape, checks, kInvalidParameter);
  checks.require(prepare(*driver, shape, host) == kOk, "createBuffers failed afterwards");
  null_getters(*driver, checks, kInvalidParameter);
  null_others(*driver, shape, checks, kInvalidParameter);
  checks.require((*driver)->start() == kOk, "start failed afterwards");
  null_getters(*driver, checks, kInvalidParameter);
  null_others(*driver, shape, checks, kInvalidParameter);
  checks.require(host.wait_callbacks(context.world, 3, kPatience), "the callbacks stopped");
  driver->release();
  return checks.verdict("every null was refused in every state");
}

Verdict bad_channels(const CaseContext& context) {
  Checks checks(context);
  RawHost host;
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  const Shape shape = shape_of(context, *driver);
  for (const std::int32_t is_input : {1, 0}) {
    const std::int32_t count = is_input != 0 ? shape.inputs : shape.outputs;
    for (const std::int32_t channel : {count, std::max(1000, count), -1, -5, INT_MAX, INT_MIN}) {
      ChannelInfo info{};
      info.channel = channel;
      info.is_input = is_input;
      checks.code(fmt::format("getChannelInfo({} {})", is_input != 0 ? "input" : "output", channel),
                  (*driver)->getChannelInfo(&info), {kInvalidParameter});
      host.choose_channels(std::min(shape.inputs, 1), std::min(shape.outputs, 1));
      host.infos.push_back({is_input, channel, {}});
      const std::int32_t code = host.create(*driver, shape.frames);
      checks.code(fmt::format("createBuffers({} {})", is_input != 0 ? "input" : "output", channel),
                  code, {kInvalidParameter});
      if (code == kOk) (*driver)->disposeBuffers();
    }
  }
  checks.require(prepare(*driver, shape, host) == kOk,
                 "after refused channels, createBuffers with good ones failed");
  return checks.verdict("channels that do not exist were refused, and nothing was left behind");
}

Verdict duplicate_channels(const CaseContext& context) {
  Checks checks(context);
  RawHost host;
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  const Shape shape = shape_of(context, *driver);
  host.choose_channels(std::min(shape.inputs, 2), std::min(shape.outputs, 2));
  host.infos.push_back(host.infos.front());
  const std::int32_t code = host.create(*driver, shape.frames);
  checks.code("createBuffers(a channel twice)", code, {kInvalidParameter});
  if (code == kOk) (*driver)->disposeBuffers();
  checks.require(prepare(*driver, shape, host) == kOk, "then createBuffers without it failed");
  return checks.verdict("a channel listed twice was refused");
}

Verdict bad_counts(const CaseContext& context) {
  Checks checks(context);
  RawHost host;
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  const Shape shape = shape_of(context, *driver);
  host.choose_channels(std::min(shape.inputs, 1), std::min(shape.outputs, 1));
  Callbacks callbacks = host.functions();
  for (const std::int32_t count : {0, -1, INT_MIN}) {
    checks.code(fmt::format("createBuffers(count {})", count),
                (*driver)->createBuffers(host.infos.data(), count, shape.frames, &callbacks),
                {kInvalidParameter});
  }
  checks.require(prepare(*driver, shape, host) == kOk, "then createBuffers failed");
  return checks.verdict("counts of 0 and less were refused");
}

Verdict bad_sizes(const CaseContext& context) {
  Checks checks(context);
  RawHost host;
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  const Shape shape = shape_of(context, *driver);
  host.choose_channels(std::min(shape.inputs, 1), std::min(shape.outputs, 1));
  for (const std::int32_t frames : {0, -1, 1, 31, 33, 100000, INT_MAX, INT_MIN}) {
    const std::int32_t code = host.create(*driver, frames);
    if (shape.sizes.allow(frames)) {
      checks.code(fmt::format("createBuffers({} frames, which is offered)", frames), code, {kOk});
    } else {
      checks.code(fmt::format("createBuffers({} frames)", frames), code,
                  {kInvalidMode, kInvalidParameter});  // hosts have seen both
    }
    if (code == kOk) (*driver)->disposeBuffers();
  }
  checks.require(prepare(*driver, shape, host) == kOk,
                 "after refused sizes, createBuffers with a good one failed");
  return checks.verdict("sizes that are not offered were refused");
}

Verdict bad_rates(const CaseContext& context) {
  Checks checks(context);
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  const Shape shape = shape_of(context, *driver);
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double rate : {std::nan(""), kInfinity, -kInfinity, -1.0, -48000.0, DBL_MAX, 1e7,
                            DBL_MIN, 0.5, 48000.4, 4294967296.0 + 48000.0}) {
    checks.code(fmt::format("canSampleRate({})", rate), (*driver)->canSampleRate(rate), {kNoClock});
    checks.code(fmt::format("setSampleRate({})", rate), (*driver)->setSampleRate(rate),
                {kNoClock, kInvalidParameter});
  }
  checks.code("canSampleRate(0)", (*driver)->canSampleRate(0), {kNoClock});
  checks.code("setSampleRate(0), external clock", (*driver)->setSampleRate(0),
              {kOk, kNoClock, kInvalidMode, kInvalidParameter});
  double rate = 0;
  (*driver)->getSampleRate(&rate);
  checks.expect(rate == shape.rate,
                fmt::format("the rate is now {} instead of {}", rate, shape.rate));
  return checks.verdict("nonsense rates were refused, and the rate stayed");
}

Verdict clock_sources(const CaseContext& context) {
  Checks checks(context);
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  for (const std::int32_t capacity : {32, 1, 0, -1}) {
    std::array<ClockSource, 40> sources;
    std::memset(static_cast<void*>(sources.data()), kGuard, sizeof sources);
    std::int32_t count = capacity;
    const std::int32_t code = (*driver)->getClockSources(sources.data(), &count);
    const auto* bytes = reinterpret_cast<const char*>(sources.data());
    bool untouched = true;
    for (std::size_t at = static_cast<std::size_t>(std::max(0, capacity)) * sizeof(ClockSource);
         at < sizeof sources; ++at) {
      untouched = untouched && bytes[at] == kGuard;
    }
    checks.require(untouched, fmt::format("getClockSources(capacity {}) wrote past it", capacity));
    if (capacity <= 0) continue;
    checks.code(fmt::format("getClockSources(capacity {})", capacity), code, {kOk});
    checks.expect(count >= 1, "there is no clock source");
    int current = 0;
    for (std::int32_t i = 0; i < std::min(count, capacity); ++i) {
      const ClockSource& source = sources[static_cast<std::size_t>(i)];
      if (source.is_current != 0) ++current;
      checks.expect(std::memchr(source.name, 0, kNameBytes) != nullptr, "an unterminated name");
    }
    if (capacity == 32) {
      checks.expect(current == 1, fmt::format("{} clock sources are current", current));
    }
  }
  for (const std::int32_t index : {-1, 1000, INT_MAX, INT_MIN}) {
    checks.code(fmt::format("setClockSource({})", index), (*driver)->setClockSource(index),
                {kInvalidParameter, kInvalidMode});
  }
  checks.code("setClockSource(0)", (*driver)->setClockSource(0), {kOk});
  return checks.verdict("capacity respected, one current source, bad indices refused");
}

Verdict names(const CaseContext& context) {
  Checks checks(context);
  Result<Driver> driver = Driver::load(context.entry);
  if (!driver) return failed_case(driver.error().message);
  const auto check = [&](const char* call, std::size_t room, auto&& get) {
    char text[512];
    std::memset(text, kGuard, sizeof text);
    get(text);
    checks.expect(std::memchr(text, 0, room) != nullptr, fmt::format("{}: no end", call));
    for (std::size_t at = room; at < sizeof text; ++at) {
      if (text[at] == kGuard) continue;
      checks.require(false, fmt::format("{} wrote past {} bytes", call, room));
      return;
    }
  };
  for (const bool initialized : {false, true}) {
    if (initialized && (*driver)->init(context.world.control.window()) == 0) {
      return failed_case("init failed: " + driver->error_message());
    }
    check("getDriverName", kNameBytes, [&](char* text) { (*driver)->getDriverName(text); });
    check("getErrorMessage", kErrorMessageBytes,
          [&](char* text) { (*driver)->getErrorMessage(text); });
    checks.expect(!driver->name().empty(), "the driver has no name");
    (*driver)->getDriverVersion();
  }
  return checks.verdict(fmt::format("'{}', within bounds, before and after init", driver->name()));
}

Verdict future_selectors(const CaseContext& context) {
  Checks checks(context);
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  char room[1024] = {};
  for (const std::int32_t selector : {0, 18, 99, -1, INT_MAX, INT_MIN}) {
    checks.code(fmt::format("future({})", selector), (*driver)->future(selector, room),
                {kInvalidParameter});
  }
  for (std::int32_t selector = 1; selector <= 17; ++selector) {
    std::memset(room, 0, sizeof room);
    checks.code(fmt::format("future({})", selector), (*driver)->future(selector, room),
                {kFutureSuccess, kInvalidParameter, kNotPresent});
  }
  for (const std::int32_t selector : {kSetIoFormat, kGetIoFormat, kCanDoIoFormat,
                                      kCanReportOverload, kGetInternalBufferSamples}) {
    std::memset(room, 0, sizeof room);
    checks.code(fmt::format("future({:#x})", selector), (*driver)->future(selector, room),
                {kFutureSuccess, kInvalidParameter, kNotPresent});
  }
  return checks.verdict("unknown selectors gave -998, known ones an answer");
}

Verdict query_interface(const CaseContext& context) {
  Checks checks(context);
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  const Guid nobody{0x12345678, 0x9ABC, 0xDEF0, {1, 2, 3, 4, 5, 6, 7, 8}};
  void* object = &checks;
  checks.expect((*driver)->QueryInterface(&nobody, &object) < 0,
                "QueryInterface of an unknown IID succeeded");
  checks.expect(object == nullptr, "QueryInterface left a pointer behind a failure");
  const Guid unknown{0, 0, 0, {0xC0, 0, 0, 0, 0, 0, 0, 0x46}};
  object = nullptr;
  const std::int32_t result = (*driver)->QueryInterface(&unknown, &object);
  checks.expect(result == 0 && object != nullptr, "QueryInterface of IUnknown failed");
  if (result == 0 && object != nullptr) static_cast<AsioDriver*>(object)->Release();
  if (const auto own = parse_guid(context.entry.clsid)) {
    object = nullptr;
    checks.expect((*driver)->QueryInterface(&*own, &object) == 0 && object == &**driver,
                  "QueryInterface of the own CLSID does not give the driver itself");
    if (object != nullptr) (*driver)->Release();
  }
  const std::uint32_t more = (*driver)->AddRef();
  const std::uint32_t fewer = (*driver)->Release();
  checks.expect(more == fewer + 1 && fewer >= 1,
                fmt::format("AddRef gave {}, Release then {}", more, fewer));
  return checks.verdict("identity and reference count are right");
}

constexpr Case kArgumentCases[] = {
    {"null-pointers", "null for every pointer argument, in every state", null_pointers, 60},
    {"bad-channels", "channels 1000, -5 and others that do not exist", bad_channels},
    {"duplicate-channels", "the same channel twice in createBuffers", duplicate_channels},
    {"bad-counts", "createBuffers with 0 or -1 channels", bad_counts},
    {"bad-sizes", "buffer sizes 0, -1, 1, 31, 33, 100000", bad_sizes},
    {"bad-rates", "NaN, infinite, negative and absurd rates", bad_rates},
    {"clock-sources", "capacities 32, 1, 0, -1 and bad indices", clock_sources},
    {"names", "text fields stay within their bounds", names},
    {"future-selectors", "known and unknown selectors", future_selectors},
    {"query-interface", "unknown IIDs, identity, reference count", query_interface}};

}  // namespace

std::span<const Case> argument_cases() { return kArgumentCases; }

}  // namespace asiodrv::host
