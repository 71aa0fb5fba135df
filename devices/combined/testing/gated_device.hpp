// A device that can be made to hang in any of its calls until it is let go. Tests only.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

#include "core/ports/device.hpp"

namespace asiodrv::devices::test {

/// Shared by a test and its device, which may outlive the combined device.
class Gate {
 public:
  enum Call : unsigned { kOpen = 1, kStart = 2, kStop = 4, kClose = 8, kWait = 16 };

  /// From now on these calls hang. 0: all go on.
  void hold(unsigned calls) {
    const std::lock_guard lock(mutex_);
    held_ = calls;
    changed_.notify_all();
  }
  /// The call begins; hangs while it is held.
  void pass(unsigned call) {
    std::unique_lock lock(mutex_);
    inside_ |= call & held_;
    changed_.notify_all();
    // A test that forgets to let go ends at last.
    changed_.wait_for(lock, std::chrono::seconds{50}, [&] { return (held_ & call) == 0; });
    inside_ &= ~call;
    passed_ |= call;
    changed_.notify_all();
  }
  /// The call hangs now.
  [[nodiscard]] bool inside(unsigned call) {
    const std::lock_guard lock(mutex_);
    return (inside_ & call) != 0;
  }
  /// Until such a call has been let through; false after 20 s.
  [[nodiscard]] bool await(unsigned call) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds{20}, [&] { return (passed_ & call) != 0; });
  }
  void forget() {
    const std::lock_guard lock(mutex_);
    passed_ = 0;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned held_ = 0, inside_ = 0, passed_ = 0;
};

class GatedDevice final : public ports::Device {
 public:
  GatedDevice(std::unique_ptr<ports::Device> inner, std::shared_ptr<Gate> gate)
      : inner_(std::move(inner)), gate_(std::move(gate)) {}

  [[nodiscard]] const ports::DeviceInfo& info() const noexcept override { return inner_->info(); }
  [[nodiscard]] Result<> open(const ports::DeviceFormat& format) override {
    gate_->pass(Gate::kOpen);
    return inner_->open(format);
  }
  [[nodiscard]] ports::DeviceLatency latency() const noexcept override { return inner_->latency(); }
  [[nodiscard]] Result<> start() override {
    gate_->pass(Gate::kStart);
    return inner_->start();
  }
  void stop() noexcept override {
    gate_->pass(Gate::kStop);
    inner_->stop();
  }
  void close() noexcept override {
    inner_->close();
    gate_->pass(Gate::kClose);
  }
  ports::PeriodStatus wait_period(ports::DevicePeriod& period) RT_SAFE override {
    {
      const RtPermit broken;  // that is the point
      gate_->pass(Gate::kWait);
    }
    return inner_->wait_period(period);
  }
  bool commit() RT_SAFE override { return inner_->commit(); }
  void interrupt() RT_SAFE override { inner_->interrupt(); }

 private:
  std::unique_ptr<ports::Device> inner_;
  std::shared_ptr<Gate> gate_;
};

}  // namespace asiodrv::devices::test
