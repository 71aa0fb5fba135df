// A simulated device in virtual time, and blocks that say where they come from. Tests only.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/rt.hpp"
#include "core/ports/virtual_clock.hpp"
#include "devices/simulated/simulated_device.hpp"

namespace asiodrv::devices::test {

/// A sample that names its render block, channel and frame; never 0. Exact in a float.
inline float tag(std::uint64_t period, std::uint32_t channel, std::uint32_t frame) {
  return static_cast<float>(1 + ((period * 131 + channel) * 8192 + frame) % 16'000'000) * 0x1p-24F;
}

struct Bench {
  ports::VirtualClock clock{Instant{5'000'000'000}};
  SimulatedDevice device;
  ports::DeviceFormat format;
  Instant started{};
  ports::DevicePeriod period{};

  explicit Bench(SimulatedOptions options = {}, SampleRate rate = {48'000}, Frames frames = {64})
      : device(clock, std::move(options)), format{rate, frames} {}

  /// Opens and starts; a failure fails the test.
  void run() {
    const Result<> opened = device.open(format);
    ASSERT_TRUE(opened) << opened.error().message;
    const Result<> begun = device.start();
    ASSERT_TRUE(begun) << begun.error().message;
    started = clock.now();
  }

  /// Both as the engine calls them: with the real-time trap armed.
  ports::PeriodStatus wait() {
    const RtScope scope;
    return device.wait_period(period);
  }
  bool commit() {
    const RtScope scope;
    return device.commit();
  }

  /// Fills the render block with tags of its period.
  void fill() const {
    for (std::uint32_t channel = 0; channel < period.render.channels; ++channel) {
      for (std::uint32_t frame = 0; frame < period.render.frames.count; ++frame) {
        period.render.channel(channel)[frame] = tag(period.index, channel, frame);
      }
    }
  }

  /// One served period.
  void serve() {
    ASSERT_EQ(wait(), ports::PeriodStatus::ready);
    fill();
    ASSERT_TRUE(commit());
  }

  /// The exact length of `periods` periods at the nominal rate, rounded up.
  [[nodiscard]] nanoseconds length(std::uint32_t periods) const {
    return duration_ceil(Frames{format.period.count * periods}, format.rate);
  }

  [[nodiscard]] std::vector<float> captured(std::uint32_t channel) const {
    const float* samples = period.capture.channel(channel);
    return {samples, samples + period.capture.frames.count};
  }

  /// What output `channel` played of render block `index`.
  [[nodiscard]] std::vector<float> tags(std::uint64_t index, std::uint32_t channel) const {
    std::vector<float> samples;
    for (std::uint32_t frame = 0; frame < format.period.count; ++frame) {
      samples.push_back(tag(index, channel, frame));
    }
    return samples;
  }

  [[nodiscard]] std::vector<float> silence() const {
    return std::vector<float>(format.period.count, 0.0F);
  }
};

}  // namespace asiodrv::devices::test
