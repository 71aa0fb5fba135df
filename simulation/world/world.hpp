// The world of one seed: what all its inhabitants share.
//
//   Scheduler, clock      one thread, virtual time
//   ServiceProcess        the production service: DriverService behind a ControlServer
//   Host                  a program with the production driver front in it
//   Intruder              a stranger that speaks the protocol badly
//   Director              the fiber that injects faults and calls for quiet now and then
//   FlightCheck           reads the flight recorder and asks for a reason for every xrun
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "core/base/prng.hpp"
#include "ipc/memory_transport.hpp"
#include "simulation/fibers/ports.hpp"
#include "simulation/fibers/regions.hpp"
#include "simulation/fibers/scheduler.hpp"
#include "simulation/world/device.hpp"
#include "simulation/world/journal.hpp"
#include "simulation/world/scenario.hpp"
#include "simulation/world/sound.hpp"
#include "simulation/world/troubles.hpp"

namespace asiodrv::simulation {

class FlightCheck;
class Host;
class ServiceProcess;

/// Bytes and blocks that operator new has handed out; the program's main counts them.
struct HeapUse {
  std::size_t bytes = 0, blocks = 0;
};

struct World {
  explicit World(const Scenario& scenario_in);
  ~World();

  /// Lives `scenario.minutes`; every checker that finds something ends the program.
  void run();

  /// Records a fault: what follows has an excuse for a while.
  void fault(Fault kind, std::string what);
  /// No fault for `pause`: whoever is refused or kept waiting now has no excuse.
  [[nodiscard]] bool calm(nanoseconds pause) const { return clock.now() - last_fault > pause; }
  [[nodiscard]] nanoseconds period_length() const {
    const ports::DeviceFormat& format = device->format;
    return format.rate.hz == 0 ? duration_ceil(scenario.period, scenario.rate)
                               : duration_ceil(format.period, format.rate);
  }
  /// Jitter is made for the device's first period; a shorter one may be late by it alone.
  [[nodiscard]] bool late_by_itself() const {
    return std::chrono::microseconds{scenario.jitter_us} * 2 > period_length();
  }
  /// The device is to be opened; true when it refuses, which it does not twice in a row.
  [[nodiscard]] bool refuses_open();
  /// Nothing is done to anybody in this world: whoever is late in it was made late by the product.
  [[nodiscard]] bool perfect() const {
    return scenario.preempt_chance <= 0.0 && scenario.open_refused_chance <= 0.0 &&
           scenario.jitter_us == 0 &&
           std::all_of(scenario.per_hour.begin(), scenario.per_hour.end(),
                       [](double each) { return each <= 0.0; });
  }
  void sleep(nanoseconds duration) { clock.sleep_until(clock.now() + duration); }

  const Scenario scenario;
  Scheduler scheduler;
  Process process{"world", {}};
  FiberClock clock{scheduler};
  FiberThreads threads{scheduler, process};
  Journal journal{scheduler, scenario};
  Prng rng, open_rng;
  FiberRegions regions{scheduler};
  ipc::MemoryTransport transport{clock, threads};
  std::shared_ptr<DeviceControl> device = std::make_shared<DeviceControl>();
  Pattern pattern{Frames{8192}};
  Ledger ledger;
  Troubles troubles;  ///< everybody's: stalls, gaps, losses
  Instant last_fault{};
  FaultTimes faults;
  std::unique_ptr<ServiceProcess> service;    ///< null while it is away
  std::uint32_t services = 0;                 ///< so far
  std::uint64_t base = 0, newest_number = 0;  ///< how the service counts the device's periods
  bool refused_open = false;
  std::uint64_t base_take = 0;
  std::uint32_t base_service = 0;
  std::vector<std::unique_ptr<Host>> hosts;
  std::unique_ptr<FlightCheck> flight;
  bool over = false;
  bool service_ending = false;            ///< it cuts its clients off, one after the other
  bool quiet = false;                     ///< everybody leaves, and waits
  std::uint32_t outputs_taken = 0;        ///< device outputs in use, when they are not shared
  std::uint64_t chance_from_outside = 0;  ///< for a canary: differs from run to run
  HeapUse (*heap_use)() = nullptr;
  /// Arms or disarms; true when one has failed.
  bool (*fail_allocations)(bool arm, std::size_t smallest) = nullptr;
};

}  // namespace asiodrv::simulation
