// The engine thread's own working memory. Private to core/engine.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/engine/engine.hpp"
#include "core/engine/meter.hpp"

namespace asiodrv::engine {

/// Sized when the device is set, while no thread is inside run().
struct Engine::Scratch {
  Scratch() = default;
  Scratch(std::uint32_t device_inputs, std::uint32_t device_outputs,
          const ports::DeviceFormat& format)
      : converted(device_outputs, 0),
        block(format.period.count),
        zeros(format.period.count),
        ramp(std::min(1.0F, static_cast<float>(format.period.count) /
                                (kRampSeconds * static_cast<float>(format.rate.hz)))),
        ballistics(MeterBallistics::of(format.period, format.rate)),
        inputs(device_inputs),
        outputs(device_outputs) {}

  static constexpr float kRampSeconds = 0.02F;

  std::vector<std::uint8_t> converted;  ///< per device output: its only source is in it already
  std::vector<float> block;             ///< one channel's sum on its way to a client
  std::vector<float> zeros;
  float ramp = 1.0F;  ///< by how much a gain near unity moves in a period
  MeterBallistics ballistics;
  MeterBank inputs, outputs;
};

}  // namespace asiodrv::engine
