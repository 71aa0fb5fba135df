// A device whose periods are counted on when it is stopped and started again, or another one takes
// its place, so that a period's number means one moment only, in every flight record of a service's
// life.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/ports/device.hpp"

namespace asiodrv::service {

/// Passes everything on to the device inside; see ports::Device for threads.
class ContinuousDevice final : public ports::Device {
 public:
  explicit ContinuousDevice(std::unique_ptr<ports::Device> inner) : inner_(std::move(inner)) {}

  [[nodiscard]] const ports::DeviceInfo& info() const noexcept override { return inner_->info(); }
  void refresh() override { inner_->refresh(); }
  [[nodiscard]] Result<> open(const ports::DeviceFormat& format) override {
    return inner_->open(format);
  }
  [[nodiscard]] std::vector<std::string> notes() const override { return inner_->notes(); }
  [[nodiscard]] std::string loss() const override { return inner_->loss(); }
  [[nodiscard]] std::vector<ports::DevicePart> parts() const override { return inner_->parts(); }
  [[nodiscard]] std::vector<ports::DevicePartEvent> take_part_events() override {
    gather_part_events();
    return std::exchange(part_events_, {});
  }
  [[nodiscard]] ports::DeviceLatency latency() const noexcept override { return inner_->latency(); }
  [[nodiscard]] std::string mode() const override { return inner_->mode(); }
  [[nodiscard]] Result<> start() override {
    gather_part_events();  // what happened until now is counted from where that stream began
    base_ = next_index();
    return inner_->start();
  }
  void stop() noexcept override { inner_->stop(); }
  void close() noexcept override { inner_->close(); }
  [[nodiscard]] ports::ClockState clock_state() const noexcept override {
    return inner_->clock_state();
  }
  [[nodiscard]] Result<> select_clock(std::uint32_t source) override {
    return inner_->select_clock(source);
  }
  [[nodiscard]] Result<> feed_external_clock(SampleRate rate) override {
    return inner_->feed_external_clock(rate);
  }

  ports::PeriodStatus wait_period(ports::DevicePeriod& period) RT_SAFE override {
    const ports::PeriodStatus status = inner_->wait_period(period);
    if (status != ports::PeriodStatus::ready) return status;
    period.index += base_;
    next_index_.store(period.index + 1, std::memory_order_relaxed);
    return status;
  }
  bool commit() RT_SAFE override { return inner_->commit(); }
  void interrupt() RT_SAFE override { inner_->interrupt(); }

  /// Puts another device into its place; only while closed.
  void exchange(std::unique_ptr<ports::Device>& other) noexcept { inner_.swap(other); }

  /// The number of the next period, at the earliest. Any thread.
  [[nodiscard]] std::uint64_t next_index() const noexcept {
    return next_index_.load(std::memory_order_relaxed);
  }

 private:
  void gather_part_events() {
    for (ports::DevicePartEvent& event : inner_->take_part_events()) {
      event.period += base_;
      part_events_.push_back(std::move(event));
    }
  }

  std::unique_ptr<ports::Device> inner_;
  std::uint64_t base_ = 0;                           // written while stopped
  std::vector<ports::DevicePartEvent> part_events_;  // of earlier streams, not yet taken
  std::atomic<std::uint64_t> next_index_{0};
};

}  // namespace asiodrv::service
