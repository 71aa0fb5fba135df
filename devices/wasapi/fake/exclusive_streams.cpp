#include "devices/wasapi/fake/exclusive_streams.hpp"

#include <algorithm>

#include "devices/wasapi/fake/shared_streams.hpp"

namespace asiodrv::devices::wasapi::fake {

std::uint32_t ExclusiveStream::padding() const {
  switch (endpoint().knobs().exclusive_padding) {
    case ExclusivePadding::zero: return 0;
    case ExclusivePadding::full: return settings().buffer_frames;
  }
  return 0;
}

void ExclusiveStream::on_start() {
  ++session_;
  base_ = endpoint().device_clock().frame_at(started_at()) + 1;
  schedule(0);
}

void ExclusiveStream::on_stop() {
  ++session_;
  passed_ += endpoint().device_clock().frame_at(world().now()) -
             std::min(base_, endpoint().device_clock().frame_at(world().now()));
}

void ExclusiveStream::on_reset() { passed_ = 0; }

std::uint64_t ExclusiveStream::frames_passed() const {
  const std::uint64_t frame = endpoint().device_clock().frame_at(world().now());
  return passed_ + (is_running() && frame > base_ ? frame - base_ : 0);
}

void ExclusiveStream::schedule(std::uint64_t number) {
  const std::uint64_t frame = base_ + number * settings().buffer_frames;
  endpoint().schedule_tick(endpoint().device_clock().instant_of(frame),
                           [weak = weak_from_this(), number, session = session_] {
                             const auto stream = weak.lock();
                             if (stream == nullptr || stream->is_dead()) return;
                             static_cast<ExclusiveStream&>(*stream).run(number, session);
                           });
}

void ExclusiveStream::run(std::uint64_t number, std::uint64_t session) {
  if (session != session_) return;
  on_tick(base_ + number * settings().buffer_frames, number);
  schedule(number + 1);
}

// --- render --------------------------------------------------------------------------------------

ExclusiveRender::ExclusiveRender(Endpoint& endpoint, const StreamSettings& settings)
    : ExclusiveStream(endpoint, settings),
      memory_(std::size_t{settings.buffer_frames} * settings.format.frame_bytes) {
  on_reset();
}

void ExclusiveRender::on_reset() {
  ExclusiveStream::on_reset();
  for (Half& half : halves_) {
    half.samples.assign(std::size_t{settings().buffer_frames} * settings().format.channels, 0.0F);
    half.is_fresh = false;
  }
  may_write_ = true;
}

void ExclusiveRender::on_stop() {
  ExclusiveStream::on_stop();
  // The next start plays from the first half again, and needs it filled again.
  for (Half& half : halves_) half.is_fresh = false;
  may_write_ = true;
  free_ = 0;
}

Hr ExclusiveRender::get_render(std::uint32_t frames, std::uint8_t** data) {
  if (data == nullptr) return kPointer;
  *data = nullptr;
  if (loss()) return *loss();
  if (is_held()) return kOutOfOrder;
  if (frames != settings().buffer_frames) return kBufferSizeError;
  if (has_failed_buffer_) {
    has_failed_buffer_ = false;
    may_write_ = false;
    return kBufferError;
  }
  if (!may_write_) return endpoint().knobs().extra_exclusive_buffer;
  may_write_ = false;
  held_half_ = free_;
  held_at_tick_ = ticks_;
  begin_hold(frames);
  std::fill(memory_.begin(), memory_.end(), kStale);
  *data = memory_.data();
  return kOk;
}

Hr ExclusiveRender::put_render(std::uint32_t frames, std::uint32_t flags) {
  if (loss()) {
    end_hold();
    return endpoint().random().chance(0.5) ? *loss() : kOk;
  }
  if (!is_held()) return frames == 0 ? kOk : kOutOfOrder;
  if (frames == 0 && endpoint().knobs().exclusive_release_nothing == kOk) {
    end_hold();
    may_write_ = true;
    return kOk;
  }
  if (frames != settings().buffer_frames) return kBufferSizeError;
  end_hold();
  set_touched();
  Half& half = halves_[held_half_];
  half.samples.clear();
  if ((flags & kSilent) != 0) {
    half.samples.assign(std::size_t{frames} * settings().format.channels, 0.0F);
  } else {
    read_frames(world(), settings(), memory_.data(), memory_.size(), frames, half.samples);
  }
  half.is_fresh = held_at_tick_ == ticks_;
  if (!half.is_fresh) endpoint().add_glitch(Glitch::Kind::late, playing_from_, frames);
  return kOk;
}

void ExclusiveRender::on_tick(std::uint64_t frame, std::uint64_t number) {
  Half& half = halves_[number % 2];
  const std::uint32_t frames = settings().buffer_frames;
  const std::uint16_t channels = settings().format.channels;
  const std::uint16_t heard = endpoint().recorder().channels();
  std::vector<float> played(std::size_t{frames} * heard);
  for (std::uint32_t i = 0; i < frames; ++i) {
    for (std::uint32_t channel = 0; channel < std::min(heard, channels); ++channel) {
      played[std::size_t{i} * heard + channel] = half.samples[std::size_t{i} * channels + channel];
    }
  }
  endpoint().record(frame, played.data(), frames, half.is_fresh ? frames : 0);
  if (!half.is_fresh) endpoint().add_glitch(Glitch::Kind::replay, frame, frames);
  half.is_fresh = false;
  ++ticks_;
  playing_from_ = frame;
  free_ = (number + 1) % 2;
  may_write_ = true;
  has_failed_buffer_ = endpoint().random().chance(endpoint().knobs().buffer_error);
  fire();
}

// --- capture -------------------------------------------------------------------------------------

ExclusiveCapture::ExclusiveCapture(Endpoint& endpoint, const StreamSettings& settings)
    : ExclusiveStream(endpoint, settings),
      bytes_(std::size_t{settings.buffer_frames} * settings.format.frame_bytes) {}

std::uint32_t ExclusiveCapture::next_packet() {
  world().violate("next_packet_size of an exclusive stream");
  return has_packet_ && !is_read_ ? settings().buffer_frames : 0;
}

Hr ExclusiveCapture::get_capture(PacketView& packet) {
  if (loss()) return *loss();
  if (is_held()) return kOutOfOrder;
  if (!has_packet_) return kBufferEmpty;
  packet = packet_;
  if (is_read_ && !is_returned_) {
    world().violate("X9: a second capture buffer for one event");
    packet.flags |= kDiscontinuity;
  }
  is_read_ = true;
  is_returned_ = false;
  shown_ = bytes_;
  packet.data = shown_.data();
  begin_hold(packet.frames);
  return kOk;
}

Hr ExclusiveCapture::put_capture(std::uint32_t frames) {
  if (loss()) {
    end_hold();
    return endpoint().random().chance(0.5) ? *loss() : kOk;
  }
  if (!is_held()) return frames == 0 ? kOk : kOutOfOrder;
  if (frames != 0 && frames != held_frames()) return kBufferSizeError;
  end_hold();
  is_returned_ = frames == 0;
  return kOk;
}

void ExclusiveCapture::on_tick(std::uint64_t frame, std::uint64_t number) {
  if (number == 0) return;  // nothing has passed yet
  Knobs& knobs = endpoint().knobs();
  Prng& random = endpoint().random();
  const std::uint32_t frames = settings().buffer_frames;
  const std::uint64_t first = frame - frames;
  const bool is_lost = has_packet_ && !is_read_;
  if (is_lost) endpoint().add_lost(frames);
  if (!has_origin_) {
    has_origin_ = true;
    origin_ = first;
    endpoint().set_capture_origin(first);
  }
  packet_ = {nullptr, frames, 0, first - origin_,
             world().qpc_of(endpoint().device_clock().instant_of(first))};
  const bool is_silent =
      (is_first_ && knobs.first_packet_silent) || random.chance(knobs.silent_packet);
  const std::uint32_t sample = container_bytes(settings().format.layout);
  for (std::uint32_t i = 0; i < frames; ++i) {
    for (std::uint32_t channel = 0; channel < settings().format.channels; ++channel) {
      const float heard = is_silent ? static_cast<float>(random.unit()) - 0.5F
                                    : endpoint().heard(first + i, channel);
      write_sample(settings().format.layout, heard,
                   &bytes_[std::size_t{i} * settings().format.frame_bytes + channel * sample]);
    }
  }
  if (is_silent) packet_.flags |= kSilent;
  if (knobs.every_packet_discontinuity || (is_first_ && knobs.first_packet_discontinuity) ||
      (is_lost && knobs.overrun_flagged)) {
    packet_.flags |= kDiscontinuity;
  }
  if (random.chance(knobs.timestamp_error)) {
    packet_.flags |= kTimestampError;
    packet_.position = random.next();
    packet_.qpc = random.next();
  }
  is_first_ = is_read_ = is_returned_ = false;
  has_packet_ = true;
  fire();
}

void ExclusiveCapture::on_reset() {
  ExclusiveStream::on_reset();
  has_packet_ = false;
  is_first_ = true;
}

}  // namespace asiodrv::devices::wasapi::fake
