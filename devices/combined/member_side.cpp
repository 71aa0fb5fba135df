#include "devices/combined/member_side.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "devices/combined/member_plan.hpp"

namespace asiodrv::devices {
namespace {

constexpr double kLeastResync = 16;  // frames: above what a servo may meet while it acquires

audio::FillServoConfig servo_config(const SideShape& shape, double resync) {
  audio::FillServoConfig config;
  config.ring_rate_hz = shape.member.rate.hz;
  config.update_seconds = static_cast<double>(shape.master.period.count) / shape.master.rate.hz;
  config.resync_frames = resync;
  return config;
}

double resync_frames(double target) { return std::max(kLeastResync, target / 2); }

/// `frames` must be a few thousand at most.
audio::InputPosition input_position(double frames) {
  const double whole = std::floor(frames);
  return {static_cast<std::int64_t>(whole),
          static_cast<std::uint64_t>(std::ldexp(frames - whole, 64))};
}

/// The most frames on the resampler's other side for one period, at the greatest speed.
std::uint32_t most_frames(double frames) {
  return static_cast<std::uint32_t>(std::ceil(frames * (1 + audio::kMaxSpeedDeviation))) + 4;
}

Result<audio::Resampler> make_resampler(const SideShape& shape, bool capture,
                                        std::uint32_t max_block,
                                        std::shared_ptr<const audio::FilterTable> table) {
  audio::ResamplerOptions options;
  options.channels = shape.channels;
  options.quality = shape.quality;
  options.input_rate = capture ? shape.member.rate : shape.master.rate;
  options.output_rate = capture ? shape.master.rate : shape.member.rate;
  options.max_block = {max_block};
  return audio::Resampler::make(options, std::move(table));
}

}  // namespace

PlanarScratch::PlanarScratch(std::uint32_t channels, std::uint32_t frames)
    : channels_(channels), frames_(frames), samples_(std::size_t{channels} * frames) {
  for (std::uint32_t c = 0; c < channels; ++c) {
    blocks_.push_back(samples_.data() + std::size_t{c} * frames);
    read_blocks_.push_back(blocks_.back());
  }
}

MemberPlace MemberPlace::moved(double frames) const RT_SAFE {
  const double sum = fraction + frames;
  const double below = std::floor(sum);
  return {whole + static_cast<std::int64_t>(below), sum - below};
}

MemberSide::MemberSide(const SideShape& shape, double target, audio::Resampler resampler,
                       PlanarScratch scratch)
    : shape_(shape),
      ratio_(ratio(shape.master, shape.member)),
      resync_(resync_frames(target)),
      servo_(servo_config(shape, 2 * resync_)),  // we are there before it
      resampler_(std::move(resampler)),
      scratch_(std::move(scratch)) {}

// --- capture -------------------------------------------------------------------------------------

Result<std::unique_ptr<CaptureSide>> CaptureSide::make(
    const SideShape& shape, double target, std::shared_ptr<const audio::FilterTable> table) {
  auto resampler = make_resampler(shape, true, shape.master.period.count, std::move(table));
  if (!resampler) return tl::unexpected(std::move(resampler.error()));
  const std::uint32_t most =
      most_frames(shape.master.period.count * ratio(shape.master, shape.member)) +
      2 * resampler->look_ahead().count;
  return std::unique_ptr<CaptureSide>(
      new CaptureSide(shape, target, std::move(*resampler), PlanarScratch(shape.channels, most)));
}

MemberPlace CaptureSide::next_place() const RT_SAFE {
  const audio::InputPosition at = resampler_.position();
  return {anchor_ + at.whole, static_cast<double>(at.fraction) * 0x1p-64};
}

/// The next output frame is the one at `at`. The filter's past becomes silence.
void CaptureSide::place(const MemberPlace& at) RT_SAFE {
  resampler_.reset(input_position(at.fraction - 1));
  anchor_ = at.whole + 1;
  sounding_ = false;
}

bool CaptureSide::run(const MemberMoment& moment, std::uint64_t passed, PositionRing& ring,
                      PlanarView<float> out) RT_SAFE {
  audio::ServoStep step;
  bool fresh = false;
  if (moment.usable) {
    const double target = reach(moment) - own_;
    const MemberPlace wanted = moment.count.moved(-target);
    if (placed_ && passed > 1) {
      const double lost = static_cast<double>(passed - 1) * out.frames.count;
      place(next_place().moved(lost * ratio_ * speed_));
      fresh = true;
    }
    double error = placed_ ? wanted.minus(next_place()) : 0.0;
    if (!placed_ || std::abs(error) > resync_) {
      if (placed_) ++skips_;
      place(wanted);
      servo_.restart();
      placed_ = fresh = true;
      error = 0;
    }
    fill_ = target + error;
    step = servo_.update(error, moment.speed, static_cast<std::uint32_t>(passed));
  } else if (placed_) {
    step = servo_.hold(static_cast<std::uint32_t>(passed));
  } else {
    for (std::uint32_t c = 0; c < out.channels; ++c) {
      std::fill_n(out.channel(c), out.frames.count, 0.0F);
    }
    return true;
  }

  speed_ = step.speed_to;
  const audio::ReadSpeed speed{step.speed_to};
  std::uint32_t missing = 0;
  std::uint32_t done = 0;
  if (fresh) {  // the resampler's ramp from speed 1 ends with the first frame
    missing = pull(ring, {out.blocks, out.channels, {1}}, speed);
    done = 1;
  }
  for (std::uint32_t c = 0; c < out.channels; ++c) rest_[c] = out.channel(c) + done;
  missing += pull(ring, {rest_.data(), out.channels, {out.frames.count - done}}, speed);
  const bool complete = missing == 0 || !sounding_;
  sounding_ = missing == 0;
  return complete;
}

std::uint32_t CaptureSide::pull(PositionRing& ring, PlanarView<float> out,
                                audio::ReadSpeed speed) RT_SAFE {
  const Frames need = resampler_.needed(out.frames, speed);
  assert(need.count <= scratch_.frames());
  const auto from = static_cast<std::uint64_t>(anchor_ + resampler_.received());
  const std::uint32_t missing = ring.read(from, scratch_.view(need.count));
  (void)resampler_.process(scratch_.read_view(need.count), out, speed);
  return missing;
}

// --- playback ------------------------------------------------------------------------------------

Result<std::unique_ptr<PlaybackSide>> PlaybackSide::make(
    const SideShape& shape, double target, std::shared_ptr<const audio::FilterTable> table) {
  const std::uint32_t most =
      most_frames(shape.master.period.count * ratio(shape.master, shape.member));
  auto resampler = make_resampler(shape, false, most, std::move(table));
  if (!resampler) return tl::unexpected(std::move(resampler.error()));
  return std::unique_ptr<PlaybackSide>(
      new PlaybackSide(shape, target, std::move(*resampler), PlanarScratch(shape.channels, most)));
}

/// Where the next input frame of the resampler will lie in the ring.
MemberPlace PlaybackSide::block_place(const MemberMoment& moment) const RT_SAFE {
  const audio::InputPosition ahead =
      audio::InputPosition{resampler_.received(), 0} - resampler_.position();
  return MemberPlace{next_, 0}.moved(ahead.frames() * ratio_ * moment.speed);
}

/// The next input frame shall lie at `of_block`. The filter's past becomes silence.
void PlaybackSide::place(const MemberPlace& of_block) RT_SAFE {
  const double ahead = resampler_.look_ahead().count / step();
  const MemberPlace earliest = of_block.moved(-ahead);
  next_ = earliest.whole + (earliest.fraction > 0 ? 1 : 0);
  resampler_.reset(input_position(MemberPlace{next_, 0}.minus(of_block) * step()));
}

void PlaybackSide::run(const MemberMoment& moment, std::uint64_t passed, PlanarView<const float> in,
                       PositionRing& ring) RT_SAFE {
  audio::ServoStep step;
  bool fresh = false;
  if (moment.usable) {
    const double target = reach(moment) - 2.0 * shape_.member.period.count - own_;
    const MemberPlace wanted = moment.count.moved(target);
    if (placed_ && passed > 1) {
      const double lost = static_cast<double>(passed - 1) * in.frames.count;
      place(block_place(moment).moved(lost * ratio_ * moment.speed));
      fresh = true;
    }
    double error = placed_ ? block_place(moment).minus(wanted) : 0.0;
    if (!placed_ || std::abs(error) > resync_) {
      if (placed_) ++skips_;
      speed_ = 1 / moment.speed;
      place(wanted);
      servo_.restart();
      placed_ = fresh = true;
      error = 0;
    }
    fill_ = target + error;
    step = servo_.update(error, 1 / moment.speed, static_cast<std::uint32_t>(passed));
  } else if (placed_) {
    step = servo_.hold(static_cast<std::uint32_t>(passed));
  } else {
    return;
  }

  speed_ = step.speed_to;
  const audio::ReadSpeed speed{step.speed_to};
  std::uint32_t done = 0;
  if (fresh) {  // the resampler's ramp from speed 1 ends with the first frame
    const Frames first = resampler_.needed({1}, speed);
    assert(first <= in.frames);
    push(ring, {in.blocks, in.channels, first}, 1, speed);
    done = first.count;
  }
  for (std::uint32_t c = 0; c < in.channels; ++c) rest_[c] = in.channel(c) + done;
  push(ring, {rest_.data(), in.channels, {in.frames.count - done}}, scratch_.frames(), speed);
}

void PlaybackSide::push(PositionRing& ring, PlanarView<const float> in, std::uint32_t at_most,
                        audio::ReadSpeed speed) RT_SAFE {
  const audio::Resampler::Flow flow = resampler_.process(in, scratch_.view(at_most), speed);
  assert(flow.consumed == in.frames);
  ring.write(static_cast<std::uint64_t>(next_), scratch_.read_view(flow.produced.count));
  next_ += flow.produced.count;
}

}  // namespace asiodrv::devices
