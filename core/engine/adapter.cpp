#include "core/engine/adapter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <utility>

#include "core/audio/mix.hpp"

namespace asiodrv::engine {
namespace {

using audio::Resampler;

/// Client frames (in) or device frames (out) that one call of a resampler makes: few enough to
/// stay in the cache and to keep its memory small at any ratio.
constexpr std::uint32_t kResampledPiece = 256;
constexpr audio::ReadSpeed kNominal{1.0};
constexpr std::uint64_t kNoBlock = std::numeric_limits<std::uint64_t>::max();

Result<> check(const AdapterShape& shape) {
  for (const auto& [frames, name] : {std::pair{shape.device_period, "device's period"},
                                     std::pair{shape.client_frames, "client's buffer"}}) {
    if (frames < kMinAdapterFrames || frames > kMaxAdapterFrames) {
      return fail(
          ErrorCode::invalid_argument,
          fmt::format("The {} of {} frames is outside {} to {}: choose a size between.", name,
                      frames.count, kMinAdapterFrames.count, kMaxAdapterFrames.count));
    }
  }
  for (const auto& [rate, name] :
       {std::pair{shape.device_rate, "device's"}, std::pair{shape.client_rate, "client's"}}) {
    if (rate < audio::kMinResamplerRate || rate > audio::kMaxResamplerRate) {
      return fail(
          ErrorCode::invalid_argument,
          fmt::format("The {} rate of {} Hz is outside {} to {} Hz: choose a rate between.", name,
                      rate.hz, audio::kMinResamplerRate.hz, audio::kMaxResamplerRate.hz));
    }
  }
  const auto [lower, higher] = std::minmax(shape.device_rate.hz, shape.client_rate.hz);
  if (higher > lower * audio::kMaxRateFactor) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("The client's rate of {} Hz and the device's of {} Hz are more than a "
                            "factor of {} apart: choose rates closer together.",
                            shape.client_rate.hz, shape.device_rate.hz, audio::kMaxRateFactor));
  }
  for (const auto& [channels, name] :
       {std::pair{shape.inputs, "inputs"}, std::pair{shape.outputs, "outputs"}}) {
    if (channels > kMaxAdapterChannels) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("{} {} are too many for one client: {} at most are accepted.",
                              channels, name, kMaxAdapterChannels));
    }
  }
  return {};
}

/// A resampler for `channels`, or none where nothing is to resample.
Result<std::optional<Resampler>> make_resampler(const AdapterShape& shape, std::uint32_t channels,
                                                SampleRate from, SampleRate to) {
  if (channels == 0 || from == to) return std::nullopt;
  auto made = Resampler::make({.channels = channels,
                               .quality = shape.quality,
                               .input_rate = from,
                               .output_rate = to,
                               .max_block = {kResampledPiece}});
  if (!made) return tl::unexpected(std::move(made.error()));
  return std::optional<Resampler>(std::move(*made));
}

std::uint32_t look_ahead(const std::optional<Resampler>& resampler) noexcept {
  return resampler ? resampler->look_ahead().count : 0;
}

/// Restarts `resampler` where its look-ahead delays the sound and blocks flow at once: the first
/// frame out lies `ahead` + part / parts input frames behind the first frame in, less look-ahead.
/// The fraction is cut to 2^-64 frame; it can ask for a frame less than the exact place, not more.
void start_at(Resampler& resampler, std::uint64_t ahead, std::uint64_t part,
              std::uint64_t parts) RT_SAFE {
  const std::uint64_t high = (part << 32) / parts;  // part < parts < 2^20
  const std::uint64_t low = (((part << 32) % parts) << 32) / parts;
  resampler.reset(
      {static_cast<std::int64_t>(ahead) - resampler.look_ahead().count, (high << 32) | low});
}

/// Blocks from the one before that which plays (in part: it may be rung still) to the one that is
/// captured (in part), and room for a frame that a resampler gives or takes early. Asserted where
/// either ring is written.
std::uint64_t ring_blocks(const AdapterShape& shape, const AdapterTimeline& timeline) {
  const std::uint64_t apart = timeline.offset() - shape.device_period.count;
  return (timeline.captured(apart) + 2) / shape.client_frames.count + 3;
}

}  // namespace

