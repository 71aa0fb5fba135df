// What an endpoint offers in the modes that may be used, found out without making a stream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
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

inline constexpr std::uint32_t kMostPeriod = 8192;  ///< frames, of exclusive streams

/// What openings have taught about exclusive mode, where no question tells.
struct ExclusiveLesson {
  struct Period {
    SampleRate rate{};
    std::uint32_t frames = 0;
  };
  std::vector<Period> periods;   ///< one per rate: it and its multiples are taken
  bool mixers_channels = false;  ///< more were promised, and refused then

  /// `named`: by the device, when it was opened with `asked` frames at `rate`. False: of no use.
  bool learn(SampleRate rate, std::uint32_t asked, std::uint32_t named);
};

/// What a driver said about exclusive formats, and what was asked. A hundred questions, which may
/// take some milliseconds each, so that the answers are kept. No rates: not asked, or all refused,
/// which may pass.
struct ExclusiveOffer {
  std::string id;  ///< of the endpoint
  std::optional<StreamFormat> chosen;
  std::uint32_t channels = 0;  ///< of the mixer
  ReferenceTime least_period = 0;
  std::vector<RateOffer> rates;
  bool wide = false;         ///< it was asked for more channels, too
  std::uint32_t taken = 0;   ///< channels at all of the rates
  ExclusiveLesson lesson{};  ///< holds as long as endpoint and chosen format are the same

  [[nodiscard]] bool answers(const ExclusiveOffer& question) const {
    return !rates.empty() && id == question.id && chosen == question.chosen &&
           channels == question.channels && least_period == question.least_period &&
           wide == question.wide;
  }
};

struct Offer {
  /// Of the shared mixer; in exclusive mode alone all that the device has.
  std::uint32_t channels = 0;
  std::vector<RateOffer> rates;          ///< ascending, not empty
  SampleRate mixer_rate{};               ///< of the shared mixer
  ReferenceTime mixer_period = 100'000;  ///< the same
  bool can_convert = false;              ///< shared mode is among the modes
  std::optional<RateOffer> usual{};      ///< of shared mode, then
  /// The period that others hold the mixer at, the only small one meanwhile; 0: nothing is known.
  std::uint32_t held_period = 0;
  ExclusiveOffer exclusive;
};

/// `known`: an earlier offer. Control threads. Errors: those of the calls; device_gone for an
/// endpoint that is not active; device_busy when exclusive mode is the only one and somebody else
/// has the device; unsupported when no mode has a format for us.
[[nodiscard]] Result<Offer> make_offer(System& system, MmDevice& device, const EndpointInfo& info,
                                       const std::vector<StreamMode>& modes,
                                       const Offer& known = {});

/// What both can do together; either may be null. A capture endpoint whose mixer runs at another
/// rate is offered at the render endpoint's: Windows converts. Where mixers are held at periods
/// that do not go together, their usual ones are tried. Errors: format_refused, with what either
/// has.
[[nodiscard]] Result<std::vector<RateOffer>> common_rates(const Offer* render,
                                                          const Offer* capture);

}  // namespace asiodrv::devices::wasapi
