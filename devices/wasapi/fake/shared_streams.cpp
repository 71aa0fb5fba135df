#include "devices/wasapi/fake/shared_streams.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace asiodrv::devices::wasapi::fake {
namespace {

constexpr std::uint32_t kKnownBufferFlags = kDiscontinuity | kSilent | kTimestampError;
/// So many stale frames in a row are no accident.
constexpr std::uint32_t kStaleFrames = 4;

/// How many client frames `device` device frames are, counted from the beginning.
std::uint64_t client_frames(std::uint64_t device, std::uint32_t client_hz,
                            std::uint32_t device_hz) {
  return device * client_hz / device_hz;
}

}  // namespace

void read_frames(World& world, const StreamSettings& settings, const std::uint8_t* bytes,
                 std::size_t size, std::uint32_t frames, std::vector<float>& into) {
  const Format& format = settings.format;
  const std::uint32_t sample = container_bytes(format.layout);
  std::uint32_t stale = 0;
  for (std::uint32_t i = 0; i < frames; ++i) {
    const std::uint8_t* frame = bytes + std::size_t{i} * format.frame_bytes;
    const bool is_stale = std::all_of(frame, frame + format.frame_bytes,
                                      [](std::uint8_t byte) { return byte == kStale; });
    stale = is_stale ? stale + 1 : 0;
    if (stale == std::min(kStaleFrames, frames)) {
      world.violate(
          fmt::format("B2: frame {} of {} was released without being written", i, frames));
    }
    for (std::uint32_t channel = 0; channel < format.channels; ++channel) {
      if (settings.eight_byte_frames) {  // noise, from wherever that is
        into.push_back(
            read_sample(Layout::int32, bytes + (std::size_t{i} * 8 + 4 * channel) % (size - 4)));
      } else {
        into.push_back(read_sample(format.layout, frame + std::size_t{channel} * sample));
      }
    }
  }
}

// --- render --------------------------------------------------------------------------------------

SharedRender::SharedRender(Endpoint& endpoint, const StreamSettings& settings)
    : Stream(endpoint, settings),
      memory_(std::size_t{settings.buffer_frames} * settings.format.frame_bytes) {}

std::uint32_t SharedRender::padding() const {
  return static_cast<std::uint32_t>(queue_.size() / settings().format.channels);
}

Hr SharedRender::get_render(std::uint32_t frames, std::uint8_t** data) {
  if (data == nullptr) return kPointer;
  *data = nullptr;
  if (loss()) return *loss();
  if (is_held()) return kOutOfOrder;
  if (frames > settings().buffer_frames - padding()) return kBufferTooLarge;
  if (frames == 0) return kOk;
  begin_hold(frames);
  std::fill(memory_.begin(), memory_.end(), kStale);
  *data = memory_.data();
  return kOk;
}

Hr SharedRender::put_render(std::uint32_t frames, std::uint32_t flags) {
  if (loss()) {
    end_hold();
    return endpoint().random().chance(0.5) ? *loss() : kOk;
  }
  if ((flags & ~kKnownBufferFlags) != 0 && !endpoint().knobs().unknown_release_flag_passes) {
    return kInvalidArgument;
  }
  if (!is_held()) return frames == 0 ? kOk : kOutOfOrder;
  if (frames > held_frames()) return kInvalidSize;
  end_hold();
  if (frames == 0) return kOk;
  set_touched();
  std::vector<float> samples;
  if ((flags & kSilent) != 0) {
    samples.assign(std::size_t{frames} * settings().format.channels, 0.0F);
  } else {
    read_frames(world(), settings(), memory_.data(), memory_.size(), frames, samples);
  }
  queue_.insert(queue_.end(), samples.begin(), samples.end());
  return kOk;
}

void SharedRender::tick(std::uint64_t frame, std::uint32_t frames, std::vector<float>& mix,
                        std::uint32_t& of_client) {
  if (is_dead() || !has_started()) return;
  const Instant nominal = endpoint().device_clock().instant_of(frame);
  if (is_running() && nominal < started_at()) return;
  if (is_running()) {
    const Format& format = settings().format;
    const std::uint32_t device_hz = endpoint().spec().rate_hz;
    const auto wanted =
        static_cast<std::uint32_t>(client_frames(ticked_ + frames, format.rate_hz, device_hz) -
                                   client_frames(ticked_, format.rate_hz, device_hz));
    ticked_ += frames;
    const std::uint32_t taken = std::min(wanted, padding());
    const std::uint16_t heard = endpoint().recorder().channels();
    const std::uint32_t sounding =
        taken == wanted ? frames
                        : static_cast<std::uint32_t>(std::uint64_t{frames} * taken / wanted);
    for (std::uint32_t i = 0; i < sounding; ++i) {
      const auto source = static_cast<std::size_t>(std::uint64_t{i} * wanted / frames);
      for (std::uint32_t channel = 0; channel < std::min(heard, format.channels); ++channel) {
        mix[std::size_t{i} * heard + channel] += queue_[source * format.channels + channel];
      }
    }
    queue_.erase(queue_.begin(),
                 queue_.begin() + static_cast<std::ptrdiff_t>(taken * format.channels));
    if (sounding < frames) {
      endpoint().add_glitch(Glitch::Kind::underrun, frame + sounding, frames - sounding);
    }
    taken_ += taken;
    taken_last_ = taken;
    taken_at_ = nominal;
    of_client = std::max(of_client, sounding);
  }
  if (is_running() || endpoint().knobs().events_after_stop) fire();
}

