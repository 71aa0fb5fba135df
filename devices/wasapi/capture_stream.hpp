// One stream that records, on one client. Threads and RT as for RenderStream.
#pragma once

#include <memory>

#include "core/base/rt.hpp"
#include "devices/wasapi/capture_queue.hpp"
#include "devices/wasapi/stream_open.hpp"

namespace asiodrv::devices::wasapi {

/// What one look at the endpoint brought.
struct Captured {
  std::uint32_t frames = 0;
  bool discontinuity = false;  ///< frames are missing between these and the earlier ones
  bool stamped = false;        ///< `newest` is known
  Instant newest{};            ///< when the newest frame had passed the input
};

class CaptureStream {
 public:
  [[nodiscard]] static Result<std::unique_ptr<CaptureStream>> make(OpenStream stream);
  ~CaptureStream();

  [[nodiscard]] const OpenStream& opened() const noexcept { return stream_; }
  [[nodiscard]] bool exclusive() const noexcept { return stream_.mode == StreamMode::exclusive; }

  [[nodiscard]] Hr start();
  void stop() noexcept;

  /// Moves what is there to `queue`; `now`: just before the call. Exclusive: one packet, and only
  /// after an event: asking again would bring the same one again. Shared: all packets, of which
  /// there are a bounded number.
  Hr drain(System& system, Instant now, CaptureQueue& queue, Captured& captured) RT_SAFE;

 private:
  CaptureStream(OpenStream stream, ComPtr<CaptureClient> service);
  Hr take_packet(System& system, Instant now, CaptureQueue& queue, Captured& captured) RT_SAFE;
  [[nodiscard]] Instant end_of_packet(Instant stamp, nanoseconds length, Instant now) RT_SAFE;
  void judge_position(std::uint32_t flags, std::uint64_t position, std::uint32_t frames,
                      Captured& captured) RT_SAFE;

  OpenStream stream_;
  ComPtr<CaptureClient> service_;
  bool position_known_ = false;
  bool stamps_arrival_ = false;
  std::uint64_t next_position_ = 0;  // of the packet after the last one
};

}  // namespace asiodrv::devices::wasapi
