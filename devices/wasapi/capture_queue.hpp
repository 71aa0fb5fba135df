// Between the packets of a capture endpoint, which come when they come, and the engine's periods,
// each of which takes exactly one period of frames.
//
//   level   frames that wait just before a period takes its own; the age of the newest one is the
//           latency of the input, so the level is kept as low as the arrivals allow
//   low     a period finds too little: silence goes in front of it (a gap), and from then on the
//           level is higher by that much. So it finds its own least, whatever the phase between
//           packets and periods, and follows a slower clock.
//   high    what was left over even at the lowest moment of a window of periods was never needed:
//           whole periods of it are dropped (a gap). Follows a faster clock; takes back what a
//           single late packet has cost. Each time that silence was needed again the window
//           doubles, 1 s to 64 s, so that the level settles where the jitter needs it.
//   start   in the first half second (8 periods at least) the windows are a quarter of that, and
//   none
//           of this counts as a gap: endpoints take their time to find their step.
//
// One thread at a time. RT: wait-free, no allocation after the constructor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/planar.hpp"
#include "core/base/rt.hpp"
#include "devices/wasapi/formats.hpp"

namespace asiodrv::devices::wasapi {

class CaptureQueue {
 public:
  /// `capacity`: frames that fit; more than two periods.
  CaptureQueue(const StreamFormat& format, Frames period, Frames capacity);

  /// For a stream that starts.
  void reset() RT_SAFE;

  /// Appends `frames` frames of interleaved bytes; null: silence. Without room the oldest go.
  void push(const std::byte* data, std::uint32_t frames) RT_SAFE;

  /// One period to `target`, which has the format's channels. True when frames were lost or put
  /// in (see above).
  bool take(PlanarView<float> target) RT_SAFE;

  /// Drops `frames` that were captured while the engine missed periods; keeps one period.
  void skip(std::uint64_t frames) RT_SAFE;

  [[nodiscard]] std::uint32_t level() const RT_SAFE { return level_; }
  /// All that were ever dropped or put in after the start.
  [[nodiscard]] std::uint64_t dropped() const RT_SAFE { return dropped_; }
  [[nodiscard]] std::uint64_t inserted() const RT_SAFE { return inserted_; }

 private:
  void drop(std::uint32_t frames) RT_SAFE;
  bool drop_surplus() RT_SAFE;
  [[nodiscard]] bool settling() const RT_SAFE;

  StreamFormat format_;
  std::uint32_t period_;
  std::uint32_t capacity_;
  std::uint32_t frame_bytes_;
  std::vector<std::byte> bytes_;  // twice the capacity: the content is always in one piece
  std::vector<float*> blocks_;    // scratch: the part of the target behind the silence

  std::uint32_t first_ = 0;  // frame in bytes_
  std::uint32_t level_ = 0;
  std::uint64_t settling_ = 0;        // periods that belong to the start
  std::uint64_t taken_ = 0;           // periods
  std::uint64_t window_periods_ = 0;  // length
  std::uint64_t window_end_ = 0;      // in taken_
  std::uint32_t window_least_ = 0;    // left over
  bool overflowed_ = false;
  std::uint64_t dropped_ = 0, inserted_ = 0;
};

}  // namespace asiodrv::devices::wasapi
