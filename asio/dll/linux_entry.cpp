// What libasio-driver.so exports: one function (exports.map).
#include <cstdlib>

#include "asio/dll/composition.hpp"
#include "asio/float_guard.hpp"

namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

/// A driver object; its one reference belongs to the caller. Null when the system has no memory.
extern "C" __attribute__((visibility("default"))) asiodrv::asio::AsioDriver*
asio_driver_create() noexcept {
  const asiodrv::asio::FloatGuard floats;
  try {
    return asiodrv::asio::compose_driver(
        {.instance = variable("ASIODRV_INSTANCE"), .config = variable("ASIODRV_CONFIG")});
  } catch (...) {  // a host's process is not ours to end
    return nullptr;
  }
}
