// A client with a buffer size and a rate of its own, on a device with another.
//
// The adapter stands between a client's double buffer (halves of N frames) and the engine's cycle
// (blocks of P frames at the device's rate). Captured periods are cut into blocks for the client;
// its answers are cut into render blocks, at one constant delay. Equal rates are bit-exact; other
// rates pass through one resampler for all inputs and one for all outputs, at the exact ratio.
// When what is due, and why no smaller delay would do: adapter_timeline.hpp.
//
// One cycle of the engine:
//
//   adapter.capture(inputs, lost);                  the boundary moves
//   while (the client answered what was rung before, or answers in time) {
//     if (a block was with it)   to_float(... adapter.output_block(c) ...); adapter.delivered();
//     if (!adapter.block_waits()) break;
//     from_float(... adapter.input_block(c) ...); adapter.rung(); ring its doorbell
//     if (!adapter.output_is_due()) break;          it may take until a later cycle
//   }
//   adapter.take(outputs);
//
// The cycle that starts a client has no capture: restart(), the host's pre-filled half into
// output_block(), delivered(), take(). Until delivered() that half is silence.
//
// Who is late pays with the frames whose time has passed; what is left of the block is used, and
// nothing moves: the delay is the same before and after. A block whose time has wholly passed
// before it is rung is dropped, and the position of the next one jumps. Periods that the device
// lost are silent input, and silent output; with a resampler its look-ahead before and behind the
// loss is silent as well.
//
// Thread: make() on control threads; everything else on one thread at a time, the engine's.
// RT: wait-free, no allocation. O(channels * P) for capture() and take() (times the filter's
// taps), O(1) elsewhere, unless said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/audio/resampler/resampler.hpp"
#include "core/base/result.hpp"
#include "core/base/rt.hpp"
#include "core/base/units.hpp"
#include "core/engine/adapter_timeline.hpp"

namespace asiodrv::engine {

inline constexpr Frames kMinAdapterFrames{16};
inline constexpr Frames kMaxAdapterFrames{8192};
inline constexpr std::uint32_t kMaxAdapterChannels = 1024;

/// Rates: audio::kMinResamplerRate to kMaxResamplerRate, apart by kMaxRateFactor at most.
struct AdapterShape {
  Frames device_period;
  SampleRate device_rate;
  Frames client_frames;
  SampleRate client_rate;
  std::uint32_t inputs = 0;   ///< channels from the device to the client; 0 is fine
  std::uint32_t outputs = 0;  ///< channels from the client to the device; 0 is fine
  audio::ResamplerQuality quality = audio::ResamplerQuality::standard;
  /// The client's output is complete only when its next block is rung (ClientSetup::deferred):
  /// deliver it then, before rung(). output_is_due() is no reason to wait for such a client.
  bool deferred = false;
};

/// See the top of this file.
class Adapter {
 public:
  /// Makes an adapter, as after restart().
  /// Errors: invalid_argument  a size, rate or channel count outside its limits
  /// Thread: control. Takes about 60 ms when the rates differ (two filters). Allocates: about
  /// 4 * (4N + P) bytes a channel, N and P in frames at the client's rate, and the resamplers.
  [[nodiscard]] static Result<std::unique_ptr<Adapter>> make(const AdapterShape& shape);

  Adapter(const Adapter&) = delete;
  Adapter& operator=(const Adapter&) = delete;

  /// From the device's input to the client's buffer, in client frames: its own buffer and the
  /// resampler's look-ahead. Without the device's own latency.
  [[nodiscard]] Frames input_latency() const RT_SAFE { return input_latency_; }
  /// From the client's buffer to the device's output, in client frames. Both latencies together
  /// are round_trip(), rounded. Without the device's own latency.
  [[nodiscard]] Frames output_latency() const RT_SAFE { return output_latency_; }
  /// From captured to played when a client loops its buffer back, in device frames, constant. A
  /// fraction when the rates differ.
  [[nodiscard]] double round_trip() const RT_SAFE { return round_trip_; }
  [[nodiscard]] const AdapterShape& shape() const RT_SAFE { return shape_; }

  /// Forgets everything; the present boundary becomes 0. O(channels * (N + taps)).
  void restart() RT_SAFE;

  /// A period has been captured: the boundary moves by (1 + lost) periods of which the first
  /// `lost` are silent. A boundary that was not taken counts as lost for the outputs.
  /// Shape: one block of P frames per input; may be null without inputs.
  void capture(const float* const* inputs, std::uint32_t lost) RT_SAFE;

  /// A whole block is there to be rung (whether or not the client still has another).
  [[nodiscard]] bool block_waits() const RT_SAFE {
    return timeline_.captured(boundary_) >= block_end(next_);
  }

