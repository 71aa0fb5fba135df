#include "devices/wasapi/render_stream.hpp"

#include <utility>

#include "devices/wasapi/codes.hpp"

namespace asiodrv::devices::wasapi {

RenderStream::RenderStream(OpenStream stream, ComPtr<RenderClient> service,
                           ComPtr<AudioClock> clock, std::uint64_t frequency, bool dither)
    : stream_(std::move(stream)), clock_(std::move(clock)), service_(std::move(service)) {
  // Bytes or frames per second, depending on the mode: only position over frequency has a meaning.
  if (clock_ && frequency > 0) {
    frames_per_tick_ = static_cast<double>(stream_.format.rate.hz) / static_cast<double>(frequency);
  }
  if (dither) dither_.emplace();
}

Result<std::unique_ptr<RenderStream>> RenderStream::make(OpenStream stream, bool dither) {
  ComPtr<RenderClient> service;
  if (const Hr code = get_service(*stream.client.get(), service); failed(code)) {
    return refuse(code, "Preparing the output");
  }
  ComPtr<AudioClock> clock;
  std::uint64_t frequency = 0;
  // Goes without: the latency is then an estimate. A clock that is of no use is kept all the same:
  // services are to be released on the thread that releases the client.
  if (failed(get_service(*stream.client.get(), clock)) || failed(clock->frequency(&frequency))) {
    frequency = 0;
  }
  return std::unique_ptr<RenderStream>(
      new RenderStream(std::move(stream), std::move(service), std::move(clock), frequency, dither));
}

RenderStream::~RenderStream() {
  clock_.reset();
  service_.reset();
  stream_.client.reset();
}

Hr RenderStream::start(std::uint32_t prefill) {
  (void)stream_.client->stop();  // whatever it says: what counts is whether it starts
  Hr code = stream_.client->reset();
  if (failed(code)) return code;
  written_ = 0;
  const std::uint32_t frames = exclusive() ? stream_.buffer.count : prefill;
  std::uint8_t* data = nullptr;
  code = service_->buffer(frames, &data);
  if (failed(code)) return code;
  code = service_->release_buffer(frames, kSilent);
  if (failed(code)) return code;
  written_ = frames;
  return stream_.client->start();
}

void RenderStream::stop() noexcept {
  // After a loss these fail in various ways; the stream is released either way.
  (void)stream_.client->stop();
  (void)stream_.client->reset();
}

Hr RenderStream::padding(std::uint32_t& frames) RT_SAFE {
  const RtPermit system_call;
  std::uint32_t answer = 0;
  const Hr code = stream_.client->current_padding(&answer);
  if (!failed(code)) frames = answer;
  return code;
}

Hr RenderStream::write(PlanarView<const float> view) RT_SAFE {
  std::uint8_t* data = nullptr;
  {
    const RtPermit system_call;
    const Hr code = service_->buffer(view.frames.count, &data);
    if (failed(code)) return code;
  }
  if (data == nullptr) return kPointer;
  audio::interleave_from_float(stream_.format.layout, view, reinterpret_cast<std::byte*>(data),
                               dither_ ? &*dither_ : nullptr);
  const RtPermit system_call;
  const Hr code = service_->release_buffer(view.frames.count, 0);
  if (failed(code)) {
    (void)service_->release_buffer(0, 0);  // or it would stay taken, and refuse the next one
  } else {
    written_ += view.frames.count;
  }
  return code;
}

Hr RenderStream::write_silence(std::uint32_t frames) RT_SAFE {
  if (frames == 0) return kOk;
  const RtPermit system_call;
  std::uint8_t* data = nullptr;
  Hr code = service_->buffer(frames, &data);
  if (failed(code)) return code;
  code = service_->release_buffer(frames, kSilent);
  if (!failed(code)) written_ += frames;
  return code;
}

Hr RenderStream::played(System& system, double& frames, Instant& at) RT_SAFE {
  if (frames_per_tick_ == 0) return kNotImplemented;
  const RtPermit system_call;
  std::uint64_t position = 0, qpc = 0;
  const Hr code = clock_->position(&position, &qpc);
  if (failed(code)) return code;
  frames = static_cast<double>(position) * frames_per_tick_;
  at = system.instant_of(qpc);
  return code;
}

}  // namespace asiodrv::devices::wasapi
