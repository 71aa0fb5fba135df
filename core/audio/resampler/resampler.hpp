// The product's adaptive resampler: any ratio, smoothly varying, for many channels at once.
//
// One polyphase filter serves every channel, at one shared place (position.hpp), so channels stay
// aligned to the sample for ever and the coefficients of a frame are computed once. The object
// keeps as much past input as its filter needs; a caller hands over blocks and keeps no overlap.
//
// Pull: the consumer needs exactly N frames (a client's or a device's buffer), the source is a
// ring.
//
//   const Frames need = resampler.needed(n, speed);       // exact, not an estimate
//   if (ring.readable() < need) { ... underrun ... }
//   resampler.process(ring.peek(need), out, speed);       // out.frames == n
//   ring.drop(need);                                      // all of it was consumed
//
// Push: the source delivers blocks, whatever comes out goes into a ring.
//
//   const Frames n = resampler.obtainable(in.frames, speed);
//   resampler.process(in, ring.room(n + 1), speed);       // room for one more: takes all of `in`
//
// Time: output frame k after reset() shows the input at position() as it was before that frame; at
// constant speed that is  start + k * speed * input rate / output rate  frames, exactly. The filter
// is symmetric and adds no delay of its own, but it must look ahead: a place p needs the input up
// to and including frame floor(p) + look_ahead(). So look_ahead() is the whole latency, in input
// frames, exact and constant. A servo compares position() with the filtered count of frames
// written; it subtracts whole parts first.
//
// Input is judged as it is copied: NaN becomes 0, magnitudes are limited to 10^6 (full scale is 1)
// and those below 10^-15 become 0, so nothing a client writes can poison the sums or slow them
// down; whatever it was, it is forgotten after FilterTable::taps() frames.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/audio/resampler/filter_table.hpp"
#include "core/audio/resampler/kernel.hpp"
#include "core/audio/resampler/position.hpp"
#include "core/base/planar.hpp"
#include "core/base/result.hpp"
#include "core/base/rt.hpp"
#include "core/base/units.hpp"