  struct Block {
    std::uint64_t position;  ///< of its first frame, in client frames since restart()
    /// For how many device frames, before the present boundary, its last frame has been complete;
    /// never negative. The instants that follow from it are exactly one client buffer apart.
    double age;
    bool discontinuity;  ///< frames before it were dropped, or the device lost frames inside it
  };
  /// The block to ring next. Only while block_waits().
  [[nodiscard]] Block next_block() const RT_SAFE;

  /// The N samples of the block to ring next. Only while block_waits(), until rung() or capture().
  [[nodiscard]] const float* input_block(std::uint32_t channel) const RT_SAFE;

  /// The block is with the client now.
  void rung() RT_SAFE;

  /// A block is with the client: rung, and not delivered.
  [[nodiscard]] bool block_is_out() const RT_SAFE { return out_; }

  /// take() would now miss frames that the client can still deliver: of the block that is with it,
  /// or of one that waits to be rung.
  [[nodiscard]] bool output_is_due() const RT_SAFE;

  /// Where to write the N samples of the block that is with the client; after restart(), of the
  /// host's pre-filled half. Also when all of its time has passed.
  [[nodiscard]] float* output_block(std::uint32_t channel) RT_SAFE;

  /// All outputs of that block have been written.
  void delivered() RT_SAFE;

  /// Writes the render block of the present boundary. False when frames were missing: these are
  /// silence. Once per boundary; again is silence, and false.
  /// Shape: one block of P frames per output; may be null without outputs.
  [[nodiscard]] bool take(float* const* outputs) RT_SAFE;

 private:
  Adapter(const AdapterShape& shape, std::optional<audio::Resampler> in,
          std::optional<audio::Resampler> out);

  /// Half-open, in client frames.
  struct Range {
    std::uint64_t begin, end;
  };

  [[nodiscard]] std::uint64_t block_end(std::uint64_t number) const RT_SAFE {
    return (number + 1) * shape_.client_frames.count;
  }
  [[nodiscard]] Range due_frames() const RT_SAFE;
  [[nodiscard]] bool holds(std::uint64_t stream_block) const RT_SAFE {
    return held_[static_cast<std::size_t>(stream_block % blocks_)] == stream_block;
  }
  [[nodiscard]] std::size_t index(std::uint32_t channel, std::uint64_t frame) const RT_SAFE {
    return static_cast<std::size_t>(channel * ring_ + frame % ring_);
  }
  [[nodiscard]] float* input_at(std::uint32_t channel, std::uint64_t frame) RT_SAFE {
    return &input_[index(channel, frame)];
  }
  [[nodiscard]] float* output_at(std::uint32_t channel, std::uint64_t frame) RT_SAFE {
    return &output_[index(channel, frame)];
  }
  void lose_input(std::uint64_t device_frames) RT_SAFE;
  void store_input(const float* const* inputs) RT_SAFE;
  void resample_input(const float* const* inputs) RT_SAFE;
  void jump_output(std::int64_t play) RT_SAFE;
  void copy_output(float* const* outputs, std::uint32_t at) RT_SAFE;
  void resample_output(float* const* outputs, std::uint32_t at) RT_SAFE;

  const AdapterShape shape_;
  const AdapterTimeline timeline_;
  const bool rung_once_;  ///< in a cycle, at most: a deferred client with a whole period or more
  std::optional<audio::Resampler> in_resampler_, out_resampler_;
  Frames input_latency_, output_latency_;
  double round_trip_ = 0;

  const std::uint64_t blocks_;         ///< that either ring holds: all between playing and captured
  const std::uint64_t ring_;           ///< the same in frames; blocks never wrap inside
  std::vector<float> input_;           ///< [channel][frame % ring_]
  std::vector<float> output_;          ///< [channel][frame of the stream back % ring_]
  std::vector<std::uint64_t> held_;    ///< [block of the stream back % blocks_]: which one is there
  std::vector<float> nothing_;         ///< a silent block
  std::vector<const float*> sources_;  ///< scratch, a pointer per channel
  std::vector<float*> targets_;

  std::uint64_t boundary_ = 0;  ///< device frames
  std::int64_t play_ = 0;  ///< the next frame of the stream back to render; negative: silence first
  bool taken_ = false;     ///< the present boundary's render block
  std::uint64_t written_ = 0;   ///< client frames in the input ring, ever
  std::uint64_t fed_ = 0;       ///< the output resampler's next frame of the stream back
  std::uint64_t next_ = 0;      ///< the block to ring next
  std::uint64_t expected_ = 0;  ///< the one that would be without a jump
  std::uint64_t answer_ = 0;    ///< block of the stream back that output_block() means
  bool out_ = false;
  Range lost_{};  ///< client frames: silent because the device lost them
};

}  // namespace asiodrv::engine