std::uint64_t SharedRender::frames_passed() const {
  if (!is_running() || taken_last_ == 0) return taken_;
  const std::int64_t ns = std::max<std::int64_t>(0, (world().now() - taken_at_).count());
  const auto since = static_cast<std::uint64_t>(ns) * settings().format.rate_hz / 1'000'000'000;
  return taken_ - taken_last_ + std::min<std::uint64_t>(since, taken_last_);
}

void SharedRender::on_stop() { taken_last_ = 0; }

void SharedRender::on_reset() {
  queue_.clear();
  taken_ = taken_last_ = 0;
}

// --- capture -------------------------------------------------------------------------------------

SharedCapture::SharedCapture(Endpoint& endpoint, const StreamSettings& settings)
    : Stream(endpoint, settings),
      arrives_late_(endpoint.knobs().stamps_arrival && endpoint.random().chance(0.5)) {}

std::uint32_t SharedCapture::padding() const {
  std::uint32_t frames = 0;
  for (const Packet& packet : queue_) frames += packet.view.frames;
  return frames;
}

std::uint32_t SharedCapture::next_packet() {
  return queue_.empty() ? 0 : queue_.front().view.frames;
}

Hr SharedCapture::get_capture(PacketView& packet) {
  if (loss()) return *loss();
  if (is_held()) return kOutOfOrder;
  if (queue_.empty()) return kBufferEmpty;
  begin_hold(queue_.front().view.frames);
  packet = queue_.front().view;
  packet.data = queue_.front().bytes.data();
  return kOk;
}

Hr SharedCapture::put_capture(std::uint32_t frames) {
  if (loss()) {
    end_hold();
    return endpoint().random().chance(0.5) ? *loss() : kOk;
  }
  if (!is_held()) return frames == 0 ? kOk : kOutOfOrder;
  if (frames != 0 && frames != held_frames()) return kInvalidSize;
  end_hold();
  if (frames != 0) queue_.pop_front();
  return kOk;
}

void SharedCapture::tick(std::uint64_t frame, std::uint32_t frames, std::vector<float>& /*mix*/,
                         std::uint32_t& of_client) {
  if (is_dead() || !has_started()) return;
  const bool is_loopback = endpoint().flow() == Flow::render;
  if (is_loopback && of_client == 0) return;
  if (is_running()) {
    const std::uint64_t ready = is_loopback ? frame : frame + frames;
    if (endpoint().device_clock().instant_of(ready) < started_at()) return;
    add_packet(frame, frames, is_loopback);
  }
  if (is_running() || endpoint().knobs().events_after_stop) fire();
}

void SharedCapture::add_packet(std::uint64_t first, std::uint32_t frames, bool is_loopback) {
  Knobs& knobs = endpoint().knobs();
  Prng& random = endpoint().random();
  const Format& format = settings().format;
  const std::uint32_t device_hz = endpoint().spec().rate_hz;
  if (!has_origin_) {
    has_origin_ = true;
    origin_ = first;
    endpoint().set_capture_origin(first);
  }
  Packet packet;
  PacketView& view = packet.view;
  view.position = client_frames(first - origin_, format.rate_hz, device_hz);
  view.frames = static_cast<std::uint32_t>(
      client_frames(first - origin_ + frames, format.rate_hz, device_hz) - view.position);
  view.qpc = world().qpc_of(endpoint().device_clock().instant_of(first));
  passed_ = view.position + view.frames;
  if (padding() + view.frames > settings().buffer_frames) {
    endpoint().add_lost(view.frames);
    was_overrun_ = true;
    return;
  }
  const bool is_silent =
      (is_first_ && knobs.first_packet_silent) || random.chance(knobs.silent_packet);
  packet.bytes.resize(std::size_t{view.frames} * format.frame_bytes);
  const std::uint32_t sample = container_bytes(format.layout);
  for (std::uint32_t i = 0; i < view.frames; ++i) {
    const std::uint64_t at = first + std::uint64_t{i} * frames / view.frames;
    for (std::uint32_t channel = 0; channel < format.channels; ++channel) {
      const float heard = is_silent     ? static_cast<float>(random.unit()) - 0.5F  // garbage
                          : is_loopback ? endpoint().recorder().at(at, channel)
                                        : endpoint().heard(at, channel);
      write_sample(format.layout, heard,
                   &packet.bytes[std::size_t{i} * format.frame_bytes + channel * sample]);
    }
  }
  if (is_silent) view.flags |= kSilent;
  if (knobs.every_packet_discontinuity || (is_first_ && knobs.first_packet_discontinuity) ||
      (was_overrun_ && knobs.overrun_flagged)) {
    view.flags |= kDiscontinuity;
  }
  if (random.chance(knobs.timestamp_error)) {
    view.flags |= kTimestampError;
    view.position = random.next();
    view.qpc = random.next();
  }
  is_first_ = was_overrun_ = false;
  deliver(std::move(packet));
}

void SharedCapture::deliver(Packet packet) {
  if (endpoint().knobs().stamps_arrival) {
    if (arrives_late_) std::swap(packet, in_transit_);
    if (packet.view.frames == 0) return;
    if ((packet.view.flags & kTimestampError) == 0) {
      packet.view.qpc = world().qpc_of(world().now());
    }
  }
  queue_.push_back(std::move(packet));
}

std::uint64_t SharedCapture::frames_passed() const { return passed_; }

void SharedCapture::on_reset() {
  queue_.clear();
  in_transit_ = {};
  is_first_ = true;
}

}  // namespace asiodrv::devices::wasapi::fake
