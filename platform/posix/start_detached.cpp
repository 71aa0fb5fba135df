// Starts the agent from inside a foreign host. fork would copy a DAW's page tables and make its
// real-time threads fault on every page they touch next; here the children share the caller's
// memory until they execute (CLONE_VM | CLONE_VFORK, as posix_spawn does), and a second child
// makes the agent nobody's: the host gets neither its SIGCHLD nor a zombie.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "platform/platform.hpp"

// clone under the C library's own name: a wrapper around the public one (thread sanitizer) would
// take the child for a fork of the whole process and write that into the memory they share.
extern "C" int __clone(int (*body)(void*), void* stack_top, int flags, void* argument, ...);

namespace asiodrv::platform {
namespace {

constexpr std::size_t kChildStack = 64 * 1024;

/// Everything the children need, prepared before: they may only make system calls.
struct Plan {
  const char* program;
  const char* folder;
  char* const* arguments;
  char* const* environment;
  std::byte* second_stack_top;
  int error = 0;  ///< errno of the step that failed; shared memory, so no pipe is needed
};

// The children make their system calls directly: the library's functions may be wrapped by a
// sanitizer or by a preload of the host, and such a wrapper would work on the host's memory.

void close_all_but_standard() noexcept {
  if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0) return;
  for (int fd = 3; fd < 65'536; ++fd) syscall(SYS_close, fd);  // a kernel before 5.9
}

void use_default_signal_handlers() noexcept {
  constexpr std::size_t kKernelSetBytes = 8;
  const std::uint64_t all_default[8] = {};  // at least the kernel's structure, all zero: SIG_DFL
  for (int number = 1; number <= 64; ++number) {
    syscall(SYS_rt_sigaction, number, all_default, nullptr, kKernelSetBytes);
  }
  const std::uint64_t none_blocked = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none_blocked, nullptr, kKernelSetBytes);
}

int run_agent(void* argument) noexcept {
  Plan& plan = *static_cast<Plan*>(argument);
  const long nothing = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR);
  bool good = nothing >= 0;
  for (int standard = 0; good && standard < 3; ++standard) {
    good = nothing == standard || syscall(SYS_dup3, nothing, standard, 0) >= 0;
  }
  if (good) {
    close_all_but_standard();
    const sched_param ordinary{};
    syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &ordinary);  // we may come from a real-time one
    use_default_signal_handlers();
    good = syscall(SYS_chdir, plan.folder) == 0;
  }
  if (good) syscall(SYS_execve, plan.program, plan.arguments, plan.environment);
  plan.error = errno;
  return 127;  // from here straight into the kernel's exit: no handler of the host's runs
}

int run_between(void* argument) noexcept {
  Plan& plan = *static_cast<Plan*>(argument);
  syscall(SYS_setsid);
  const int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
  if (__clone(run_agent, plan.second_stack_top, flags, argument) < 0) plan.error = errno;
  return 0;
}

/// The caller's environment without what a host sets for itself: preloads and library paths.
std::vector<char*> fresh_environment() {
  std::vector<char*> kept;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with("LD_")) kept.push_back(*entry);
  }
  kept.push_back(nullptr);
  return kept;
}

/// Stacks for the two children, with an unmapped page below.
class ChildStacks {
 public:
  ChildStacks() noexcept
      : memory_(mmap(nullptr, 2 * kChildStack, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)) {}
  ~ChildStacks() {
    if (usable()) munmap(memory_, 2 * kChildStack);
  }
  ChildStacks(const ChildStacks&) = delete;
  ChildStacks& operator=(const ChildStacks&) = delete;

  [[nodiscard]] bool usable() const noexcept { return memory_ != MAP_FAILED; }
  [[nodiscard]] std::byte* top(std::size_t index) const noexcept {
    return static_cast<std::byte*>(memory_) + (index + 1) * kChildStack;
  }

 private:
  void* memory_;
};

Result<> start(Plan& plan) {
  const ChildStacks stacks;
  if (!stacks.usable()) return fail(ErrorCode::out_of_memory, "There is no memory for a child.");
  plan.second_stack_top = stacks.top(1);

  // No handler of the host may run in a child: it would run in the host's memory.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t between =
      __clone(run_between, stacks.top(0), CLONE_VM | CLONE_VFORK | SIGCHLD, &plan);
  if (between < 0) {
    plan.error = errno;
  } else {
    while (waitpid(between, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (plan.error == 0) return {};

  const ErrorCode code = plan.error == ENOENT || plan.error == ENOTDIR ? ErrorCode::not_found
                         : plan.error == EACCES || plan.error == EPERM ? ErrorCode::access_denied
                                                                       : ErrorCode::internal;
  return fail(code, std::string("The program ") + plan.program +
                        " could not be started: " + std::strerror(plan.error) + ".");
}

}  // namespace

Result<> start_detached(const std::string& program, const std::vector<std::string>& arguments) {
  if (program.empty() || program[0] != '/') {
    return fail(ErrorCode::invalid_argument, "The program's path must be absolute: " + program);
  }
  const std::string folder = program.substr(0, std::max<std::size_t>(program.rfind('/'), 1));
  std::vector<char*> words{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments)
    words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  const std::vector<char*> environment = fresh_environment();
  Plan plan{.program = program.c_str(),
            .folder = folder.c_str(),
            .arguments = words.data(),
            .environment = environment.data(),
            .second_stack_top = nullptr};
  return start(plan);
}

}  // namespace asiodrv::platform