Result<std::unique_ptr<Adapter>> Adapter::make(const AdapterShape& shape) {
  if (auto checked = check(shape); !checked) return tl::unexpected(std::move(checked.error()));
  auto in = make_resampler(shape, shape.inputs, shape.device_rate, shape.client_rate);
  if (!in) return tl::unexpected(std::move(in.error()));
  auto out = make_resampler(shape, shape.outputs, shape.client_rate, shape.device_rate);
  if (!out) return tl::unexpected(std::move(out.error()));
  return std::unique_ptr<Adapter>(new Adapter(shape, std::move(*in), std::move(*out)));
}

Adapter::Adapter(const AdapterShape& shape, std::optional<Resampler> in,
                 std::optional<Resampler> out)
    : shape_(shape),
      timeline_(shape.device_period, shape.device_rate, shape.client_frames, shape.client_rate,
                shape.deferred),
      rung_once_(shape.deferred &&
                 std::uint64_t{shape.client_frames.count} * shape.device_rate.hz >=
                     std::uint64_t{shape.device_period.count} * shape.client_rate.hz),
      in_resampler_(std::move(in)),
      out_resampler_(std::move(out)),
      blocks_(ring_blocks(shape, timeline_)),
      ring_(blocks_ * shape.client_frames.count),
      input_(static_cast<std::size_t>(ring_) * shape.inputs),
      output_(static_cast<std::size_t>(ring_) * shape.outputs),
      held_(static_cast<std::size_t>(blocks_)),
      nothing_(shape.client_frames.count),
      sources_(std::max(shape.inputs, shape.outputs)),
      targets_(std::max(shape.inputs, shape.outputs)) {
  const double ratio = timeline_.ratio();
  const double in_ahead = look_ahead(in_resampler_);            // device frames
  const double out_ahead = look_ahead(out_resampler_) * ratio;  // the same
  round_trip_ = static_cast<double>(timeline_.offset()) + shape.client_frames.count * ratio +
                in_ahead + out_ahead;
  const auto in_client_frames = [&](double device_frames) {
    return static_cast<std::uint32_t>(std::lround(device_frames / ratio));
  };
  input_latency_ = {shape.client_frames.count + in_client_frames(in_ahead)};
  output_latency_ = {in_client_frames(round_trip_) - input_latency_.count};
  restart();
}

void Adapter::restart() RT_SAFE {
  boundary_ = 0;
  written_ = fed_ = next_ = expected_ = answer_ = 0;
  out_ = taken_ = false;
  lost_ = {};
  if (in_resampler_) start_at(*in_resampler_, 0, 0, 1);
  jump_output(static_cast<std::int64_t>(shape_.device_period.count) -
              static_cast<std::int64_t>(timeline_.offset()));
  std::fill(held_.begin(), held_.end(), kNoBlock);
  for (std::uint32_t c = 0; c < shape_.outputs; ++c) {
    audio::silence(output_block(c), shape_.client_frames);
  }
  held_[0] = 0;
}

void Adapter::capture(const float* const* inputs, std::uint32_t lost) RT_SAFE {
  const std::uint64_t period = shape_.device_period.count;
  lose_input(lost * period);
  boundary_ += period;
  const std::int64_t play =
      static_cast<std::int64_t>(boundary_ + period) - static_cast<std::int64_t>(timeline_.offset());
  if (play != play_) jump_output(play);
  taken_ = false;

  // Before the ring is written: whatever is dropped here may be overwritten.
  const Range due = due_frames();
  const std::uint64_t playing = due.begin / shape_.client_frames.count;
  if (playing > 0) next_ = std::max(next_, playing - 1);
  // A client that is rung once in a cycle and was away would stay behind for good, late wherever a
  // period needs two of its blocks. It goes on with the newest block instead.
  const bool is_behind =
      rung_once_ && due.begin != due.end && next_ < (due.end - 1) / shape_.client_frames.count;

  if (in_resampler_) {
    resample_input(inputs);
  } else {
    store_input(inputs);
  }
  const std::uint64_t complete = timeline_.captured(boundary_) / shape_.client_frames.count;
  if (is_behind && complete > 0) next_ = std::max(next_, complete - 1);
  assert(written_ <= next_ * shape_.client_frames.count + ring_);
}

