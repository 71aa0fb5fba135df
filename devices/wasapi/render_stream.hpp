// One stream that plays, on one client. Control threads make, start, stop and release it; between
// start and stop the engine thread alone calls the rest.
//
// RT: the calls of the system are made under an RtPermit: they are what every program on this
// system does per period, bounded by the system, and cannot be replaced.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "core/audio/interleave.hpp"
#include "core/base/planar.hpp"
#include "core/base/rt.hpp"
#include "devices/wasapi/stream_open.hpp"

namespace asiodrv::devices::wasapi {

class RenderStream {
 public:
  /// `dither`: see audio::Dither. Errors: those of the services.
  [[nodiscard]] static Result<std::unique_ptr<RenderStream>> make(OpenStream stream, bool dither);
  /// Services first, then the client; on the thread that may block.
  ~RenderStream();

  [[nodiscard]] const OpenStream& opened() const noexcept { return stream_; }
  [[nodiscard]] bool exclusive() const noexcept { return stream_.mode == StreamMode::exclusive; }

  /// Empties the client, fills it with `prefill` frames of silence (exclusive: one whole buffer)
  /// and starts it.
  [[nodiscard]] Hr start(std::uint32_t prefill);
  void stop() noexcept;

  /// Frames that wait to be played. Shared modes only: exclusive ones answer nonsense.
  Hr padding(std::uint32_t& frames) RT_SAFE;
  /// Hands over one period of the engine; `view` has one block per channel.
  Hr write(PlanarView<const float> view) RT_SAFE;
  /// Hands over silence. Shared modes only.
  Hr write_silence(std::uint32_t frames) RT_SAFE;
  /// Frames handed over since start.
  [[nodiscard]] std::uint64_t written() const RT_SAFE { return written_; }
  /// Frames played since start, as of `at`; a failure means "not known now" unless it is a loss.
  Hr played(System& system, double& frames, Instant& at) RT_SAFE;

 private:
  RenderStream(OpenStream stream, ComPtr<RenderClient> service, ComPtr<AudioClock> clock,
               std::uint64_t frequency, bool dither);

  OpenStream stream_;
  ComPtr<AudioClock> clock_;  // may be missing
  ComPtr<RenderClient> service_;
  double frames_per_tick_ = 0;  // of the clock
  std::uint64_t written_ = 0;
  std::optional<audio::Dither> dither_;
};

}  // namespace asiodrv::devices::wasapi
