// The director: what goes wrong when, and what must hold when everybody has left.
#include "simulation/world/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "simulation/world/flight_check.hpp"
#include "simulation/world/host.hpp"
#include "simulation/world/intruder.hpp"
#include "simulation/world/service_process.hpp"

namespace asiodrv::simulation {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr nanoseconds kQuietEvery = std::chrono::minutes{4};
/// Everybody must have left within this: the longest hang, suspension and call, one after another.
constexpr nanoseconds kQuietLimit = seconds{90};
/// What strings, histories and free lists may differ by between two moments of quiet.
constexpr std::size_t kHeapSlack = 96 * 1024;

nanoseconds of_periods(const World& world, double periods) {
  return nanoseconds{
      static_cast<std::int64_t>(periods * static_cast<double>(world.period_length().count()))};
}

}  // namespace

class Director {
 public:
  explicit Director(World& world) : world_(world), rng_(world.rng.next()) {}

  void direct();
  void quiesce();

 private:
  void inject(Fault kind);
  void restart_service(bool crash);
  void plant_canary();
  [[nodiscard]] Host* any_host(bool streaming);
  [[nodiscard]] double total_rate() const;

  World& world_;
  Prng rng_;
  std::size_t baseline_ = 0;
  bool has_baseline_ = false;
  std::vector<std::byte>* lost_ = nullptr;  // a canary's
  std::shared_ptr<Fiber> stray_;            // another's
  std::vector<std::shared_ptr<Fiber>> errands_;
};

World::World(const Scenario& scenario_in)
    : scenario(scenario_in),
      scheduler(scramble64(scenario_in.seed), Instant{1'000'000'000'000}),
      rng(scenario_in.seed),
      open_rng(scramble64(scenario_in.seed + 1)) {
  scheduler.preempt_chance = scenario.preempt_chance;
  flight = std::make_unique<FlightCheck>(*this);
  device->lies_about_latency = scenario.canary == Canary::latency;
  device->on_period = [this](const PeriodFacts& facts) {
    if (facts.take != base_take) {
      base = base_service == services ? newest_number + 1 : 0;
      base_take = facts.take;
      base_service = services;
    }
    newest_number = base + facts.index;
    Period& period = ledger.at(facts.take, facts.index);
    period.boundary = facts.boundary;
    period.woken = clock.now();
    period.number = newest_number;
    period.recorded = scenario.canary == Canary::double_record && facts.index == 1000;
    if (scenario.canary == Canary::missing_record && facts.index == 1000) {
      ledger.at(facts.take, facts.index - 1).recorded = false;
    }
    if (facts.lost == 0) return;
    for (const auto& host : hosts) host->note_lost_periods();
  };
  device->refuses_open = [this] { return refuses_open(); };
  device->on_played = [this](const PeriodFacts& facts) {
    ledger.at(facts.take, facts.index).played = true;
  };
  scheduler.after_step = [this] { flight->read(); };
  scheduler.on_deadlock = [this] {
    journal.fail(Check::answers, "Everybody waits for ever: a deadlock.");
  };
}

World::~World() = default;

void World::fault(Fault kind, std::string what) {
  journal.count(kind);
  last_fault = clock.now();
  faults.note(kind, last_fault);
  journal.note(fmt::format("{}: {}", fault_name(kind), what));
}

bool World::refuses_open() {
  if (scenario.open_refused_chance <= 0.0 || std::exchange(refused_open, false)) return false;
  refused_open = open_rng.chance(scenario.open_refused_chance);
  if (!refused_open) return false;
  // Who played goes on alone until the service has looked again, and that may be after 500 ms.
  troubles.add(clock.now(), clock.now() + seconds{2});
  fault(Fault::open_refused, "the device does not open");
  return true;
}

void World::run() {
  scheduler.run(process, [this] {
    Director director(*this);
    director.direct();
  });
}

