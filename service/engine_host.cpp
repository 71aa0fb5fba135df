#include "service/engine_host.hpp"

#include <cstdio>
#include <cstdlib>
#include <new>
#include <utility>

namespace asiodrv::service {
namespace {

/// wait_period returns within 500 ms and a cycle within a period; a thread that takes longer is
/// stuck in a system call, and nothing here could still be trusted.
constexpr nanoseconds kStopLimit = std::chrono::seconds{2};

}  // namespace

EngineHost::EngineHost(EngineHostPorts ports, std::unique_ptr<ports::Device> device,
                       const engine::EngineOptions& options)
    : ports_(std::move(ports)), device_(std::move(device)), engine_(ports_.clock, options) {}

EngineHost::~EngineHost() { release(); }

ports::DeviceLatency EngineHost::latency() const noexcept {
  return open_ ? device_.latency() : ports::DeviceLatency{};
}

Result<> EngineHost::prepare(const ports::DeviceFormat& format) {
  const bool same = format.rate == format_.rate && format.period == format_.period;
  if (open_ && same && !is_lost()) return {};
  const bool streaming = engine_.started_clients() > 0;
  close();
  format_ = format;
  lost_.store(streaming, std::memory_order_release);  // also where there is no memory for the rest
  if (auto opened = device_.open(format); !opened) return opened;
  open_ = true;
  engine_.set_device(&device_, format);
  lost_.store(false, std::memory_order_release);  // before the thread that may say otherwise
  if (!streaming) return {};
  try {
    auto begun = begin_stream();
    if (!begun) lost_.store(true, std::memory_order_release);
    return begun;
  } catch (...) {
    lost_.store(true, std::memory_order_release);
    throw;
  }
}

Result<> EngineHost::exchange(std::unique_ptr<ports::Device>& other,
                              const ports::DeviceFormat& format) {
  const ports::DeviceFormat before = format_;
  const bool in_use = open_ || is_lost();
  close();
  device_.exchange(other);
  lost_.store(false, std::memory_order_release);
  if (!in_use) {
    format_ = {};
    return {};
  }
  Result<> moved;
  try {
    moved = prepare(format);
  } catch (const std::bad_alloc&) {
    moved = fail(ErrorCode::out_of_memory,
                 "There is no memory for another device; close other programs and try again.");
  }
  if (moved) return moved;
  close();
  device_.exchange(other);
  if (!prepare(before)) lost_.store(true, std::memory_order_release);
  return moved;
}

void EngineHost::quieten() {
  if (is_lost()) end_stream();
}

void EngineHost::suspend() {
  if (!open_) return;
  const bool streaming = engine_.started_clients() > 0;
  if (streaming) lost_.store(true, std::memory_order_release);  // also where close has no memory
  close();
  lost_.store(streaming, std::memory_order_release);
}

void EngineHost::release() {
  close();
  lost_.store(false, std::memory_order_release);
}

void EngineHost::close() {
  end_stream();
  if (!open_) return;
  engine_.set_device(nullptr, {});
  device_.close();
  open_ = false;
}

Result<> EngineHost::start(std::uint32_t id, bool prefilled) {
  if (is_lost() || !open_) {
    if (auto recovered = prepare(format_); !recovered) return recovered;
  }
  if (auto started = engine_.start_client(id, prefilled); !started) return started;
  if (thread_) return {};
  try {
    auto begun = begin_stream();
    if (!begun) {
      // Nobody waits for a device that stands still, so nobody noticed if it went or was set up
      // anew.
      close();
      begun = prepare(format_);
    }
    if (!begun) engine_.stop_client(id);
    return begun;
  } catch (...) {  // no memory: as if nobody had asked
    engine_.stop_client(id);
    throw;
  }
}

void EngineHost::stop(std::uint32_t id) {
  engine_.stop_client(id);
  if (engine_.started_clients() == 0) end_stream();
}

void EngineHost::remove(std::uint32_t id) {
  engine_.remove_client(id);
  if (engine_.started_clients() == 0) end_stream();
}

Result<> EngineHost::begin_stream() {
  boost_ = ports_.hold_boost();
  auto started = device_.start();
  if (!started) {
    boost_.reset();
    return started;
  }
  stop_wanted_.store(false, std::memory_order_release);
  try {
    auto thread = ports_.threads.start("asiodrv-engine", ports::ThreadRole::engine,
                                       [this] { audio_thread(); });
    if (thread)
      thread_ = std::move(*thread);
    else
      started = tl::unexpected<Error>(std::move(thread.error()));
  } catch (...) {
    device_.stop();
    boost_.reset();
    throw;
  }
  if (!started) {
    device_.stop();
    boost_.reset();
    return started;
  }
  realtime_ = thread_->is_realtime();
  return {};
}

void EngineHost::end_stream() {
  if (!thread_) return;
  stop_wanted_.store(true, std::memory_order_release);
  engine_.request_stop();
  if (!thread_->join(ports_.clock.now() + kStopLimit)) {
    std::fputs("The engine thread does not stop. Ending the service.\n", stderr);
    std::abort();
  }
  thread_.reset();
  device_.stop();
  boost_.reset();
}

void EngineHost::audio_thread() {
  while (!stop_wanted_.load(std::memory_order_acquire)) {
    if (engine_.run()) continue;  // asked to stop: by us, or by a request that came too late before
    lost_.store(true, std::memory_order_release);
    ports_.on_lost();
    return;
  }
}

}  // namespace asiodrv::service
