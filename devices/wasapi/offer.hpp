// What an endpoint offers in the modes that may be used, found out without making a stream.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/result.hpp"
#include "core/ports/device.hpp"
#include "devices/wasapi/endpoints.hpp"
#include "devices/wasapi/stream_open.hpp"

namespace asiodrv::devices::wasapi {

struct RateOffer {
  SampleRate rate{};
  ports::PeriodRange periods;  ///< multiples of `step` (never 0) from `least` to `most`
};

struct Offer {
  std::uint32_t channels = 0;
  std::vector<RateOffer> rates;          ///< ascending, not empty
  ReferenceTime mixer_period = 100'000;  ///< of the shared mixer
  bool can_convert = false;              ///< shared mode is among the modes
};

/// Control threads. Errors: those of the calls; device_gone for an endpoint that is not active;
/// unsupported when no mode has a format for us.
[[nodiscard]] Result<Offer> make_offer(System& system, MmDevice& device, const EndpointInfo& info,
                                       const std::vector<StreamMode>& modes);

/// What both can do together; either may be null. A capture endpoint whose mixer runs at another
/// rate is offered at the render endpoint's: Windows converts. Errors: format_refused, with what
/// either has.
[[nodiscard]] Result<std::vector<RateOffer>> common_rates(const Offer* render,
                                                          const Offer* capture);

}  // namespace asiodrv::devices::wasapi
