#include "devices/wasapi/system.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace asiodrv::devices::wasapi {

bool System::run_aside(std::function<void()> action, nanoseconds limit) {
  struct End {
    std::mutex mutex;
    std::condition_variable changed;
    bool reached = false;
  };
  const auto end = std::make_shared<End>();
  std::thread([this, end, action = std::move(action)]() mutable {
    {
      const std::shared_ptr<void> com = hold_com();
      action();
      action = nullptr;  // what it holds ends here
    }
    const std::lock_guard lock(end->mutex);
    end->reached = true;
    end->changed.notify_one();
  }).detach();
  std::unique_lock lock(end->mutex);
  return end->changed.wait_for(lock, limit, [&end] { return end->reached; });
}

}  // namespace asiodrv::devices::wasapi
