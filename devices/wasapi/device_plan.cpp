#include "devices/wasapi/device_plan.hpp"

#include <fmt/format.h>

#include "devices/wasapi/codes.hpp"
#include "devices/wasapi/text.hpp"

namespace asiodrv::devices::wasapi {
namespace {

/// The endpoint of the side among `endpoints`: the one it was, or the one that the options name.
Result<> choose(const std::vector<EndpointInfo>& endpoints, DevicePlan& plan, DeviceSide& side) {
  if (!side.used()) return {};
  if (!side.follows_default() && !side.endpoint.id.empty()) {
    const EndpointMatch match = match_endpoint(endpoints, side.flow, side.endpoint);
    if (match.endpoint == nullptr) return fail(ErrorCode::device_gone, match.why);
    if (match.by != MatchedBy::id) plan.notes.push_back(match.why);
    side.endpoint = *match.endpoint;
    return {};
  }
  Result<const EndpointInfo*> chosen = choose_endpoint(endpoints, side.flow, side.choice);
  if (!chosen) return tl::unexpected(chosen.error());
  side.endpoint = **chosen;
  return {};
}

Result<> ask(System& system, MmDeviceEnumerator& enumerator, const DevicePlan& plan,
             DeviceSide& side) {
  if (!side.used()) return {};
  Result<ComPtr<MmDevice>> device = find_endpoint(enumerator, side);
  if (!device) return tl::unexpected(device.error());
  Result<Offer> offer = make_offer(system, *device->get(), side.endpoint, plan.modes, side.offer);
  if (!offer) return tl::unexpected(offer.error());
  side.offer = std::move(*offer);
  return {};
}

/// Nobody's output falls silent because a microphone was pulled out.
bool may_do_without(const DevicePlan& plan, const DeviceSide& side, const Error& why) {
  const bool gone = why.code == ErrorCode::device_gone || why.code == ErrorCode::not_found;
  return gone && side.flow == Flow::capture && plan.render.used() && side.offer.channels > 0;
}

std::string held_note(const DeviceSide& side) {
  return fmt::format(
      "Another program holds Windows' mixer of \"{}\" at {} frames a period: no other small "
      "period can be had until it leaves.",
      side.endpoint.name, side.offer.held_period);
}

std::vector<std::string> channel_names(const EndpointInfo& endpoint, std::uint32_t count) {
  const std::string& base = endpoint.description.empty() ? endpoint.name : endpoint.description;
  std::vector<std::string> names;
  for (std::uint32_t i = 1; i <= count; ++i) names.push_back(fmt::format("{} {}", base, i));
  return names;
}

ports::DeviceInfo describe_device(const DevicePlan& plan, const std::vector<RateOffer>& rates) {
  ports::DeviceInfo info;
  const DeviceSide& render = plan.render;
  const DeviceSide& capture = plan.capture;
  const bool duplex = render.used() && capture.used();
  // From what was configured where that is stable, so that "default" stays one device.
  for (const DeviceSide* side : {&render, &capture}) {
    if (!side->used()) continue;
    info.id += (info.id.empty() ? "wasapi:" : "+") +
               (side->follows_default() ? side->choice : side->endpoint.id);
    if (side == &capture && duplex && render.endpoint.adapter == capture.endpoint.adapter) {
      info.name = render.endpoint.adapter;  // two ends of one box
    } else {
      info.name += (info.name.empty() ? "" : " / ") + side->endpoint.name;
    }
  }
  if (info.name.empty()) info.name = "Windows sound device";
  info.output_channels = render.used() ? render.offer.channels : 0;
  info.input_channels = capture.used() ? capture.offer.channels : 0;
  info.output_names = channel_names(render.endpoint, info.output_channels);
  info.input_names = channel_names(capture.endpoint, info.input_channels);
  const DeviceSide& leading = render.used() ? render : capture;
  const RateOffer* standard = &rates.front();
  for (const RateOffer& offer : rates) {
    info.rates.push_back(offer.rate);
    info.periods.push_back(offer.periods);
    if (offer.rate == leading.offer.mixer_rate) standard = &offer;
  }
  info.default_rate = standard->rate;
  info.min_period = standard->periods.least;
  info.max_period = standard->periods.most;
  info.default_period = standard->periods.standard;
  return info;
}

}  // namespace

DevicePlan make_plan(const WasapiOptions& options) {
  DevicePlan plan;
  plan.render.choice = options.render;
  plan.capture.choice = options.capture;
  plan.modes = modes_of(options.mode, options.prefer_exclusive);
  plan.dither = options.dither;
  return plan;
}

Result<ComPtr<MmDevice>> find_endpoint(MmDeviceEnumerator& enumerator, const DeviceSide& side) {
  const std::string what = fmt::format("Finding \"{}\"", side.endpoint.name);
  ComPtr<MmDevice> device;
  const Hr code = enumerator.device(to_utf16(side.endpoint.id).c_str(), device.out());
  if (failed(code)) return refuse(code, what);
  if (!device) return refuse(kPointer, what);
  return device;
}

Result<> refresh(System& system, DevicePlan& plan) {
  plan.notes.clear();
  plan.mode.clear();
  ComPtr<MmDeviceEnumerator> enumerator;
  const Hr code = system.make_enumerator(enumerator.out());
  if (failed(code)) return refuse(code, "Using the sound devices");
  // Others' drivers are not asked: what is missing is looked for twice a second.
  Result<std::vector<EndpointInfo>> endpoints = list_endpoints(system, Asked::windows);
  if (!endpoints) return tl::unexpected(endpoints.error());
  for (DeviceSide* side : {&plan.render, &plan.capture}) {
    side->absent.clear();
    Result<> there = choose(*endpoints, plan, *side);
    if (there) there = ask(system, *enumerator.get(), plan, *side);
    if (there) {
      if (side->offer.held_period != 0) plan.notes.push_back(held_note(*side));
      continue;
    }
    if (!may_do_without(plan, *side, there.error())) return there;
    side->absent = there.error().message;
    plan.notes.push_back("Without input: " + side->absent);
  }
  Result<std::vector<RateOffer>> rates =
      common_rates(plan.render.used() ? &plan.render.offer : nullptr,
                   plan.capture.used() ? &plan.capture.offer : nullptr);
  if (!rates) return tl::unexpected(rates.error());
  plan.info = describe_device(plan, *rates);
  return {};
}

Result<> check_format(const ports::DeviceInfo& info, const ports::DeviceFormat& format) {
  std::string accepted;
  for (std::size_t i = 0; i < info.rates.size(); ++i) {
    const ports::PeriodRange& range = info.periods[i];
    const std::uint32_t period = format.period.count;
    if (info.rates[i] == format.rate && period >= range.least.count && period <= range.most.count &&
        period % range.step.count == 0) {
      return {};
    }
    accepted += fmt::format("{}{} Hz at ", accepted.empty() ? "" : ", ", info.rates[i].hz);
    accepted += range.least == range.most
                    ? fmt::format("{} frames", range.least.count)
                    : fmt::format("multiples of {} from {} to {} frames", range.step.count,
                                  range.least.count, range.most.count);
  }
  return fail(ErrorCode::format_refused,
              fmt::format("{} does not run at {} Hz with {} frames a period; accepted: {}.",
                          info.name, format.rate.hz, format.period.count, accepted));
}

}  // namespace asiodrv::devices::wasapi
