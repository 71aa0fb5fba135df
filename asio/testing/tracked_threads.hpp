// Threads that a test can wait for: what a host still holds up must not outlive the test.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "core/ports/thread.hpp"

namespace asiodrv::asio::testing {

class TrackedThreads final : public ports::Threads {
 public:
  explicit TrackedThreads(std::unique_ptr<ports::Threads> real) : real_(std::move(real)) {}

  [[nodiscard]] Result<std::unique_ptr<ports::Thread>> start(const char* name,
                                                             ports::ThreadRole role,
                                                             std::function<void()> body) override {
    count(1);
    auto started = real_->start(name, role, [this, body = std::move(body)]() mutable {
      body();
      body = nullptr;
      count(-1);
    });
    if (!started) count(-1);
    return started;
  }
  [[nodiscard]] std::unique_ptr<ports::Signal> make_signal() override {
    return real_->make_signal();
  }

  /// True when every body has returned and is destroyed.
  bool await_ended() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds{30}, [&] { return running_ == 0; });
  }

 private:
  void count(int by) {
    const std::lock_guard lock(mutex_);
    running_ += by;
    changed_.notify_all();
  }

  const std::unique_ptr<ports::Threads> real_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int running_ = 0;
};

}  // namespace asiodrv::asio::testing
