#include "devices/wasapi/fake/client.hpp"

#include <fmt/format.h>

#include "devices/wasapi/fake/services.hpp"

namespace asiodrv::devices::wasapi::fake {
namespace {

constexpr Guid kClockAdjustment{
    0xF6E4C0A0, 0x46D9, 0x4FB8, {0xBE, 0x21, 0x57, 0xA3, 0xEF, 0x2B, 0x62, 0x6C}};

}  // namespace

Client::Client(World& world, Endpoint& endpoint)
    : Com(world, "client"), endpoint_(endpoint), life_(endpoint.life()) {}

bool Client::offers(const Guid& id) {
  const bool absent = endpoint_.knobs().small_periods == SmallPeriods::absent;
  return !(id == AudioClient3::kId && absent);
}

void Client::end() {
  endpoint_.drop_claim(*this);
  if (stream_ == nullptr) return;
  if (stream_->is_dead()) world().hang(endpoint_.knobs().release_hangs);
  stream_->released("client");
  stream_ = nullptr;
}

Hr Client::alive() const {
  if (stream_ != nullptr) {
    if (stream_->loss()) return *stream_->loss();
    if (stream_->is_dead()) return kOk;  // without a word
  }
  if (is_poisoned_) return kNotInitialized;
  return life_ == endpoint_.life() ? kOk : endpoint_.loss_code();
}

Hr Client::ready() const {
  const Hr result = alive();
  if (failed(result)) return result;
  return stream_ == nullptr ? kNotInitialized : kOk;
}

Hr Client::buffer_size(std::uint32_t* frames) {
  const Call call(*this, "buffer_size");
  if (call.refused()) return call.code();
  if (frames == nullptr) return kPointer;
  if (aligned_frames_ > 0) {
    *frames = aligned_frames_;
    return kOk;
  }
  const Hr result = ready();
  if (!failed(result)) *frames = stream_->settings().buffer_frames;
  return result;
}

Hr Client::stream_latency(ReferenceTime* latency) {
  const Call call(*this, "stream_latency");
  if (call.refused()) return call.code();
  if (latency == nullptr) return kPointer;
  const Hr result = ready();
  if (failed(result)) return result;
  const StreamSettings& settings = stream_->settings();
  *latency = stream_->is_exclusive()
                 ? ReferenceTime{settings.buffer_frames} * 10'000'000 / settings.format.rate_hz
                 : endpoint_.knobs().stream_latency;
  return kOk;
}

Hr Client::current_padding(std::uint32_t* frames) {
  const Call call(*this, "current_padding");
  if (call.refused()) return call.code();
  if (frames == nullptr) return kPointer;
  const Hr result = ready();
  if (!failed(result)) *frames = stream_->padding();
  return result;
}

Hr Client::mix_format(WaveFormat** format) {
  const Call call(*this, "mix_format");
  if (format == nullptr) return kPointer;
  *format = nullptr;
  if (call.refused()) return call.code();
  const Hr result = alive();
  if (failed(result)) return result;
  *format = world().allocate_format(endpoint_.mix_format(), endpoint_.knobs().mix_format_is_plain,
                                    "client.mix_format");
  return kOk;
}

Hr Client::device_period(ReferenceTime* standard, ReferenceTime* least) {
  const Call call(*this, "device_period");
  if (call.refused()) return call.code();
  if (standard == nullptr && least == nullptr) return kPointer;
  const Hr result = alive();
  if (failed(result)) return result;
  if (standard != nullptr) *standard = endpoint_.knobs().standard_period;
  if (least != nullptr) *least = endpoint_.knobs().least_period;
  return kOk;
}

Hr Client::start() {
  const Call call(*this, "start");
  if (call.refused()) return call.code();
  world().hang(endpoint_.knobs().start_hangs);
  const Hr result = ready();
  return failed(result) ? result : stream_->start();
}

Hr Client::stop() {
  const Call call(*this, "stop");
  if (call.refused()) return call.code();
  if (stream_ == nullptr) return ready();
  return stream_->stop();
}

Hr Client::reset() {
  const Call call(*this, "reset");
  if (call.refused()) return call.code();
  if (stream_ == nullptr) return ready();
  return stream_->reset();
}

Hr Client::set_event_handle(EventHandle event) {
  const Call call(*this, "set_event_handle");
  if (call.refused()) return call.code();
  const Hr result = ready();
  return failed(result) ? result : stream_->set_event(event);
}

Hr Client::service(const Guid& id, void** service) {
  const Call call(*this, "service");
  if (service == nullptr) return kPointer;
  *service = nullptr;
  if (call.refused()) return call.code();
  const Hr result = ready();
  if (failed(result)) return result;
  const bool captures = endpoint_.flow() == Flow::capture || stream_->has_flag(kLoopback);
  if (id == RenderClient::kId) {
    if (captures) return kWrongEndpointType;
    *service = static_cast<RenderClient*>(&world().make<RenderService>(stream_));
  } else if (id == CaptureClient::kId) {
    if (!captures) return kWrongEndpointType;
    *service = static_cast<CaptureClient*>(&world().make<CaptureService>(stream_));
  } else if (id == AudioClock::kId) {
    *service = static_cast<AudioClock*>(&world().make<ClockService>(stream_));
  } else if (id == SessionControl::kId) {
    *service = static_cast<SessionControl*>(&world().make<SessionService>(stream_));
  } else if (id == kClockAdjustment && !stream_->has_flag(kRateAdjust)) {
    return kInvalidArgument;
  } else {
    return kNoInterface;
  }
  return kOk;
}

// --- AudioClient2 --------------------------------------------------------------------------------

Hr Client::is_offload_capable(Category /*category*/, std::int32_t* capable) {
  const Call call(*this, "is_offload_capable");
  if (call.refused()) return call.code();
  if (capable == nullptr) return kPointer;
  *capable = 0;
  return alive();
}

Hr Client::set_client_properties(const ClientProperties* properties) {
  const Call call(*this, "set_client_properties");
  if (call.refused()) return call.code();
  if (properties == nullptr) return kPointer;
  if (properties->size != 12 && properties->size != 16) return kInvalidArgument;
  const Hr result = alive();
  if (failed(result)) return result;
  if (stream_ != nullptr) {
    world().violate("L5: set_client_properties after initialize");
    return endpoint_.knobs().late_client_properties;
  }
  if (properties->is_offload != 0) return kOffloadNotCapable;
  const std::int32_t options = properties->size == 16 ? properties->options : 0;
  if ((options & kOptionRaw) != 0 && !endpoint_.knobs().is_raw_supported) {
    return kRawModeUnsupported;
  }
  properties_ = *properties;
  properties_.options = options;
  return kOk;
}

Hr Client::buffer_size_limits(const WaveFormat* format, std::int32_t /*event_driven*/,
                              ReferenceTime* least, ReferenceTime* most) {
  const Call call(*this, "buffer_size_limits");
  if (call.refused()) return call.code();
  if (format == nullptr || least == nullptr || most == nullptr) return kPointer;
  return is_client3_dumb() ? kNotImplemented : kOffloadNotCapable;
}

// --- AudioClient3, the questions -----------------------------------------------------------------

bool Client::is_client3_dumb() const {
  return endpoint_.knobs().small_periods == SmallPeriods::not_implemented;
}

Hr Client::shared_engine_period(const WaveFormat* format, std::uint32_t* standard,
                                std::uint32_t* fundamental, std::uint32_t* least,
                                std::uint32_t* most) {
  const Call call(*this, "shared_engine_period");
  if (call.refused()) return call.code();
  if (is_client3_dumb()) return kNotImplemented;
  if (format == nullptr || standard == nullptr || fundamental == nullptr || least == nullptr ||
      most == nullptr) {
    return kPointer;
  }
  const Hr result = alive();
  if (failed(result)) return result;
  const std::optional<Format> parsed = parse(format);
  if (!parsed || answer_shared(*parsed) != kOk) return kUnsupportedFormat;
  const Knobs& knobs = endpoint_.knobs();
  *standard = *most = endpoint_.standard_frames();
  *fundamental = std::min(knobs.fundamental_frames, *most);
  *least = std::min(knobs.least_frames, *most);
  return kOk;
}

Hr Client::current_engine_period(WaveFormat** format, std::uint32_t* period) {
  const Call call(*this, "current_engine_period");
  if (call.refused()) return call.code();
  if (is_client3_dumb()) return kNotImplemented;
  if (format == nullptr || period == nullptr) return kPointer;
  *format = nullptr;
  const Hr result = alive();
  if (failed(result)) return result;
  *format = world().allocate_format(endpoint_.mix_format(), false, "client.current_engine_period");
  *period = endpoint_.engine_frames();
  return kOk;
}

}  // namespace asiodrv::devices::wasapi::fake
