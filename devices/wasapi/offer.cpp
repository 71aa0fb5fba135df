#include "devices/wasapi/offer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "devices/wasapi/attempt.hpp"
#include "devices/wasapi/codes.hpp"

namespace asiodrv::devices::wasapi {
namespace {

constexpr std::array<std::uint32_t, 8> kExclusiveRates{44'100,  48'000,  88'200,  96'000,
                                                       176'400, 192'000, 352'800, 384'000};
/// More channels than the mixer has, most first. Odd numbers are not seen on interfaces.
constexpr std::array<std::uint32_t, 17> kMoreChannels{64, 32, 30, 28, 26, 24, 22, 20, 18,
                                                      16, 14, 12, 10, 8,  6,  4,  2};
/// A period of an HD Audio device fills whole blocks of as many bytes; others do not mind.
constexpr std::uint32_t kBlockBytes = 128;
/// Small enough for playing, large enough for every machine: what is taken unless asked otherwise.
constexpr ReferenceTime kStandardPeriod = 25'000;

std::uint32_t round_up(std::uint32_t value, std::uint32_t step) {
  return (value + step - 1) / step * step;
}

ports::PeriodRange make_range(std::uint32_t least, std::uint32_t most, std::uint32_t step,
                              SampleRate rate) {
  ports::PeriodRange range;
  range.step = {step};
  range.least = {std::max(round_up(least, step), step)};
  range.most = {most / step * step};
  const std::uint32_t standard = round_up(frames_of(kStandardPeriod, rate), step);
  range.standard = {
      std::clamp(standard, range.least.count, std::max(range.least, range.most).count)};
  return range;
}

/// The first format that the device says it takes at `rate`. `held`: somebody else has the device.
std::optional<StreamFormat> exclusive_format(AudioClient& client, SampleRate rate,
                                             const ExclusiveOffer& offer, bool& held) {
  for (const StreamFormat& format : exclusive_candidates(rate, offer.channels, offer.chosen)) {
    const WaveFormatExtensible wave = make_wave_format(format);
    const Hr code = client.is_format_supported(ShareMode::exclusive, &wave.base, nullptr);
    if (code == kOk) return format;
    held = code == kDeviceInUse;
    if (failed(code) && code != kUnsupportedFormat) return std::nullopt;  // no format would do
  }
  return std::nullopt;
}

/// `format` with other channels, if the device says that it takes that.
std::optional<StreamFormat> with_channels(AudioClient& client, StreamFormat format,
                                          std::uint32_t channels) {
  format.channels = channels;
  format.plain = false;
  for (const std::uint32_t mask : {standard_mask(channels), std::uint32_t{0}}) {
    format.mask = mask;
    const WaveFormatExtensible wave = make_wave_format(format);
    const Hr code = client.is_format_supported(ShareMode::exclusive, &wave.base, nullptr);
    if (code == kOk) return format;
  }
  return std::nullopt;
}

/// The same formats with the most channels that are taken at all of their rates: an interface that
/// has fewer at its high rates keeps these rates.
std::vector<StreamFormat> widest(AudioClient& client, const std::vector<StreamFormat>& formats) {
  for (const std::uint32_t channels : kMoreChannels) {
    if (channels <= formats.front().channels) break;
    std::vector<StreamFormat> wide;
    for (const StreamFormat& format : formats) {
      const auto found = with_channels(client, format, channels);
      if (!found) break;
      wide.push_back(*found);
    }
    if (wide.size() == formats.size()) return wide;
  }
  return formats;
}

/// False: somebody else has the device, and nothing was found out. One question tells that.
bool ask_exclusive(AudioClient& client, ExclusiveOffer& offer) {
  std::vector<StreamFormat> formats;
  for (const std::uint32_t hz : kExclusiveRates) {
    bool held = false;
    const auto format = exclusive_format(client, {hz}, offer, held);
    if (held) return false;
    if (format) formats.push_back(*format);
  }
  if (formats.empty()) return true;
  if (offer.wide) formats = widest(client, formats);
  offer.taken = formats.front().channels;
  for (const StreamFormat& format : formats) {
    const SampleRate rate = format.rate;
    const std::uint32_t unit = kBlockBytes / std::gcd(kBlockBytes, format.frame_bytes());
    // The least duration in frames, rounded up: one frame less would be refused.
    const auto frames =
        static_cast<std::uint32_t>((offer.least_period * rate.hz + 9'999'999) / 10'000'000);
    offer.rates.push_back({rate, make_range(frames, kMostPeriod, unit, rate)});
  }
  return true;
}

/// What was said, with the periods that openings have shown to be taken.
std::vector<RateOffer> corrected(const ExclusiveOffer& offer) {
  std::vector<RateOffer> rates = offer.rates;
  for (RateOffer& one : rates) {
    for (const ExclusiveLesson::Period& known : offer.lesson.periods) {
      if (known.rate != one.rate) continue;
      one.periods = make_range(one.periods.least.count, kMostPeriod, known.frames, one.rate);
    }
  }
  return rates;
}

/// True when the device has small periods in shared mode. `known`: the one that others were seen
/// to hold the mixer at; it counts as long as the mixer runs at it.
bool offer_low_latency(System& system, MmDevice& device, std::uint32_t known, Offer& offer) {
  ComPtr<AudioClient3> client;
  if (failed(activate(device, client))) return false;
  ClientProperties properties;
  properties.category = Category::media;
  (void)client->set_client_properties(&properties);
  const Result<StreamFormat> mix = mix_format(system, *client.get());
  if (!mix) return false;
  const WaveFormatExtensible wave = make_wave_format(*mix);
  std::uint32_t standard = 0, step = 0, least = 0, most = 0;
  const Hr code = client->shared_engine_period(&wave.base, &standard, &step, &least, &most);
  const bool is_locked = code == kPeriodicityLocked;
  if (is_locked || known != 0) {
    const std::uint32_t now = mixer_period(system, device);
    if (now != 0 && (is_locked || now == known)) {
      offer.held_period = now;
      offer.rates.push_back({mix->rate, make_range(now, now, now, mix->rate)});
      return true;
    }
  }
  if (failed(code)) return false;
  if (step == 0 || least == 0 || least > most || most > (1U << 20)) return false;
  offer.rates.push_back({mix->rate, make_range(least, most, step, mix->rate)});
  return true;
}

RateOffer offer_shared(const StreamFormat& mix, ReferenceTime duration) {
  const std::uint32_t period = std::max(frames_of(duration, mix.rate), 1U);
  return {mix.rate, make_range(period, period, period, mix.rate)};
}

/// A mixer that others hold at a small period takes streams of its usual one all the same.
std::vector<RateOffer> with_usual(const Offer& offer) {
  std::vector<RateOffer> rates = offer.rates;
  if (offer.held_period != 0 && offer.usual) rates.push_back(*offer.usual);
  return rates;
}

std::string rates_text(const std::vector<RateOffer>& rates) {
  std::string text;
  for (const RateOffer& offer : rates) {
    text += fmt::format("{}{} Hz at {} to {} frames", text.empty() ? "" : ", ", offer.rate.hz,
                        offer.periods.least.count, offer.periods.most.count);
  }
  return text;
}

}  // namespace

bool ExclusiveLesson::learn(SampleRate rate, std::uint32_t asked, std::uint32_t named) {
  if (named <= asked || named > kMostPeriod) return false;
  std::erase_if(periods, [rate](const Period& known) { return known.rate == rate; });
  periods.push_back({rate, named});
  return true;
}

Result<Offer> make_offer(System& system, MmDevice& device, const EndpointInfo& info,
                         const std::vector<StreamMode>& modes, const Offer& known) {
  const std::string what = fmt::format("Asking \"{}\" what it offers", info.name);
  if (!info.active()) return refuse(kDeviceInvalidated, what);
  ComPtr<AudioClient> client;
  Hr code = activate(device, client);
  ReferenceTime standard = 0, least = 0;
  if (!failed(code)) code = client->device_period(&standard, &least);
  if (failed(code)) return refuse(code, what);
  const Result<StreamFormat> mix = mix_format(system, *client.get());
  if (!mix) return tl::unexpected(mix.error());
  // Durations that no device has are not believed.
  constexpr ReferenceTime kLeast = 1'000, kMost = 5'000'000;
  Offer offer;
  offer.channels = mix->channels;
  offer.mixer_rate = mix->rate;
  // What the mixer runs at is offered in any case; what a better mode has at that rate comes first.
  const auto has_mixers_rate = [&offer, &mix] {
    return std::any_of(offer.rates.begin(), offer.rates.end(),
                       [&mix](const RateOffer& one) { return one.rate == mix->rate; });
  };
  offer.mixer_period = std::clamp(standard, kLeast, kMost);
  bool held = false;
  for (const StreamMode mode : modes) {
    if (mode == StreamMode::exclusive) {
      ExclusiveOffer& own = offer.exclusive;
      own = {info.id, info.chosen, offer.channels, std::clamp(least, kLeast, kMost), {}};
      const ExclusiveOffer& before = known.exclusive;
      if (before.id == own.id && before.chosen == own.chosen) own.lesson = before.lesson;
      // A mode that may take over has the mixer's channels, and programs would lose the others.
      own.wide = modes.size() == 1 && !own.lesson.mixers_channels;
      if (before.answers(own)) {
        own.rates = before.rates;
        own.taken = before.taken;
      } else {
        held = !ask_exclusive(*client.get(), own);
      }
      if (!own.rates.empty()) offer.channels = own.taken;
      const std::vector<RateOffer> rates = corrected(own);
      offer.rates.insert(offer.rates.end(), rates.begin(), rates.end());
    } else if (mode == StreamMode::low_latency && !has_mixers_rate()) {
      offer_low_latency(system, device, known.held_period, offer);
    } else if (mode == StreamMode::shared) {
      offer.can_convert = true;
      offer.usual = offer_shared(*mix, offer.mixer_period);
      if (!has_mixers_rate()) offer.rates.push_back(*offer.usual);
    }
  }
  std::sort(offer.rates.begin(), offer.rates.end(),
            [](const RateOffer& one, const RateOffer& other) { return one.rate < other.rate; });
  if (offer.rates.empty() && held) return refuse(kDeviceInUse, what);
  if (offer.rates.empty()) {
    return fail(ErrorCode::unsupported,
                fmt::format("\"{}\" has no format in the mode that was asked for. Choose the mode "
                            "\"auto\".",
                            info.name));
  }
  return offer;
}

Result<std::vector<RateOffer>> common_rates(const Offer* render, const Offer* capture) {
  if (render == nullptr || capture == nullptr) {
    if (render == nullptr && capture == nullptr) {
      return fail(ErrorCode::invalid_argument,
                  "Neither an output nor an input was chosen. Name at least one.");
    }
    return (render != nullptr ? render : capture)->rates;
  }
  std::vector<RateOffer> common;
  const auto add = [&common](const RateOffer& one, const RateOffer& other) {
    const std::uint32_t step = std::lcm(one.periods.step.count, other.periods.step.count);
    const std::uint32_t least = std::max(one.periods.least, other.periods.least).count;
    const std::uint32_t most = std::min(one.periods.most, other.periods.most).count;
    if (round_up(least, step) <= most) {
      common.push_back({one.rate, make_range(least, most, step, one.rate)});
    }
  };
  for (const RateOffer& one : render->rates) {
    for (const RateOffer& other : capture->rates) {
      if (one.rate == other.rate) add(one, other);
    }
  }
  for (const RateOffer& one : with_usual(*render)) {
    for (const RateOffer& other : with_usual(*capture)) {
      if (common.empty() && one.rate == other.rate) add(one, other);
    }
  }
  if (common.empty() && capture->can_convert) {
    for (const RateOffer& one : with_usual(*render)) {
      const std::uint32_t period = frames_of(capture->mixer_period, one.rate);
      if (period > 0) add(one, {one.rate, make_range(period, period, period, one.rate)});
    }
  }
  if (common.empty()) {
    return fail(ErrorCode::format_refused,
                fmt::format("The output offers {}, the input {}: they have no rate and period in "
                            "common. Choose the same rate for both in Windows' sound settings.",
                            rates_text(render->rates), rates_text(capture->rates)));
  }
  return common;
}

}  // namespace asiodrv::devices::wasapi
