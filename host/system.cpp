#include "host/system.hpp"

namespace asiodrv::host {

bool wait_until(World& world, nanoseconds limit, const std::function<bool()>& done,
                nanoseconds step) {
  const Instant deadline = world.clock.now() + limit;
  while (!done()) {
    if (world.clock.now() >= deadline) return done();
    world.control.wait(step);
  }
  return true;
}

}  // namespace asiodrv::host