/// Moves the boundary over frames that the device lost; their room in the ring becomes silent.
void Adapter::lose_input(std::uint64_t device_frames) RT_SAFE {
  if (device_frames == 0) return;
  const std::uint64_t begin = timeline_.captured(boundary_);
  boundary_ += device_frames;
  const std::uint64_t end = timeline_.captured(boundary_);
  const bool known = lost_.end <= next_ * shape_.client_frames.count;  // to the client, or dropped
  lost_ = {known ? begin : lost_.begin, end};

  std::uint64_t frame = end - std::min(end - begin, ring_);
  while (frame < end) {
    const auto run = static_cast<std::uint32_t>(std::min(end - frame, ring_ - frame % ring_));
    for (std::uint32_t c = 0; c < shape_.inputs; ++c) {
      audio::silence(input_at(c, frame), {run});
    }
    frame += run;
  }
  written_ = end;
  if (!in_resampler_) return;
  const AdapterTimeline::Place place = timeline_.on_device(end);  // of the next frame out
  start_at(*in_resampler_, place.whole - boundary_, place.part, place.parts);
}

void Adapter::store_input(const float* const* inputs) RT_SAFE {
  if (!timeline_.same_rate()) return;  // no inputs
  std::uint32_t done = 0;
  while (done < shape_.device_period.count) {
    const auto run = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(shape_.device_period.count - done, ring_ - written_ % ring_));
    for (std::uint32_t c = 0; c < shape_.inputs; ++c) {
      audio::copy(inputs[c] + done, input_at(c, written_), {run});
    }
    done += run;
    written_ += run;
  }
}

void Adapter::resample_input(const float* const* inputs) RT_SAFE {
  std::uint32_t done = 0;
  for (;;) {
    const auto room = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(kResampledPiece, ring_ - written_ % ring_));
    for (std::uint32_t c = 0; c < shape_.inputs; ++c) {
      sources_[c] = inputs[c] + done;
      targets_[c] = input_at(c, written_);
    }
    const Resampler::Flow flow = in_resampler_->process(
        {sources_.data(), shape_.inputs, {shape_.device_period.count - done}},
        {targets_.data(), shape_.inputs, {room}}, kNominal);
    done += flow.consumed.count;
    written_ += flow.produced.count;
    if (done == shape_.device_period.count && flow.produced.count < room) break;
  }
  assert(written_ >= timeline_.captured(boundary_));
}

Adapter::Block Adapter::next_block() const RT_SAFE {
  const std::uint64_t begin = next_ * shape_.client_frames.count;
  const std::uint64_t end = block_end(next_);
  // The last frame lies at `last`; 1/a device frame later is the earliest instant that is never
  // ahead of the boundary, for any block, and the end of the last frame when the rates are equal.
  const AdapterTimeline::Place last = timeline_.on_device(end - 1);
  const double age = static_cast<double>(static_cast<std::int64_t>(boundary_ - last.whole)) -
                     static_cast<double>(last.part + 1) / static_cast<double>(last.parts);
  const bool lost_inside = lost_.begin < end && begin < lost_.end;
  return {begin, age, next_ != expected_ || lost_inside};
}

const float* Adapter::input_block(std::uint32_t channel) const RT_SAFE {
  assert(channel < shape_.inputs);
  return &input_[index(channel, next_ * shape_.client_frames.count)];
}

void Adapter::rung() RT_SAFE {
  expected_ = ++next_;
  answer_ = next_;  // block m is the stream's block m + 1
  out_ = true;
}

