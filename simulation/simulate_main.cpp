// Lives through the worlds of some seeds. tools/simulate.py runs many at once; see
// docs/simulation.md.
//
//   simulate --seed N [--seeds COUNT] [--minutes M] [--canary NAME] [--json] [--trace]
//
// Exit codes: 0 every checker was content; 1 one was not; 2 wrong usage.
#include <fmt/format.h>
#include <malloc.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "simulation/world/world.hpp"

namespace {

// Counted here and nowhere else: one thread, so plain numbers do.
asiodrv::simulation::HeapUse heap;
bool starving = false;
const void* starved = nullptr;  // the fiber that is to run out of memory
std::uint64_t until_failure = 0;
std::size_t smallest_failure = 0;
bool has_failed = false;

bool is_starved(std::size_t bytes) {
  using asiodrv::simulation::Scheduler;
  return starving && bytes >= smallest_failure && !Scheduler::current().checking() &&
         &Scheduler::current().running() == starved;
}

void* take(std::size_t bytes, std::size_t alignment) {
  if (is_starved(bytes) && until_failure-- == 0) {
    starving = false;
    has_failed = true;
    throw std::bad_alloc();
  }
  void* const block =
      alignment == 0
          ? std::malloc(bytes == 0 ? 1 : bytes)
          : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (block == nullptr) throw std::bad_alloc();
  heap.bytes += malloc_usable_size(block);
  ++heap.blocks;
  return block;
}

void give_back(void* block) noexcept {
  if (block == nullptr) return;
  heap.bytes -= malloc_usable_size(block);
  --heap.blocks;
  std::free(block);
}

}  // namespace

void* operator new(std::size_t bytes) { return take(bytes, 0); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return take(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept { give_back(block); }
void operator delete(void* block, std::size_t) noexcept { give_back(block); }
void operator delete(void* block, std::align_val_t) noexcept { give_back(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { give_back(block); }

namespace asiodrv::simulation {
namespace {

std::uint64_t failure_state = 1;

/// Arms (the n-th allocation of at least `smallest` bytes fails) or disarms; true when one has
/// failed.
bool fail_allocations(bool arm, std::size_t smallest) {
  if (arm) {
    smallest_failure = smallest;
    failure_state = scramble64(failure_state + 1);
    until_failure = failure_state % (smallest == 0 ? 12 : 3);
    has_failed = false;
    starved = &Scheduler::current().running();
  }
  starving = arm;
  return has_failed;
}

struct Options {
  std::uint64_t seed = 1, seeds = 1;
  double minutes = 8.0;
  Canary canary = Canary::none;
  bool json = false, trace = false;
};

std::optional<Options> read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--json") {
      options.json = true;
      continue;
    }
    if (name == "--trace") {
      options.trace = true;
      continue;
    }
    if (++i == argc) return std::nullopt;
    char* end = argv[i];
    if (name == "--seed") {
      options.seed = std::strtoull(argv[i], &end, 10);
    } else if (name == "--seeds") {
      options.seeds = std::strtoull(argv[i], &end, 10);
    } else if (name == "--minutes") {
      options.minutes = std::strtod(argv[i], &end);
    } else if (name == "--canary") {
      const auto canary = canary_of(argv[i]);
      if (!canary) return std::nullopt;
      options.canary = *canary;
      end = argv[i] + std::strlen(argv[i]);
    }
    if (end == argv[i] || *end != '\0') return std::nullopt;
  }
  if (options.seeds == 0) return std::nullopt;
  if (!(options.minutes > 0.0 && options.minutes <= 100'000.0)) return std::nullopt;
  return options;
}

void live_through(std::uint64_t seed, const Options& options) {
  const auto began = std::chrono::steady_clock::now();
  failure_state = seed;
  const Scenario scenario = make_scenario(seed, options.minutes, options.canary);
  World world(scenario);
  world.journal.tracing = options.trace;
  world.heap_use = [] { return heap; };
  world.fail_allocations = &fail_allocations;
  world.chance_from_outside = static_cast<std::uint64_t>(began.time_since_epoch().count());
  world.run();
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  nlohmann::json faults = nlohmann::json::object(), checks = nlohmann::json::object();
  for (std::size_t i = 0; i < kFaults; ++i) {
    const auto fault = static_cast<Fault>(i);
    faults[std::string(fault_name(fault))] = world.journal.counted(fault);
  }
  for (std::size_t i = 0; i < kChecks; ++i) {
    const auto check = static_cast<Check>(i);
    checks[std::string(check_name(check))] = world.journal.counted(check);
  }
  const nlohmann::json report{{"seed", seed},
                              {"minutes", scenario.minutes},
                              {"periods", world.device->periods},
                              {"steps", world.scheduler.steps()},
                              {"hash", fmt::format("{:016x}", world.scheduler.hash())},
                              {"seconds", seconds},
                              {"faults", faults},
                              {"checks", checks}};
  if (options.json) {
    fmt::print("{}\n", report.dump());
  } else {
    fmt::print(
        "seed {:<6} {} Hz, {} frames, {} clients: {} periods, {} steps, hash {:016x}, "
        "{:.1f} s\n",
        seed, scenario.rate.hz, scenario.period.count, scenario.clients, world.device->periods,
        world.scheduler.steps(), world.scheduler.hash(), seconds);
  }
  std::fflush(stdout);
}

}  // namespace
}  // namespace asiodrv::simulation

int main(int argc, char** argv) {
  using namespace asiodrv::simulation;
  const auto options = read_options(argc, argv);
  if (!options) {
    std::fputs(
        "usage: simulate [--seed N] [--seeds COUNT] [--minutes M] [--canary NAME] [--json] "
        "[--trace]\n",
        stderr);
    return 2;
  }
  for (std::uint64_t i = 0; i < options->seeds; ++i) live_through(options->seed + i, *options);
  return 0;
}
