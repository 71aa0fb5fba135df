// How a stream comes about, or why not.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "devices/wasapi/fake/client.hpp"
#include "devices/wasapi/fake/exclusive_streams.hpp"
#include "devices/wasapi/fake/shared_streams.hpp"

namespace asiodrv::devices::wasapi::fake {
namespace {

constexpr std::uint32_t kKnownFlags = kCrossProcess | kLoopback | kEventCallback | kNoPersist |
                                      kRateAdjust | kDefaultQuality | kAutoConvert | kSessionFlags;
constexpr ReferenceTime kSecond = 10'000'000;

/// To the nearest frame, as devices count.
std::uint32_t nearest_frames(ReferenceTime duration, std::uint32_t rate_hz) {
  return static_cast<std::uint32_t>((duration * rate_hz + kSecond / 2) / kSecond);
}

std::uint32_t bytes_per_frame(const Format& format) { return format.frame_bytes; }

}  // namespace

Hr Client::begin_initialize(std::string_view name) {
  if (stream_ != nullptr) {
    if (endpoint_.knobs().second_initialize_spoils_start) stream_->set_spoiled();
    return kAlreadyInitialized;
  }
  if (is_poisoned_) {
    world().violate(fmt::format("S2: {} on a client that has failed to initialize before", name));
    return kAlreadyInitialized;
  }
  world().hang(endpoint_.knobs().initialize_hangs);
  if (!world().service_is_up()) return kServiceNotRunning;
  return kOk;
}

Hr Client::finish_initialize(Hr result) {
  if (failed(result) && stream_ == nullptr && endpoint_.knobs().failed_initialize_poisons) {
    is_poisoned_ = true;
  }
  return result;
}

Hr Client::initialize(ShareMode mode, std::uint32_t flags, ReferenceTime duration,
                      ReferenceTime periodicity, const WaveFormat* format,
                      const Guid* /*session*/) {
  const Call call(*this, "initialize");
  if (call.refused()) return finish_initialize(call.code());
  const Hr result = begin_initialize("initialize");
  if (failed(result)) return finish_initialize(result);
  if (format == nullptr) return finish_initialize(kPointer);
  if (mode != ShareMode::shared && mode != ShareMode::exclusive) {
    return finish_initialize(kInvalidArgument);
  }
  if ((flags & ~kKnownFlags) != 0) {
    return finish_initialize(endpoint_.knobs().unknown_stream_flag);
  }
  return finish_initialize(mode == ShareMode::shared
                               ? initialize_classic(flags, duration, format)
                               : initialize_exclusive(flags, duration, periodicity, format));
}

// --- shared --------------------------------------------------------------------------------------

Hr Client::judge_shared(std::uint32_t flags, const Format* format) {
  const EndpointSpec& spec = endpoint_.spec();
  const bool is_loopback = (flags & kLoopback) != 0;
  if (is_loopback && endpoint_.flow() == Flow::capture) return kWrongEndpointType;
  if (endpoint_.flow() == Flow::capture && !spec.knobs.capture_allowed) return kAccessDenied;
  const Hr living = alive();
  if (failed(living)) return living;
  const Hr room = endpoint_.may_join(ShareMode::shared, *this);
  if (failed(room)) return room;
  if (format == nullptr) return kUnsupportedFormat;
  const bool fits = format->rate_hz == spec.rate_hz && format->channels == spec.channels;
  return fits || (flags & kAutoConvert) != 0 ? kOk : kUnsupportedFormat;
}

Hr Client::initialize_classic(std::uint32_t flags, ReferenceTime duration,
                              const WaveFormat* format) {
  const std::optional<Format> parsed = parse(format);
  const Hr judged = judge_shared(flags, parsed ? &*parsed : nullptr);
  if (failed(judged)) return judged;
  const Knobs& knobs = endpoint_.knobs();
  const std::uint32_t rate = parsed->rate_hz;
  const std::uint32_t period = nearest_frames(knobs.standard_period, rate);
  // Two periods and two milliseconds; a longer wish is fulfilled to the frame, not to the period.
  std::uint32_t frames = 2 * period + rate / 500;
  if (knobs.shared_buffer_is_three_periods) frames = 3 * period;
  if (duration > 0) frames = std::max(frames, nearest_frames(duration, rate));
  const StreamSettings settings{ShareMode::shared, flags, *parsed, frames, 0, false};
  if (endpoint_.flow() == Flow::capture || (flags & kLoopback) != 0) {
    stream_ = std::make_shared<SharedCapture>(endpoint_, settings);
  } else {
    stream_ = std::make_shared<SharedRender>(endpoint_, settings);
  }
  return kOk;
}

Hr Client::initialize_shared(std::uint32_t flags, std::uint32_t period, const WaveFormat* format,
                             const Guid* /*session*/) {
  const Call call(*this, "initialize_shared");
  if (call.refused()) return finish_initialize(call.code());
  if (is_client3_dumb()) return kNotImplemented;
  const Hr result = begin_initialize("initialize_shared");
  if (failed(result)) return finish_initialize(result);
  if (format == nullptr) return finish_initialize(kPointer);
  return finish_initialize(initialize_small(flags, period, format));
}

Hr Client::initialize_small(std::uint32_t flags, std::uint32_t period, const WaveFormat* format) {
  if ((flags & ~(kEventCallback | kSessionFlags)) != 0) return kInvalidStreamFlag;
  const std::optional<Format> parsed = parse(format);
  const Hr judged = judge_shared(flags, parsed ? &*parsed : nullptr);
  if (failed(judged)) return judged;
  const Knobs& knobs = endpoint_.knobs();
  const std::uint32_t most = endpoint_.standard_frames();
  const std::uint32_t fundamental = std::min(knobs.fundamental_frames, most);
  const std::uint32_t least = std::min(knobs.least_frames, most);
  if (period < least || period > most || period % fundamental != 0) return kInvalidPeriod;
  const std::uint32_t pinned = endpoint_.pinned_frames();
  if (pinned > 0 && pinned != period) return kPeriodicityLocked;
  if ((properties_.options & kOptionMatchFormat) != 0 && pinned > 0) return kFormatLocked;
  const StreamSettings settings{
      ShareMode::shared, flags, *parsed, 2 * period + parsed->rate_hz / 1000, period, false};
  if (endpoint_.flow() == Flow::capture) {
    stream_ = std::make_shared<SharedCapture>(endpoint_, settings);
  } else {
    stream_ = std::make_shared<SharedRender>(endpoint_, settings);
  }
  return kOk;
}

// --- exclusive -----------------------------------------------------------------------------------

Hr Client::judge_exclusive(const WaveFormat* format, const Format* parsed) {
  const Knobs& knobs = endpoint_.knobs();
  if (endpoint_.flow() == Flow::capture && !knobs.capture_allowed) return kAccessDenied;
  const Hr living = alive();
  if (failed(living)) return living;
  if (!knobs.exclusive_allowed) return kExclusiveNotAllowed;
  const Hr room = endpoint_.may_join(ShareMode::exclusive, *this);
  if (failed(room)) return room;
  if (knobs.exclusive_refusal) return *knobs.exclusive_refusal;
  if (driver_takes(endpoint_, format, parsed)) return kOk;
  // Promised and not kept: the driver finds out when it builds the stream.
  return driver_says_yes(endpoint_, format, parsed) ? kEndpointCreateFailed : kUnsupportedFormat;
}

Hr Client::initialize_exclusive(std::uint32_t flags, ReferenceTime duration,
                                ReferenceTime periodicity, const WaveFormat* format) {
  if ((flags & (kLoopback | kCrossProcess)) != 0) return kInvalidArgument;
  if ((flags & (kRateAdjust | kDefaultQuality | kAutoConvert)) != 0) return kInvalidStreamFlag;
  const std::optional<Format> parsed = parse(format);
  const Hr judged = judge_exclusive(format, parsed ? &*parsed : nullptr);
  if (failed(judged)) return judged;
  const Knobs& knobs = endpoint_.knobs();
  if ((flags & kEventCallback) == 0) {
    if (duration > 2 * kSecond) return kBufferSizeError;
    world().violate("polled exclusive streams are not modelled");
    return kNotImplemented;
  }
  if (duration != periodicity || periodicity == 0) return kDurationPeriodNotEqual;
  if (periodicity < knobs.least_period || periodicity > knobs.most_period) return kInvalidPeriod;
  const std::uint32_t frames = nearest_frames(periodicity, parsed->rate_hz);
  if (knobs.align_bytes > 0) {
    const std::uint32_t unit =
        knobs.align_bytes / std::gcd(knobs.align_bytes, bytes_per_frame(*parsed));
    if (frames % unit != 0) {
      aligned_frames_ = (frames / unit + 1) * unit;
      endpoint_.claim(*this);
      return kNotAligned;
    }
  }
  const bool is_lie = !parsed->is_extensible && parsed->layout == Layout::int24;
  const StreamSettings settings{ShareMode::exclusive, flags, *parsed, frames, 0, is_lie};
  if (endpoint_.flow() == Flow::capture) {
    stream_ = std::make_shared<ExclusiveCapture>(endpoint_, settings);
  } else {
    stream_ = std::make_shared<ExclusiveRender>(endpoint_, settings);
  }
  return kOk;
}

}  // namespace asiodrv::devices::wasapi::fake
