// A machine with one fake driver, inside a test.
#pragma once

#include <memory>

#include "host/system.hpp"
#include "host/testing/fake_driver.hpp"
#include "platform/platform.hpp"

namespace asiodrv::host {

struct FakeWorld {
  std::unique_ptr<ports::Clock> clock = platform::make_clock();
  std::unique_ptr<ports::Threads> threads = platform::make_threads();
  ControlThread control;
  World world{*clock, *threads, control};
};

}  // namespace asiodrv::host
