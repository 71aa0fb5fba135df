// The physical side of an endpoint: when its frames pass, and what was played in them.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/units.hpp"

namespace asiodrv::devices::wasapi::fake {

/// Frames counted from the beginning of the world, at a rate that is off by `ppm` and may be
/// changed on the way. Exact as far as an Instant reaches.
class DeviceClock {
 public:
  DeviceClock(Instant start, std::uint32_t rate_hz, double ppm);

  [[nodiscard]] std::uint32_t rate_hz() const { return rate_hz_; }
  /// Frames that have passed entirely, which is the index of the one that is passing.
  [[nodiscard]] std::uint64_t frame_at(Instant at) const;
  /// When `frame` begins, rounded up to a nanosecond.
  [[nodiscard]] Instant instant_of(std::uint64_t frame) const;
  [[nodiscard]] Instant middle_of(std::uint64_t frame) const;
  /// From the next frame on.
  void set_rate(Instant now, std::uint32_t rate_hz);

 private:
  void set_divisor();

  Instant anchor_;
  std::uint64_t anchor_frame_ = 0;
  std::uint32_t rate_hz_;
  double ppm_;
  std::uint64_t divisor_ = 0;  // hertz in 1e-12
};

/// What was wrong with some played frames.
struct Glitch {
  enum class Kind {
    underrun,  ///< shared: nothing was there; silence was played
    replay,    ///< exclusive: the half had not been written again; its old content was played
    late       ///< exclusive: a half was written while it was being played
  };
  Kind kind = Kind::underrun;
  std::uint64_t frame = 0;  ///< absolute, of the first one
  std::uint32_t frames = 0;
};

/// What the converter has played, by absolute frame; the last `kept` frames of it. Frames in which
/// nobody played anything are silence.
class Recorder {
 public:
  Recorder(std::uint16_t channels, std::uint32_t kept);

  [[nodiscard]] std::uint16_t channels() const { return channels_; }
  [[nodiscard]] std::uint64_t begin() const;
  [[nodiscard]] std::uint64_t end() const { return end_; }
  /// 0 outside of what is kept, and for channels that there are not.
  [[nodiscard]] float at(std::uint64_t frame, std::uint32_t channel) const;
  /// Everything before is silence from now on.
  void set_channels(std::uint16_t channels);
  /// `samples`: `frames` times channels(), interleaved. Frames before end() are left as they are.
  void write(std::uint64_t frame, const float* samples, std::uint32_t frames);

 private:
  std::uint16_t channels_;
  std::uint32_t kept_;
  std::uint64_t end_ = 0;
  std::vector<float> samples_;
};

}  // namespace asiodrv::devices::wasapi::fake
