#include "simulation/fibers/ports.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace asiodrv::simulation {
namespace {

class FiberThread final : public ports::Thread {
 public:
  FiberThread(Scheduler& scheduler, std::shared_ptr<Fiber> fiber)
      : scheduler_(scheduler), fiber_(std::move(fiber)) {}
  ~FiberThread() override {
    if (joined_) return;
    std::fprintf(stderr, "simulation: %s of %s was destroyed without a join\n",
                 fiber_->name.c_str(), fiber_->process.name.c_str());
    std::abort();
  }

  bool join(Instant deadline) override {
    while (!fiber_->done && scheduler_.now() < deadline) {
      fiber_->joiners.push_back(&scheduler_.running());
      (void)scheduler_.park(deadline);
      std::erase(fiber_->joiners, &scheduler_.running());
    }
    joined_ = fiber_->done;
    return joined_;
  }
  [[nodiscard]] bool is_current() const noexcept override {
    return &scheduler_.running() == fiber_.get();
  }
  [[nodiscard]] bool is_realtime() const noexcept override {
    return ports::is_realtime(fiber_->role);
  }

 private:
  Scheduler& scheduler_;
  const std::shared_ptr<Fiber> fiber_;
  bool joined_ = false;
};

class FiberSignal final : public ports::Signal {
 public:
  explicit FiberSignal(Scheduler& scheduler) : scheduler_(scheduler) {}

  void signal() RT_SAFE override {
    set_ = true;
    if (waiters_.first != nullptr) scheduler_.unpark(*waiters_.first->fiber);
  }
  bool wait(Instant deadline) override {
    while (!set_ && scheduler_.now() < deadline) {
      Waiters::Node node{&scheduler_.running(), nullptr};
      waiters_.add(node);
      (void)scheduler_.park(deadline);
      waiters_.remove(node);
    }
    return std::exchange(set_, false);
  }

 private:
  Scheduler& scheduler_;
  Waiters waiters_;
  bool set_ = false;
};

}  // namespace

Result<std::unique_ptr<ports::Thread>> FiberThreads::start(const char* name, ports::ThreadRole role,
                                                           std::function<void()> body) {
  return std::make_unique<FiberThread>(scheduler_,
                                       scheduler_.start(name, process_, role, std::move(body)));
}

std::unique_ptr<ports::Signal> FiberThreads::make_signal() {
  return std::make_unique<FiberSignal>(scheduler_);
}

}  // namespace asiodrv::simulation
