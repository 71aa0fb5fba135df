// A device whose channels are in another order, under other names, and maybe fewer: as its user
// wants to see them. Costs nothing per sample: only pointers are exchanged.
#pragma once

#include <memory>
#include <vector>

#include "core/ports/device.hpp"
#include "service/config.hpp"

namespace asiodrv::service {

class ArrangedDevice final : public ports::Device {
 public:
  ArrangedDevice(std::unique_ptr<ports::Device> inner, Config::Channels wanted);

  /// Errors: invalid_argument, naming the key, the channel and how many there are. A device that
  /// is not there now is not judged.
  [[nodiscard]] static Result<> check(const ports::DeviceInfo& info,
                                      const Config::Channels& wanted);

  [[nodiscard]] const ports::DeviceInfo& info() const noexcept override { return info_; }
  void refresh() override;
  [[nodiscard]] Result<> open(const ports::DeviceFormat& format) override;
  [[nodiscard]] ports::DeviceLatency latency() const noexcept override { return inner_->latency(); }
  [[nodiscard]] Result<> start() override { return inner_->start(); }
  void stop() noexcept override { inner_->stop(); }
  void close() noexcept override { inner_->close(); }
  [[nodiscard]] std::vector<std::string> notes() const override { return inner_->notes(); }
  [[nodiscard]] std::string loss() const override { return inner_->loss(); }
  [[nodiscard]] std::string mode() const override { return inner_->mode(); }
  [[nodiscard]] std::vector<ports::DevicePart> parts() const override { return inner_->parts(); }
  [[nodiscard]] std::vector<ports::DevicePartEvent> take_part_events() override {
    return inner_->take_part_events();
  }
  [[nodiscard]] ports::ClockState clock_state() const noexcept override {
    return inner_->clock_state();
  }
  [[nodiscard]] Result<> select_clock(std::uint32_t source) override {
    return inner_->select_clock(source);
  }
  [[nodiscard]] Result<> feed_external_clock(SampleRate rate) override {
    return inner_->feed_external_clock(rate);
  }
  ports::PeriodStatus wait_period(ports::DevicePeriod& period) RT_SAFE override;
  bool commit() RT_SAFE override { return inner_->commit(); }
  void interrupt() RT_SAFE override { inner_->interrupt(); }

 private:
  /// One direction: which channel of the device stands at each place; kNone: it has gone.
  struct Side {
    std::vector<std::uint32_t> order;
    std::vector<std::uint32_t> left_out;  ///< of the device, not offered
  };
  static constexpr std::uint32_t kNone = UINT32_MAX;

  static Side arrange(const std::vector<std::uint32_t>& wanted, std::uint32_t channels);
  void arrange();

  const std::unique_ptr<ports::Device> inner_;
  const Config::Channels wanted_;
  ports::DeviceInfo info_;
  Side inputs_, outputs_;
  std::vector<const float*> capture_;  // of the period under way
  std::vector<float*> render_;
  std::vector<float> silence_, nowhere_;  // one block each, while open
};

}  // namespace asiodrv::service
