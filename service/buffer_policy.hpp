// Which buffer sizes programs are offered, and at which period the device runs for one of them.
#pragma once

#include "core/base/units.hpp"
#include "core/ports/device.hpp"
#include "core/wire/buffer_sizes.hpp"
#include "service/config.hpp"

namespace asiodrv::service {

/// What is offered on a device with the periods `range`. Powers of two: all that the configuration
/// allows, whatever the device has, for adapting costs next to nothing (see period_for); the
/// preferred one is not below what one period of the device holds. The device's own: just those.
[[nodiscard]] wire::BufferSizes buffer_sizes(const Config& config, const ports::PeriodRange& range);

/// The period for a program that is alone: its own buffer size where the device has that, else the
/// one of the shortest round trip through an adapter (adapter_timeline.hpp), the longest of
/// several.
[[nodiscard]] Frames period_for(const ports::DeviceInfo& info, SampleRate rate, Frames buffer);

}  // namespace asiodrv::service
