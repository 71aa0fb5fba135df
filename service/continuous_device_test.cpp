#include "service/continuous_device.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace asiodrv::service {
namespace {

/// Its periods come when they are waited for, and its parts do what a test says.
class PartedDevice final : public ports::Device {
 public:
  const ports::DeviceInfo& info() const noexcept override { return info_; }
  Result<> open(const ports::DeviceFormat&) override { return {}; }
  ports::DeviceLatency latency() const noexcept override { return {}; }
  Result<> start() override {
    index_ = 0;
    return {};
  }
  void stop() noexcept override {}
  void close() noexcept override {}
  std::vector<ports::DevicePartEvent> take_part_events() override {
    return std::exchange(events_, {});
  }
  ports::PeriodStatus wait_period(ports::DevicePeriod& period) RT_SAFE override {
    period = {};
    period.index = index_++;
    return ports::PeriodStatus::ready;
  }
  bool commit() RT_SAFE override { return true; }
  void interrupt() RT_SAFE override {}

  /// A part leaves in period `number` of the present stream.
  void lose_a_part_in(std::uint64_t number) {
    ports::DevicePartEvent event;
    event.part = "Box";
    event.what = "left";
    event.period = number;
    events_.push_back(std::move(event));
  }

 private:
  ports::DeviceInfo info_;
  std::vector<ports::DevicePartEvent> events_;
  std::uint64_t index_ = 0;
};

TEST(continuous_device, what_happened_to_parts_keeps_its_period_over_a_restart) {
  auto inner = std::make_unique<PartedDevice>();
  PartedDevice& parted = *inner;
  ContinuousDevice device(std::move(inner));
  ASSERT_TRUE(device.open({}));
  ASSERT_TRUE(device.start());
  ports::DevicePeriod period;
  for (int i = 0; i < 10; ++i) ASSERT_EQ(device.wait_period(period), ports::PeriodStatus::ready);
  parted.lose_a_part_in(4);
  device.stop();
  ASSERT_TRUE(device.start());
  ASSERT_EQ(device.wait_period(period), ports::PeriodStatus::ready);
  EXPECT_EQ(period.index, 10U);
  parted.lose_a_part_in(2);
  const auto events = device.take_part_events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].period, 4U);
  EXPECT_EQ(events[1].period, 12U);
  EXPECT_TRUE(device.take_part_events().empty());
}

}  // namespace
}  // namespace asiodrv::service
