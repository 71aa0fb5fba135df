// Every method in every state, against the table of what should come of it; and that a refused
// call has changed nothing.
#include <fmt/format.h>

#include <array>
#include <vector>

#include "host/numbers.hpp"
#include "host/torture/case.hpp"

namespace asiodrv::host {
namespace {

using namespace asio;

enum State { kLoaded, kInitialized, kPrepared, kRunning };
constexpr std::array kStates{kLoaded, kInitialized, kPrepared, kRunning};
constexpr const char* kStateNames[] = {"loaded", "initialized", "prepared", "running"};

/// A driver in one state, and what is needed to call it.
struct Scene {
  const CaseContext& context;
  Driver driver;
  RawHost& host;
  Shape shape;
};

struct Row {
  const char* call;
  std::int32_t (*run)(Scene&);
  std::int32_t expected[4];  ///< by state
};

std::int32_t call_create(Scene& scene) {
  BufferInfo info{scene.shape.inputs > 0 ? 1 : 0, 0, {}};
  Callbacks callbacks = scene.host.functions();
  return scene.driver->createBuffers(&info, 1, scene.shape.frames, &callbacks);
}

// The second instance of the same row: an expected 1 or 0 of init is no error code.
constexpr Row kRows[] = {
    {"init",
     [](Scene& s) { return s.driver->init(s.context.world.control.window()); },
     {1, 0, 0, 0}},
    {"getChannels",
     [](Scene& s) {
       std::int32_t in = 0, out = 0;
       return s.driver->getChannels(&in, &out);
     },
     {kInvalidMode, kOk, kOk, kOk}},
    {"getLatencies",
     [](Scene& s) {
       std::int32_t in = 0, out = 0;
       return s.driver->getLatencies(&in, &out);
     },
     {kInvalidMode, kOk, kOk, kOk}},
    {"getBufferSize",
     [](Scene& s) {
       std::int32_t a = 0, b = 0, c = 0, d = 0;
       return s.driver->getBufferSize(&a, &b, &c, &d);
     },
     {kInvalidMode, kOk, kOk, kOk}},
    {"canSampleRate",
     [](Scene& s) { return s.driver->canSampleRate(s.shape.rate); },
     {kInvalidMode, kOk, kOk, kOk}},
    {"getSampleRate",
     [](Scene& s) {
       double rate = 0;
       return s.driver->getSampleRate(&rate);
     },
     {kInvalidMode, kOk, kOk, kOk}},
    {"setSampleRate",
     [](Scene& s) { return s.driver->setSampleRate(s.shape.rate); },
     {kInvalidMode, kOk, kOk, kOk}},
    {"getClockSources",
     [](Scene& s) {
       ClockSource sources[32];
       std::int32_t count = 32;
       return s.driver->getClockSources(sources, &count);
     },
     {kInvalidMode, kOk, kOk, kOk}},
    {"setClockSource",
     [](Scene& s) { return s.driver->setClockSource(0); },
     {kInvalidMode, kOk, kOk, kOk}},
    {"getChannelInfo",
     [](Scene& s) {
       ChannelInfo info{};
       info.is_input = s.shape.inputs > 0 ? 1 : 0;
       return s.driver->getChannelInfo(&info);
     },
     {kInvalidMode, kOk, kOk, kOk}},
    {"createBuffers", call_create, {kInvalidMode, kOk, kInvalidMode, kInvalidMode}},
    {"disposeBuffers",
     [](Scene& s) { return s.driver->disposeBuffers(); },
     {kInvalidMode, kInvalidMode, kOk, kOk}},
    {"start",
     [](Scene& s) { return s.driver->start(); },
     {kInvalidMode, kInvalidMode, kOk, kInvalidMode}},
    {"stop", [](Scene& s) { return s.driver->stop(); }, {kInvalidMode, kInvalidMode, kOk, kOk}},
    {"getSamplePosition",
     [](Scene& s) {
       U64Pair position{}, time{};
       return s.driver->getSamplePosition(&position, &time);
     },
     {kInvalidMode, kPositionNotAdvancing, kPositionNotAdvancing, kOk}},
    {"future(99)",
     [](Scene& s) { return s.driver->future(99, nullptr); },
     {kInvalidParameter, kInvalidParameter, kInvalidParameter, kInvalidParameter}}};

/// Brings a fresh instance into `state`; gives the reason when it cannot.
Result<Scene> enter(const CaseContext& context, State state, const Shape& shape, RawHost& host) {
  Result<Driver> driver = Driver::load(context.entry);
  if (!driver) return tl::unexpected<Error>(driver.error());
  Scene scene{context, std::move(*driver), host, shape};
  if (state >= kInitialized && scene.driver->init(context.world.control.window()) == 0) {
    return fail(ErrorCode::internal, "init failed: " + scene.driver.error_message());
  }
  if (state >= kPrepared) {
    const std::int32_t code = prepare(scene.driver, shape, host);
    if (code != kOk) return tl::unexpected<Error>(call_failed(scene.driver, "createBuffers", code));
  }
  if (state >= kRunning) {
    const std::int32_t code = scene.driver->start();
    if (code != kOk) return tl::unexpected<Error>(call_failed(scene.driver, "start", code));
    if (!host.wait_callbacks(context.world, 1, kPatience)) {
      return fail(ErrorCode::timed_out, "no callback came after start");
    }
  }
  return scene;
}

/// A refused call must not have moved the driver out of `state`: the rest of the way still works.
bool still_usable(Scene& scene, State state) {
  if (state == kLoaded && scene.driver->init(scene.context.world.control.window()) == 0) {
    return false;
  }
  if (state <= kInitialized && prepare(scene.driver, scene.shape, scene.host) != kOk) return false;
  if (state <= kPrepared && scene.driver->start() != kOk) return false;
  return scene.host.wait_callbacks(scene.context.world, 2, kPatience);
}

Verdict wrong_state(const CaseContext& context) {
  Checks checks(context);
  Shape shape;
  {
    Result<Driver> driver = context.open();
    if (!driver) return failed_case(driver.error().message);
    shape = shape_of(context, *driver);
  }
  int pairs = 0;
  for (const Row& row : kRows) {
    for (const State state : kStates) {
      RawHost host;
      Result<Scene> scene = enter(context, state, shape, host);
      if (!scene) {
        return failed_case(
            fmt::format("'{}' cannot be reached: {}", kStateNames[state], scene.error().message));
      }
      const std::string call = fmt::format("{} when {}", row.call, kStateNames[state]);
      const std::int32_t code = row.run(*scene);
      checks.code(call, code, {row.expected[state]});
      const bool refused = row.run == kRows[0].run ? code == 0 : code < 0;
      if (refused) {
        checks.expect(still_usable(*scene, state),
                      call + " was refused, and then the driver was not usable");
      }
      scene->driver.release();
      ++pairs;
    }
  }
  return checks.verdict(fmt::format("{} pairs of call and state gave what they should", pairs));
}

Verdict output_ready_answer(const CaseContext& context) {
  Checks checks(context);
  Shape shape;
  std::int32_t first = 0;
  {
    Result<Driver> driver = context.open();
    if (!driver) return failed_case(driver.error().message);
    shape = shape_of(context, *driver);
    first = (*driver)->outputReady();
  }
  checks.code("outputReady", first, {kOk, kNotPresent});
  for (const State state : kStates) {
    RawHost host;
    Result<Scene> scene = enter(context, state, shape, host);
    if (!scene) return failed_case(scene.error().message);
    checks.code(fmt::format("outputReady when {}", kStateNames[state]),
                scene->driver->outputReady(), {first});
    scene->driver.release();
  }
  return checks.verdict(fmt::format("{} in every state", describe_code(first)));
}

Verdict control_panel(const CaseContext& context) {
  if (!context.options.with_panel) return skipped("opens a window; ask for it with --with-panel");
  Checks checks(context);
  Shape shape;
  {
    Result<Driver> driver = context.open();
    if (!driver) return failed_case(driver.error().message);
    shape = shape_of(context, *driver);
  }
  for (const State state : kStates) {
    RawHost host;
    Result<Scene> scene = enter(context, state, shape, host);
    if (!scene) return failed_case(scene.error().message);
    require_bounded(context, checks, "controlPanel", [&] {
      checks.code(fmt::format("controlPanel when {}", kStateNames[state]),
                  scene->driver->controlPanel(), {kOk, kNotPresent, kInvalidMode});
    });
    if (state == kRunning) {
      checks.require(host.wait_callbacks(context.world, 3, kPatience),
                     "the callbacks stopped behind the control panel");
    }
    scene->driver.release();
  }
  return checks.verdict("answered at once in every state");
}

constexpr Case kStateCases[] = {
    {"wrong-state", "every method in every state, then on as if nothing had been", wrong_state,
     180},
    {"output-ready-answer", "outputReady gives the same answer in every state",
     output_ready_answer},
    {"control-panel", "the control panel in every state", control_panel}};

}  // namespace

std::span<const Case> state_cases() { return kStateCases; }

}  // namespace asiodrv::host
