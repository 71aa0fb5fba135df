// A device on a Windows made of arithmetic, driven period by period in virtual time. The end of
// every test looks for broken rules and for what was not given back.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/rt.hpp"
#include "devices/wasapi/fake/endpoint.hpp"
#include "devices/wasapi/fake/world.hpp"
#include "devices/wasapi/wasapi_device.hpp"

namespace asiodrv::devices::wasapi::test {

struct Bench {
  fake::World world;
  fake::Endpoint* out = nullptr;
  fake::Endpoint* in = nullptr;
  std::shared_ptr<void> com;
  std::unique_ptr<WasapiDevice> device;
  ports::DevicePeriod period;
  ports::DeviceFormat format;
  std::uint64_t sent = 0;  // frames committed
  std::uint64_t lost = 0, gaps = 0, refused = 0, periods = 0;
  bool quiet = false;  // commit silence

  explicit Bench(fake::WorldOptions options = {}) : world(options), com(world.hold_com()) {}
  ~Bench() {
    device.reset();
    com.reset();
    EXPECT_EQ(world.violations(), std::vector<std::string>{});
    EXPECT_EQ(world.leaks(), std::vector<std::string>{});
  }

  void plug(fake::Personality personality, std::function<void(fake::EndpointSpec&)> change = {}) {
    for (const Flow flow : {Flow::render, Flow::capture}) {
      fake::EndpointSpec spec = make_spec(personality, flow);
      if (change) change(spec);
      (flow == Flow::render ? out : in) = &world.add_endpoint(spec);
    }
  }

  Result<> make(WasapiOptions options = {}) {
    auto made = make_wasapi_device(world, world.clock(), std::move(options));
    if (!made) return tl::unexpected(made.error());
    device = std::move(*made);
    format = {device->info().default_rate, device->info().default_period};
    return {};
  }

  /// Opens at `format` and starts.
  Result<> run() {
    if (Result<> opened = device->open(format); !opened) return opened;
    sent = 0;
    return device->start();
  }

  /// Frame `n` of what is sent: never 0, exact in 24 bits, the channels apart.
  static float tag(std::uint64_t n, std::uint32_t channel) {
    return static_cast<float>(1 + n % 65'521 + channel * 100'000) * 0x1p-23F * 16;
  }

  /// One period: waits, sends the next tags, commits. The trap is armed.
  ports::PeriodStatus serve() {
    const RtScope rt;
    const ports::PeriodStatus status = device->wait_period(period);
    if (status != ports::PeriodStatus::ready) return status;
    ++periods;
    lost += period.lost;
    gaps += period.gap ? 1 : 0;
    for (std::uint32_t channel = 0; channel < period.render.channels; ++channel) {
      for (std::uint32_t i = 0; i < period.render.frames.count; ++i) {
        period.render.channel(channel)[i] = quiet ? 0 : tag(sent + i, channel);
      }
    }
    sent += period.render.frames.count;
    refused += device->commit() ? 0 : 1;
    return status;
  }

  /// Up to `count` periods; the number that came.
  int serve(int count) {
    for (int i = 0; i < count; ++i) {
      if (serve() != ports::PeriodStatus::ready) return i;
    }
    return count;
  }

  /// The tags that the converter played, in order: true when they are 0, 1, 2, ... without a hole
  /// or a repetition, and at least `least` of them.
  [[nodiscard]] ::testing::AssertionResult played_unbroken(std::uint64_t least) const {
    const fake::Recorder& recorder = out->recorder();
    std::uint64_t next = 0, frame = recorder.begin();
    while (frame < recorder.end() && recorder.at(frame, 0) == 0) ++frame;
    for (; frame < recorder.end() && next < sent; ++frame, ++next) {
      if (std::abs(recorder.at(frame, 0) - tag(next, 0)) > 0x1p-14F) {
        if (recorder.at(frame, 0) == 0 && next >= least) break;  // the end
        return ::testing::AssertionFailure() << "tag " << next << " is " << recorder.at(frame, 0);
      }
    }
    if (next < least) return ::testing::AssertionFailure() << next << " tags of " << least;
    return ::testing::AssertionSuccess();
  }
};

}  // namespace asiodrv::devices::wasapi::test
