// Threads and signals on pthreads and futexes.
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "core/ports/thread.hpp"
#include "platform/cpu.hpp"
#include "platform/monotonic.hpp"
#include "platform/platform.hpp"
#include "platform/posix/futex.hpp"
#include "platform/realtime.hpp"

namespace asiodrv::platform {
namespace {

constexpr int kAudioPriority = 70;  // above ordinary real-time work, below the kernel's own threads
constexpr int kEnginePriority = 71;
constexpr std::size_t kStackBytes = 1024 * 1024;  // ours to use
constexpr nanoseconds kStartBound{2'000'000'000};

/// What a running thread and its Thread object share; the last of the two frees it.
struct ThreadState {
  std::function<void()> body;
  ports::ThreadRole role{};
  char name[16] = {};
  std::atomic<bool> realtime{false};
  std::atomic<std::uint32_t> ready{0};     // futex: the thread has its priority and its stack
  std::atomic<std::uint32_t> finished{0};  // futex: the body has returned and is destroyed
};

void raise_and_wake(std::atomic<std::uint32_t>& flag) noexcept {
  flag.store(1, std::memory_order_release);
  futex_wake(&flag, INT32_MAX, FutexScope::in_process);
}

bool wait_for(const std::atomic<std::uint32_t>& flag, Instant deadline) noexcept {
  while (flag.load(std::memory_order_acquire) == 0) {
    if (time_left(deadline) == nanoseconds{0}) return false;
    futex_wait(&flag, 0, deadline, FutexScope::in_process);
  }
  return true;
}

bool set_fifo(int priority) noexcept {
  sched_param parameters{};
  parameters.sched_priority = priority;
  // Children of this thread must not inherit real time: an agent that it starts is an ordinary one.
  return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters) == 0;
}

/// Root and CAP_SYS_NICE get the full priority; others what their RLIMIT_RTPRIO allows.
bool become_realtime(int priority) noexcept {
  if (set_fifo(priority)) return true;
  rlimit limit{};
  if (getrlimit(RLIMIT_RTPRIO, &limit) != 0) return false;
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit raised = limit;
    raised.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_RTPRIO, &raised) == 0) limit = raised;
  }
  const auto allowed = std::min(limit.rlim_cur, static_cast<rlim_t>(priority));
  return allowed > 0 && set_fifo(static_cast<int>(allowed));
}

void run_body(ThreadState& state) {
  if (code_in_program()) {
    state.body();  // an exception ends the program, as the contract says
  } else {
    try {
      state.body();
    } catch (...) {  // NOLINT: a foreign host's process is not ours to end
    }
  }
  state.body = nullptr;  // what it captured is released before a join returns
}

void* thread_main(void* argument) noexcept {
  const std::unique_ptr<std::shared_ptr<ThreadState>> holder(
      static_cast<std::shared_ptr<ThreadState>*>(argument));
  ThreadState& state = **holder;
  pthread_setname_np(pthread_self(), state.name);
  if (ports::is_realtime(state.role)) {
    const bool engine = state.role == ports::ThreadRole::engine;
    prctl(PR_SET_TIMERSLACK, 1);  // ns; matters only where real time was refused
    state.realtime.store(become_realtime(engine ? kEnginePriority : kAudioPriority),
                         std::memory_order_relaxed);
    flush_denormals();
    prefault_stack();
  }
  raise_and_wake(state.ready);
  run_body(state);
  raise_and_wake(state.finished);
  return nullptr;
}

class PosixThread final : public ports::Thread {
 public:
  explicit PosixThread(std::shared_ptr<ThreadState> state) noexcept : state_(std::move(state)) {}

  /// It runs from now on, and has to be joined.
  void begun(pthread_t thread) noexcept {
    thread_ = thread;
    joined_ = false;
  }

  ~PosixThread() override {
    if (joined_) return;
    const bool running = state_->finished.load(std::memory_order_acquire) == 0;
    if (running && !tried_ && code_in_program()) {
      std::fprintf(stderr, "The thread \"%s\" was dropped while it ran; join it first.\n",
                   state_->name);
      std::abort();
    }
    pthread_detach(thread_);
  }

