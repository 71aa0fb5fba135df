// A stand-in for the driver DLL: this folder's code inside a module that a foreign host loads,
// uses and unloads.
#include <atomic>
#include <chrono>

#include "platform/monotonic.hpp"
#include "platform/platform.hpp"
#include "platform/realtime.hpp"

#ifdef _WIN32
#define ASIODRV_TEST_EXPORT extern "C" __declspec(dllexport)
#else
#define ASIODRV_TEST_EXPORT extern "C" __attribute__((visibility("default")))
#endif

namespace {

std::atomic<int>* finished = nullptr;  // the host's

}  // namespace

/// Bit 0: the code believes to be in the program. Bit 1: it does not find its own file.
ASIODRV_TEST_EXPORT int asiodrv_test_where() {
  using namespace asiodrv::platform;
  const bool own = module_path(reinterpret_cast<const void*>(&asiodrv_test_where))
                       .find("platform_test_module") != std::string::npos;
  return (code_in_program() ? 1 : 0) | (own ? 0 : 2);
}

/// Leaves a thread behind that runs for `ms` more, then throws out of its body after setting
/// `*flag`. Returns 0 when it was started.
ASIODRV_TEST_EXPORT int asiodrv_test_leave_thread(int ms, std::atomic<int>* flag) {
  using namespace asiodrv;
  finished = flag;
  auto thread = platform::make_threads()->start("left", ports::ThreadRole::audio, [ms] {
    platform::make_clock()->sleep_until(platform::monotonic_now() + std::chrono::milliseconds{ms});
    finished->store(1);
    throw 1;  // must not end the host
  });
  return thread ? 0 : 1;  // dropped without join: a broken promise that the host must survive
}
