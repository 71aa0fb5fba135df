// Every thread of the product as a fiber: one real thread, time that moves only when nobody can
// run, and an order of turns that comes from the seed.
//
// The product knows threads, clocks, locks and doorbells only as ports. Here each of them ends in
// park() and unpark(). A fiber runs until it parks; then the one that is due next runs. Who is due
// at the same instant is shuffled, so different seeds see different interleavings, and one seed
// always the same. Work takes no time; what takes time says so by sleeping.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "core/base/prng.hpp"
#include "core/base/rt.hpp"
#include "core/base/units.hpp"
#include "core/ports/thread.hpp"
#include "simulation/posix/context.hpp"

namespace asiodrv::simulation {

inline constexpr Instant kNever{std::numeric_limits<std::int64_t>::max()};

/// What belongs together and can be held up together: the service, or one client's program.
struct Process {
  std::string name;
  Instant held_until{};  ///< none of its fibers runs before
};

struct Fiber {
  explicit Fiber(std::string name_in, Process& process_in, ports::ThreadRole role_in,
                 std::function<void()> body_in)
      : name(std::move(name_in)), process(process_in), role(role_in), body(std::move(body_in)) {}

  const std::string name;
  Process& process;
  const ports::ThreadRole role;
  std::function<void()> body;
  std::unique_ptr<Context> context;
  Instant due{};            // when it may run, unless unparked before
  Instant held_until{};     // by hold(): as if the system did not run it
  std::uint64_t order = 0;  // among those that are due at the same instant
  bool unparked = false;    // woken by somebody, not by time
  bool done = false;
  std::vector<Fiber*> joiners;
};

/// Fibers that wait for one thing, first come first; lives in that thing. Nodes are on the waiters'
/// stacks, so waking allocates nothing.
struct Waiters {
  struct Node {
    Fiber* fiber = nullptr;
    Node* next = nullptr;
  };
  Node* first = nullptr;

  void add(Node& node) RT_SAFE;
  void remove(Node& node) RT_SAFE;
};

class Scheduler {
 public:
  Scheduler(std::uint64_t seed, Instant start);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// The one whose fibers run; there is one at a time.
  [[nodiscard]] static Scheduler& current();
  [[nodiscard]] static bool exists() noexcept;

  /// Runs `root` as a fiber of `process`, and all that it starts, until root has returned.
  void run(Process& process, std::function<void()> root);

  [[nodiscard]] Instant now() const RT_SAFE { return now_; }
  [[nodiscard]] Fiber& running() const noexcept { return *running_; }
  [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }
  /// Over every step: when, and which fiber. Two equal runs have equal hashes.
  [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }
  /// Adds something that must be the same in an equal run.
  void mix(std::uint64_t value) noexcept { hash_ = scramble64(hash_ ^ value); }

  [[nodiscard]] std::shared_ptr<Fiber> start(std::string name, Process& process,
                                             ports::ThreadRole role, std::function<void()> body);
  /// Fibers that have not ended.
  [[nodiscard]] std::size_t alive() const noexcept { return fibers_.size(); }
  [[nodiscard]] Fiber* find(const Process& process, ports::ThreadRole role) const noexcept;

  /// The running fiber rests until unpark() or `deadline`; true when unparked.
  bool park(Instant deadline) RT_SAFE;
  void unpark(Fiber& fiber) RT_SAFE;
  void sleep_until(Instant deadline) RT_SAFE;
  /// Gives others a turn, with a probability of preempt_chance, for up to 200 us.
  void maybe_preempt();
  double preempt_chance = 0.0;
  std::uint64_t preempted = 0;

  /// Called after every step, on the fiber that has just parked; must not park itself.
  std::function<void()> after_step;
  /// after_step is under way: what runs is not the running fiber's own.
  [[nodiscard]] bool checking() const noexcept { return checking_; }
  /// Nobody will ever run again: a deadlock. Does not return.
  std::function<void()> on_deadlock;

 private:
  static void enter(void* fiber);
  [[nodiscard]] Fiber* next() const noexcept;
  void leave(bool ends);
  void bury_ended();

  Prng rng_;
  Instant now_;
  std::uint64_t steps_ = 0, hash_ = 0;
  Context home_;
  std::vector<std::shared_ptr<Fiber>> fibers_;
  std::vector<std::shared_ptr<Fiber>> ended_;  // freed by the next fiber: not on their own stack
  Fiber* running_ = nullptr;
  bool checking_ = false;
  Fiber* root_ = nullptr;
};

}  // namespace asiodrv::simulation
