#include "host/floor_timer.hpp"

namespace asiodrv::host {

FloorTimer::FloorTimer(World& world, double period_ns, std::size_t capacity)
    : world_(world), period_ns_(period_ns), woken_ns_(capacity) {}

Result<std::unique_ptr<FloorTimer>> FloorTimer::start(World& world, std::int32_t frames,
                                                      double rate, std::size_t capacity) {
  std::unique_ptr<FloorTimer> timer(new FloorTimer(world, frames * 1e9 / rate, capacity));
  auto thread = world.threads.start("floor-timer", ports::ThreadRole::audio,
                                    [self = timer.get()] { self->run(); });
  if (!thread) return tl::unexpected<Error>(thread.error());
  timer->thread_ = std::move(*thread);
  return timer;
}

FloorTimer::~FloorTimer() { stop(); }

void FloorTimer::stop() {
  if (!thread_) return;
  stopping_.store(true, std::memory_order_release);
  // Bounded by one period and a stall of the machine; the thread uses this object, so no sooner.
  while (!thread_->join(world_.clock.now() + std::chrono::seconds{1})) {
  }
  thread_.reset();
}

void FloorTimer::run() {
  const Instant begin = world_.clock.now();
  while (count_ < woken_ns_.size() && !stopping_.load(std::memory_order_acquire)) {
    const double due = static_cast<double>(count_ + 1) * period_ns_;
    world_.clock.sleep_until(begin + nanoseconds{static_cast<std::int64_t>(due)});
    woken_ns_[count_++] = world_.clock.now().ns;
  }
  cpu_time_ = thread_cpu_time();
}

std::vector<Tick> FloorTimer::ticks(std::int64_t from_ns, std::int64_t until_ns) const {
  std::vector<Tick> result;
  result.reserve(count_);
  for (std::size_t period = 0; period < count_; ++period) {
    const std::int64_t at = woken_ns_[period];
    if (at >= from_ns && at <= until_ns) result.push_back({static_cast<std::int64_t>(period), at});
  }
  return result;
}

}  // namespace asiodrv::host
