// The devices of a machine as JSON, for "asio-driver devices" and everything else that lets people
// choose one. Only questions are asked: no stream is made, nobody is disturbed.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "core/ports/device.hpp"
#include "devices/wasapi/system.hpp"

namespace asiodrv::service {

/// What every kind of device has:
///   {"id", "name", "backend", "inputs", "outputs", "state": "active", "default": false,
///    "modes": [{"mode", "rates": [{"rate_hz", "min_period_frames", "max_period_frames",
///                                  "period_step_frames", "round_trip_ms"}]}]}
/// period_step_frames 0: powers of two. round_trip_ms: two of the shortest periods, the least that
/// a program can have there; what the hardware adds is known when it plays (or after a
/// calibration).
[[nodiscard]] nlohmann::json device_json(const ports::DeviceInfo& info, const char* backend);

/// Windows' endpoints, each with the modes that it offers and "format", the one of Windows' mixer.
/// State: active, disabled, absent or unplugged; only active ones have modes. An endpoint that
/// refuses to answer has "problem", a sentence, and so has an entry in the place of all that did
/// not answer within 3 s. Empty when Windows' sound cannot be asked at all. `hanging`: the
/// caller's, for the next call: while an earlier question hangs, no other is begun beside it.
/// Control thread. Throws what System::run_aside throws.
[[nodiscard]] nlohmann::json list_wasapi(const std::shared_ptr<devices::wasapi::System>& system,
                                         std::weak_ptr<void>& hanging);

}  // namespace asiodrv::service
