#include "devices/combined/member_keeper.hpp"

#include <chrono>
#include <utility>

namespace asiodrv::devices {
namespace {

constexpr nanoseconds kRetryEvery = std::chrono::milliseconds{500};

}  // namespace

/// What the thread needs as long as it runs.
struct MemberKeeper::Life {
  Life(ports::Clock& the_clock, ports::Threads* threads, std::unique_ptr<ports::Device> device)
      : clock(the_clock), runner(the_clock, threads, std::move(device)) {}

  /// Carries out the newest order once; true when there is nothing to wait for.
  bool turn() {
    MemberOrder current;
    {
      const ports::MutexLock lock(mutex);
      current = order;
    }
    const bool carried_out = runner.follow(current);
    const ports::MutexLock lock(mutex);
    opened = runner.opened();
    latency = runner.latency();
    mode = runner.mode();
    trouble = runner.trouble();
    info = runner.device().info();
    returns.store(runner.returns(), std::memory_order_relaxed);
    needs_plan.store(runner.needs_plan(), std::memory_order_relaxed);
    if (carried_out) reached = current.number;
    return carried_out && (order.number != current.number || is_over());
  }

  /// Under the mutex.
  [[nodiscard]] bool is_over() const {
    return order.wish == MemberOrder::Wish::closed && reached == order.number;
  }

  /// The thread's body.
  void serve() {
    for (;;) {
      const bool go_on = turn();
      progress->signal();
      if (!go_on) (void)wake->wait(clock.now() + kRetryEvery);
      const ports::MutexLock lock(mutex);
      if (!is_over()) continue;
      alive = false;
      return;
    }
  }

  ports::Clock& clock;
  MemberRunner runner;  // the thread's, or the caller's where there is none
  std::shared_ptr<ports::Signal> wake, progress;
  std::atomic<std::uint64_t> returns{0};
  std::atomic<bool> needs_plan{false};  // what it is now is below, under the mutex

  mutable ports::Mutex mutex;  // the rest
  MemberOrder order;
  std::uint64_t reached = 0;
  bool alive = false;  // the thread will look at the order again
  Result<> opened;
  ports::DeviceLatency latency{};
  std::string mode, trouble;
  ports::DeviceInfo info;  // of the device, which only the thread may ask
};

MemberKeeper::MemberKeeper(ports::Clock& clock, ports::Threads* threads,
                           std::shared_ptr<ports::Signal> progress,
                           std::unique_ptr<ports::Device> device)
    : info_(device->info()),
      threads_(threads),
      life_(std::make_shared<Life>(clock, threads, std::move(device))) {
  life_->info = info_;
  life_->progress = std::move(progress);
  if (threads_ != nullptr) life_->wake = threads_->make_signal();
}

MemberKeeper::~MemberKeeper() { settle(life_->clock.now()); }

ports::Device& MemberKeeper::device() const noexcept { return life_->runner.device(); }

void MemberKeeper::renew() {
  const ports::MutexLock lock(life_->mutex);
  if (life_->reached == life_->order.number) info_ = life_->info;
}

void MemberKeeper::refresh() {
  {
    const ports::MutexLock lock(life_->mutex);
    if (life_->alive || !life_->is_over()) return;
  }
  life_->runner.device().refresh();  // no thread has it now
  {
    const ports::MutexLock lock(life_->mutex);
    life_->info = life_->runner.device().info();
  }
  renew();
}

Result<> MemberKeeper::give(MemberOrder order) {
  bool alive = false;
  {
    const ports::MutexLock lock(life_->mutex);
    order.number = life_->order.number + 1;
    life_->order = std::move(order);
    if (threads_ != nullptr && !life_->alive && life_->order.wish == MemberOrder::Wish::closed) {
      life_->reached = life_->order.number;  // it is: its thread has seen to it
      return {};
    }
    alive = std::exchange(life_->alive, threads_ != nullptr);
  }
  if (threads_ == nullptr) {
    (void)life_->turn();
    return {};
  }
  life_->wake->signal();
  if (alive) return {};
  if (thread_) (void)thread_->join(life_->clock.now() + kRetryEvery);  // its last instructions
  auto thread = threads_->start("asiodrv-keeper", ports::ThreadRole::control,
                                [life = life_] { life->serve(); });
  if (!thread) {
    const ports::MutexLock lock(life_->mutex);
    life_->alive = false;
    life_->reached = life_->order.number;  // by nobody
    return tl::unexpected(std::move(thread.error()));
  }
  thread_ = std::move(*thread);
  return {};
}

void MemberKeeper::retry() {
  if (threads_ == nullptr) (void)life_->turn();
}

void MemberKeeper::settle(Instant deadline) {
  if (thread_ && thread_->join(deadline)) thread_.reset();
}

bool MemberKeeper::done() const {
  const ports::MutexLock lock(life_->mutex);
  return life_->reached == life_->order.number;
}

Result<> MemberKeeper::opened() const {
  const ports::MutexLock lock(life_->mutex);
  return life_->opened;
}

ports::DeviceLatency MemberKeeper::latency() const {
  const ports::MutexLock lock(life_->mutex);
  return life_->latency;
}

std::string MemberKeeper::mode() const {
  const ports::MutexLock lock(life_->mutex);
  return life_->mode;
}

std::string MemberKeeper::trouble() const {
  const ports::MutexLock lock(life_->mutex);
  return life_->trouble;
}

std::uint64_t MemberKeeper::returns() const noexcept {
  return life_->returns.load(std::memory_order_relaxed);
}

bool MemberKeeper::needs_plan() const RT_SAFE {
  return life_->needs_plan.load(std::memory_order_relaxed);
}

}  // namespace asiodrv::devices
