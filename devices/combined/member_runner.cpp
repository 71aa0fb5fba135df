#include "devices/combined/member_runner.hpp"

#include <chrono>
#include <utility>

namespace asiodrv::devices {
namespace {

/// wait_period comes back within 500 ms, interrupted within far less.
constexpr nanoseconds kJoinBound = std::chrono::seconds{1};

bool is_away(ErrorCode code) {
  return code == ErrorCode::device_gone || code == ErrorCode::device_busy ||
         code == ErrorCode::access_denied || code == ErrorCode::not_found;
}

}  // namespace

MemberRunner::MemberRunner(ports::Clock& clock, ports::Threads& threads,
                           std::unique_ptr<ports::Device> device)
    : clock_(clock), threads_(threads), parts_(std::make_shared<Parts>()) {
  parts_->device = std::move(device);
}

MemberRunner::~MemberRunner() { close(); }

Result<> MemberRunner::open(const ports::DeviceFormat& format) {
  if (abandoned_) {
    return fail(ErrorCode::internal, info().name +
                                         " still has a thread that never ended: restart the "
                                         "service.");
  }
  format_ = format;
  planned_ = {format.period, format.period};
  if (Result<> opened = parts_->device->open(format); !opened) {
    if (is_away(opened.error().code)) return {};
    return opened;
  }
  open_ = true;
  planned_ = parts_->device->latency();
  return {};
}

ports::DeviceLatency MemberRunner::latency() const noexcept { return planned_; }

void MemberRunner::prepare(Frames capacity) {
  const ports::DeviceInfo& own = info();
  parts_->exchange =
      std::make_unique<MemberExchange>(own.input_channels, own.output_channels, capacity);
  parts_->pump = std::make_unique<MemberPump>(*parts_->device, *parts_->exchange, format_.period,
                                              format_.rate);
}

Result<> MemberRunner::start() {
  if (!open_) return {};
  return run();
}

/// The device is open and nothing runs. A device that refuses to start is closed, and lost.
Result<> MemberRunner::run() {
  if (Result<> started = parts_->device->start(); !started) {
    close();
    return {};
  }
  started_ = true;
  parts_->stop_wanted.store(false, std::memory_order_release);
  parts_->pump->begin();
  auto thread = threads_.start("asiodrv-member", ports::ThreadRole::audio, [parts = parts_] {
    while (!parts->stop_wanted.load(std::memory_order_acquire)) {
      if (parts->pump->step() == ports::PeriodStatus::lost) break;
    }
  });
  if (!thread) {
    close();
    return tl::unexpected(std::move(thread.error()));
  }
  thread_ = std::move(*thread);
  return {};
}

bool MemberRunner::is_lost() const noexcept {
  return parts_->exchange->epoch.load(std::memory_order_acquire) == 0;
}

void MemberRunner::retry(Frames spare) {
  if (abandoned_) return;
  close();  // what is left of the earlier start
  if (abandoned_ || !parts_->device->open(format_)) return;
  open_ = true;
  const ports::DeviceLatency own = parts_->device->latency();
  const bool fits = own.input.count <= planned_.input.count + spare.count &&
                    own.output.count <= planned_.output.count + spare.count;
  if (!fits || !run()) return close();
  if (started_) returns_.fetch_add(1, std::memory_order_relaxed);
}

void MemberRunner::request_stop() noexcept {
  parts_->stop_wanted.store(true, std::memory_order_release);
  if (thread_) parts_->device->interrupt();
}

void MemberRunner::stop(Instant deadline) noexcept {
  if (abandoned_) return;
  request_stop();
  if (thread_) {
    const bool ended = thread_->join(deadline);
    thread_.reset();
    if (!ended) {
      abandoned_ = true;  // it keeps the parts; nobody else touches the device any more
      return;
    }
  }
  if (parts_->pump) parts_->pump->end();
  if (std::exchange(started_, false)) parts_->device->stop();
}

void MemberRunner::close() noexcept {
  stop(clock_.now() + kJoinBound);
  if (!abandoned_ && std::exchange(open_, false)) parts_->device->close();
}

}  // namespace asiodrv::devices
