// The fake driver as a module that `asio-host --driver PATH` loads. The environment variable
// ASIODRV_FAKE holds its options.
#include <cstdio>
#include <cstdlib>

#include "host/testing/fake_driver.hpp"
#include "platform/platform.hpp"

#if defined(_WIN32)
#define FAKE_EXPORT __declspec(dllexport)
#else
#define FAKE_EXPORT __attribute__((visibility("default")))
#endif

extern "C" FAKE_EXPORT asiodrv::asio::AsioDriver* asio_driver_create() {
  // Never destroyed: threads of the driver may outlive everything else.
  static asiodrv::ports::Clock* const clock = asiodrv::platform::make_clock().release();
  static asiodrv::ports::Threads* const threads = asiodrv::platform::make_threads().release();
  const char* text = std::getenv("ASIODRV_FAKE");
  const auto options = asiodrv::host::parse_fake_options(text != nullptr ? text : "");
  if (!options) {
    std::fprintf(stderr, "ASIODRV_FAKE: %s\n", options.error().message.c_str());
    return nullptr;
  }
  return asiodrv::host::make_fake_driver(*options, *clock, *threads);
}
