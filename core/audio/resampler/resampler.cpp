#include "core/audio/resampler/resampler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <utility>

#include "core/audio/simd.hpp"

namespace asiodrv::audio {
namespace {

static_assert(kernel::kParts == FilterTable::kParts);

constexpr std::size_t kLineSamples = kCacheLine / sizeof(float);

/// The history is moved back to its start once this many filter lengths lie behind: a longer
/// stretch would be moved less often, but leave the first-level cache.
constexpr std::uint32_t kSlackLengths = 4;

constexpr float kLargestMagnitude = 1e6F;
constexpr float kSmallestMagnitude = 1e-15F;

/// Copies samples that somebody else wrote, bounded as the head of resampler.hpp says.
void copy_bounded(const float* source, float* target, std::uint32_t count) RT_SAFE {
  simd::by_fours<4, 4>(source, target, count, [](const void* from, void* to) {
    using simd::Float4;
    const Float4 value = simd::without_nan(simd::load<Float4>(from));
    const Float4 limited =
        simd::at_least(simd::at_most(value, kLargestMagnitude), -kLargestMagnitude);
    const simd::Int4 heard = (limited >= simd::splat(kSmallestMagnitude)) |
                             (limited <= simd::splat(-kSmallestMagnitude));
    simd::store(to, simd::bits_as<simd::Int4>(limited) & heard);
  });
}

/// Cuts aligned pieces off one allocation; with no start, only counts.
class Carver {
 public:
  explicit Carver(std::byte* start) : next_(start) {}

  template <class T>
  T* take(std::size_t count) {
    const std::size_t bytes = (count * sizeof(T) + kCacheLine - 1) / kCacheLine * kCacheLine;
    size_ += bytes;
    if (next_ == nullptr) return nullptr;
    return static_cast<T*>(static_cast<void*>(std::exchange(next_, next_ + bytes)));
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::byte* next_;
  std::size_t size_ = 0;
};

Result<> check(const ResamplerOptions& options, const FilterTable* table) {
  if (options.channels == 0 || options.channels > kMaxResamplerChannels) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("A resampler of {} channels is not possible: 1 to {} are accepted.",
                            options.channels, kMaxResamplerChannels));
  }
  if (options.max_block.count == 0 || options.max_block > kMaxResamplerBlock) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("A resampler's largest block of {} frames is outside 1 to {}.",
                            options.max_block.count, kMaxResamplerBlock.count));
  }
  if (options.simd_path && !simd_path_available(*options.simd_path)) {
    return fail(ErrorCode::unsupported,
                fmt::format("This processor lacks the instructions of the resampler's path '{}'; "
                            "leave the choice open, or use 'baseline'.",
                            simd_path_name(*options.simd_path)));
  }
  if (table != nullptr &&
      (table->quality() != options.quality || table->input_rate() != options.input_rate ||
       table->output_rate() != options.output_rate)) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("The filter table is for quality '{}' from {} to {} Hz, the resampler for '{}' "
                    "from {} to {} Hz: make a table of the resampler's own.",
                    resampler_quality_name(table->quality()), table->input_rate().hz,
                    table->output_rate().hz, resampler_quality_name(options.quality),
                    options.input_rate.hz, options.output_rate.hz));
  }
  return {};
}

}  // namespace

Result<Resampler> Resampler::make(const ResamplerOptions& options,
                                  std::shared_ptr<const FilterTable> table) {
  if (auto checked = check(options, table.get()); !checked) {
    return tl::unexpected(std::move(checked.error()));
  }
  if (table == nullptr) {
    auto made = FilterTable::make(options.quality, options.input_rate, options.output_rate);
    if (!made) return tl::unexpected(std::move(made.error()));
    table = std::move(*made);
  }
  return Resampler(options, std::move(table));
}

