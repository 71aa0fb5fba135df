#include "tests/support/rt_trap.hpp"

#include "core/base/rt.hpp"

#if defined(ASIODRV_RT_TRAP)

#include <cstdio>
#include <cstdlib>

namespace asiodrv::test {
namespace {

thread_local bool expecting = false;
thread_local std::uint32_t violations = 0;
thread_local const char* last_violation = "";

/// Called by every interposed function. Must not allocate: it runs inside malloc.
void check(const char* function) noexcept {
  int& depth = rt_depth();
  if (depth <= 0) return;
  if (expecting) {
    ++violations;
    last_violation = function;
    return;
  }
  depth = 0;  // the report itself may allocate
  std::fprintf(stderr, "real-time trap: %s was called inside an RtScope\n", function);
  std::abort();
}

}  // namespace

ExpectViolations::ExpectViolations() noexcept {
  expecting = true;
  violations = 0;
  last_violation = "";
}
ExpectViolations::~ExpectViolations() { expecting = false; }
std::uint32_t ExpectViolations::count() const noexcept { return violations; }
const char* ExpectViolations::last() const noexcept { return last_violation; }

}  // namespace asiodrv::test

#if defined(ASIODRV_SANITIZED)

extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*,
                                                                             std::size_t),
                                                         void (*free_hook)(const volatile void*));

namespace asiodrv::test {
namespace {
[[maybe_unused]] const int hooks_installed = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t) { check("malloc"); },
    [](const volatile void* block) {
      if (block != nullptr) check("free");
    });
}  // namespace
TrapAbilities trap_abilities() noexcept { return {true, true, false}; }
}  // namespace asiodrv::test

#elif defined(__linux__)

#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <ctime>

// glibc's allocator under its own names: no lookup, no recursion while the program starts.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);
}

namespace asiodrv::test {
namespace {
template <class Function>
Function* next(const char* name) noexcept {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}
}  // namespace
TrapAbilities trap_abilities() noexcept { return {true, true, true}; }
}  // namespace asiodrv::test

using asiodrv::test::check;
using asiodrv::test::next;

// Each wrapper resolves the real function once; a static's guard is not taken after that.
#define ASIODRV_FORWARD(result, name, parameters, arguments)      \
  __attribute__((visibility("default"))) result name parameters { \
    static auto* const real = next<result parameters>(#name);     \
    check(#name);                                                 \
    return real arguments;                                        \
  }

extern "C" {

__attribute__((visibility("default"))) void* malloc(std::size_t bytes) {
  check("malloc");
  return __libc_malloc(bytes);
}
__attribute__((visibility("default"))) void* calloc(std::size_t count, std::size_t bytes) {
  check("calloc");
  return __libc_calloc(count, bytes);
}
__attribute__((visibility("default"))) void* realloc(void* block, std::size_t bytes) {
  check("realloc");
  return __libc_realloc(block, bytes);
}
__attribute__((visibility("default"))) void* aligned_alloc(std::size_t alignment,
                                                           std::size_t bytes) {
  check("aligned_alloc");
  return __libc_memalign(alignment, bytes);
}
__attribute__((visibility("default"))) int posix_memalign(void** block, std::size_t alignment,
                                                          std::size_t bytes) {
  check("posix_memalign");
  *block = __libc_memalign(alignment, bytes);
  return *block == nullptr ? ENOMEM : 0;
}
__attribute__((visibility("default"))) void free(void* block) {
  if (block != nullptr) check("free");
  __libc_free(block);
}

ASIODRV_FORWARD(int, pthread_mutex_lock, (pthread_mutex_t * mutex), (mutex))
ASIODRV_FORWARD(int, pthread_cond_wait, (pthread_cond_t * condition, pthread_mutex_t* mutex),
                (condition, mutex))
ASIODRV_FORWARD(int, pthread_cond_timedwait,
                (pthread_cond_t * condition, pthread_mutex_t* mutex, const timespec* deadline),
                (condition, mutex, deadline))
// What std::condition_variable and std::timed_mutex wait in.
ASIODRV_FORWARD(int, pthread_cond_clockwait,
                (pthread_cond_t * condition, pthread_mutex_t* mutex, clockid_t clock,
                 const timespec* deadline),
                (condition, mutex, clock, deadline))
ASIODRV_FORWARD(int, pthread_mutex_clocklock,
                (pthread_mutex_t * mutex, clockid_t clock, const timespec* deadline),
                (mutex, clock, deadline))
ASIODRV_FORWARD(int, pthread_mutex_timedlock, (pthread_mutex_t * mutex, const timespec* deadline),
                (mutex, deadline))
ASIODRV_FORWARD(int, nanosleep, (const timespec* duration, timespec* left), (duration, left))
ASIODRV_FORWARD(int, clock_nanosleep,
                (clockid_t clock, int flags, const timespec* until, timespec* left),
                (clock, flags, until, left))
ASIODRV_FORWARD(int, usleep, (useconds_t duration), (duration))
ASIODRV_FORWARD(int, poll, (pollfd * descriptors, nfds_t count, int timeout),
                (descriptors, count, timeout))
ASIODRV_FORWARD(ssize_t, read, (int descriptor, void* into, std::size_t bytes),
                (descriptor, into, bytes))
ASIODRV_FORWARD(ssize_t, write, (int descriptor, const void* from, std::size_t bytes),
                (descriptor, from, bytes))

}  // extern "C"

#else  // a Windows test build: the C++ allocation functions

#include <new>

void* operator new(std::size_t bytes) {
  asiodrv::test::check("operator new");
  if (void* block = std::malloc(bytes == 0 ? 1 : bytes)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept {
  if (block != nullptr) asiodrv::test::check("operator delete");
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept { operator delete(block); }

namespace asiodrv::test {
TrapAbilities trap_abilities() noexcept { return {true, true, false}; }
}  // namespace asiodrv::test

#endif

#else  // not armed

namespace asiodrv::test {
TrapAbilities trap_abilities() noexcept { return {false, false, false}; }
ExpectViolations::ExpectViolations() noexcept = default;
ExpectViolations::~ExpectViolations() = default;
std::uint32_t ExpectViolations::count() const noexcept { return 0; }
const char* ExpectViolations::last() const noexcept { return ""; }
}  // namespace asiodrv::test

#endif
