// A device that may not be there yet: a service starts, and programs open their driver, before the
// interface is switched on. Until it is there this stands for it, and says why it does not play; or
// a part of it plays meanwhile (the output, while the microphone is missing).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/ports/device.hpp"

namespace asiodrv::service {

/// Passes everything on to the device inside, once there is one; see ports::Device for threads.
class LateDevice final : public ports::Device {
 public:
  using Make = std::function<Result<std::unique_ptr<ports::Device>>()>;

  /// `make` has just failed with `why`. `name`: for people, until the device tells its own.
  /// `part`: what plays until then, or null.
  LateDevice(Make make, std::string name, Error why, std::unique_ptr<ports::Device> part = {})
      : make_(std::move(make)),
        why_(std::move(why)),
        is_part_(part != nullptr),
        inner_(std::move(part)) {
    // A guess that hosts can list; nothing can be opened on it.
    guess_.id = "absent";
    guess_.present = false;
    guess_.name = std::move(name);
    guess_.input_channels = guess_.output_channels = 2;
    guess_.rates = {{44'100}, {48'000}, {88'200}, {96'000}};
    guess_.default_rate = {48'000};
    guess_.min_period = {16};
    guess_.max_period = {8192};
    guess_.default_period = {256};
    for (const char* const side : {"Left", "Right"}) {
      guess_.input_names.push_back(std::string("Input ") + side);
      guess_.output_names.push_back(std::string("Output ") + side);
    }
  }

  /// Whether all of it was there when it was looked at last. Control threads.
  [[nodiscard]] bool is_complete() const noexcept { return inner_ && !is_part_; }

  [[nodiscard]] const ports::DeviceInfo& info() const noexcept override {
    return inner_ ? inner_->info() : guess_;
  }
  void refresh() override {
    if (inner_ && !is_part_) return inner_->refresh();
    if (auto made = make_()) {
      inner_ = std::move(*made);
      is_part_ = false;
      return;
    } else {
      why_ = std::move(made.error());
    }
    if (inner_) inner_->refresh();
  }
  [[nodiscard]] Result<> open(const ports::DeviceFormat& format) override {
    if (!inner_) refresh();
    if (!inner_) return fail(ErrorCode::device_gone, why_.message);
    return inner_->open(format);
  }
  [[nodiscard]] ports::DeviceLatency latency() const noexcept override {
    return inner_ ? inner_->latency() : ports::DeviceLatency{};
  }
  [[nodiscard]] Result<> start() override {
    return inner_ ? inner_->start() : fail(ErrorCode::device_gone, why_.message);
  }
  void stop() noexcept override {
    if (inner_) inner_->stop();
  }
  void close() noexcept override {
    if (inner_) inner_->close();
  }
  [[nodiscard]] std::vector<std::string> notes() const override {
    if (!inner_) return {why_.message};
    std::vector<std::string> notes = inner_->notes();
    if (is_part_) notes.push_back("Only a part of it plays: " + why_.message);
    return notes;
  }
  [[nodiscard]] std::string loss() const override { return inner_ ? inner_->loss() : ""; }
  [[nodiscard]] std::string mode() const override { return inner_ ? inner_->mode() : ""; }
  [[nodiscard]] std::vector<ports::DevicePart> parts() const override {
    return inner_ ? inner_->parts() : std::vector<ports::DevicePart>{};
  }
  [[nodiscard]] std::vector<ports::DevicePartEvent> take_part_events() override {
    return inner_ ? inner_->take_part_events() : std::vector<ports::DevicePartEvent>{};
  }
  [[nodiscard]] ports::ClockState clock_state() const noexcept override {
    return inner_ ? inner_->clock_state() : ports::ClockState{};
  }
  [[nodiscard]] Result<> select_clock(std::uint32_t source) override {
    return inner_ ? inner_->select_clock(source) : Device::select_clock(source);
  }
  [[nodiscard]] Result<> feed_external_clock(SampleRate rate) override {
    return inner_ ? inner_->feed_external_clock(rate) : Device::feed_external_clock(rate);
  }
  ports::PeriodStatus wait_period(ports::DevicePeriod& period) RT_SAFE override {
    return inner_ ? inner_->wait_period(period) : ports::PeriodStatus::lost;
  }
  bool commit() RT_SAFE override { return inner_ && inner_->commit(); }
  void interrupt() RT_SAFE override {
    if (inner_) inner_->interrupt();
  }

 private:
  const Make make_;
  Error why_;
  ports::DeviceInfo guess_;
  // Set by a control thread, while closed.
  bool is_part_;
  std::unique_ptr<ports::Device> inner_;
};

}  // namespace asiodrv::service
