// Callbacks that block, dawdle and call back into the driver.
#include <fmt/format.h>

#include <atomic>
#include <memory>

#include "core/ports/mutex.hpp"
#include "host/numbers.hpp"
#include "host/torture/case.hpp"

namespace asiodrv::host {
namespace {

using namespace asio;

constexpr nanoseconds kStuckFor = std::chrono::seconds{8};
constexpr int kSlowCallbacks = 20;

bool begin(const CaseContext& context, Driver& driver, RawHost& host, Checks& checks) {
  const Shape shape = shape_of(context, driver);
  const std::int32_t created = prepare(driver, shape, host);
  checks.require(created == kOk, "createBuffers gave " + describe_code(created));
  const std::int32_t started = created == kOk ? driver->start() : created;
  checks.require(started == kOk, "start gave " + describe_code(started));
  return started == kOk;
}

Verdict stop_under_lock(const CaseContext& context) {
  Checks checks(context);
  ports::Mutex lock;
  RawHost host;
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  host.hook = [&](const Time*, std::int32_t) { const ports::MutexLock inside(lock); };
  if (!begin(context, *driver, host, checks)) return checks.verdict("");
  host.wait_callbacks(context.world, 3, kPatience);
  {
    const ports::MutexLock held(lock);
    // Until a callback waits for the lock that we hold.
    wait_until(context.world, kPatience,
               [&] { return host.entered.load() > host.callbacks.load(); });
    require_bounded(context, checks, "stop under the callback's lock",
                    [&] { checks.code("stop", (*driver)->stop(), {kOk}); });
  }
  const bool left = wait_until(context.world, kPatience,
                               [&] { return host.entered.load() == host.callbacks.load(); });
  checks.require(left, "the last callback did not end");
  checks.code("disposeBuffers", (*driver)->disposeBuffers(), {kOk});
  driver->release();
  require_fresh_stream(context, checks);
  host.detach(context.world, kPatience);
  return checks.verdict("stop gave up waiting for the callback in time");
}

Verdict stuck_callback(const CaseContext& context) {
  Checks checks(context);
  std::atomic<bool> stuck{false};
  std::atomic<bool> free{false};
  RawHost host;
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  host.hook = [&](const Time*, std::int32_t) {
    if (host.entered.load() != 5) return;
    stuck = true;
    const Instant until = context.world.clock.now() + kStuckFor;
    while (!free && context.world.clock.now() < until) {
      context.world.clock.sleep_until(context.world.clock.now() + std::chrono::milliseconds{5});
    }
  };
  if (!begin(context, *driver, host, checks)) return checks.verdict("");
  wait_until(context.world, kPatience, [&] { return stuck.load(); });
  require_bounded(context, checks, "stop beside a stuck callback", [&] { (*driver)->stop(); });
  require_bounded(context, checks, "disposeBuffers beside a stuck callback",
                  [&] { (*driver)->disposeBuffers(); });
  // The host still writes into its buffers: they must be there until the callback has returned.
  if (host.entered.load() > host.callbacks.load()) {
    for (const BufferInfo& info : host.infos) {
      for (void* half : info.buffers) *static_cast<volatile char*>(half) = 1;
    }
  }
  free = true;
  const bool ended = wait_until(context.world, kPatience,
                                [&] { return host.entered.load() == host.callbacks.load(); });
  checks.require(ended, "the stuck callback did not end");
  driver->release();
  require_fresh_stream(context, checks);
  host.detach(context.world, kPatience);
  return checks.verdict("stop and dispose were bounded, the memory stayed");
}

Verdict slow_callback(const CaseContext& context) {
  Checks checks(context);
  RawHost host;
  std::atomic<int> inside{0};
  std::atomic<int> overlaps{0};
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  const Shape shape = shape_of(context, *driver);
  const nanoseconds nap{static_cast<std::int64_t>(3e9 * shape.frames / shape.rate)};
  host.hook = [&](const Time*, std::int32_t) {
    if (inside.fetch_add(1) != 0) ++overlaps;
    if (host.entered.load() <= kSlowCallbacks) {
      context.world.clock.sleep_until(context.world.clock.now() + nap);
    }
    inside.fetch_sub(1);
  };
  if (!begin(context, *driver, host, checks)) return checks.verdict("");
  checks.require(host.wait_callbacks(context.world, kSlowCallbacks, std::chrono::seconds{10}),
                 "the driver gave up on a slow host");
  checks.require(host.wait_callbacks(context.world, 50, kPatience),
                 "the driver did not recover from a slow host");
  checks.expect(overlaps == 0, "callbacks overlapped");
  checks.code("stop", (*driver)->stop(), {kOk});
  driver->release();
  return checks.verdict("20 callbacks of three periods each, then on");
}

Verdict reentry(const CaseContext& context) {
  Checks checks(context);
  RawHost host;
  std::atomic<int> failures{0};
  std::atomic<std::int32_t> last_code{0};
  std::atomic<const char*> last_call{""};
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  const Shape shape = shape_of(context, *driver);
  const auto want = [&](const char* call, std::int32_t code, std::int32_t expected) {
    if (code == expected) return;
    ++failures;
    last_call = call;
    last_code = code;
  };
  host.hook = [&](const Time*, std::int32_t) {
    Driver& d = *driver;
    std::int32_t a = 0, b = 0, c = 0, e = 0;
    double rate = 0;
    U64Pair position{}, time{};
    ChannelInfo info{};
    info.is_input = shape.inputs > 0 ? 1 : 0;
    want("getSamplePosition", d->getSamplePosition(&position, &time), kOk);
    want("getSampleRate", d->getSampleRate(&rate), kOk);
    want("getLatencies", d->getLatencies(&a, &b), kOk);
    want("getChannels", d->getChannels(&a, &b), kOk);
    want("getBufferSize", d->getBufferSize(&a, &b, &c, &e), kOk);
    want("canSampleRate", d->canSampleRate(shape.rate), kOk);
    want("getChannelInfo", d->getChannelInfo(&info), kOk);
    want("future(99)", d->future(99, nullptr), kInvalidParameter);
    want("start", d->start(), kInvalidMode);
    d->outputReady();
    d->future(kCanReportOverload, nullptr);
  };
  if (!begin(context, *driver, host, checks)) return checks.verdict("");
  checks.require(host.wait_callbacks(context.world, 50, std::chrono::seconds{10}),
                 "the callbacks stopped");
  (*driver)->stop();
  driver->release();
  checks.expect(failures == 0, fmt::format("{} inside the callback gave {}", last_call.load(),
                                           describe_code(last_code)));
  return checks.verdict("50 callbacks that asked everything");
}

constexpr Case kCallbackCases[] = {
    {"stop-under-lock", "stop while the host holds the lock that its callback wants",
     stop_under_lock, 60},
    {"stuck-callback", "stop and dispose while a callback does not return", stuck_callback, 60},
    {"slow-callback", "callbacks that take three periods", slow_callback, 60},
    {"reentry", "the callback calls the driver", reentry}};

}  // namespace

std::span<const Case> callback_cases() { return kCallbackCases; }

}  // namespace asiodrv::host
