#include "simulation/posix/context.hpp"

#include <cxxabi.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "core/base/rt.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#define ASIODRV_FIBERS_UNDER_ASAN 1
#endif

namespace asiodrv::simulation {
namespace {

constexpr std::size_t kGuardBytes = 4096;
constexpr std::size_t kStackBytes = 512 * 1024;
constexpr std::size_t kRuntimeBytes = 2 * sizeof(void*);  // caught and uncaught exceptions

/// Stacks that nobody uses at present. A thread of its own would cost more; memory is touched only
/// as deep as somebody calls.
std::vector<void*>& spare_stacks() {
  static std::vector<void*> stacks;
  return stacks;
}

void* take_stack() {
  auto& spare = spare_stacks();
  if (!spare.empty()) {
    void* const stack = spare.back();
    spare.pop_back();
    return stack;
  }
  void* const stack = mmap(nullptr, kGuardBytes + kStackBytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED || mprotect(stack, kGuardBytes, PROT_NONE) != 0) {
    std::fputs("simulation: no memory for a stack\n", stderr);
    std::abort();
  }
  return stack;
}

std::byte* runtime_words() { return reinterpret_cast<std::byte*>(abi::__cxa_get_globals()); }

}  // namespace

struct Context::State {
  ucontext_t place{};
  void* stack = nullptr;  // null: the thread's own
  Entry entry = nullptr;
  void* argument = nullptr;
  std::byte runtime[kRuntimeBytes]{};
  int rt_depth = 0;
#ifdef ASIODRV_FIBERS_UNDER_ASAN
  void* fake_stack = nullptr;
  const void* bottom = nullptr;
  std::size_t bytes = 0;
#endif
};

Context::Context() : state_(std::make_unique<State>()) {}

Context::Context(Entry entry, void* argument) : state_(std::make_unique<State>()) {
  state_->entry = entry;
  state_->argument = argument;
  state_->stack = take_stack();
  std::byte* const bottom = static_cast<std::byte*>(state_->stack) + kGuardBytes;
#ifdef ASIODRV_FIBERS_UNDER_ASAN
  state_->bottom = bottom;
  state_->bytes = kStackBytes;
#endif
  getcontext(&state_->place);
  state_->place.uc_stack.ss_sp = bottom;
  state_->place.uc_stack.ss_size = kStackBytes;
  state_->place.uc_link = nullptr;
  makecontext(&state_->place, &Context::begin, 0);
}

Context::~Context() {
  if (state_->stack != nullptr) spare_stacks().push_back(state_->stack);
}

namespace {
// Who switches to whom, for the code that runs first on the other side.
[[maybe_unused]] Context* leaving_context = nullptr;
Context* arriving_context = nullptr;
}  // namespace

void Context::begin() {
  State& self = *arriving_context->state_;
#ifdef ASIODRV_FIBERS_UNDER_ASAN
  State& before = *leaving_context->state_;
  __sanitizer_finish_switch_fiber(nullptr, &before.bottom, &before.bytes);
#endif
  self.entry(self.argument);
  std::abort();  // a promise of the constructor's
}

void Context::switch_to(Context& from, Context& to, bool ends) {
  State& leaving = *from.state_;
  State& going = *to.state_;
  std::memcpy(leaving.runtime, runtime_words(), kRuntimeBytes);
  std::memcpy(runtime_words(), going.runtime, kRuntimeBytes);
#ifdef ASIODRV_RT_TRAP
  leaving.rt_depth = rt_depth();
  rt_depth() = going.rt_depth;
#endif
  leaving_context = &from;
  arriving_context = &to;
#ifdef ASIODRV_FIBERS_UNDER_ASAN
  __sanitizer_start_switch_fiber(ends ? nullptr : &leaving.fake_stack, going.bottom, going.bytes);
#else
  (void)ends;
#endif
  swapcontext(&leaving.place, &going.place);
#ifdef ASIODRV_FIBERS_UNDER_ASAN
  State& before = *leaving_context->state_;
  __sanitizer_finish_switch_fiber(leaving.fake_stack, &before.bottom, &before.bytes);
#endif
}

}  // namespace asiodrv::simulation
