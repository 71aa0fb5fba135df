#include "simulation/fibers/scheduler.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace asiodrv::simulation {
namespace {

Scheduler* the_scheduler = nullptr;

[[noreturn]] void broken(const char* what) {
  std::fprintf(stderr, "simulation: %s\n", what);
  std::abort();
}

}  // namespace

void Waiters::add(Node& node) RT_SAFE {
  Node** end = &first;
  while (*end != nullptr) end = &(*end)->next;
  node.next = nullptr;
  *end = &node;
}

void Waiters::remove(Node& node) RT_SAFE {
  for (Node** at = &first; *at != nullptr; at = &(*at)->next) {
    if (*at != &node) continue;
    *at = node.next;
    return;
  }
}

Scheduler::Scheduler(std::uint64_t seed, Instant start) : rng_(seed), now_(start), hash_(seed) {
  if (the_scheduler != nullptr) broken("two schedulers");
  the_scheduler = this;
  fibers_.reserve(256);
  ended_.reserve(256);
}

Scheduler::~Scheduler() { the_scheduler = nullptr; }

Scheduler& Scheduler::current() { return *the_scheduler; }

bool Scheduler::exists() noexcept {
  return the_scheduler != nullptr && the_scheduler->running_ != nullptr;
}

void Scheduler::run(Process& process, std::function<void()> root) {
  const auto fiber = start("root", process, ports::ThreadRole::control, std::move(root));
  root_ = fiber.get();
  Fiber* const first = next();
  running_ = first;
  Context::switch_to(home_, *first->context, false);
  running_ = nullptr;
  bury_ended();
}

std::shared_ptr<Fiber> Scheduler::start(std::string name, Process& process, ports::ThreadRole role,
                                        std::function<void()> body) {
  auto fiber = std::make_shared<Fiber>(std::move(name), process, role, std::move(body));
  fiber->context = std::make_unique<Context>(&Scheduler::enter, fiber.get());
  fiber->due = now_;
  fiber->order = rng_.next();
  fibers_.push_back(fiber);
  return fiber;
}

Fiber* Scheduler::find(const Process& process, ports::ThreadRole role) const noexcept {
  for (const auto& fiber : fibers_) {
    if (&fiber->process == &process && fiber->role == role) return fiber.get();
  }
  return nullptr;
}

void Scheduler::enter(void* argument) {
  auto& fiber = *static_cast<Fiber*>(argument);
  Scheduler& scheduler = current();
  scheduler.bury_ended();
  fiber.body();
  fiber.body = nullptr;  // what it captured dies on its own stack
  fiber.done = true;
  for (Fiber* const each : fiber.joiners) scheduler.unpark(*each);
  scheduler.leave(true);
}

/// The one that runs next. A handful of fibers: looking at each is as fast as any order kept.
Fiber* Scheduler::next() const noexcept {
  Fiber* best = nullptr;
  Instant best_at = kNever;
  for (const auto& each : fibers_) {
    const Instant at = std::max({each->due, each->held_until, each->process.held_until});
    if (at > best_at || (at == best_at && (best == nullptr || each->order >= best->order))) {
      continue;
    }
    best = each.get();
    best_at = at;
  }
  return best;
}

void Scheduler::leave(bool ends) {
  Fiber* const self = running_;
  if (ends) {
    const auto at = std::find_if(fibers_.begin(), fibers_.end(),
                                 [self](const auto& each) { return each.get() == self; });
    ended_.push_back(std::move(*at));
    fibers_.erase(at);
  }
  checking_ = true;
  if (after_step) after_step();
  checking_ = false;
  if (ends && self == root_) Context::switch_to(*self->context, home_, true);
  Fiber* const chosen = next();
  if (chosen == nullptr) {
    if (on_deadlock) on_deadlock();
    broken("everybody waits for ever");
  }
  now_ = std::max({now_, chosen->due, chosen->held_until, chosen->process.held_until});
  ++steps_;
  mix(static_cast<std::uint64_t>(now_.ns) ^ chosen->order);
  if (chosen == self) return;
  running_ = chosen;
  Context::switch_to(*self->context, *chosen->context, ends);
  bury_ended();
}

/// A fiber's stack is free once another one runs, whoever still holds a handle of it.
void Scheduler::bury_ended() {
  for (const auto& each : ended_) each->context.reset();
  ended_.clear();
}

bool Scheduler::park(Instant deadline) RT_SAFE {
#ifdef ASIODRV_RT_TRAP
  if (rt_depth() > 0) broken("real-time trap: a wait inside an RtScope");
#endif
  Fiber& self = *running_;
  self.due = deadline;
  self.order = rng_.next();
  self.unparked = false;
  leave(false);
  return std::exchange(self.unparked, false);
}

void Scheduler::unpark(Fiber& fiber) RT_SAFE {
  if (fiber.unparked || &fiber == running_) return;
  fiber.unparked = true;
  fiber.due = std::min(fiber.due, now_);
  fiber.order = rng_.next();
}

void Scheduler::sleep_until(Instant deadline) RT_SAFE {
  while (now_ < deadline) (void)park(deadline);
}

void Scheduler::maybe_preempt() {
  if (preempt_chance <= 0.0 || !rng_.chance(preempt_chance)) return;
  ++preempted;
  sleep_until(now_ + nanoseconds{rng_.between(0, 200'000)});
}

}  // namespace asiodrv::simulation