Resampler::Resampler(const ResamplerOptions& options, std::shared_ptr<const FilterTable> table)
    : table_(std::move(table)),
      head_(options.input_rate, options.output_rate),
      channels_(options.channels),
      max_block_(options.max_block.count),
      simd_path_(options.simd_path.value_or(best_simd_path())),
      run_(kernel::kernel_for(simd_path_)),
      tail_blocks_(channels_),
      windows_(max_block_ + kernel::kGroup) {
  const std::uint32_t taps = table_->taps();
  const double fastest =
      (1.0 + kMaxSpeedDeviation) * options.input_rate.hz / options.output_rate.hz;
  const auto block_inputs = static_cast<std::uint32_t>(std::ceil(fastest * max_block_)) + 2;
  capacity_ = (kSlackLengths + 2) * taps + block_inputs;
  // An odd number of lines apart, channels do not compete for the same sets of the cache.
  stride_ = ((capacity_ + kLineSamples - 1) / kLineSamples | 1) * kLineSamples;

  const auto carve = [&](Carver carver) {
    history_ = carver.take<float>(stride_ * channels_);
    coefficients_ = carver.take<float>(std::size_t{kernel::kGroup} * taps);
    core_coefficients_ = carver.take<double>(std::size_t{kernel::kGroup} * table_->core_taps());
    tail_ = carver.take<float>(std::size_t{kernel::kGroup} * channels_);
    return carver.size();
  };
  memory_.resize(carve(Carver(nullptr)) + kCacheLine);
  void* start = memory_.data();
  std::size_t room = memory_.size();
  carve(Carver(static_cast<std::byte*>(std::align(kCacheLine, 1, start, room))));
  for (std::uint32_t c = 0; c < channels_; ++c) tail_blocks_[c] = tail_ + c * kernel::kGroup;
  reset();
}

void Resampler::reset(InputPosition start) RT_SAFE {
  const auto ahead = static_cast<std::int64_t>(look_ahead().count);
  start = std::clamp(start, InputPosition{-ahead, 0}, InputPosition{});
  head_.reset(start);
  origin_ = first_read(start);
  fill_ = static_cast<std::uint32_t>(-origin_);
  for (std::uint32_t c = 0; c < channels_; ++c) std::fill_n(history(c), fill_, 0.0F);
}

/// The first input frame of the window of a place.
std::int64_t Resampler::first_read(InputPosition place) const RT_SAFE {
  return place.whole + look_ahead().count - (table_->taps() - 1);
}

double Resampler::latency_in_output_frames() const noexcept {
  return static_cast<double>(look_ahead().count) * table_->output_rate().hz /
         table_->input_rate().hz;
}

std::uint32_t Resampler::inputs_for(const ReadHead::Path& path) const RT_SAFE {
  if (path.frames == 0) return 0;
  const std::int64_t last_read = head_.last_of(path).whole + look_ahead().count;
  return static_cast<std::uint32_t>(std::max<std::int64_t>(0, last_read + 1 - received()));
}

bool Resampler::enough(const ReadHead::Path& path, std::uint32_t inputs) const RT_SAFE {
  return inputs_for(path) <= inputs;
}

ReadHead::Path Resampler::longest_path(std::uint32_t inputs, const ReadStep& to,
                                       std::uint32_t at_most) const RT_SAFE {
  // Guess in floating point, then decide exactly: the guess is off by one or two at most.
  const std::int64_t end = received() + inputs - look_ahead().count;
  const double distance = (InputPosition{end, 0} - head_.position()).frames();
  const double mean_step = (head_.path(1, to).from.advance.frames() + to.advance.frames()) / 2;
  const double guess = std::clamp(distance / mean_step, 0.0, static_cast<double>(at_most));
  auto frames = static_cast<std::uint32_t>(guess);
  ReadHead::Path path = head_.path(frames, to);
  while (frames > 0 && !enough(path, inputs)) path = head_.path(--frames, to);
  while (frames < at_most) {
    const ReadHead::Path longer = head_.path(frames + 1, to);
    if (!enough(longer, inputs)) break;
    path = longer;
    ++frames;
  }
  return path;
}

