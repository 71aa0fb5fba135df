#include "devices/wasapi/capture_stream.hpp"

#include <algorithm>
#include <utility>

#include "devices/wasapi/codes.hpp"

namespace asiodrv::devices::wasapi {
namespace {

/// More packets than a buffer holds are never there at once; a system that says so is not believed.
constexpr int kMaxPackets = 64;

}  // namespace

CaptureStream::CaptureStream(OpenStream stream, ComPtr<CaptureClient> service)
    : stream_(std::move(stream)), service_(std::move(service)) {}

Result<std::unique_ptr<CaptureStream>> CaptureStream::make(OpenStream stream) {
  ComPtr<CaptureClient> service;
  if (const Hr code = get_service(*stream.client.get(), service); failed(code)) {
    return refuse(code, "Preparing the input");
  }
  return std::unique_ptr<CaptureStream>(new CaptureStream(std::move(stream), std::move(service)));
}

CaptureStream::~CaptureStream() {
  service_.reset();
  stream_.client.reset();
}

Hr CaptureStream::start() {
  (void)stream_.client->stop();
  const Hr code = stream_.client->reset();
  if (failed(code)) return code;
  position_known_ = stamps_arrival_ = false;
  return stream_.client->start();
}

void CaptureStream::stop() noexcept {
  (void)stream_.client->stop();
  (void)stream_.client->reset();
}

Hr CaptureStream::drain(System& system, Instant now, CaptureQueue& queue,
                        Captured& captured) RT_SAFE {
  if (exclusive()) return take_packet(system, now, queue, captured);
  for (int packet = 0; packet < kMaxPackets; ++packet) {
    const std::uint32_t before = captured.frames;
    const Hr code = take_packet(system, now, queue, captured);
    if (failed(code)) return code;
    if (captured.frames == before) return kOk;
  }
  return kOk;
}

Hr CaptureStream::take_packet(System& system, Instant now, CaptureQueue& queue,
                              Captured& captured) RT_SAFE {
  std::uint8_t* data = nullptr;
  std::uint32_t frames = 0, flags = 0;
  std::uint64_t position = 0, qpc = 0;
  {
    const RtPermit system_call;
    const Hr code = service_->buffer(&data, &frames, &flags, &position, &qpc);
    // "Empty" is a success, and then the outputs mean nothing.
    if (failed(code)) return code == kBufferError ? kOk : code;
    if (code == kBufferEmpty) return kOk;
    if (frames == 0) return service_->release_buffer(0);
  }
  const bool usable = data != nullptr && (flags & kSilent) == 0 && frames <= stream_.buffer.count;
  // What claims to be longer than the buffer is not read; its time is kept, its sound is not.
  queue.push(usable ? reinterpret_cast<const std::byte*>(data) : nullptr, frames);
  judge_position(flags, position, frames, captured);
  captured.frames += frames;
  if ((flags & kTimestampError) == 0) {
    captured.stamped = true;
    captured.newest =
        end_of_packet(system.instant_of(qpc), duration_ceil({frames}, stream_.format.rate), now);
  }
  const RtPermit system_call;
  return service_->release_buffer(frames);
}

/// When the last frame of a packet had passed the input. The stamp is that of the first one, says
/// the documentation; Wine stamps the arrival of the whole, which frames of the future betray. Its
/// timer fetches packets once in a packet's time, so the frame is up to that much older: half of
/// it, as nothing says where in between.
Instant CaptureStream::end_of_packet(Instant stamp, nanoseconds length, Instant now) RT_SAFE {
  stamps_arrival_ |= stamp + length > now + length / 4;
  return std::min(stamps_arrival_ ? stamp - length / 2 : stamp + length, now);
}

/// There are devices that flag every packet: only a position that jumped, too, is believed.
void CaptureStream::judge_position(std::uint32_t flags, std::uint64_t position,
                                   std::uint32_t frames, Captured& captured) RT_SAFE {
  if ((flags & kTimestampError) != 0) {
    position_known_ = false;
    return;
  }
  if (position_known_ && position > next_position_) captured.discontinuity = true;
  position_known_ = true;
  next_position_ = position + frames;
}

}  // namespace asiodrv::devices::wasapi