  bool join(Instant deadline) override {
    if (joined_) return true;
    tried_ = true;
    if (is_current() || !wait_for(state_->finished, deadline)) return false;
    pthread_join(thread_, nullptr);  // only its last few instructions are left
    joined_ = true;
    return true;
  }

  [[nodiscard]] bool is_current() const noexcept override {
    return !joined_ && pthread_equal(pthread_self(), thread_) != 0;
  }

  [[nodiscard]] bool is_realtime() const noexcept override {
    return state_->realtime.load(std::memory_order_relaxed);
  }

 private:
  pthread_t thread_{};
  std::shared_ptr<ThreadState> state_;
  std::atomic<bool> tried_{false};  // a thread may try to join itself while another joins it
  std::atomic<bool> joined_{true};  // or never begun
};

class FutexSignal final : public ports::Signal {
 public:
  void signal() RT_SAFE override {
    if (raised_.exchange(1, std::memory_order_acq_rel) == 0) {
      futex_wake(&raised_, 1, FutexScope::in_process);
    }
  }

  bool wait(Instant deadline) override {
    while (raised_.exchange(0, std::memory_order_acq_rel) == 0) {
      if (time_left(deadline) == nanoseconds{0}) return false;
      futex_wait(&raised_, 0, deadline, FutexScope::in_process);
    }
    return true;
  }

 private:
  std::atomic<std::uint32_t> raised_{0};
};

/// The C library takes every module's static thread-local storage out of the stack, and a host can
/// have much of it. Its own count of that is the lower bound here, on top of what we need.
std::size_t stack_size(const pthread_attr_t& attributes) noexcept {
  using MinimumStack = std::size_t(const pthread_attr_t*);
  auto* minimum = reinterpret_cast<MinimumStack*>(dlsym(RTLD_DEFAULT, "__pthread_get_minstack"));
  const std::size_t bytes = kStackBytes + (minimum != nullptr ? minimum(&attributes) : 0);
  return (bytes + 65'535) / 65'536 * 65'536;
}

/// Threads of ours never run a host's signal handlers: they start with every signal blocked but
/// those that report the thread's own faults, which a host's crash reporter shall still see.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) {
      sigdelset(&all, fault);
    }
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

class PosixThreads final : public ports::Threads {
 public:
  Result<std::unique_ptr<ports::Thread>> start(const char* name, ports::ThreadRole role,
                                               std::function<void()> body) override {
    pin_module();
    auto state = std::make_shared<ThreadState>();
    state->body = std::move(body);
    state->role = role;
    std::strncpy(state->name, name, sizeof(state->name) - 1);
    auto holder = std::make_unique<std::shared_ptr<ThreadState>>(state);
    // Before it runs: nobody would hold a thread whose object finds no memory.
    auto object = std::make_unique<PosixThread>(state);

    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_size(attributes));
    pthread_t thread{};
    int error = 0;
    {
      const AllSignalsBlocked blocked;
      error = pthread_create(&thread, &attributes, thread_main, holder.get());
    }
    pthread_attr_destroy(&attributes);
    if (error != 0) return refusal(name, error);
    (void)holder.release();  // the thread has it now
    (void)wait_for(state->ready, monotonic_now() + kStartBound);
    object->begun(thread);
    return std::unique_ptr<ports::Thread>(std::move(object));
  }

  std::unique_ptr<ports::Signal> make_signal() override { return std::make_unique<FutexSignal>(); }

 private:
  static tl::unexpected<Error> refusal(const char* name, int error) {
    const std::string what = "The thread \"" + std::string(name) + "\" could not be started: ";
    if (error == EAGAIN) return fail(ErrorCode::limit_reached, what + "too many threads run.");
    if (error == ENOMEM) return fail(ErrorCode::out_of_memory, what + "out of memory.");
    return fail(ErrorCode::internal, what + "system error " + std::to_string(error) + ".");
  }
};

}  // namespace

std::unique_ptr<ports::Threads> make_threads() { return std::make_unique<PosixThreads>(); }

}  // namespace asiodrv::platform
