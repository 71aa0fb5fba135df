// What a device is before anything of it is opened: its endpoints, and what they offer together.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/ports/device.hpp"
#include "devices/wasapi/endpoints.hpp"
#include "devices/wasapi/offer.hpp"
#include "devices/wasapi/system.hpp"

namespace asiodrv::devices::wasapi {

struct WasapiOptions {
  /// "default", an id, a name or a description (see choose_endpoint); empty: none.
  std::string render = "default";
  std::string capture = "default";
  ModeChoice mode = ModeChoice::automatic;
  /// Lets "automatic" take the device from all other programs.
  bool prefer_exclusive = false;
  /// Noise where samples are cut to 16 or 24 bits, see audio::Dither; without it they are exact.
  bool dither = false;
};

/// One endpoint.
struct DeviceSide {
  Flow flow = Flow::render;
  std::string choice{};     ///< of the options
  EndpointInfo endpoint{};  ///< chosen; empty id: not yet
  Offer offer{};
  /// Why the device has to do without it for now, a sentence; empty: it is there. What it was and
  /// offered is still known, so that programs keep their channels.
  std::string absent{};
  [[nodiscard]] bool used() const noexcept { return !choice.empty(); }
  [[nodiscard]] bool follows_default() const noexcept { return choice == "default"; }
};

struct DevicePlan {
  DeviceSide render{Flow::render}, capture{Flow::capture};
  std::vector<StreamMode> modes;
  bool dither = false;
  ports::DeviceInfo info;
  std::vector<std::string> notes;  ///< sentences for people
  std::string mode;                ///< of the streams, as WasapiDevice::mode
};

[[nodiscard]] DevicePlan make_plan(const WasapiOptions& options);

/// Chooses the endpoints (those that were chosen before, if they can be found again) and asks what
/// they offer. An input that was there once may be absent beside an output. Control threads with
/// COM. Errors: not_found, invalid_argument (with the names that are accepted), device_gone,
/// unsupported, format_refused (no rate in common).
[[nodiscard]] Result<> refresh(System& system, DevicePlan& plan);

/// Whether the device runs at `format`; format_refused, with what is accepted.
[[nodiscard]] Result<> check_format(const ports::DeviceInfo& info,
                                    const ports::DeviceFormat& format);

/// The endpoint of a side. Errors: those of the call.
[[nodiscard]] Result<ComPtr<MmDevice>> find_endpoint(MmDeviceEnumerator& enumerator,
                                                     const DeviceSide& side);

}  // namespace asiodrv::devices::wasapi
