#include "service/arranged_device.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "platform/platform.hpp"
#include "service/testing/step_device.hpp"

namespace asiodrv::service {
namespace {

using testing::StepControl;
using testing::StepDevice;

struct Bench {
  std::unique_ptr<ports::Clock> clock = platform::make_clock();
  std::unique_ptr<ports::Threads> threads = platform::make_threads();
  std::shared_ptr<StepControl> control = std::make_shared<StepControl>(*clock, *threads);

  std::unique_ptr<ArrangedDevice> arranged(Config::Channels wanted) {
    return std::make_unique<ArrangedDevice>(std::make_unique<StepDevice>(control),
                                            std::move(wanted));
  }
};

TEST(arranged_device, channels_come_in_the_order_and_under_the_names_that_were_asked_for) {
  Bench bench;
  const auto device = bench.arranged({{3, 0}, {1}, {"Voice"}, {"Left"}});
  const StepDevice plain(bench.control);
  EXPECT_EQ(device->info().input_channels, 2U);
  EXPECT_EQ(device->info().output_channels, 1U);
  EXPECT_EQ(device->info().input_names,
            (std::vector<std::string>{"Voice", plain.info().input_names[0]}));
  EXPECT_EQ(device->info().output_names, (std::vector<std::string>{"Left"}));
}

TEST(arranged_device, what_is_played_at_a_place_leaves_at_its_channel_and_nowhere_else) {
  Bench bench;  // the device's wires go from output n to input n
  const auto device = bench.arranged({{1, 0}, {1}, {}, {}});
  ASSERT_TRUE(device->open({{48'000}, {16}}));
  ASSERT_TRUE(device->start());
  bench.control->allow(8);
  float heard[2] = {};
  for (int k = 0; k < 8; ++k) {
    ports::DevicePeriod period;
    ASSERT_EQ(device->wait_period(period), ports::PeriodStatus::ready);
    ASSERT_EQ(period.capture.channels, 2U);
    ASSERT_EQ(period.render.channels, 1U);
    for (int i = 0; i < 2; ++i) heard[i] = period.capture.channel(static_cast<unsigned>(i))[15];
    for (int i = 0; i < 16; ++i) period.render.channel(0)[i] = 0.5F;
    device->commit();
  }
  EXPECT_EQ(heard[0], 0.5F);  // the device's second input
  EXPECT_EQ(heard[1], 0.0F);  // its first, which nobody plays to
  device->stop();
  device->close();
}

TEST(arranged_device, a_channel_that_the_device_does_not_have_is_refused_by_name) {
  Bench bench;
  const StepDevice plain(bench.control);
  EXPECT_TRUE(ArrangedDevice::check(plain.info(), {{3}, {}, {}, {}}));
  const auto channel = ArrangedDevice::check(plain.info(), {{4}, {}, {}, {}});
  ASSERT_FALSE(channel);
  EXPECT_EQ(channel.error().message, "channels.inputs names channel 5; Step device has 4.");
  const auto names = ArrangedDevice::check(plain.info(), {{}, {1}, {}, {"a", "b"}});
  ASSERT_FALSE(names);
  EXPECT_EQ(names.error().message, "channels.output_names has 2 names; 1 channels are offered.");
}

}  // namespace
}  // namespace asiodrv::service