Frames Resampler::needed(Frames outputs, ReadSpeed speed) const RT_SAFE {
  return {inputs_for(head_.path(std::min(outputs.count, max_block_), head_.step_at(speed)))};
}

Frames Resampler::obtainable(Frames inputs, ReadSpeed speed) const RT_SAFE {
  return {longest_path(inputs.count, head_.step_at(speed), max_block_).frames};
}

Resampler::Flow Resampler::process(PlanarView<const float> in, PlanarView<float> out,
                                   ReadSpeed speed) RT_SAFE {
  assert(in.channels == channels_ && out.channels == channels_);
  const ReadStep to = head_.step_at(speed);
  const std::uint32_t held = fill_ - forgettable();
  const std::uint32_t offered = std::min(in.frames.count, capacity_ - held);
  ReadHead::Path path = head_.path(std::min(out.frames.count, max_block_), to);
  std::uint32_t taken = inputs_for(path);
  if (taken > offered) {
    path = longest_path(offered, to, path.frames);
    taken = offered;
  }
  make_room(taken);
  append(in, taken);
  compute(path, out);
  return {{taken}, {path.frames}};
}

/// How many samples at the start of the history no later output needs.
std::uint32_t Resampler::forgettable() const RT_SAFE {
  return static_cast<std::uint32_t>(first_read(head_.position()) - origin_);
}

void Resampler::make_room(std::uint32_t inputs) RT_SAFE {
  const std::uint32_t drop = forgettable();
  if (fill_ + inputs <= capacity_ && drop <= kSlackLengths * table_->taps()) return;
  fill_ -= drop;
  origin_ += drop;
  for (std::uint32_t c = 0; c < channels_; ++c) {
    std::memmove(history(c), history(c) + drop, fill_ * sizeof(float));
  }
}

void Resampler::append(PlanarView<const float> in, std::uint32_t frames) RT_SAFE {
  if (frames == 0) return;
  for (std::uint32_t c = 0; c < channels_; ++c) {
    copy_bounded(in.channel(c), history(c) + fill_, frames);
  }
  fill_ += frames;
}

void Resampler::compute(const ReadHead::Path& path, PlanarView<float> out) RT_SAFE {
  const std::uint32_t frames = path.frames;
  if (frames == 0) return;
  const std::uint32_t phase_bits = table_->phase_bits();
  head_.visit(path, [&](std::uint32_t i, InputPosition place) {
    // The 24 bits after the phase: as many as a float holds, so the conversion is exact.
    const auto inside = static_cast<std::int32_t>(place.fraction << phase_bits >> 40);
    windows_[i] = {static_cast<std::uint32_t>(first_read(place) - origin_),
                   static_cast<std::uint32_t>(place.fraction >> (64 - phase_bits)),
                   static_cast<float>(inside) * 0x1p-24F};
  });

  const std::uint32_t groups = frames / kernel::kGroup;
  const std::uint32_t rest = frames % kernel::kGroup;
  kernel::Job job{table_->rows(),  table_->core_rows(),
                  table_->taps(),  table_->core_taps(),
                  windows_.data(), groups,
                  history_,        stride_,
                  channels_,       out.blocks,
                  coefficients_,   core_coefficients_};
  run_(job);
  if (rest == 0) return;
  for (std::uint32_t i = 0; i < kernel::kGroup - rest; ++i)
    windows_[frames + i] = windows_[frames - 1];
  job.windows += groups * kernel::kGroup;
  job.groups = 1;
  job.targets = tail_blocks_.data();
  run_(job);
  for (std::uint32_t c = 0; c < channels_; ++c) {
    std::copy_n(tail_blocks_[c], rest, out.channel(c) + groups * kernel::kGroup);
  }
}

}  // namespace asiodrv::audio