double Director::total_rate() const {
  double sum = 0.0;
  for (const double each : world_.scenario.per_hour) sum += each;
  return sum;
}

void Director::direct() {
  const Scenario& scenario = world_.scenario;
  const Instant began = world_.clock.now();
  const Instant end = began + nanoseconds{static_cast<std::int64_t>(scenario.minutes * 60e9)};
  world_.service = std::make_unique<ServiceProcess>(world_);
  ++world_.services;
  if (!world_.service->begin()) return world_.journal.fail(Check::answers, "The service is gone.");
  world_.flight->attach(&world_.service->service());
  for (std::uint32_t slot = 0; slot < scenario.clients; ++slot) {
    world_.hosts.push_back(std::make_unique<Host>(world_, slot));
  }
  for (const auto& host : world_.hosts) host->begin();
  if (scenario.canary != Canary::none) plant_canary();

  const double rate = total_rate();
  Instant quiet_at = began + kQuietEvery / 4;
  while (world_.clock.now() < end) {
    const double hours = rate > 0.0 ? -std::log(1.0 - rng_.unit()) / rate : 1000.0;
    const Instant next =
        world_.clock.now() + nanoseconds{static_cast<std::int64_t>(std::min(hours, 1.0) * 3.6e12)};
    if (std::min(next, end) >= quiet_at) {
      world_.clock.sleep_until(std::max(quiet_at, world_.clock.now()));
      quiesce();
      quiet_at = world_.clock.now() + kQuietEvery;
      continue;
    }
    world_.clock.sleep_until(std::min(next, end));
    if (world_.clock.now() >= end) break;
    double at = rng_.unit() * rate;
    for (std::size_t i = 0; i < kFaults; ++i) {
      at -= scenario.per_hour[i];
      if (at >= 0.0) continue;
      inject(static_cast<Fault>(i));
      break;
    }
  }
  world_.over = true;
  quiesce();
  world_.journal.count(Fault::clock_drift, world_.device->drift_changes);
  world_.journal.count(Fault::preemption, world_.scheduler.preempted);
  world_.flight->attach(nullptr);
  world_.service->end(false);
  world_.service.reset();
}

Host* Director::any_host(bool streaming) {
  std::vector<Host*> fitting;
  for (const auto& host : world_.hosts) {
    if (!host->idle() && !host->dead() && (!streaming || host->streaming())) {
      fitting.push_back(host.get());
    }
  }
  return fitting.empty() ? nullptr : fitting[rng_.below(fitting.size())];
}

