// Which formats an endpoint says that it takes, and which it takes.
#include <algorithm>
#include <cstring>

#include "devices/wasapi/fake/client.hpp"

namespace asiodrv::devices::wasapi::fake {
namespace {

template <class Value>
bool contains(const std::vector<Value>& values, const Value& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

bool mask_fits(MaskRule rule, std::uint32_t mask) {
  switch (rule) {
    case MaskRule::any: return true;
    case MaskRule::not_zero: return mask != 0;
    case MaskRule::only_zero: return mask == 0;
  }
  return false;
}

/// The same for the same format on the same endpoint, every time.
double whim(const Endpoint& endpoint, const Format& format) {
  std::uint64_t word = endpoint.world().options().seed;
  for (const std::uint64_t part :
       {std::uint64_t{format.rate_hz}, std::uint64_t{format.channels}, std::uint64_t{format.mask},
        static_cast<std::uint64_t>(format.layout),
        static_cast<std::uint64_t>(format.is_extensible)}) {
    word = scramble64(word + part + 1);
  }
  return static_cast<double>(word >> 11U) * 0x1p-53;
}

}  // namespace

bool driver_takes(const Endpoint& endpoint, const WaveFormat* format, const Format* parsed) {
  const ExclusiveFormats& rules = endpoint.spec().knobs.exclusive;
  if (format == nullptr || parsed == nullptr) return false;
  if (!contains(rules.rates_hz, parsed->rate_hz)) return false;
  const std::vector<std::uint16_t> own{endpoint.spec().channels};
  if (!contains(rules.channels.empty() ? own : rules.channels, parsed->channels)) return false;
  const bool is_simple = parsed->layout == Layout::int16 && parsed->channels <= 2;
  if (!parsed->is_extensible) {
    if (parsed->layout == Layout::int24) return rules.plain24_lie && parsed->channels == 2;
    return is_simple && rules.plain16 != PlainRule::refused &&
           contains(rules.layouts, Layout::int16);
  }
  if (is_simple && rules.plain16 == PlainRule::required) return false;
  return contains(rules.layouts, parsed->layout) && mask_fits(rules.masks, parsed->mask);
}

bool driver_says_yes(const Endpoint& endpoint, const WaveFormat* format, const Format* parsed) {
  const bool truth = driver_takes(endpoint, format, parsed);
  const double liar = endpoint.spec().knobs.exclusive.liar;
  return parsed != nullptr && whim(endpoint, *parsed) < liar ? !truth : truth;
}

Hr Client::answer_shared(const Format& format) const {
  const EndpointSpec& spec = endpoint_.spec();
  if (format.rate_hz == spec.rate_hz && format.channels == spec.channels) return kOk;
  if (format.channels == 1 && spec.channels > 2) return kUnsupportedFormat;
  return spec.knobs.shared_takes_any_rate && format.channels == spec.channels ? kOk : kFalse;
}

Hr Client::is_format_supported(ShareMode mode, const WaveFormat* format, WaveFormat** closest) {
  const Call call(*this, "is_format_supported");
  if (closest != nullptr) *closest = nullptr;
  if (call.refused()) return call.code();
  if (format == nullptr) return kPointer;
  if (mode != ShareMode::shared && mode != ShareMode::exclusive) return kInvalidArgument;
  if (mode == ShareMode::shared && closest == nullptr) return kPointer;
  const Hr result = alive();
  if (failed(result)) return result;
  const std::optional<Format> parsed = parse(format);
  if (mode == ShareMode::exclusive) {
    if (!endpoint_.knobs().exclusive_allowed) return kExclusiveNotAllowed;
    return driver_says_yes(endpoint_, format, parsed ? &*parsed : nullptr) ? kOk
                                                                           : kUnsupportedFormat;
  }
  if (!parsed) return kUnsupportedFormat;
  const Hr answer = answer_shared(*parsed);
  if (answer == kFalse) {
    *closest = world().allocate_format(endpoint_.mix_format(), false, "client.is_format_supported");
  }
  return answer;
}

}  // namespace asiodrv::devices::wasapi::fake
