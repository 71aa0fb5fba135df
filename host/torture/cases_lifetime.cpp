// Starting, stopping and letting go, too often, too fast, and in the wrong place.
#include <fmt/format.h>

#include <atomic>
#include <memory>

#include "host/numbers.hpp"
#include "host/torture/case.hpp"

namespace asiodrv::host {
namespace {

using namespace asio;

constexpr int kCycles = 500;
constexpr int kQuickStarts = 200;
constexpr nanoseconds kQuietAfterRelease = std::chrono::milliseconds{100};
constexpr std::uint64_t kActOnCallback = 5;

double milliseconds(nanoseconds duration) { return static_cast<double>(duration.count()) / 1e6; }

Verdict cycles(const CaseContext& context) {
  Checks checks(context);
  RawHost host;
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  const Shape shape = shape_of(context, *driver);
  const Instant begin = context.world.clock.now();
  for (int cycle = 0; cycle < kCycles && !checks.failed(); ++cycle) {
    const auto say = [&](const char* call) { return fmt::format("{} in cycle {}", call, cycle); };
    checks.require(prepare(*driver, shape, host) == kOk, say("createBuffers failed"));
    checks.require((*driver)->start() == kOk, say("start failed"));
    checks.require(host.wait_callbacks(context.world, 1, kPatience), say("no callback"));
    checks.require((*driver)->stop() == kOk, say("stop failed"));
    checks.require((*driver)->disposeBuffers() == kOk, say("disposeBuffers failed"));
  }
  const nanoseconds took = context.world.clock.now() - begin;
  return checks.verdict(
      fmt::format("{} cycles, {:.1f} ms each", kCycles, milliseconds(took) / kCycles));
}

Verdict quick_starts(const CaseContext& context) {
  Checks checks(context);
  RawHost host;
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  const Shape shape = shape_of(context, *driver);
  if (prepare(*driver, shape, host) != kOk) return failed_case("createBuffers failed");
  for (int round = 0; round < kQuickStarts && !checks.failed(); ++round) {
    checks.require((*driver)->start() == kOk, fmt::format("start failed in round {}", round));
    checks.require((*driver)->stop() == kOk, fmt::format("stop failed in round {}", round));
  }
  checks.require((*driver)->start() == kOk, "the last start failed");
  checks.require(host.wait_callbacks(context.world, 3, kPatience), "then no callbacks came");
  driver->release();
  return checks.verdict(fmt::format("{} times start and stop without waiting", kQuickStarts));
}

/// Runs `action` inside one callback, the fifth or a later one, once start has returned.
bool act_inside(const CaseContext& context, Driver& driver, RawHost& host, Checks& checks,
                const std::function<void()>& action) {
  struct Progress {
    std::atomic<bool> started{false}, acting{false}, done{false};
  };
  auto progress = std::make_shared<Progress>();  // outlives us when the action hangs
  host.hook = [&host, progress, action](const Time*, std::int32_t) {
    if (host.entered.load() < kActOnCallback || !progress->started) return;
    if (progress->acting.exchange(true)) return;
    action();
    progress->done = true;
  };
  const Shape shape = shape_of(context, driver);
  checks.require(prepare(driver, shape, host) == kOk, "createBuffers failed");
  checks.require(driver->start() == kOk, "start failed");
  progress->started = true;
  const bool came = wait_until(context.world, kPatience, [&] { return progress->done.load(); });
  checks.require(came, "the call inside the callback did not come back");
  return came;
}

void require_silence(const CaseContext& context, RawHost& host, Checks& checks, const char* after) {
  const std::uint64_t count = host.entered.load();
  context.world.control.wait(kQuietAfterRelease);
  checks.require(host.entered.load() == count, fmt::format("callbacks came after {}", after));
}

Verdict stop_in_callback(const CaseContext& context) {
  Checks checks(context);
  RawHost host;
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  std::atomic<std::int32_t> code{1};
  if (!act_inside(context, *driver, host, checks, [&] { code = (*driver)->stop(); })) {
    return checks.verdict("");
  }
  checks.code("stop inside the callback", code, {kOk});
  require_silence(context, host, checks, "stop");
  host.hook = nullptr;
  checks.require((*driver)->start() == kOk, "start after that failed");
  checks.require(host.wait_callbacks(context.world, 3, kPatience), "then no callbacks came");
  checks.code("stop", (*driver)->stop(), {kOk});
  checks.code("disposeBuffers", (*driver)->disposeBuffers(), {kOk});
  return checks.verdict("stopped, and started again");
}

Verdict dispose_in_callback(const CaseContext& context) {
  Checks checks(context);
  RawHost host;
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  std::atomic<std::int32_t> code{1};
  if (!act_inside(context, *driver, host, checks, [&] { code = (*driver)->disposeBuffers(); })) {
    return checks.verdict("");
  }
  checks.code("disposeBuffers inside the callback", code, {kOk});
  require_silence(context, host, checks, "disposeBuffers");
  host.hook = nullptr;
  const Shape shape = shape_of(context, *driver);
  checks.require(prepare(*driver, shape, host) == kOk, "createBuffers after that failed");
  checks.require((*driver)->start() == kOk, "start after that failed");
  checks.require(host.wait_callbacks(context.world, 3, kPatience), "then no callbacks came");
  driver->release();
  return checks.verdict("disposed of, and made again");
}

Verdict release_in_callback(const CaseContext& context) {
  Checks checks(context);
  RawHost host;
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  const bool came = act_inside(context, *driver, host, checks, [&] { driver->release(); });
  if (!came) driver->abandon();
  require_silence(context, host, checks, "Release");
  require_fresh_stream(context, checks);
  return checks.verdict("released, and a new instance streams");
}

Verdict release_while_running(const CaseContext& context) {
  Checks checks(context);
  RawHost host;
  for (int round = 0; round < 10; ++round) {
    Result<Driver> driver = context.open();
    if (!driver) return failed_case(driver.error().message);
    const Shape shape = shape_of(context, *driver);
    checks.require(prepare(*driver, shape, host) == kOk, "createBuffers failed");
    checks.require((*driver)->start() == kOk, "start failed");
    checks.require(host.wait_callbacks(context.world, 2, kPatience), "no callbacks came");
    require_bounded(context, checks, "Release", [&] { driver->release(); });
    const std::uint64_t count = host.entered.load();
    context.world.control.wait(std::chrono::milliseconds{20});
    checks.require(host.entered.load() == count, "callbacks came after the last Release");
  }
  return checks.verdict("10 times: Release stopped and disposed of everything");
}

Verdict two_instances(const CaseContext& context) {
  Checks checks(context);
  RawHost first_host;
  RawHost second_host;
  Result<Driver> first = context.open();
  if (!first) return failed_case(first.error().message);
  const Shape shape = shape_of(context, *first);
  checks.require(prepare(*first, shape, first_host) == kOk, "createBuffers failed");
  checks.require((*first)->start() == kOk, "start failed");
  checks.require(first_host.wait_callbacks(context.world, 3, kPatience), "no callbacks came");
  Result<Driver> second = Driver::load(context.entry);
  if (!second) return failed_case("the second instance: " + second.error().message);
  bool streams = (*second)->init(context.world.control.window()) != 0 &&
                 prepare(*second, shape, second_host) == kOk && (*second)->start() == kOk;
  if (streams) {
    checks.require(second_host.wait_callbacks(context.world, 10, kPatience),
                   "the second instance started and did not call back");
  } else {
    checks.expect(!second->error_message().empty(),
                  "the second instance was refused without a message");
  }
  checks.require(first_host.wait_callbacks(context.world, 10, kPatience),
                 "the first instance stopped calling back beside the second");
  second->release();
  checks.require(first_host.wait_callbacks(context.world, 10, kPatience),
                 "the first instance stopped calling back when the second left");
  first->release();
  return checks.verdict(streams ? "both streamed" : "the second was refused politely");
}

constexpr Case kLifetimeCases[] = {
    {"cycles-500", "create, start, one callback, stop, dispose, 500 times", cycles, 180},
    {"start-stop-200", "start and at once stop, 200 times", quick_starts, 120},
    {"stop-in-callback", "stop from inside the callback", stop_in_callback},
    {"dispose-in-callback", "disposeBuffers from inside the callback", dispose_in_callback},
    {"release-in-callback", "the last Release from inside the callback", release_in_callback},
    {"release-while-running", "Release without stop and dispose", release_while_running, 60},
    {"two-instances", "two instances in one process", two_instances}};

}  // namespace

std::span<const Case> lifetime_cases() { return kLifetimeCases; }

}  // namespace asiodrv::host