/// Frames of the stream back that the present boundary's render block needs.
Adapter::Range Adapter::due_frames() const RT_SAFE {
  const auto needed = [&](std::int64_t frames) {
    return timeline_.needed(frames <= 0 ? 0 : static_cast<std::uint64_t>(frames));
  };
  return {needed(play_), needed(play_ + shape_.device_period.count)};
}

bool Adapter::output_is_due() const RT_SAFE {
  const Range due = due_frames();
  if (taken_ || due.begin == due.end) return false;
  const std::uint64_t first = due.begin / shape_.client_frames.count;
  const std::uint64_t last = (due.end - 1) / shape_.client_frames.count;
  if (out_ && first <= answer_ && answer_ <= last) return true;
  return block_waits() && next_ + 1 <= last;  // capture() has dropped those before `first`
}

float* Adapter::output_block(std::uint32_t channel) RT_SAFE {
  assert(channel < shape_.outputs);
  return output_at(channel, answer_ * shape_.client_frames.count);
}

void Adapter::delivered() RT_SAFE {
  assert(answer_ < due_frames().begin / shape_.client_frames.count + blocks_);
  held_[static_cast<std::size_t>(answer_ % blocks_)] = answer_;
  out_ = false;
}

/// Continues the stream back at another frame.
void Adapter::jump_output(std::int64_t play) RT_SAFE {
  play_ = play;
  if (!out_resampler_) return;
  const AdapterTimeline::Place place =
      timeline_.on_client(play <= 0 ? 0 : static_cast<std::uint64_t>(play));
  fed_ = place.whole;
  start_at(*out_resampler_, 0, place.part, place.parts);
}

bool Adapter::take(float* const* outputs) RT_SAFE {
  const std::uint32_t period = shape_.device_period.count;
  const Range due = due_frames();
  const std::uint32_t early =
      taken_ ? period : static_cast<std::uint32_t>(std::clamp<std::int64_t>(-play_, 0, period));
  for (std::uint32_t c = 0; c < shape_.outputs; ++c) audio::silence(outputs[c], {early});
  if (std::exchange(taken_, true)) return false;

  bool whole = true;
  for (std::uint64_t frame = due.begin; frame < due.end;) {
    const std::uint64_t block = frame / shape_.client_frames.count;
    whole = whole && holds(block);
    frame = block_end(block);
  }
  if (out_resampler_) {
    resample_output(outputs, early);
  } else {
    copy_output(outputs, early);
  }
  play_ += period;
  return whole;
}

void Adapter::copy_output(float* const* outputs, std::uint32_t at) RT_SAFE {
  if (!timeline_.same_rate()) return;  // no outputs
  while (at < shape_.device_period.count) {
    const auto frame = static_cast<std::uint64_t>(play_ + at);
    const std::uint64_t block = frame / shape_.client_frames.count;
    const auto run = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(shape_.device_period.count - at, block_end(block) - frame));
    for (std::uint32_t c = 0; c < shape_.outputs; ++c) {
      if (holds(block)) {
        audio::copy(output_at(c, frame), outputs[c] + at, {run});
      } else {
        audio::silence(outputs[c] + at, {run});
      }
    }
    at += run;
  }
}

void Adapter::resample_output(float* const* outputs, std::uint32_t at) RT_SAFE {
  while (at < shape_.device_period.count) {
    const Frames wanted{std::min(shape_.device_period.count - at, kResampledPiece)};
    const std::uint64_t block = fed_ / shape_.client_frames.count;
    const auto run = static_cast<std::uint32_t>(std::min<std::uint64_t>(
        out_resampler_->needed(wanted, kNominal).count, block_end(block) - fed_));
    for (std::uint32_t c = 0; c < shape_.outputs; ++c) {
      sources_[c] = holds(block) ? output_at(c, fed_) : nothing_.data();
      targets_[c] = outputs[c] + at;
    }
    const Resampler::Flow flow =
        out_resampler_->process({sources_.data(), shape_.outputs, {run}},
                                {targets_.data(), shape_.outputs, wanted}, kNominal);
    fed_ += flow.consumed.count;
    at += flow.produced.count;
  }
}

}  // namespace asiodrv::engine