void Director::inject(Fault kind) {
  Host* const host = any_host(kind != Fault::torn_request);
  const std::string name = host != nullptr ? host->name() : "nobody";
  devices::SimulatedDevice* const device = world_.device->inside;
  const Instant now = world_.clock.now();
  switch (kind) {
    case Fault::late_callback: {
      if (host == nullptr) return;
      const double periods = 0.3 + 2.7 * rng_.unit();
      world_.fault(kind, fmt::format("{} will take {:.2f} periods", name, periods));
      return host->be_late(periods);
    }
    case Fault::hang: {
      if (host == nullptr) return;
      const double periods = 5.0 + 1000.0 * rng_.unit() * rng_.unit();
      world_.fault(kind, fmt::format("{} will take {:.0f} periods", name, periods));
      return host->be_late(periods);
    }
    case Fault::death:
      if (host == nullptr) return;
      world_.fault(kind, name + " dies");
      return host->die(milliseconds{rng_.between(50, 3000)});
    case Fault::suspension: {
      if (host == nullptr) return;
      const milliseconds pause{rng_.between(1, 5000)};
      world_.fault(kind, fmt::format("{} is suspended for {} ms", name, pause.count()));
      return host->suspend(pause);
    }
    case Fault::engine_stall: {
      if (!world_.service) return;
      Fiber* const engine =
          world_.scheduler.find(world_.service->process(), ports::ThreadRole::engine);
      if (engine == nullptr) return;
      const double periods = rng_.chance(0.5) ? 0.1 + rng_.unit() : 30.0 * rng_.unit();
      world_.fault(kind, fmt::format("the engine is not run for {:.2f} periods", periods));
      engine->held_until = now + of_periods(world_, periods);
      world_.faults.note(kind, engine->held_until);
      return world_.troubles.add(now, engine->held_until + world_.period_length());
    }
    case Fault::stream_stall: {
      if (host == nullptr) return;
      const double periods = 10.0 * rng_.unit();
      world_.fault(kind, fmt::format("{}'s stream is not run for {:.2f} periods", name, periods));
      return host->stall_stream(of_periods(world_, periods));
    }
    case Fault::device_loss: {
      if (device == nullptr) return;
      const milliseconds pause{rng_.between(1, 5000)};
      world_.fault(kind, fmt::format("the cable is out for {} ms", pause.count()));
      world_.troubles.open(now);
      world_.faults.note(kind, kNever);
      world_.device->plug(false);
      world_.sleep(pause);
      world_.device->plug(true);
      world_.last_fault = world_.clock.now();
      world_.faults.note(kind, world_.last_fault);
      return world_.troubles.close(world_.clock.now() + seconds{1});
    }
    case Fault::device_gap: {
      if (device == nullptr) return;
      const auto periods = static_cast<std::uint32_t>(rng_.between(1, 5));
      world_.fault(kind, fmt::format("the device drops {} periods", periods));
      device->inject_gap(periods);
      return world_.troubles.add(now, now + world_.period_length() * (periods + 2));
    }
    case Fault::rate_change: {
      if (host == nullptr) return;
      constexpr std::uint32_t kRates[] = {44'100, 48'000, 96'000};
      const SampleRate rate{kRates[rng_.below(3)]};
      world_.fault(kind, fmt::format("{} wants {} Hz", name, rate.hz));
      world_.troubles.add(now, now + seconds{2});
      return host->want_rate(rate);
    }
    case Fault::torn_request:
      if (host == nullptr) return;
      world_.fault(kind, name + "'s next request is torn");
      return host->tear_next_message();
    case Fault::scribble:
      if (host == nullptr) return;
      world_.fault(kind, name + " scribbles over its section");
      return host->scribble();
    case Fault::region_failure:
      world_.fault(kind, "the next section cannot be made");
      return world_.regions.fail_creates(1);
    case Fault::device_failure:
    case Fault::hostile_message:
    case Fault::half_message:
    case Fault::foreign_session: {
      world_.last_fault = now;
      std::erase_if(errands_, [](const auto& each) { return each->done; });
      errands_.push_back(world_.scheduler.start("intruder", world_.process,
                                                ports::ThreadRole::control,
                                                [this, kind] { Intruder(world_).attack(kind); }));
      return;
    }
    case Fault::service_restart: return restart_service(false);
    case Fault::service_crash: return restart_service(true);
    case Fault::clock_drift:
    case Fault::allocation_failure:
    case Fault::open_refused:
    case Fault::preemption: return;  // happen by themselves
  }
}

void Director::restart_service(bool crash) {
  const milliseconds away{rng_.between(10, 3000)};
  const Fault kind = crash ? Fault::service_crash : Fault::service_restart;
  world_.fault(kind, fmt::format("the service is away for {} ms", away.count()));
  world_.faults.note(kind, kNever);
  world_.troubles.open(world_.clock.now());
  world_.flight->attach(nullptr);
  world_.service_ending = true;
  world_.service->end(crash);
  world_.service_ending = false;
  world_.service.reset();
  world_.sleep(away);
  world_.service = std::make_unique<ServiceProcess>(world_);
  ++world_.services;
  if (const auto begun = world_.service->begin(); !begun) {
    world_.journal.fail(Check::answers, "The service does not come back: " + begun.error().message);
  }
  world_.flight->attach(&world_.service->service());
  world_.last_fault = world_.clock.now();
  world_.faults.note(kind, world_.last_fault);
  world_.troubles.close(world_.clock.now() + seconds{3});
}

/// Everybody leaves; then nothing of them may be left.
void Director::quiesce() {
  world_.quiet = true;
  const Instant limit = world_.clock.now() + kQuietLimit;
  const auto all_idle = [&] {
    const bool hosts = std::all_of(world_.hosts.begin(), world_.hosts.end(), [&](const auto& each) {
      return each->idle() && (!world_.over || each->ended());
    });
    const bool errands =
        std::all_of(errands_.begin(), errands_.end(), [](const auto& each) { return each->done; });
    return hosts && errands && world_.service->connections() == 0;
  };
  while (!all_idle()) {
    world_.sleep(milliseconds{100});
    if (world_.clock.now() < limit) continue;
    world_.journal.fail(Check::answers,
                        fmt::format("Not everybody has left within 90 s; {} connections are left.",
                                    world_.service->connections()));
  }
  errands_.clear();
  world_.sleep(seconds{3});  // the acceptor joins threads of the past once a second
  world_.journal.count(Check::memory);
  const std::size_t sections = world_.regions.live();
  if (sections != 0) {
    world_.journal.fail(
        Check::memory,
        fmt::format("Everybody has left, and {} sections are still mapped.", sections));
  }
  // The director, the acceptor, the chores, and the hosts' own.
  const std::size_t fibers = 3 + (world_.over ? 0 : world_.hosts.size());
  if (world_.scheduler.alive() != fibers) {
    world_.journal.fail(Check::memory, fmt::format("Everybody has left, and {} threads are there "
                                                   "instead of {}.",
                                                   world_.scheduler.alive(), fibers));
  }
  if (world_.heap_use != nullptr) {
    const std::size_t bytes = world_.heap_use().bytes;
    if (!has_baseline_) baseline_ = bytes;
    if (!has_baseline_ && world_.scenario.canary == Canary::leak) {
      lost_ = std::make_unique<std::vector<std::byte>>(kHeapSlack + 1).release();
    }
    has_baseline_ = true;
    if (bytes > baseline_ + kHeapSlack) {
      world_.journal.fail(Check::memory,
                          fmt::format("Everybody has left, and {} bytes are in use, {} more than "
                                      "the first time.",
                                      bytes, bytes - baseline_));
    }
  }
  world_.journal.note("everybody has left");
  world_.quiet = false;
}

void Director::plant_canary() {
  switch (world_.scenario.canary) {
    case Canary::silent_damage:
      for (int i = 0; i < 30; ++i) {  // often enough that somebody plays
        world_.sleep(seconds{1});
        world_.device->swallow_next_commit = true;
      }
      return;
    case Canary::false_xrun: {
      Fiber* engine = nullptr;
      while (engine == nullptr) {
        world_.sleep(seconds{1});
        engine = world_.scheduler.find(world_.service->process(), ports::ThreadRole::engine);
      }
      engine->held_until = world_.clock.now() + world_.period_length() * 5;
      return;
    }
    case Canary::leaked_session: {
      auto region = world_.regions.create(4096);
      if (region) (void)region->release();
      return;
    }
    case Canary::leaked_thread:
      stray_ = world_.scheduler.start("lost", world_.process, ports::ThreadRole::control,
                                      [this] { world_.sleep(std::chrono::hours{1}); });
      return;
    case Canary::no_callbacks: {
      Host* host = nullptr;
      while (host == nullptr) {
        world_.sleep(seconds{1});
        host = any_host(true);
      }
      Fiber* const stream = world_.scheduler.find(host->process(), ports::ThreadRole::audio);
      if (stream != nullptr) stream->held_until = kNever;
      return;
    }
    case Canary::time_dependent: world_.scheduler.mix(world_.chance_from_outside); return;
    default: return;  // in the hosts' callbacks, the device or the service's gate
  }
}

}  // namespace asiodrv::simulation