namespace asiodrv::audio {

inline constexpr std::uint32_t kMaxResamplerChannels = 1024;
inline constexpr Frames kMaxResamplerBlock{16'384};

struct ResamplerOptions {
  std::uint32_t channels = 2;  ///< 1 to kMaxResamplerChannels
  ResamplerQuality quality = ResamplerQuality::standard;
  SampleRate input_rate{48'000};   ///< nominal; what speed 1 means
  SampleRate output_rate{48'000};  ///< nominal
  Frames max_block{1024};          ///< the most output frames of one process() call
  /// The instruction set to use; empty takes best_simd_path().
  std::optional<SimdPath> simd_path = std::nullopt;
};

/// See the top of this file. Thread: make() and the destructor on control threads; everything
/// else on one thread at a time. Movable; a moved-from object may only be destroyed or assigned.
class Resampler {
 public:
  /// What one process() call did.
  struct Flow {
    Frames consumed;  ///< input frames taken; the caller drops these
    Frames produced;  ///< output frames written, from the start of the view on
  };

  /// Makes a resampler, at speed 1 and reset(). `table` may be shared by any number of resamplers
  /// of the same quality and rates; without it, the resampler designs its own. Errors:
  /// invalid_argument  channels, block or rates outside their limits, or a table of other
  ///                           rates or quality
  ///         unsupported       this processor lacks the asked SIMD path
  /// Thread: control. Allocates: about 4 * (max_block * input/output rate + 8 * taps) bytes a
  /// channel; nothing is allocated afterwards.
  [[nodiscard]] static Result<Resampler> make(const ResamplerOptions& options,
                                              std::shared_ptr<const FilterTable> table = nullptr);

  /// Writes as many output frames as `in` and `out` allow (at most max_block), and takes the input
  /// they need. When `out` has room to spare it takes all of `in`, as far as its history has room
  /// for (max_block output frames' worth). The speed moves in a straight line from that of the call
  /// before to `speed`, which holds from this block's last frame on; speeds beyond
  /// kMaxSpeedDeviation are limited, NaN is 1.
  /// Shape: both planar [channel][frame] with this resampler's channel count (asserted); they must
  /// not overlap.
  /// RT: wait-free, O((produced + consumed) * channels * taps), no allocation.
  Flow process(PlanarView<const float> in, PlanarView<float> out, ReadSpeed speed) RT_SAFE;

  /// Exactly how many input frames process() takes now to write `outputs` (at most max_block)
  /// frames at `speed`. O(1).
  [[nodiscard]] Frames needed(Frames outputs, ReadSpeed speed) const RT_SAFE;

  /// Exactly how many frames process() can write now, given `inputs` frames at `speed` and enough
  /// room; at most max_block. O(1).
  [[nodiscard]] Frames obtainable(Frames inputs, ReadSpeed speed) const RT_SAFE;

  /// Forgets the past (it becomes silence), goes back to speed 1 and places the first output frame
  /// at `start` on the axis of input frames, on which the next consumed frame is number 0.
  /// `start` is between -look_ahead() and 0 (limited to it), fraction free: at 0 the first output
  /// needs look_ahead() + 1 frames of input; at -look_ahead() blocks flow at once, N in for N out
  /// at equal rates, and the first look_ahead() frames out are silence.
  /// RT: O(channels * taps).
  void reset(InputPosition start = {}) RT_SAFE;

  /// Where the next output frame reads. Counts from reset().
  [[nodiscard]] InputPosition position() const RT_SAFE { return head_.position(); }
  /// Input frames consumed since reset().
  [[nodiscard]] std::int64_t received() const RT_SAFE { return origin_ + fill_; }
  /// The latency, in input frames: exact and constant.
  [[nodiscard]] Frames look_ahead() const noexcept { return table_->look_ahead(); }
  /// The latency in output frames; a fraction when the rates differ.
  [[nodiscard]] double latency_in_output_frames() const noexcept;

  [[nodiscard]] const FilterTable& table() const noexcept { return *table_; }
  [[nodiscard]] SimdPath simd_path() const noexcept { return simd_path_; }
  [[nodiscard]] std::uint32_t channels() const noexcept { return channels_; }
  [[nodiscard]] Frames max_block() const noexcept { return {max_block_}; }

 private:
  Resampler(const ResamplerOptions& options, std::shared_ptr<const FilterTable> table);

  [[nodiscard]] std::int64_t first_read(InputPosition place) const RT_SAFE;
  [[nodiscard]] bool enough(const ReadHead::Path& path, std::uint32_t inputs) const RT_SAFE;
  [[nodiscard]] ReadHead::Path longest_path(std::uint32_t inputs, const ReadStep& to,
                                            std::uint32_t at_most) const RT_SAFE;
  [[nodiscard]] std::uint32_t inputs_for(const ReadHead::Path& path) const RT_SAFE;
  [[nodiscard]] std::uint32_t forgettable() const RT_SAFE;
  void make_room(std::uint32_t inputs) RT_SAFE;
  void append(PlanarView<const float> in, std::uint32_t frames) RT_SAFE;
  void compute(const ReadHead::Path& path, PlanarView<float> out) RT_SAFE;
  [[nodiscard]] float* history(std::uint32_t channel) RT_SAFE {
    return history_ + channel * stride_;
  }

  std::shared_ptr<const FilterTable> table_;
  ReadHead head_;
  std::uint32_t channels_;
  std::uint32_t max_block_;
  SimdPath simd_path_;
  kernel::Run run_;

  std::vector<std::byte> memory_;  ///< all of the following, aligned by hand to cache lines
  float* history_ = nullptr;       ///< [channel][stride_], of which the first fill_ are input
  float* coefficients_ = nullptr;
  double* core_coefficients_ = nullptr;
  float* tail_ = nullptr;  ///< [channel][kGroup]: the last, incomplete group of a block
  std::vector<float*> tail_blocks_;
  std::vector<kernel::Window> windows_;

  std::size_t stride_ = 0;      ///< samples from one channel's history to the next one's
  std::uint32_t capacity_ = 0;  ///< samples of history per channel
  std::uint32_t fill_ = 0;
  std::int64_t origin_ = 0;  ///< number of the input frame at the start of the history
};

}  // namespace asiodrv::audio
